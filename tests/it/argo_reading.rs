//! How Argo Rollouts reads each answer: the phase of the measurement, and nothing that it cannot bear.

use crate::support::{
    argo::{Measurement, Phase, Template, phase_of},
    databases::Databases,
    http::Answer,
    process::free_port,
    recording::Recording,
    scripted::{Reply, Scripted},
    service::{PUBLIC_URL, Service, Setup, as_documented},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One gauge is enough where the answer does not depend on samples.
const SMALL: &str = r"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: small }
spec:
  objectives:
    - name: errors
      errorRatio:
        errors: http_requests_total{code='500'}
        total: http_requests_total
";

/// No patience with a silent source.
const STRICT: &str = r"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: strict }
spec:
  onSourceDown: error
  sourcePatience: 0s
  objectives:
    - name: errors
      errorRatio:
        errors: http_requests_total{code='500'}
        total: http_requests_total
";

/// Nobody passes the step of 50 % in less than 20 minutes.
const HOLD: &str = r#"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: hold }
spec:
  match: '{app="shop", scenario="healthy_basic"}'
  block: 30s
  steps:
    - { weight: 50, minDuration: 20m }
    - { weight: 100 }
  objectives:
    - name: error-rate
      errorRatio:
        errors: http_requests_total{code=~"5.."}
        total: http_requests_total
"#;

/// The arguments that every question has.
const WHO: [(&str, &str); 4] = [
    ("namespace", "shop"),
    ("rollout", "checkout"),
    ("canaryHash", "7f4d8b5c99"),
    ("stableHash", "5b7c9d6f84"),
];

fn template(service: &Service, policy: &str) -> Template {
    with(service, policy, &[])
}

fn with(service: &Service, policy: &str, more: &[(&str, &str)]) -> Template {
    let mut arguments = vec![("policy", policy)];
    arguments.extend(WHO);
    arguments.retain(|(name, _)| more.iter().all(|(n, _)| n != name));
    arguments.extend(more);
    Template::post(service.url("/v1/verdicts"), &arguments)
}

/// Measures; a violation is a failure of the test.
#[track_caller]
fn measure(template: &Template) -> (Answer, Measurement) {
    let (answer, measured) = template.measure_with_answer();
    let measured = measured.unwrap_or_else(|violation| panic!("{violation}"));
    let answer = answer.unwrap_or_else(|| panic!("no answer: {}", measured.message));
    as_documented("POST", "/v1/verdicts", &answer);
    (answer, measured)
}

#[track_caller]
fn check(template: &Template, status: u16, expected: Phase) -> Answer {
    let (answer, measured) = measure(template);
    let said = answer.text();
    assert_eq!(
        (answer.status, measured.phase),
        (status, expected),
        "{said} {measured:?}"
    );
    match status {
        200 => whole(&answer.json()),
        503 => empty(&answer),
        _ => problem(&answer),
    }
    answer
}

/// Every key of the contract, one type each, no `null`.
#[track_caller]
fn whole(answer: &Value) {
    let texts = ["id", "verdict", "reason", "action", "url"];
    let numbers = ["score", "weight", "nextWeight"];
    let lists = ["result", "objectives", "warnings"];
    let objects = ["policy", "rollout", "window"];
    assert!(texts.iter().all(|k| answer[*k].is_string()), "{answer}");
    assert!(numbers.iter().all(|k| answer[*k].is_number()), "{answer}");
    assert!(lists.iter().all(|k| answer[*k].is_array()), "{answer}");
    assert!(objects.iter().all(|k| answer[*k].is_object()), "{answer}");
    assert_eq!(answer["ok"], json!(answer["verdict"] == "pass"));
    let triple = json!([answer["score"], answer["verdict"], answer["reason"]]);
    assert_eq!(answer["result"], triple);
    let reason = answer["reason"].as_str().unwrap();
    assert!(
        reason.chars().count() <= 200 && !reason.contains(['<', '>', '&']),
        "{reason}"
    );
    assert!(
        answer["url"].as_str().unwrap().starts_with(PUBLIC_URL),
        "{answer}"
    );
    let score = answer["score"].as_f64().unwrap();
    assert!((0.0..=100.0).contains(&score), "{score}");
    no_null("$", answer);
}

#[track_caller]
fn no_null(path: &str, value: &Value) {
    match value {
        Value::Null => panic!("{path} is null"),
        Value::Array(items) => items.iter().for_each(|v| no_null(&format!("{path}[]"), v)),
        Value::Object(map) => map
            .iter()
            .for_each(|(k, v)| no_null(&format!("{path}.{k}"), v)),
        _ => {}
    }
}

#[track_caller]
fn problem(answer: &Answer) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let json = answer.json();
    let code = json["code"].as_str().unwrap_or_default();
    assert!(!code.is_empty(), "{json}");
    assert_eq!(json["status"], answer.status, "{json}");
}

