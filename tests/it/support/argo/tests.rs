//! Rows that were observed with the real provider, the real evaluator and the real engine.

use super::{
    engine::{Limits, Metric, Run},
    json_path,
    web::{Phase, Template, Violation, phase},
};
use Phase::{Error, Failed, Inconclusive, Running, Successful};
use serde_json::{Value, json};

#[track_caller]
fn check_path(path: &str, body: &Value, expected: Result<Value, &str>) {
    match (json_path::first(path, body), expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{path}"),
        (Err(error), Err(part)) => assert!(error.contains(part), "{path}: {error}"),
        (found, expected) => panic!("{path}: {found:?} instead of {expected:?}"),
    }
}

#[test]
fn paths() {
    let body = json!({
        "a": [1, 2, 3], "p-value": 0.5, "a.b": 7, "verdict": "pass", "nothing": null,
        "m": [{"n": "p50", "v": 1}, {"n": "p99", "v": 9}], "deep": {"verdict": "deep"}, "holes": [null],
    });
    check_path("{$.verdict}", &body, Ok(json!("pass")));
    check_path("{.verdict}", &body, Ok(json!("pass")));
    check_path("{$}", &body, Ok(body.clone()));
    check_path("{$['p-value']}", &body, Ok(json!(0.5)));
    check_path("{$.p-value}", &body, Ok(json!(0.5)));
    check_path("{$.a\\.b}", &body, Ok(json!(7)));
    check_path("{$.a[1]}", &body, Ok(json!(2)));
    check_path("{$.a[-1:]}", &body, Ok(json!(3)));
    check_path("{$.a[*]}", &body, Ok(json!(1)));
    check_path("{$.m[?(@.n==\"p99\")].v}", &body, Ok(json!(9)));
    check_path("{$.nothing}", &body, Ok(Value::Null));
    check_path(
        "{..verdict}",
        &json!({"x": {"verdict": "fail"}}),
        Ok(json!("fail")),
    );
    // no braces: the text itself
    check_path("$.verdict", &body, Ok(json!("$.verdict")));
    check_path("v={$.verdict}", &body, Ok(json!("v=")));
    check_path(" {$.verdict}", &body, Ok(json!(" ")));
    check_path("{$.absent}", &body, Err("Could not find JSONPath"));
    check_path("{$.a[3]}", &body, Err("Could not find JSONPath"));
    check_path("{$.m[?(@.n==\"p10\")].v}", &body, Err("no value"));
    check_path("{..absent}", &body, Err("no value"));
    check_path("{$.*}", &json!({}), Err("no value"));
    check_path("{$.holes[?(@.n==\"p10\")]}", &body, Err("null"));
    check_path("{$.nothing[?(@.n==\"p10\")]}", &body, Err("array"));
    check_path("{$.verdict", &body, Err("unclosed"));
}

/// Phase of a value under both conditions; a type error is `Error`.
fn of(result: &Value, success: &str, failure: &str) -> Phase {
    phase(result, success, failure).unwrap_or(Error)
}

#[track_caller]
fn check(result: &Value, success: &str, expected: Phase) {
    let found = phase(result, success, "");
    assert_eq!(
        found.clone().unwrap_or(Error),
        expected,
        "{success}: {found:?}"
    );
}

