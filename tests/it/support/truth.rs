//! What is in a recording: `fixtures/scenarios/NAME.truth.json`.

use super::recording::folder;
use serde::Deserialize;
use std::fs;

/// The parts that the tests hold the judge to.
#[derive(Debug, Clone, Deserialize)]
pub struct Truth {
    pub name: String,
    pub healthy: bool,
    pub verdict: String,
    pub acceptable_at_end: Vec<String>,
    pub must_never: Vec<String>,
    /// Metric of a regression.
    pub on_metric: Option<String>,
    /// Seconds from `t0`.
    pub fail_between_s: Option<(i64, i64)>,
}

impl Truth {
    pub fn load(name: &str) -> Self {
        let path = folder().join(format!("{name}.truth.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The objective of `shop.yaml` that judges `on_metric`.
    pub fn objective(&self) -> Option<&'static str> {
        self.on_metric.as_deref().map(|metric| match metric {
            "error_rate" => "error-rate",
            "latency_p99" => "p99-latency",
            "conversion" => "conversion",
            "order_value" => "order-value",
            other => panic!("{}: no objective judges {other}", self.name),
        })
    }
}
