//! What a type cannot say about a source that scrapes.

use super::{error::Mistakes, scrape::ScrapeSettings};
use std::time::Duration;

/// Finds what cannot work.
pub fn check(name: &str, source: &ScrapeSettings, found: &mut Mistakes<'_>) {
    let mut wrong = |key: &str, message: &str| found.add(&format!("sources.{name}.{key}"), message);
    let interval = source.scrape_interval.0;
    if interval < Duration::from_millis(100) || interval > Duration::from_mins(5) {
        wrong("scrapeInterval", "is out of range; give 100ms to 5m");
    }
    if source.timeout() > interval || source.timeout() < Duration::from_millis(10) {
        wrong(
            "scrapeTimeout",
            "is out of range; give at least 10ms and at most `scrapeInterval`",
        );
    }
    if source.retention.0 < Duration::from_mins(5) || source.retention.0 > Duration::from_hours(72)
    {
        wrong("retention", "is out of range; give 5m to 72h");
    }
    if !source.metrics_path.starts_with('/') {
        wrong("metricsPath", "must begin with `/`");
    }
    for (key, zero) in [
        ("maxSamples", source.max_samples == 0),
        ("maxSeries", source.max_series == 0),
        ("sampleLimit", source.sample_limit == 0),
        ("targetLimit", source.target_limit == 0),
        ("bodySizeLimit", source.body_size_limit.0 == 0),
    ] {
        if zero {
            wrong(key, "is 0, so that nothing could be kept; give at least 1");
        }
    }
    if source.job_name.as_deref() == Some("") {
        wrong("jobName", "is empty; give a name, or leave the key out");
    }
    for (i, group) in source.targets.iter().enumerate() {
        for label in group.labels.keys() {
            if !is_label(label) {
                wrong(
                    &format!("static[{i}].labels.{label}"),
                    "is not a label's name; give letters, digits and `_`, not `__` in front",
                );
            }
        }
        for (j, target) in group.targets.iter().enumerate() {
            if let Err(why) = address(target) {
                wrong(&format!("static[{i}].targets[{j}]"), why);
            }
        }
    }
    let discovery = &source.discovery;
    if discovery.refresh_interval.0 < Duration::from_millis(100) {
        wrong(
            "discovery.refreshInterval",
            "is too often; give at least 100ms",
        );
    }
    for (i, url) in discovery.http.iter().enumerate() {
        if url
            .split('/')
            .nth(2)
            .is_some_and(|authority| authority.contains('@'))
        {
            wrong(
                &format!("discovery.http[{i}]"),
                "must not hold credentials, which are not sent there",
            );
        }
        if !is_url(url) {
            wrong(
                &format!("discovery.http[{i}]"),
                "is not a URL; begin with `http://` or `https://`",
            );
        }
    }
    if let Some(pods) = &discovery.kubernetes
        && pods.api_server.as_deref().is_some_and(|url| !is_url(url))
    {
        wrong(
            "discovery.kubernetes.apiServer",
            "is not a URL; begin with `https://`",
        );
    }
    let nobody = source.targets.iter().all(|group| group.targets.is_empty())
        && discovery.http.is_empty()
        && discovery.file.is_empty()
        && discovery.kubernetes.is_none();
    if nobody {
        wrong(
            "static",
            "is missing or empty, and nothing is given under `discovery`; add `static: [{ targets: [HOST:PORT] }]`",
        );
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// What Prometheus takes as the name of a label that reaches the series.
fn is_label(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(word)
        && !name.starts_with("__")
}

/// `HOST:PORT`, or a URL without credentials.
fn address(text: &str) -> Result<(), &'static str> {
    let authority = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .map_or(text, |rest| rest.split('/').next().unwrap_or_default());
    if authority.contains('@') {
        return Err("must not hold credentials: use `auth.basic`");
    }
    let whole = authority.len() == text.len();
    if authority.is_empty() || (whole && text.contains(['/', '?', '#', ' '])) {
        return Err("is not an address; give `HOST:PORT` or a whole URL");
    }
    Ok(())
}
