//! One query, ready to be sent.

use super::{Millis, Window};
use serde::{Deserialize, Serialize};

/// How a query is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Shape {
    /// A range selector at an instant: the raw samples of `(at - range, at]`. `text` holds the range already.
    Raw {
        /// The instant.
        at: Millis,
    },
    /// An expression evaluated at each step of a range.
    Range {
        /// First evaluation.
        start: Millis,
        /// Last evaluation.
        end: Millis,
        /// Distance between evaluations.
        step: Millis,
    },
}

/// What is sent to a metric source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedQuery {
    /// PromQL, or MetricsQL for VictoriaMetrics.
    pub text: String,
    /// `extra_filters[]` for text that could not be parsed and scoped (VictoriaMetrics only).
    pub extra_filters: Vec<String>,
    /// How it is asked.
    pub shape: Shape,
    /// Samples outside are dropped.
    pub window: Window,
}

impl std::hash::Hash for Window {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.start, self.end).hash(state);
    }
}
