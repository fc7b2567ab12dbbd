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

/// The present answer of one policy about the present canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Present {
    /// The verdict.
    pub verdict: Uuid,
    /// The revision that gave it.
    pub revision: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// Since when this policy says so of this canary.
    pub since: Millis,
    /// Its advice.
    pub action: Action,
    /// Advised traffic percent.
    pub next_weight: f64,
    /// Its score.
    pub score: f64,
    /// Its sentence.
    pub reason: String,
    /// Does the comparison, weighed block by block, say something else than the totals in the sentence?
    pub block_by_block: bool,
    /// Moment of the question.
    pub at: Millis,
    /// When it was kept, by our clock.
    pub kept_at: Millis,
}

/// The present state of a judged rollout. Where several policies judge its canary, the worst of their present answers is
/// the rollout's: a poll of another policy must not hide a fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolloutState {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// Policy of the verdict that counts: the worst of the present ones.
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
    /// The verdict that counts.
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
    /// Since when that policy says so of this canary.
    pub outcome_since: Millis,
    /// By policy, where several judge the same rollout: the outcome and since when.
    pub outcomes: BTreeMap<String, (Outcome, Millis)>,
    /// By policy that was asked about this canary of late: what it says. Empty in what was written before there was this.
    pub presents: BTreeMap<String, Present>,
    /// By policy, how far the evidence was at the last verdicts about this canary, oldest first; at most 24 of each policy.
    pub looks: BTreeMap<String, Vec<Look>>,
    /// First question about this canary.
    pub since: Millis,
    /// The weights of this canary, in the order in which they were first asked about.
    pub steps: Vec<StepSeen>,
    /// What began and is not over: kind of event and policy, since when.
    pub open: BTreeMap<String, Millis>,
    /// `params` and `labels` of the newest question.
    pub labels: BTreeMap<String, String>,
}

impl RolloutState {
    /// What each policy says of the present canary.
    pub fn answers(&self) -> BTreeMap<String, Present> {
        if !self.presents.is_empty() {
            return self.presents.clone();
        }
        BTreeMap::from([(self.policy.clone(), self.counting())])
    }

    /// What this policy says of the present canary.
    pub fn answer_of(&self, policy: &str) -> Option<Present> {
        let own = self.policy == policy;
        let other = || self.presents.get(policy).cloned();
        own.then(|| self.counting()).or_else(other)
    }

    /// Makes the worst of the present answers the rollout's; of equal ones that which is given for longest.
    pub fn lead(&mut self) {
        let rank = |(name, one): (&String, &Present)| {
            let of_action = match one.action {
                Action::Abort => 0,
                Action::Hold => 1,
                Action::Advance => 2,
            };
            (one.outcome.rank(), of_action, one.since, name.clone())
        };
        let worst = self.presents.iter().min_by_key(|one| rank(*one));
        let Some((policy, worst)) = worst.map(|(name, one)| (name.clone(), one.clone())) else {
            return;
        };
        self.policy = policy;
        self.revision = worst.revision;
        self.next_weight = worst.next_weight;
        self.verdict = worst.verdict;
        self.outcome = worst.outcome;
        self.action = worst.action;
        self.score = worst.score;
        self.reason = worst.reason;
        self.outcome_since = worst.since;
    }

    /// The answer that counts.
    pub fn counting(&self) -> Present {
        let moments = self.presents.get(&self.policy);
        let (at, kept_at) = moments.map_or((self.at, self.kept_at), |one| (one.at, one.kept_at));
        Present {
            verdict: self.verdict,
            revision: self.revision.clone(),
            outcome: self.outcome,
            since: self.outcome_since,
            action: self.action,
            next_weight: self.next_weight,
            score: self.score,
            reason: self.reason.clone(),
            block_by_block: moments.is_some_and(|one| one.block_by_block),
            at,
            kept_at,
        }
    }
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
