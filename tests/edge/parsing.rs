//! Requests, row by row.

use super::double::NOW;
use rollout_judge::{
    domain::Question,
    http::{Problem, VerdictRequest},
};
use serde_json::{Value, json};

fn base() -> Value {
    json!({"policy": "p", "namespace": "shop", "rollout": "checkout", "canaryHash": "abc1", "stableHash": "def2"})
}

fn read(value: &Value) -> Result<Question, Problem> {
    VerdictRequest::read(value.to_string().as_bytes())?.question(NOW)
}

fn with(changes: &Value) -> Result<Question, Problem> {
    let mut value = base();
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    read(&value)
}

#[test]
fn only_what_must_be() {
    let question = read(&base()).unwrap();
    assert_eq!(question.at, NOW);
    assert_eq!(
        (
            question.weight,
            question.step,
            question.since,
            question.step_since
        ),
        (None, None, None, None)
    );
    assert!(!question.dry_run && question.params.is_empty() && question.analysis_run.is_none());
}

#[test]
fn all_strings_equal_all_typed() {
    let typed = with(
        &json!({"weight": 5, "step": 2, "stepSince": 1_767_311_000, "since": 1_767_310_000.5, "at": 1_767_311_900,
        "params": {"zone": "a"}, "analysisRun": "run-1", "dryRun": true}),
    );
    let strings = with(
        &json!({"weight": "5", "step": "2", "stepSince": "1767311000", "since": "1767310000.5",
        "at": "2026-01-01T23:58:20Z", "params": {"zone": "a"}, "analysisRun": "run-1", "dryRun": "true"}),
    );
    assert_eq!(typed.as_ref().unwrap(), strings.as_ref().unwrap());
    assert_eq!(typed.unwrap().since, Some(1_767_310_000_500));
}

#[test]
fn a_weight_below_nothing_is_nothing() {
    for zero in [json!("-0"), json!(-0.0), json!("-0.0")] {
        let weight = with(&json!({ "weight": zero })).unwrap().weight;
        assert!(weight.is_some_and(|w| w == 0.0 && w.is_sign_positive()));
    }
}

#[test]
fn what_is_missing_is_told_in_the_order_of_the_documentation() {
    let problem = read(&json!({ "policy": null })).unwrap_err();
    assert!(format!("{problem:?}").contains("policy"), "{problem:?}");
}

#[test]
fn empty_strings_and_null_are_absent() {
    for nothing in [json!(""), json!(" "), json!(null)] {
        let mut value = base();
        for key in [
            "weight",
            "step",
            "stepSince",
            "since",
            "at",
            "params",
            "analysisRun",
            "dryRun",
        ] {
            value[key] = nothing.clone();
        }
        assert_eq!(read(&value).unwrap(), read(&base()).unwrap());
    }
}

