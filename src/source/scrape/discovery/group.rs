//! Targets as Prometheus' service discovery writes them: `[{"targets": ["10.0.0.1:80"], "labels": {"a": "b"}}]`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Targets with labels in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// `HOST:PORT` each.
    pub targets: Vec<String>,
    /// Added to all their series.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}
