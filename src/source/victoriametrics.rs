//! What only VictoriaMetrics needs to be told.

use crate::domain::PlannedQuery;

/// No cached answer, no data held back or smoothed at the newest end, and the scope of text that we could not parse.
pub(super) fn parameters(query: &PlannedQuery) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("nocache", "1".to_owned()),
        ("latency_offset", "1ms".to_owned()),
    ];
    let filters = query.extra_filters.iter().cloned();
    out.extend(filters.map(|filter| ("extra_filters[]", filter)));
    out
}
