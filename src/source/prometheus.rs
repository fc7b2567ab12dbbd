//! What only Prometheus needs to be told.

use crate::domain::PlannedQuery;

/// Prometheus ignores what it does not know: an answer to unscoped text would be about somebody else.
pub(super) fn refusal(query: &PlannedQuery) -> Option<&'static str> {
    (!query.extra_filters.is_empty()).then_some("Prometheus knows no `extra_filters[]`")
}
