//! The papers say what the program does: reasons, metrics, policy keys, settings and examples.

#[cfg(test)]
mod examples;
#[cfg(test)]
mod settings;

use rollout_judge::{domain::Code, policy, telemetry::metrics};

const README: &str = include_str!("../../README.md");

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
fn every_metric_has_a_row_with_its_kind_and_labels() {
    for metric in metrics::LIST {
        let name = format!("| `{}` | ", metric.name);
        let row = README.lines().find_map(|line| line.strip_prefix(&name));
        let row = row.unwrap_or_else(|| panic!("README lacks {}", metric.name));
        let (kind, text) = row.split_once(" | ").unwrap();
        assert_eq!(kind, metric.kind, "{name}");
        for label in metric.labels {
            let said = text.split(|c: char| !c.is_alphanumeric());
            assert!(said.into_iter().any(|w| w == *label), "{name}: {label}");
        }
    }
    let rows = README.matches("\n| `rollout_judge_").count();
    let written = README.matches("\n| `rollout_judge_verdict").count() - 1;
    assert_eq!(rows - written, metrics::LIST.len(), "a row too many");
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
