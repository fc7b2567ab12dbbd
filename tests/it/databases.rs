//! The ground of the scenario tests: both databases hold exactly the samples of the recordings.

use crate::support::{
    databases::Databases,
    http::{encode, post},
    recording::Recording,
};
use serde_json::Value;
use std::collections::BTreeMap;

type Samples = BTreeMap<Vec<(String, String)>, Vec<(i64, f64)>>;

/// Raw samples of a selector, by labels.
fn raw(base: &str, metric: &str, recording: &Recording) -> Samples {
    let seconds = recording.end() - recording.t0 + 15;
    let query = format!("{metric}{{scenario=\"{}\"}}[{seconds}s]", recording.name);
    let form = format!("query={}&time={}", encode(&query), recording.end());
    let url = format!("{base}/api/v1/query");
    let answer = post(&url, "application/x-www-form-urlencoded", form).unwrap();
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let json = answer.json();
    let series = json["data"]["result"].as_array().unwrap();
    series.iter().map(|s| (labels(s), samples(s))).collect()
}

fn labels(series: &Value) -> Vec<(String, String)> {
    let metric = series["metric"].as_object().unwrap();
    let mut labels: Vec<(String, String)> = metric
        .iter()
        .map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned()))
        .collect();
    labels.sort();
    labels
}

fn samples(series: &Value) -> Vec<(i64, f64)> {
    let pair = |v: &Value| {
        let at = v[0].as_f64().unwrap();
        (at as i64, v[1].as_str().unwrap().parse().unwrap())
    };
    series["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect()
}

/// What the recording says.
fn recorded(recording: &Recording, metric: &str) -> Samples {
    let of_metric = recording.series.iter().filter(|s| s.metric == metric);
    of_metric
        .map(|series| {
            let mut labels: Vec<(String, String)> = series.labels.clone().into_iter().collect();
            labels.push(("__name__".to_owned(), metric.to_owned()));
            labels.push(("scenario".to_owned(), recording.name.clone()));
            labels.sort();
            (labels, recording.samples_of(series).collect::<Vec<_>>())
        })
        .filter(|(_, samples)| !samples.is_empty())
        .collect()
}

#[test]
fn both_databases_hold_the_samples_of_every_recording() {
    let databases = Databases::shared();
    for recording in &databases.recordings {
        for metric in recording.metrics() {
            let expected = recorded(recording, metric);
            let count: usize = expected.values().map(Vec::len).sum();
            assert!(
                count > 1000,
                "{}: {count} samples of {metric}",
                recording.name
            );
            for (kind, url) in databases.sources() {
                let found = raw(&url, metric, recording);
                assert!(
                    found == expected,
                    "{kind}: {metric} of {}: {}",
                    recording.name,
                    difference(&found, &expected)
                );
            }
        }
    }
}

fn difference(found: &Samples, expected: &Samples) -> String {
    for (labels, samples) in expected {
        let Some(other) = found.get(labels) else {
            return format!("no series {labels:?}");
        };
        if let Some((a, b)) = other.iter().zip(samples).find(|(a, b)| a != b) {
            return format!("{labels:?}: {a:?} instead of {b:?}");
        }
        if other.len() != samples.len() {
            return format!("{labels:?}: {} samples of {}", other.len(), samples.len());
        }
    }
    format!("{} series instead of {}", found.len(), expected.len())
}
