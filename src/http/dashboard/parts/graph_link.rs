//! Links to the page of a metric source that draws a query.

use super::moment;
use crate::{
    domain::{SourceKind, Window},
    http::SourceLink,
};
use std::fmt::Write;

/// The page that draws `expression` over a window.
pub fn graph(link: &SourceLink, expression: &str, window: Window) -> Option<String> {
    if link.url.is_empty() {
        return None;
    }
    let seconds = (window.end.saturating_sub(window.start) / 1000).max(60);
    let end = moment::utc(window.end);
    let end = end.trim_end_matches(" UTC");
    let (url, text) = (&link.url, encoded(expression));
    Some(match link.kind {
        SourceKind::VictoriaMetrics => format!(
            "{url}/vmui/#/?g0.expr={text}&g0.range_input={seconds}s&g0.end_input={}&g0.relative_time=none",
            encoded(&end.replace(' ', "T"))
        ),
        SourceKind::Prometheus => format!(
            "{url}/graph?g0.expr={text}&g0.range_input={seconds}s&g0.end_input={}&g0.tab=0",
            encoded(end)
        ),
        SourceKind::Scrape => return None,
    })
}

/// The name of that page.
pub fn name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::VictoriaMetrics => "vmui",
        SourceKind::Prometheus => "Prometheus",
        SourceKind::Scrape => "",
    }
}

/// Percent-encoded for a query string.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_one_parameter() {
        let window = Window {
            start: 1_767_312_000_000,
            end: 1_767_312_090_000,
        };
        let link = |kind| SourceLink {
            kind,
            url: "https://m.example.org/x".to_owned(),
        };
        for (kind, expected) in [
            (
                SourceKind::VictoriaMetrics,
                "https://m.example.org/x/vmui/#/?g0.expr=a%7Bb%3D%22%26%23%22%7D&g0.range_input=90s&g0.end_input=2026-01-02T00%3A01%3A30&g0.relative_time=none",
            ),
            (
                SourceKind::Prometheus,
                "https://m.example.org/x/graph?g0.expr=a%7Bb%3D%22%26%23%22%7D&g0.range_input=90s&g0.end_input=2026-01-02%2000%3A01%3A30&g0.tab=0",
            ),
        ] {
            let found = graph(&link(kind), "a{b=\"&#\"}", window);
            assert_eq!(found.as_deref(), Some(expected));
        }
        let nowhere = SourceLink {
            kind: SourceKind::Prometheus,
            url: String::new(),
        };
        assert_eq!(graph(&nowhere, "up", window), None);
    }
}
