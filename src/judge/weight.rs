//! The present weight: as told, else as the traffic says.

use super::{advice::step_of, counts::CountBlock, explain::digits};
use crate::{
    domain::Question,
    policy::{Policy, Step},
};

/// Blocks looked at for the traffic, and that a change of the weight takes.
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
    /// Nobody's: that of the least step, from which a walk begins.
    Unknown(f64),
}

impl Weight {
    /// The number.
    pub fn percent(self) -> f64 {
        match self {
            Self::Told(weight) | Self::Seen(weight) | Self::Unknown(weight) => weight,
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
            Self::Unknown(_) => Some(format!(
                "no weight in the question and no traffic seen: {percent} %, the least step, is assumed; give `weight`"
            )),
        }
    }
}

/// The present weight. The index of the step says nothing of it: Argo counts pauses and analyses too.
pub fn assumed(policy: &Policy, question: &Question, traffic: Option<&[CountBlock]>) -> Weight {
    match question.weight {
        Some(weight) => Weight::Told(weight),
        None => seen(policy, traffic).map_or_else(
            || Weight::Unknown(least(policy).unwrap_or(0.0)),
            Weight::Seen,
        ),
    }
}

/// Do two weights belong to the same step?
pub fn same_step(policy: &Policy, one: f64, other: f64) -> bool {
    let weight = |weight| step_of(policy, weight).map(|step: &Step| step.weight);
    weight(one) == weight(other)
}

/// The step whose weight is nearest to the share of traffic seen lately. An arm that has lost its traffic tells no share,
/// unless the canary has taken over what stable had: then it is the share of before, or that of the least step. Where both
/// arms have gone quiet, it is what was seen before; nothing where there never was any traffic.
fn seen(policy: &Policy, traffic: Option<&[CountBlock]>) -> Option<f64> {
    let blocks = traffic.unwrap_or_default();
    let lively = |b: &CountBlock| b.n_c + b.n_s > 0.0;
    let blocks = blocks.get(..=blocks.iter().rposition(lively)?)?;
    let sum = |(c, s): (f64, f64), b: &CountBlock| (c + b.n_c, s + b.n_s);
    let recent = blocks.iter().rev().take(RECENT);
    let (mut canary, mut stable) = recent.fold((0.0, 0.0), sum);
    let both = blocks.iter().rev().filter(|block| block.usable());
    let before = both.take(RECENT).fold((0.0, 0.0), sum);
    let lost = canary <= 0.0 || stable <= 0.0;
    let taken_over = lost && canary >= TAKEN_OVER * (before.0 + before.1);
    if before.0 > 0.0 && !taken_over {
        if let Some(weight) = settled(policy, blocks) {
            return Some(weight);
        }
        (canary, stable) = before;
    }
    let share = 100.0 * canary / (canary + stable);
    Some(nearest(policy, share).unwrap_or(share))
}

fn least(policy: &Policy) -> Option<f64> {
    let weights = policy.steps.iter().map(|step| step.weight);
    weights.min_by(f64::total_cmp)
}

/// The step that the blocks with both arms have settled on, from the least one on: each of three in a row, by itself, must
/// speak for a higher one, or for a lower one. A block in which an arm fades or returns moves nothing.
fn settled(policy: &Policy, blocks: &[CountBlock]) -> Option<f64> {
    let least = least(policy)?;
    let both = blocks.iter().filter(|block| block.usable());
    let told: Vec<f64> = both
        .filter_map(|block| nearest(policy, 100.0 * block.n_c / (block.n_c + block.n_s)))
        .collect();
    let settle = |present: f64, three: &[f64]| {
        let low = three.iter().copied().fold(f64::INFINITY, f64::min);
        let high = three.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        present.max(low).min(high)
    };
    Some(told.windows(RECENT).fold(least, settle))
}

fn nearest(policy: &Policy, share: f64) -> Option<f64> {
    let weights = policy.steps.iter().map(|step| step.weight);
    weights.min_by(|a, b| (a - share).abs().total_cmp(&(b - share).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::RolloutRef, policy};

    fn question() -> Question {
        Question {
            policy: "p".into(),
            rollout: RolloutRef {
                namespace: "n".into(),
                name: "r".into(),
                canary_hash: "c".into(),
                stable_hash: "s".into(),
            },
            weight: None,
            step: None,
            step_since: None,
            since: None,
            at: 0,
            params: std::collections::BTreeMap::new(),
            labels: std::collections::BTreeMap::new(),
            analysis_run: None,
            dry_run: false,
        }
    }

    #[test]
    fn a_lone_fading_block_does_not_move_the_weight() {
        let text = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: p }\nspec:\n  steps: [{ weight: 5 }, { weight: 25 }, { weight: 50 }, { weight: 100 }]\n  objectives:\n    - { name: e, errorRatio: { errors: errors, total: requests } }\n";
        let policy = &policy::load("p.yaml", text, None).unwrap()[0].policy;
        let (five, quarter, half) = ((150.0, 2850.0), (750.0, 2250.0), (1500.0, 1500.0));
        let (fades, gone, trickle) = ((150.0, 300.0), (150.0, 0.0), (150.0, 10.0));
        let (full, quiet) = ((3000.0, 0.0), (0.0, 0.0));
        let rows: [(&[(f64, f64)], f64); 17] = [
            // nothing is known: a hold must not send the canary back to nothing
            (&[], 5.0),
            (&[quiet, quiet, quiet, quiet], 5.0),
            // both arms are quiet, say at night: as before
            (&[half, half, half, quiet, quiet, quiet, quiet], 50.0),
            (
                &[half, half, half, full, full, full, quiet, quiet, quiet],
                100.0,
            ),
            (&[five], 5.0),
            // from one or two blocks nothing rises
            (&[trickle], 5.0),
            (&[five, five, five, fades], 5.0),
            (&[five, five, five, trickle, gone], 5.0),
            (&[five, five, five, fades, gone, gone, gone, gone], 5.0),
            (&[five, five, five, fades, gone, gone, gone, trickle], 5.0),
            (&[five, five, five, fades, gone, trickle, five, five], 5.0),
            (&[five, five, five, quarter, quarter], 5.0),
            (&[five, five, five, quarter, quarter, quarter], 25.0),
            (&[half, half, half, five], 50.0),
            (&[half, half, half, five, five, five], 5.0),
            (&[half, half, half, full, full, full], 100.0),
            (&[half, half, half, full, full, full, five], 50.0),
        ];
        for (traffic, expected) in rows {
            let blocks: Vec<CountBlock> = traffic
                .iter()
                .map(|&(n_c, n_s)| CountBlock {
                    x_c: 0.0,
                    n_c,
                    x_s: 0.0,
                    n_s,
                })
                .collect();
            let told = assumed(policy, &question(), Some(&blocks));
            assert_eq!(told.percent(), expected, "{traffic:?}");
            let nothing = blocks.iter().all(|b| b.n_c + b.n_s <= 0.0);
            assert_eq!(matches!(told, Weight::Unknown(_)), nothing, "{traffic:?}");
        }
    }
}
