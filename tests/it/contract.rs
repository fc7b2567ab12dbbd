//! What the program answers is what its OpenAPI document says: `Service::ask` and `Service::send` hold every answer of these
//! tests against it. Here is what no other test asks the program itself.

use crate::support::{
    scripted::{Reply, Scripted},
    service::{Service, Setup},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// No data means this, at once.
fn policy(outcome: &str) -> String {
    format!(
        "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: {{ name: {outcome} }}
spec:
  onNoData: {outcome}
  noDataPatience: 0s
  objectives:
    - {{ name: errors, errorRatio: {{ errors: errors_total, total: requests_total }} }}
    - {{ name: slow, latencyQuantile: {{ histogram: seconds_bucket, quantile: 0.9 }}, limit: 500ms }}
    - {{ name: memory, gauge: memory_bytes, watch: true }}
alerts: {{ on: [fail], to: [am, nobody] }}
"
    )
}

fn read(service: &Service, path: &str) -> Value {
    let answer = service.send("GET", path, &[], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// Reads until this is so.
fn until(service: &Service, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let value = read(service, path);
        if so(&value) {
            return value;
        }
        assert!(Instant::now() < end, "{path}: {value}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_running_service_answers_as_its_document_says() {
    let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let source = Scripted::start(move |_| Reply::Json(200, empty.to_owned()));
    let receivers = json!({"am": {"alertmanager": {"url": "http://127.0.0.1:1"}}});
    let mut setup = Setup::default()
        .source("default", "prometheus", source.url())
        .source("away", "prometheus", "http://127.0.0.1:1")
        .section("receivers", receivers)
        .policy_text("broken", "kind: JudgePolicy\nspec: { objectivs: [] }\n");
    for outcome in ["pass", "fail", "inconclusive"] {
        setup = setup.policy_text(outcome, &policy(outcome));
    }
    let away = policy("inconclusive").replace("name: inconclusive", "name: away");
    let away = away.replace("spec:\n", "spec:\n  source: away\n");
    let service = setup.policy_text("away", &away).start();
    for (name, verdict) in [
        ("pass", "pass"),
        ("fail", "fail"),
        ("inconclusive", "inconclusive"),
        ("away", "inconclusive"),
    ] {
        let question = json!({
            "policy": name, "namespace": "shop", "rollout": name, "canaryHash": "new", "stableHash": "old", "weight": "5",
        });
        let end = Instant::now() + Duration::from_secs(30);
        let answer = loop {
            let answer = service.ask(&question).json();
            if answer["verdict"] == verdict {
                break answer;
            }
            assert!(Instant::now() < end, "{answer}");
        };
        assert_eq!(answer["objectives"].as_array().unwrap().len(), 3);
        let id = answer["id"].as_str().unwrap();
        for path in [
            format!("/v1/verdicts/{id}"),
            format!("/v1/verdicts/latest?namespace=shop&rollout={name}"),
            format!("/v1/rollouts/shop/{name}"),
            format!("/v1/policies/{name}"),
        ] {
            read(&service, &path);
        }
        service.send("GET", &format!("/v1/verdicts/{id}/bundle"), &[], "");
    }
    for path in ["/v1/verdicts", "/v1/rollouts", "/readyz"] {
        read(&service, path);
    }
    let told = |value: &Value| value["deliveries"].as_array().unwrap().len() == 1;
    until(&service, "/v1/deliveries", told);
    let policies = read(&service, "/v1/policies");
    assert!(
        policies["problems"][0]["file"]
            .as_str()
            .unwrap()
            .ends_with("broken.yaml"),
        "{policies}"
    );
    let warnings = policies["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 4, "{policies}");
    assert!(
        warnings[1]["line"] == 11 && warnings[1]["column"] == 32,
        "{policies}"
    );
    let yaml = [("content-type", "application/yaml")];
    for (status, text) in [(200, policy("pass")), (422, "kind: Nonsense".to_owned())] {
        let answer = service.send("POST", "/v1/policies/check", &yaml, &text);
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}
