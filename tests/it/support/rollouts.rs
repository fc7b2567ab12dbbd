//! Questions about recorded rollouts.

use super::{http::Answer, recording::Recording, service::Service};
use serde_json::{Value, json};

/// As Argo Rollouts asks, at seconds from `t0`: every value is a string.
pub fn question(recording: &Recording, at: i64) -> Value {
    let (index, step) = recording.step_at(recording.t0 + at);
    json!({
        "policy": "shop",
        "namespace": "shop",
        "rollout": recording.name.replace('_', "-"),
        "canaryHash": recording.hash("canary"),
        "stableHash": recording.hash("stable"),
        "weight": step.weight.to_string(),
        "step": index.to_string(),
        "at": (recording.t0 + at).to_string(),
        "params": {"scenario": recording.name},
    })
}

/// Asks, and expects a verdict.
#[track_caller]
pub fn verdict(service: &Service, question: &Value) -> Value {
    let answer = service.ask(question);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Ids of all kept verdicts, the newest question first.
pub fn kept(service: &Service) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service
            .send("GET", &format!("/v1/verdicts?limit=100{cursor}"), &[], "")
            .json();
        let lines = page["verdicts"].as_array().unwrap();
        ids.extend(lines.iter().map(|v| v["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// The bundle of a verdict.
pub fn bundle(service: &Service, id: &str, headers: &[(&str, &str)]) -> Answer {
    service.send("GET", &format!("/v1/verdicts/{id}/bundle"), headers, "")
}
