//! What the steps of the policy make of the sum of the findings.

use crate::{
    domain::{Action, Millis, Outcome},
    policy::{OnTimeout, Policy, Step},
};

/// Where the rollout stands in its walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Present traffic percent.
    pub weight: f64,
    /// How long the present step has lasted, where that is known.
    pub lasted: Option<Millis>,
}

/// What becomes of the outcome in this step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advice {
    /// The outcome that is answered.
    pub outcome: Outcome,
    /// The advice.
    pub action: Action,
    /// Advised traffic percent.
    pub next_weight: f64,
    /// The step's rule that changed the outcome.
    pub rule: Option<Rule>,
}

/// A rule of the step that overrides the sum of the findings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Harmless, but not long enough.
    MinDuration {
        /// Still to wait.
        missing: Millis,
    },
    /// Undecided, and the time is up.
    Timeout(OnTimeout),
}

/// The step that a weight belongs to: the last one at or below it, else the first.
pub fn step_of(policy: &Policy, weight: f64) -> Option<&Step> {
    policy
        .steps
        .iter()
        .rev()
        .find(|step| step.weight <= weight)
        .or_else(|| policy.steps.first())
}

/// Has the step lasted its `maxDuration`?
pub fn time_is_up(policy: &Policy, standing: &Standing) -> bool {
    let max = step_of(policy, standing.weight).and_then(|step| step.max_duration);
    max.zip(standing.lasted)
        .is_some_and(|(max, lasted)| lasted >= max)
}

/// Applies the step's rules to the sum of the findings. `barred`: the step's `onTimeout` may not decide them.
pub fn advise(policy: &Policy, standing: &Standing, sum: Outcome, barred: bool) -> Advice {
    let step = step_of(policy, standing.weight);
    let (outcome, rule) = match sum {
        Outcome::Fail => (Outcome::Fail, None),
        Outcome::Pass => match step.zip(standing.lasted) {
            Some((step, lasted)) if lasted < step.min_duration => (
                Outcome::Inconclusive,
                Some(Rule::MinDuration {
                    missing: step.min_duration - lasted,
                }),
            ),
            _ => (Outcome::Pass, None),
        },
        Outcome::Inconclusive if !barred && time_is_up(policy, standing) => {
            let on_timeout = step.map_or(OnTimeout::Hold, |step| step.on_timeout);
            let outcome = match on_timeout {
                OnTimeout::Hold => Outcome::Inconclusive,
                OnTimeout::Advance => Outcome::Pass,
                OnTimeout::Abort => Outcome::Fail,
            };
            (outcome, Some(Rule::Timeout(on_timeout)))
        }
        Outcome::Inconclusive => (Outcome::Inconclusive, None),
    };
    Advice {
        rule,
        ..follow(policy, standing.weight, outcome)
    }
}

/// What an outcome means for the walk.
pub fn follow(policy: &Policy, weight: f64, outcome: Outcome) -> Advice {
    let (action, next_weight) = match outcome {
        Outcome::Pass => (Action::Advance, next(policy, weight)),
        Outcome::Fail => (Action::Abort, 0.0),
        Outcome::Inconclusive => (Action::Hold, weight),
    };
    Advice {
        outcome,
        action,
        next_weight,
        rule: None,
    }
}

fn next(policy: &Policy, weight: f64) -> f64 {
    policy
        .steps
        .iter()
        .map(|step| step.weight)
        .find(|next| *next > weight)
        .unwrap_or(100.0)
}