#[track_caller]
fn empty(answer: &Answer) {
    assert!(answer.body.is_empty(), "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"));
}

/// A service on VictoriaMetrics with the recordings, and a moment of one of them.
fn judge_recordings(databases: &Databases) -> Service {
    Setup::default()
        .source("default", "victoriametrics", &databases.victoria.url())
        .policy("scenario/shop.yaml")
        .policy_text("hold", HOLD)
        .start()
}

/// A question about a recording; seconds from its `t0`.
fn about(service: &Service, policy: &str, recording: &Recording, at: i64) -> Template {
    let (index, step) = recording.step_at(recording.t0 + at);
    let texts = [
        recording.name.replace('_', "-"),
        step.weight.to_string(),
        index.to_string(),
        (recording.t0 + step.from_s).to_string(),
        (recording.t0 + at).to_string(),
    ];
    let names = ["rollout", "weight", "step", "stepSince", "at"];
    let more: Vec<(&str, &str)> = names
        .into_iter()
        .zip(texts.iter().map(String::as_str))
        .collect();
    let mut template = with(service, policy, &more);
    if policy == "shop"
        && let Some(body) = &mut template.json_body
    {
        body.insert("params".to_owned(), json!({"scenario": recording.name}));
    }
    template
}

fn recording<'a>(databases: &'a Databases, name: &str) -> &'a Recording {
    databases
        .recordings
        .iter()
        .find(|r| r.name == name)
        .unwrap()
}

#[test]
fn verdicts_become_their_phases() {
    let databases = Databases::shared();
    let service = judge_recordings(&databases);
    let healthy = recording(&databases, "healthy_basic");
    let broken = recording(&databases, "error_step");

    let pass = about(&service, "shop", healthy, 4500);
    let answer = check(&pass, 200, Phase::Successful).json();
    assert_eq!(
        (&answer["verdict"], &answer["action"]),
        (&json!("pass"), &json!("advance"))
    );

    let fail = about(&service, "shop", broken, 3600);
    let answer = check(&fail, 200, Phase::Failed).json();
    assert_eq!(
        (&answer["verdict"], &answer["action"]),
        (&json!("fail"), &json!("abort"))
    );
    assert_eq!(answer["nextWeight"].as_f64(), Some(0.0));

    let early = about(&service, "shop", healthy, 1860);
    let answer = check(&early, 200, Phase::Inconclusive).json();
    assert_eq!(answer["action"], "hold");

    let hold = about(&service, "hold", healthy, 4500);
    let answer = check(&hold, 200, Phase::Inconclusive).json();
    assert_eq!(answer["action"], "hold");
    assert_eq!(answer["nextWeight"].as_f64(), Some(50.0));
    assert_eq!(answer["objectives"][0]["outcome"], "pass", "{answer}");
}