#[test]
fn conditions() {
    check(&json!(true), "result == true", Successful);
    check(&json!(true), "result == 'true'", Error);
    check(&json!("3"), "result > 2", Error);
    check(&json!("3"), "asInt(result) > 2", Successful);
    check(&json!("x"), "asInt(result) > 2", Error);
    check(&json!(3), "result == 3", Successful);
    check(&json!(-3.5), "result < -3 && result > -4", Successful);
    check(&json!({}), "result.v == \"pass\"", Failed);
    check(&json!({}), "result.v > 0.5", Error);
    check(&json!({}), "result.ok", Error);
    check(&json!({}), "result.a.b == 1", Error);
    check(&json!({}), "result?.a?.b == 1", Failed);
    check(&json!({}), "(result.p ?? 1.0) > 0.5", Successful);
    check(&Value::Null, "isNil(result)", Successful);
    check(&Value::Null, "result > 0.1", Error);
    check(&Value::Null, "default(result, 5) == 5", Successful);
    check(&json!("NaN"), "isNaN(asFloat(result))", Successful);
    check(&json!("+Inf"), "isInf(asFloat(result))", Successful);
    check(&json!([]), "result[0] > 1", Error);
    check(
        &json!([0.12, "pass", "why"]),
        "result[1] == \"pass\"",
        Successful,
    );
    check(
        &json!([0.12, "pass", "why"]),
        "result[-1] == \"why\"",
        Successful,
    );
    let list = json!([{"v": "pass"}, {"v": "fail"}]);
    check(&list, "any(result, {#.v == \"fail\"})", Successful);
    check(&list, "all(result, {.v == \"fail\"})", Failed);
    check(&list, "!any(result, {#.v == \"fail\"}) || false", Failed);
    check(&json!("warn"), "result in [\"pass\", \"warn\"]", Successful);
    check(
        &json!("fail"),
        "not (result in [\"pass\", \"warn\"])",
        Successful,
    );
    check(
        &json!("fail"),
        "result == \"pass\" or result == \"fail\"",
        Successful,
    );
    // the right side of a decided `&&` is not looked at
    check(
        &json!({"v": "x"}),
        "result.v == \"pass\" && result.absent > 1",
        Failed,
    );
    check(
        &json!({"v": "x"}),
        "result.v == \"x\" && result.absent > 1",
        Error,
    );
    check(&json!(1), "result", Error);
    check(&json!(1), "result ==", Error);
    check(&json!(1), "sesult == 1", Error);
}

#[test]
fn truth_table() {
    let (pass, fail) = ("result == \"pass\"", "result == \"fail\"");
    let rows = [
        ("x", "", "", Successful),
        ("pass", pass, "", Successful),
        ("x", pass, "", Failed),
        ("fail", "", fail, Failed),
        ("x", "", fail, Successful),
        ("pass", pass, fail, Successful),
        ("fail", pass, fail, Failed),
        ("third", pass, fail, Inconclusive),
        ("both", "true", "true", Failed),
    ];
    for (result, success, failure, expected) in rows {
        let found = of(&json!(result), success, failure);
        assert_eq!(found, expected, "{result} / {success} / {failure}");
    }
}

