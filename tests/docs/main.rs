//! The papers say what the program does: reasons, metrics and policy keys.

use rollout_judge::{domain::Code, policy, telemetry::metrics};

const README: &str = include_str!("../README.md");

#[test]
fn every_reason_code_has_a_row() {
    for code in Code::ALL {
        assert!(
            README.contains(&format!("| `{}` |", code.as_str())),
            "README lacks {}",
            code.as_str()
        );
        assert!(code.meaning().len() > 20, "{code:?}");
    }
}

#[test]
fn every_metric_has_a_row() {
    for metric in metrics::LIST {
        assert!(
            README.contains(&format!("| `{}` |", metric.name)),
            "README lacks {}",
            metric.name
        );
    }
}

#[test]
fn every_key_of_a_policy_is_described() {
    let schema = policy::schema();
    let mut keys = Vec::new();
    collect(&schema, &mut keys);
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        // contract words that head the document, and words of alerts that come with a later version
        if [
            "apiVersion",
            "kind",
            "metadata",
            "spec",
            "alerts",
            "on",
            "to",
        ]
        .contains(&key.as_str())
        {
            continue;
        }
        assert!(
            README.contains(&format!("`{key}")) || README.contains(&format!("{key}:")),
            "README lacks the policy key {key}"
        );
    }
}

fn collect(node: &serde_json::Value, keys: &mut Vec<String>) {
    match node {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| collect(value, keys));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