#[test]
fn every_shape_that_templates_read_works() {
    let databases = Databases::shared();
    let service = judge_recordings(&databases);
    let pass = about(
        &service,
        "shop",
        recording(&databases, "healthy_basic"),
        4500,
    );
    let fail = about(&service, "shop", recording(&databases, "error_step"), 3600);
    let any = "any(result, {#.outcome == \"fail\"})";
    let one = "{$.objectives[?(@.name==\"error-rate\")].outcome}";
    let rows = [
        ("{$.verdict}", "result == \"pass\"", "result == \"fail\""),
        ("{.verdict}", "result in [\"pass\"]", "result in [\"fail\"]"),
        ("{..verdict}", "result == \"pass\"", "result == \"fail\""),
        (
            "{$}",
            "result.verdict == \"pass\"",
            "result.verdict == \"fail\"",
        ),
        ("", "result.ok", "result.action == \"abort\""),
        ("{$.ok}", "result == true", "result == false"),
        (
            "{$.result}",
            "result[1] == \"pass\"",
            "result[1] == \"fail\"",
        ),
        ("{$.result[1]}", "result == \"pass\"", "result == \"fail\""),
        ("{$.objectives}", "", any),
        (one, "result == \"pass\"", "result == \"fail\""),
        ("{$.score}", "result >= 0", "result < 0"),
    ];
    let judged = [(&pass, Phase::Successful), (&fail, Phase::Failed)];
    for (template, expected) in judged {
        for (path, success, failure) in rows {
            let (_, measured) = measure(&template.clone().reading(path, success, failure));
            let expected = if path == "{$.score}" {
                Phase::Successful
            } else {
                expected
            };
            assert_eq!(measured.phase, expected, "{path}: {measured:?}");
        }
        // what ends up in the AnalysisRun is small and readable
        let (_, measured) = measure(&template.clone().reading("{$.result}", "", ""));
        assert!(measured.value.len() < 300, "{}", measured.value);
        assert!(!measured.value.contains("\\u00"), "{}", measured.value);
        let (_, measured) = measure(&template.clone().reading("{$}", "", ""));
        assert!(
            measured.value.len() < 16_384,
            "{} bytes",
            measured.value.len()
        );
    }
    // the same value for both: a type never varies
    assert_eq!(
        phase_of(&json!("pass"), "result == \"pass\"", ""),
        Ok(Phase::Successful)
    );
}

#[test]
fn a_source_that_is_down_is_inconclusive_or_an_error_as_the_policy_says() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let service = Setup::default()
        .source("default", "prometheus", &url)
        .policy_text("small", SMALL)
        .policy_text("strict", STRICT)
        .start();
    let answer = check(&template(&service, "small"), 200, Phase::Inconclusive).json();
    assert_eq!(answer["objectives"][0]["code"], "source-down", "{answer}");
    assert_eq!(answer["action"], "hold");
    check(&template(&service, "strict"), 503, Phase::Error);
}

#[test]
fn a_slow_source_does_not_make_the_answer_late() {
    let slow = Scripted::start(|_| Reply::Silence(Duration::from_mins(1)));
    // the default deadline must lie below the caller's 10 s
    let setup = Setup::default()
        .source("default", "victoriametrics", slow.url())
        .policy_text("small", SMALL);
    let quick = setup.clone().server("deadline", json!("1s"));
    for (setup, seconds) in [(quick, 1.6), (setup, 9.5)] {
        let service = setup.start();
        let begun = Instant::now();
        check(&template(&service, "small"), 200, Phase::Inconclusive);
        let took = begun.elapsed().as_secs_f64();
        assert!(took < seconds, "{took} s");
    }
    let asked = slow.seen();
    assert!(!asked.is_empty());
    for seen in asked {
        assert!(seen.line.starts_with("POST /api/v1/query"), "{}", seen.line);
        assert!(seen.body.contains("query="), "{}", seen.body);
    }
}