#[test]
fn answers() {
    let template = Template::post("http://127.0.0.1:1", &[]);
    let read = |status: u16, body: &str| template.read(status, body.as_bytes());
    let phase_of = |status, body: &str| read(status, body).unwrap().phase;
    assert_eq!(phase_of(200, r#"{"verdict":"pass"}"#), Successful);
    assert_eq!(phase_of(201, r#"{"verdict":"fail"}"#), Failed);
    assert_eq!(phase_of(200, r#"{"verdict":"hold"}"#), Inconclusive);
    assert_eq!(phase_of(200, r#"{"verdict":true}"#), Error);
    assert_eq!(phase_of(200, "{}"), Error);
    for status in [199, 300, 304, 400, 404, 503] {
        assert_eq!(phase_of(status, r#"{"verdict":"pass"}"#), Error, "{status}");
    }
    assert_eq!(read(200, "null"), Err(Violation::NullBody));
    let not_json = [
        "",
        "<html>",
        "NaN",
        r#"{"a":NaN}"#,
        "\u{feff}{}",
        r#"{"verdict":"pass"} x"#,
        r#"{"verdict":"pa"#,
    ];
    for body in not_json {
        assert!(
            matches!(read(200, body), Err(Violation::NotJson(_))),
            "{body}"
        );
    }
    // nothing survives of an error
    let error = read(503, "secret").unwrap();
    assert_eq!(
        (error.value.as_str(), error.message.contains("503")),
        ("", true)
    );
}

#[test]
fn values_are_printed_as_go_does() {
    let rows = [
        (
            "{$}",
            json!({"b": 1.0, "a": [1e-7, 1e21, 0.1, 100]}),
            r#"{"a":[1e-7,1e+21,0.1,100],"b":1}"#,
        ),
        (
            "{$.v}",
            json!({"v": "a<b & \"c\">"}),
            r#""a\u003cb \u0026 \"c\"\u003e""#,
        ),
        (
            "{$.v}",
            json!({"v": 9_007_199_254_740_993_u64}),
            "9007199254740992",
        ),
        ("{$.v}", json!({"v": null}), "null"),
    ];
    for (path, body, expected) in rows {
        let template = Template::post("http://127.0.0.1:1", &[]).reading(path, "", "");
        let found = template.read(200, body.to_string().as_bytes()).unwrap();
        assert_eq!((found.phase, found.value.as_str()), (Successful, expected));
    }
}

#[test]
fn nobody_listening_is_an_error() {
    let port = crate::support::process::free_port();
    let template = Template::post(format!("http://127.0.0.1:{port}/"), &[]);
    assert_eq!(template.measure().unwrap().phase, Error);
}

/// A metric that gives these phases one after the other, the last for ever.
fn script(limits: Limits, phases: &[Phase]) -> Metric<'static> {
    let phases = phases.to_vec();
    let mut i = 0;
    Metric::new(limits, move |_| {
        let phase = phases[i.min(phases.len() - 1)];
        i += 1;
        (phase, 0.0)
    })
}

#[track_caller]
fn check_run(limits: Limits, phases: &[Phase], expected: Phase, at: f64) {
    let run = Run::until(3600.0, vec![script(limits, phases)]);
    assert_eq!((run.phase, run.at), (expected, at), "{phases:?}: {run:?}");
}

#[test]
fn limits() {
    let once = Limits::default();
    let every = Limits {
        interval: Some(30.0),
        ..once
    };
    let three = Limits {
        count: Some(3),
        ..every
    };
    check_run(once, &[Successful], Successful, 0.0);
    check_run(once, &[Failed], Failed, 0.0);
    check_run(once, &[Inconclusive], Inconclusive, 0.0);
    // errors are tried again every 10 s, whatever the interval; the fifth in a row is fatal
    check_run(once, &[Error], Error, 40.0);
    check_run(every, &[Error], Error, 40.0);
    check_run(
        once,
        &[Error, Error, Error, Error, Successful],
        Successful,
        40.0,
    );
    check_run(three, &[Error, Successful], Successful, 70.0);
    check_run(three, &[Successful], Successful, 60.0);
    check_run(three, &[Successful, Failed], Failed, 30.0);
    check_run(every, &[Successful], Running, 3600.0);
    let patient = Limits {
        failure: Some(1),
        inconclusive: 2,
        ..three
    };
    check_run(
        patient,
        &[Failed, Inconclusive, Inconclusive],
        Successful,
        60.0,
    );
    check_run(patient, &[Failed, Successful, Failed], Failed, 60.0);
    let hold = Limits {
        inconclusive: 100,
        consecutive_success: 2,
        count: Some(5),
        ..every
    };
    check_run(
        hold,
        &[Inconclusive, Successful, Successful],
        Successful,
        60.0,
    );
    check_run(
        hold,
        &[Successful, Inconclusive, Successful, Inconclusive],
        Inconclusive,
        120.0,
    );
    let never_fails = Limits {
        failure: None,
        ..hold
    };
    check_run(never_fails, &[Failed, Failed, Successful], Successful, 90.0);
    let later = Limits {
        initial_delay: 60.0,
        ..once
    };
    check_run(later, &[Successful], Successful, 60.0);
    // an interval runs from the end of a measurement
    let slow = Metric::new(three, |_| (Successful, 5.0));
    assert_eq!(
        Run::until(3600.0, vec![slow]).metrics[0].at,
        [0.0, 35.0, 70.0]
    );
}

#[test]
fn the_first_bad_metric_ends_the_run_and_the_worst_names_it() {
    let every = Limits {
        interval: Some(30.0),
        ..Limits::default()
    };
    let run = Run::until(
        3600.0,
        vec![
            script(every, &[Successful]),
            script(every, &[Successful, Inconclusive]),
        ],
    );
    assert_eq!((run.phase, run.at), (Inconclusive, 30.0));
    assert_eq!(run.metrics[0].phase, Successful);
    assert!(
        Failed > Error && Error > Inconclusive && Inconclusive > Running && Running > Successful
    );
}
