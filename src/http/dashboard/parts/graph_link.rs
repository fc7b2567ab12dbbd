//! Links to the page of a metric source that draws a query.

use super::moment;
use crate::domain::{SourceKind, Window, text::percent_value as encoded};

/// The page that draws `expression` over a window; `url` is how links to the source begin.
pub fn graph(kind: SourceKind, url: &str, expression: &str, window: Window) -> Option<String> {
    let seconds = (window.end.saturating_sub(window.start) / 1000).max(60);
    let end = moment::utc(window.end);
    let end = end.trim_end_matches(" UTC");
    let text = encoded(expression);
    Some(match kind {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_one_parameter() {
        let window = Window {
            start: 1_767_312_000_000,
            end: 1_767_312_090_000,
        };
        let url = "https://m.example.org/x";
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
            let found = graph(kind, url, "a{b=\"&#\"}", window);
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert_eq!(graph(SourceKind::Scrape, url, "up", window), None);
    }
}