#[test]
fn a_source_that_talks_nonsense_is_inconclusive() {
    let rows = [
        Reply::Json(200, "<html>login</html>".to_owned()),
        Reply::Json(200, "null".to_owned()),
        Reply::Json(
            200,
            r#"{"status":"success","data":{"resultType":"ma"#.to_owned(),
        ),
        Reply::Json(
            200,
            r#"{"status":"error","errorType":"execution","error":"no"}"#.to_owned(),
        ),
        Reply::Json(
            422,
            r#"{"status":"error","errorType":"bad_data","error":"no"}"#.to_owned(),
        ),
        Reply::Json(503, String::new()),
        Reply::Reset,
    ];
    for reply in rows {
        let shown = format!("{reply:?}");
        let source = Scripted::start(move |_| reply.clone());
        let service = Setup::default()
            .source("default", "prometheus", source.url())
            .policy_text("small", SMALL)
            .start();
        let answer = check(&template(&service, "small"), 200, Phase::Inconclusive).json();
        let code = answer["objectives"][0]["code"].as_str().unwrap();
        assert!(code.starts_with("source-"), "{shown}: {code}");
    }
}

#[test]
fn a_source_without_the_canary_is_inconclusive() {
    let nothing = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let source = Scripted::start(move |_| Reply::Json(200, nothing.to_owned()));
    let service = Setup::default()
        .source("default", "prometheus", source.url())
        .policy_text("small", SMALL)
        .start();
    let answer = check(&template(&service, "small"), 200, Phase::Inconclusive).json();
    assert_eq!(answer["action"], "hold", "{answer}");
}

#[test]
fn refusals_are_errors_with_a_problem() {
    let source = Scripted::start(|_| Reply::Reset);
    let service = Setup::default()
        .source("default", "prometheus", source.url())
        .policy_text("small", SMALL)
        .start();
    let bad: [&[(&str, &str)]; 7] = [
        &[("canaryHash", "")],
        &[("canaryHash", "5b7c9d6f84")],
        &[("namespace", "")],
        &[("canaryhash", "x")],
        &[("weight", "many")],
        &[("at", "99999999999")],
        &[("query", "up")],
    ];
    for more in bad {
        let answer = check(&with(&service, "small", more), 400, Phase::Error);
        let name = more[0].0;
        assert!(answer.text().contains(name), "{name}: {}", answer.text());
    }
    check(&template(&service, "smal"), 404, Phase::Error);
    let long = "x".repeat(100_000);
    let large = with(&service, "small", &[("analysisRun", &long)]);
    check(&large, 413, Phase::Error);
    // beside the probe at the start
    let asked = source.seen();
    let about_us = asked
        .iter()
        .find(|s| s.body.contains("http_requests_total"));
    assert!(about_us.is_none(), "a refusal asks nobody: {about_us:?}");

    let json = [("content-type", "application/json")];
    for body in ["", "null", "[]", "{", "\"x\"", "{}{}"] {
        let answer = service.send("POST", "/v1/verdicts", &json, body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        problem(&answer);
    }
    let yaml = [("content-type", "application/yaml")];
    let typo = SMALL.replace("objectives", "objektives");
    let answer = service.send("POST", "/v1/policies/check", &yaml, &typo);
    assert_eq!(answer.status, 422, "{}", answer.text());
    let read = template(&service, "small")
        .read(answer.status, &answer.body)
        .unwrap();
    assert_eq!(read.phase, Phase::Error);
}

#[test]
fn a_missing_or_wrong_token_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "right\n").unwrap();
    let token = json!({"name": "argo", "token": {"file": file}, "namespaces": ["shop"]});
    let source = Scripted::start(|_| Reply::Json(503, String::new()));
    let service = Setup::default()
        .source("default", "prometheus", source.url())
        .policy_text("small", SMALL)
        .section("auth", json!({"tokens": [token]}))
        .start();
    let bearer = |token: &str| format!("Bearer {token}");
    let ask = template(&service, "small");
    check(&ask, 401, Phase::Error);
    check(
        &ask.clone().header("Authorization", &bearer("wrong")),
        401,
        Phase::Error,
    );
    let right = bearer("right");
    check(
        &ask.header("Authorization", &right),
        200,
        Phase::Inconclusive,
    );
    let elsewhere = with(&service, "small", &[("namespace", "other")]);
    check(
        &elsewhere.header("Authorization", &right),
        403,
        Phase::Error,
    );
}
