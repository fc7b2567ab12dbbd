//! What is known of a rollout beside its samples: one small document, replaced as a whole with each verdict.

use super::{Action, Millis, Outcome, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One weight of the present canary's walk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepSeen {
    /// Traffic percent; absent: questions without a weight.
    pub weight: Option<f64>,
    /// The first moment asked about.
    pub first: Millis,
    /// The last moment asked about.
    pub last: Millis,
    /// Was there a pass?
    pub passed: bool,
}

/// How far the evidence was at one verdict, as shares of what decides: 1 is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Moment of the question.
    pub at: Millis,
    /// Of harm: the objective with the most.
    pub harm: f64,
    /// Of no harm: the objective with the least.
    pub safe: f64,
}

/// The present state of a judged rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolloutState {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// Policy of the newest verdict.
    pub policy: String,
    /// Its revision.
    pub revision: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Pod-template hash of stable.
    pub stable_hash: String,
    /// Traffic percent.
    pub weight: f64,
    /// Advised traffic percent.
    pub next_weight: f64,
    /// Index of the step, where the caller tells it.
    pub step: Option<u32>,
    /// The newest verdict.
    pub verdict: Uuid,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its advice.
    pub action: Action,
    /// Its score.
    pub score: f64,
    /// Its sentence.
    pub reason: String,
    /// Moment of the newest question.
    pub at: Millis,
    /// When it was kept, by our clock.
    pub kept_at: Millis,
    /// Since when the canary has this outcome.
    pub outcome_since: Millis,
    /// By policy, where several judge the same rollout: the outcome and since when.
    pub outcomes: BTreeMap<String, (Outcome, Millis)>,
    /// By policy, how far the evidence was at the last verdicts about this canary, oldest first; at most 24 of each policy.
    pub looks: BTreeMap<String, Vec<Look>>,
    /// First question about this canary.
    pub since: Millis,
    /// The weights of this canary, in the order in which they were first asked about.
    pub steps: Vec<StepSeen>,
    /// What was told and is not over: kind of event, since when.
    pub open: BTreeMap<String, Millis>,
    /// `params` and `labels` of the newest question.
    pub labels: BTreeMap<String, String>,
}

/// A fail that stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latch {
    /// Moment of the question that failed.
    pub at: Millis,
    /// The verdict that failed.
    pub verdict: Uuid,
    /// Its sentence.
    pub reason: String,
}

/// A person's override.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Made when it was posted.
    pub id: Uuid,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// The canary that it is about; another version is judged again.
    pub canary_hash: String,
    /// What every answer says while it is in force.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// Who: the name of the token.
    pub author: String,
    /// Since when.
    pub at: Millis,
    /// Until when.
    pub expires: Millis,
    /// When and by whom it was taken back.
    pub revoked: Option<(Millis, String)>,
}

impl Override {
    /// Is it in force at this moment?
    pub fn in_force(&self, at: Millis) -> bool {
        self.at <= at
            && at < self.expires
            && self
                .revoked
                .as_ref()
                .is_none_or(|(revoked, _)| at < *revoked)
    }
}

/// What is known before a question is judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Goes up with each change of the rollout's state; 0 where it was never judged.
    pub version: i64,
    /// The state.
    pub state: Option<RolloutState>,
    /// The fail of this canary under this revision of the policy.
    pub latch: Option<Latch>,
    /// The newest override of this canary, in force or not.
    pub ruling: Option<Override>,
    /// This very question was answered before.
    pub known: Option<Box<Verdict>>,
}
