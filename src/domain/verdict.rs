//! The answer: findings, one per objective, and the sum of them.

use super::{Action, Code, Outcome, RolloutRef, Window};
use serde::{Deserialize, Serialize};

/// What one arm showed in the judged window.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ArmSummary {
    /// Rate, quantile, mean or level, in the objective's unit.
    pub value: Option<f64>,
    /// Errors, exceedances or counted items.
    pub events: Option<f64>,
    /// Requests, observations or items.
    pub exposure: Option<f64>,
    /// Series used.
    pub series: Option<u64>,
}

impl ArmSummary {
    /// The relative change of its value from that of another arm; `None` where one has no value, or the other's is 0.
    pub fn change_from(&self, other: &Self) -> Option<f64> {
        let change = |(own, other): (f64, f64)| own / other - 1.0;
        let both = self.value.zip(other.value);
        both.map(change).filter(|change| change.is_finite())
    }
}

/// What a comparison is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Canary over stable.
    Ratio,
    /// What is missing to one on the canary, over the same on stable: for shares near one.
    Complements,
    /// Canary minus stable, in the objective's unit: where values may be zero or negative.
    Difference,
}

impl Scale {
    /// The scale of an estimate that was made on logarithms, or not.
    pub fn of(log: bool) -> Self {
        if log { Self::Ratio } else { Self::Difference }
    }

    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Complements => "complements",
            Self::Difference => "difference",
        }
    }
}

/// The difference between the arms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// Canary against stable, on `scale`.
    pub estimate: Option<f64>,
    /// Lower end of the confidence sequence, on the same scale.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Canary over stable, minus one.
    pub relative: Option<f64>,
    /// What the others and the margin are; `None` in what was kept before there was this. No part of a bundle, so that
    /// those of before replay to the byte.
    #[serde(skip)]
    pub scale: Option<Scale>,
}

/// The evidence behind a finding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EvidenceSummary {
    /// Name of the procedure.
    pub method: String,
    /// Share of the false-abort rate that this objective may spend.
    pub alpha: f64,
    /// Natural logarithm of the e-process against "harm within the margin", running maximum.
    pub log_e_fail: f64,
    /// Natural logarithm of the e-process against "harm of at least the pass margin", now.
    pub log_e_pass: f64,
    /// Anytime-valid p value of the first.
    pub p_fail: f64,
    /// Anytime-valid p value of the second.
    pub p_pass: f64,
    /// Over-dispersion of the stable pods, at least 1.
    pub dispersion: Option<f64>,
    /// Spread of the log rate between stable pods (tau).
    pub pod_spread: Option<f64>,
    /// Closed blocks with data on the canary.
    pub blocks: u64,
}

/// How much more until a decision is likely; zero once decided, `None` where that is not known or does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// Canary requests; none for levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<f64>,
    /// Seconds at the present rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Needs {
    /// It is decided.
    pub const NOTHING: Self = Self {
        requests: Some(0.0),
        seconds: Some(0.0),
    };
}

/// A classical test, made once when a step ends. Its p value is fixed-horizon and must never be polled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixedHorizon {
    /// Name of the test.
    pub method: String,
    /// p value of "no harm beyond the margin", of the quantity in `interval_of`: one-sided, for `harm: either` doubled.
    pub p_value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub lower: Option<f64>,
    /// Upper end of the 95 % interval.
    pub upper: Option<f64>,
    /// What the interval is of.
    pub interval_of: String,
}

/// One objective's outcome with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the objective.
    pub name: String,
    /// Kind of the objective, as written in the policy.
    pub kind: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// Why.
    pub code: Code,
    /// Why, in one sentence.
    pub reason: String,
    /// May it abort the rollout?
    pub critical: bool,
    /// Is it only reported?
    pub watch: bool,
    /// Unit of the values.
    pub unit: String,
    /// The canary's numbers.
    pub canary: ArmSummary,
    /// Stable's numbers.
    pub stable: ArmSummary,
    /// The difference.
    pub effect: Effect,
    /// The boundary of "harm" as canary over stable (or a difference), at the present reference.
    pub margin: Option<f64>,
    /// The absolute limit.
    pub limit: Option<f64>,
    /// The evidence.
    pub evidence: EvidenceSummary,
    /// What is missing.
    pub needs: Needs,
    /// The report at the end of a step.
    pub fixed_horizon: Option<FixedHorizon>,
}

/// The sum: what is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// UUIDv7, a function of the question: the same question has the same id everywhere.
    pub id: uuid::Uuid,
    /// The outcome.
    pub outcome: Outcome,
    /// 0 to 100; 100 is no sign of harm in any objective.
    pub score: f64,
    /// One sentence, at most 200 characters.
    pub reason: String,
    /// The advice.
    pub action: Action,
    /// Present traffic percent.
    pub weight: f64,
    /// Advised traffic percent.
    pub next_weight: f64,
    /// Name of the policy.
    pub policy: String,
    /// Digest of the policy document.
    pub revision: String,
    /// Who was judged.
    pub rollout: RolloutRef,
    /// The canary's judged exposure.
    pub window: Window,
    /// One per objective, in the policy's order.
    pub findings: Vec<Finding>,
    /// What a person should know beside the verdict.
    pub warnings: Vec<String>,
}
