//! One question to the judge, already checked and free of wire shapes.

use super::{Millis, RolloutRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

// weights are finite numbers (checked at the edge), so equality is total
impl Eq for Question {}

impl std::hash::Hash for Question {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (
            &self.policy,
            &self.rollout,
            self.at,
            self.step,
            self.weight.map(f64::to_bits),
        )
            .hash(state);
    }
}

/// What a caller asks: judge this rollout by this policy as of this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Name of a loaded policy.
    pub policy: String,
    /// Whom to judge.
    pub rollout: RolloutRef,
    /// Traffic percent of the present step, 0 to 100.
    pub weight: Option<f64>,
    /// Index of the present step.
    pub step: Option<u32>,
    /// Start of the present step.
    pub step_since: Option<Millis>,
    /// Start of the canary's exposure.
    pub since: Option<Millis>,
    /// Judge as of this moment. Always set: "now" is filled in at the edge.
    pub at: Millis,
    /// Values of the policy's `$name` variables.
    pub params: BTreeMap<String, String>,
    /// What the caller wants to be kept and found again: image, model version, Git revision. Judges nothing.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Name of the AnalysisRun that asked; kept on the record.
    pub analysis_run: Option<String>,
    /// Judge and answer, keep and tell nobody.
    pub dry_run: bool,
}
