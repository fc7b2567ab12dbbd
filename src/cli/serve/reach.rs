//! What `check --source` reads: the series of one selector on each arm.

use crate::{
    cli::probe::Series,
    domain::{MetricSource, Question},
    policy::{Indicator, Policy},
    query::Tracks,
};

/// The selectors of an indicator, as written. An expression has none.
pub fn selectors(indicator: &Indicator) -> Vec<&str> {
    match indicator {
        Indicator::ErrorRatio { total, .. } => vec![total],
        Indicator::Ratio {
            numerator,
            denominator,
        } => vec![numerator, denominator],
        Indicator::LatencyQuantile { histogram, .. } => vec![histogram],
        Indicator::Mean { sum, count, .. } => vec![sum, count],
        Indicator::Gauge { selector } => vec![selector],
        Indicator::Query { .. } => Vec::new(),
    }
}

/// Labels that must differ between the arms.
pub fn ignored(policy: &Policy) -> Vec<String> {
    let mut out = vec![policy.pod_label.clone()];
    if let Tracks::Label(label) = &policy.tracks {
        out.push(label.clone());
    }
    out
}

/// Reads five minutes of one selector on each arm.
pub async fn read(
    policy: &Policy,
    question: &Question,
    selector: &str,
    source: &dyn MetricSource,
) -> Result<(Series, Series), String> {
    let _ = (policy, question, selector, source);
    std::future::ready(Err("the planner of queries is not wired in yet".to_owned())).await
}