#[test]
fn what_is_refused() {
    let check = |changes: Value, code: &str, field: &str, part: &str| {
        let problem = with(&changes).unwrap_err();
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (code, Some(field)),
            "{changes} {}",
            problem.detail
        );
        assert!(
            problem.detail.contains(field) || part.contains("both"),
            "{changes} {}",
            problem.detail
        );
        assert!(
            problem.detail.contains(part),
            "{changes} {}",
            problem.detail
        );
    };
    for field in ["policy", "namespace", "rollout", "canaryHash", "stableHash"] {
        check(
            json!({field: ""}),
            "missing-field",
            field,
            "missing or empty",
        );
        check(
            json!({field: null}),
            "missing-field",
            field,
            "missing or empty",
        );
        check(json!({field: ["x"]}), "invalid-field", field, "a list");
        check(
            json!({field: {"a": 1}}),
            "invalid-field",
            field,
            "an object",
        );
        check(
            json!({field: "{{args.x}}"}),
            "invalid-field",
            field,
            "template",
        );
    }
    check(
        json!({"canaryHash": "def2"}),
        "invalid-field",
        "canaryHash",
        "both `def2`",
    );
    check(
        json!({"canaryHash": "ABC"}),
        "invalid-field",
        "canaryHash",
        "not a pod-template hash",
    );
    check(
        json!({"canaryHash": "a".repeat(64)}),
        "invalid-field",
        "canaryHash",
        "not a pod-template hash",
    );
    check(
        json!({"stableHash": "a-b"}),
        "invalid-field",
        "stableHash",
        "podTemplateHashValue: Stable",
    );
    check(
        json!({"namespace": "Shop"}),
        "invalid-field",
        "namespace",
        "lower-case",
    );
    check(
        json!({"namespace": "a".repeat(64)}),
        "invalid-field",
        "namespace",
        "63",
    );
    check(
        json!({"namespace": "a.b"}),
        "invalid-field",
        "namespace",
        "lower-case",
    );
    check(json!({"rollout": "-a"}), "invalid-field", "rollout", "253");
    check(
        json!({"rollout": "a\"} or up{"}),
        "invalid-field",
        "rollout",
        "253",
    );
    check(
        json!({"weight": 100.5}),
        "invalid-field",
        "weight",
        "0 to 100",
    );
    check(
        json!({"weight": "-1"}),
        "invalid-field",
        "weight",
        "0 to 100",
    );
    check(
        json!({"weight": "five"}),
        "invalid-field",
        "weight",
        "number",
    );
    check(
        json!({"weight": "NaN"}),
        "invalid-field",
        "weight",
        "number",
    );
    check(
        json!({"weight": "inf"}),
        "invalid-field",
        "weight",
        "number",
    );
    check(json!({"weight": true}), "invalid-field", "weight", "number");
    check(
        json!({"step": 1.5}),
        "invalid-field",
        "step",
        "whole number",
    );
    check(
        json!({"step": "-1"}),
        "invalid-field",
        "step",
        "whole number",
    );
    check(
        json!({"dryRun": "yes"}),
        "invalid-field",
        "dryRun",
        "`true` or `false`",
    );
    check(
        json!({"dryRun": 1}),
        "invalid-field",
        "dryRun",
        "`true` or `false`",
    );
    check(
        json!({"at": NOW / 1000 + 3}),
        "invalid-field",
        "at",
        "future",
    );
    check(json!({"at": "tomorrow"}), "invalid-field", "at", "RFC 3339");
    check(json!({"at": NOW}), "invalid-field", "at", "milliseconds");
    check(json!({"at": -1}), "invalid-field", "at", "1970");
    check(
        json!({"since": "2026-01-01T10:00:00Z", "at": "2026-01-01T09:00:00Z"}),
        "invalid-field",
        "since",
        "after `at`",
    );
    check(
        json!({"stepSince": NOW / 1000 + 1}),
        "invalid-field",
        "stepSince",
        "after `at`",
    );
    check(
        json!({"params": "zone=a"}),
        "invalid-field",
        "params",
        "object",
    );
    check(
        json!({"params": {"9a": "x"}}),
        "invalid-field",
        "params.9a",
        "letter",
    );
    check(
        json!({"params": {"a": "x".repeat(257)}}),
        "invalid-field",
        "params.a",
        "256",
    );
    check(
        json!({"params": {"a": ["x"]}}),
        "invalid-field",
        "params.a",
        "string",
    );
    check(
        json!({"params": {"a": "x\ny"}}),
        "invalid-field",
        "params.a",
        "control",
    );
    let many: serde_json::Map<String, Value> =
        (0..33).map(|i| (format!("p{i}"), json!("x"))).collect();
    check(
        json!({"params": many}),
        "invalid-field",
        "params",
        "at most 32",
    );
    check(
        json!({"canary_hash": "a"}),
        "unknown-field",
        "canary_hash",
        "did you mean `canaryHash`?",
    );
    check(
        json!({"query": "up"}),
        "unknown-field",
        "query",
        "there is: policy",
    );
}

#[test]
fn at_may_be_a_little_ahead() {
    assert_eq!(with(&json!({"at": NOW / 1000 + 2})).unwrap().at, NOW + 2000);
}

#[test]
fn bodies_that_are_no_object() {
    for body in ["", "null", "[]", "3", "{", "{}x", "\u{feff}{}", "policy=p"] {
        let outcome = VerdictRequest::read(body.as_bytes()).and_then(|r| r.question(NOW));
        let code = outcome.unwrap_err().code;
        assert!(code == "malformed-json", "{body}: {code}");
    }
    let twice = br#"{"policy":"a","policy":"b"}"#;
    let problem = VerdictRequest::read(twice).unwrap_err();
    assert_eq!(
        (problem.code, problem.field.as_deref()),
        ("invalid-field", Some("policy"))
    );
}
