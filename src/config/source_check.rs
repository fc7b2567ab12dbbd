//! What a type cannot say about a source that is a database.

use super::{check::PEOPLE, error::Mistakes, source::SourceSettings, url};
use std::time::Duration;

const SOURCE: &str = "must not hold credentials or a query: use `auth` or `headers`";
/// No try and no connection is given less time.
const SHORTEST: Duration = Duration::from_millis(10);
/// More tries of one query only add to the load of a source in trouble.
const MOST_RETRIES: usize = 10;
/// No answer is smaller.
const SMALLEST: u64 = 1024;
/// Labels by which series are told apart, where a policy does not name others.
const NEEDED: [(&str, &str); 6] = [
    ("rollouts_pod_template_hash", "canary and stable"),
    ("pod", "pods"),
    ("instance", "pods"),
    ("__name__", "metrics"),
    ("le", "buckets"),
    ("vmrange", "buckets"),
];

/// Finds what cannot work.
pub fn check(name: &str, source: &SourceSettings, found: &mut Mistakes<'_>) {
    let mut wrong = |key: &str, message: &str| found.add(&format!("sources.{name}.{key}"), message);
    if let Err(words) = url::plain(&source.url, SOURCE) {
        wrong("url", words);
    }
    if let Some(url) = &source.public_url
        && let Err(words) = url::plain(url, PEOPLE)
    {
        wrong("publicUrl", words);
    }
    for (key, time) in [
        ("timeout", source.timeout),
        ("connectTimeout", source.connect_timeout),
    ] {
        if time.0 < SHORTEST {
            wrong(key, "is too short for any answer; give at least 10ms");
        }
    }
    if source.max_concurrent == 0 {
        wrong(
            "maxConcurrent",
            "is 0, so that nothing could be asked; give at least 1",
        );
    }
    if source.max_bytes.0 < SMALLEST {
        wrong(
            "maxBytes",
            "is too small for any answer; give at least 1KiB",
        );
    }
    if source.max_series == 0 {
        wrong(
            "maxSeries",
            "is 0, so that nothing could be read; give at least 1",
        );
    }
    if source.retries > MOST_RETRIES {
        wrong("retries", "is out of range; give 0 to 10");
    }
    for (i, label) in source.replica_labels.iter().enumerate() {
        let key = format!("replicaLabels[{i}]");
        if !is_label(label) {
            wrong(
                &key,
                "is not a label's name; give letters, digits and `_`, no digit in front",
            );
        }
        if let Some((_, what)) = NEEDED.iter().find(|(needed, _)| needed == label) {
            wrong(
                &key,
                &format!(
                    "is the label that tells {what} apart, which would be taken for copies; name the label that only tells collectors apart, for example `prometheus_replica`"
                ),
            );
        }
    }
}

fn is_label(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.bytes().next().is_some_and(|b| !b.is_ascii_digit()) && name.bytes().all(word)
}
