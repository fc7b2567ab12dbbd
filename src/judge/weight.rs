//! The present weight: as told, else as the traffic says.

use super::{advice::step_of, counts::CountBlock, explain::digits};
use crate::{
    domain::Question,
    policy::{Policy, Step},
};

/// Blocks looked at for the traffic.
const RECENT: usize = 3;

/// The canary gets all of the traffic when it has this share of what both arms had.
const TAKEN_OVER: f64 = 0.75;

/// Traffic percent of the present step, and whose word it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// The question's.
    Told(f64),
    /// The step's whose weight is nearest to the traffic seen.
    Seen(f64),
}

impl Weight {
    /// The number.
    pub fn percent(self) -> f64 {
        match self {
            Self::Told(weight) | Self::Seen(weight) => weight,
        }
    }

    /// What a person should know of it.
    pub fn warning(self) -> Option<String> {
        let percent = digits(self.percent());
        match self {
            Self::Told(_) => None,
            Self::Seen(_) => Some(format!(
                "no weight in the question: {percent} % is taken from the traffic seen"
            )),
        }
    }
}

/// The present weight. The index of the step says nothing of it: Argo counts pauses and analyses too.
pub fn assumed(policy: &Policy, question: &Question, traffic: Option<&[CountBlock]>) -> Weight {
    match question.weight {
        Some(weight) => Weight::Told(weight),
        None => Weight::Seen(seen(policy, traffic)),
    }
}

/// Do two weights belong to the same step?
pub fn same_step(policy: &Policy, one: f64, other: f64) -> bool {
    let weight = |weight| step_of(policy, weight).map(|step: &Step| step.weight);
    weight(one) == weight(other)
}

/// The step whose weight is nearest to the share of traffic seen lately. An arm that has lost its traffic tells no share,
/// unless the canary has taken over what stable had: then it is the share of before, or that of the least step.
fn seen(policy: &Policy, traffic: Option<&[CountBlock]>) -> f64 {
    let blocks = traffic.unwrap_or_default();
    let sum = |(c, s): (f64, f64), b: &CountBlock| (c + b.n_c, s + b.n_s);
    let recent = blocks.iter().rev().take(RECENT);
    let (mut canary, mut stable) = recent.fold((0.0, 0.0), sum);
    if canary + stable <= 0.0 {
        return 0.0;
    }
    if canary <= 0.0 || stable <= 0.0 {
        let both = blocks.iter().rev().filter(|block| block.usable());
        let before = both.take(RECENT).fold((0.0, 0.0), sum);
        if before.0 > 0.0 && canary < TAKEN_OVER * (before.0 + before.1) {
            (canary, stable) = before;
        }
    }
    let share = 100.0 * canary / (canary + stable);
    let nearest = policy
        .steps
        .iter()
        .map(|step| step.weight)
        .min_by(|a, b| (a - share).abs().total_cmp(&(b - share).abs()));
    nearest.unwrap_or(share)
}
