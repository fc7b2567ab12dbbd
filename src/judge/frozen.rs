//! Stable is gone, or next to nothing is left of it: since when a comparison stands still, and whether the canary has left
//! its own past since.

use super::{
    counts::CountBlock,
    drift::{self, Change, Rates},
    explain::{digits, span},
    harm::Harm,
    leftover::{self, Arms},
    state::ObjectiveState,
};
use crate::{
    domain::{ArmSummary, Millis, time::rfc3339},
    policy::{Margin, Objective},
};

/// Blocks of the canary alone after which stable counts as gone, at least.
const ALONE_BLOCKS: usize = 3;
/// So improbable must they be, where stable was missing now and then before.
const CHANCE: f64 = 0.01;
/// Of the traffic that a weight leaves to stable, less than this share is not what was asked for.
const AS_ASKED: f64 = 1.0 / 3.0;

/// A comparison that stands still, or nearly so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frozen {
    /// Number of the last block in which the arms were compared.
    pub last: i64,
    /// What stable had since: next to nothing.
    pub left: Option<Left>,
    /// Canary and stable up to then, where what is left makes the sums of all blocks differ from what was compared.
    pub until: Option<[ArmSummary; 2]>,
    /// The canary against its own past, where it has become worse by more than the pass margin.
    pub moved: Option<Moved>,
    /// The canary's value in its newest block.
    pub now: Option<f64>,
}

/// The rest of stable's traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Left {
    /// Requests, or what else is counted.
    pub requests: f64,
    /// In this time.
    pub span: Millis,
}

impl Frozen {
    /// Since when there is nothing to compare with, or too little of so many `noun`.
    pub fn words(&self, at: Millis, noun: &str) -> String {
        let at = rfc3339(at);
        let Some(Left {
            requests,
            span: time,
        }) = self.left
        else {
            return format!("nothing of stable to compare with since {at}");
        };
        let noun = match requests {
            1.0 => noun.trim_end_matches('s'),
            _ => noun,
        };
        format!(
            "too little of stable is left to compare with since {at} ({} {noun} in {})",
            digits(requests),
            span(time as f64 / 1000.0)
        )
    }
}

/// The canary's own value before and since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// Before, now, and in how many of the newest blocks.
    pub change: Change,
    /// Of a quantile these are shares of requests above this edge.
    pub above: Option<f64>,
}

/// One block: what both arms had, and the canary's value.
#[derive(Debug, Clone, Copy)]
struct Look {
    index: i64,
    arms: Arms,
    value: Option<f64>,
    /// Events and trials of the canary, where they are counted.
    counted: Option<(f64, f64)>,
}

/// Has stable been silent, or nearly so, beside a canary with data? Nothing where they were never compared, or still are.
/// A `weight` that leaves stable next to nothing freezes nothing by itself: only a canary that has left its past does.
pub fn frozen(
    objective: &Objective,
    state: &ObjectiveState,
    (block, weight): (Millis, f64),
) -> Option<Frozen> {
    let (looks, rate) = (looks(state), rate(state));
    let arms: Vec<Arms> = looks.iter().map(|look| look.arms).collect();
    let last = leftover::last_compared(&arms, rate)?;
    let (past, since) = looks.split_at(last + 1);
    let alone = |looks: &[Look]| looks.iter().filter(|l| l.arms.alone(rate)).count();
    let both = past.iter().filter(|l| l.arms.compared(rate)).count();
    // an arm of little traffic is missing now and then: that alone is no end
    let lonely = (alone(past) as f64 + 0.5) / ((both + alone(past)) as f64 + 1.0);
    let run = alone(since);
    if run < ALONE_BLOCKS || lonely.powf(run as f64) > CHANCE {
        return None;
    }
    let Arms { canary, stable } = leftover::sum(arms.get(last + 1..)?);
    let left = (stable > 0.0).then(|| Left {
        requests: stable,
        span: (since.last().map_or(0, |look| look.index) - past.last().map_or(0, |l| l.index))
            * block,
    });
    let compared: Vec<Look> = past
        .iter()
        .filter(|l| l.arms.compared(rate))
        .copied()
        .collect();
    let still = Frozen {
        last: past.last()?.index,
        left,
        until: left.and_then(|_| until(state, past, rate)),
        moved: moved(objective, state, (&compared, since), block),
        now: since
            .iter()
            .rev()
            .find(|look| look.arms.canary > 0.0)
            .and_then(|look| look.value),
    };
    let asked = AS_ASKED * (1.0 - weight / 100.0) * (canary + stable);
    let as_asked = weight < 100.0 && left.is_some() && blocks(state).is_some() && stable >= asked;
    (!as_asked || still.moved.is_some()).then_some(still)
}

/// The counts of each block, where there are any.
fn blocks(state: &ObjectiveState) -> Option<&[CountBlock]> {
    match state {
        ObjectiveState::Counts(counts) => Some(counts.blocks()),
        ObjectiveState::Quantile(quantile) => Some(quantile.blocks()),
        ObjectiveState::Means(_) | ObjectiveState::Levels(_) => None,
    }
}

/// How often stable has events.
fn rate(state: &ObjectiveState) -> f64 {
    let blocks = blocks(state).unwrap_or_default().iter();
    let (x, n) = blocks.fold((0.0, 0.0), |(x, n), b| (x + b.x_s, n + b.n_s));
    if n > 0.0 { (x + 0.5) / (n + 1.0) } else { 0.0 }
}

/// Each block of the state.
fn looks(state: &ObjectiveState) -> Vec<Look> {
    let blocks = blocks(state).unwrap_or_default();
    // what was counted at another edge is no past of what is counted now
    let usable = |at: usize| match state {
        ObjectiveState::Quantile(quantile) => {
            quantile.edges().get(at).copied().flatten() == quantile.edge()
        }
        _ => true,
    };
    let there = |value: Option<f64>| f64::from(u8::from(value.is_some()));
    let look = |(at, point): (usize, &super::reading::TrailPoint)| Look {
        index: point.index,
        arms: blocks.get(at).map_or_else(
            || Arms {
                canary: there(point.canary),
                stable: there(point.stable),
            },
            |block| Arms {
                canary: block.n_c,
                stable: block.n_s,
            },
        ),
        value: point.canary,
        counted: blocks
            .get(at)
            .filter(|block| block.n_c > 0.0 && usable(at))
            .map(|block| (block.x_c, block.n_c)),
    };
    state.trail().iter().enumerate().map(look).collect()
}

/// Both arms as they were compared, of events out of trials.
fn until(state: &ObjectiveState, past: &[Look], rate: f64) -> Option<[ArmSummary; 2]> {
    let ObjectiveState::Counts(counts) = state else {
        return None;
    };
    let pairs = past.iter().zip(counts.blocks());
    let compared = pairs.filter(|(look, _)| look.arms.compared(rate));
    let sum = compared.fold(CountBlock::default(), |sum, (_, b)| CountBlock {
        x_c: sum.x_c + b.x_c,
        n_c: sum.n_c + b.n_c,
        x_s: sum.x_s + b.x_s,
        n_s: sum.n_s + b.n_s,
    });
    let arm = |x: f64, n: f64| {
        let events = if counts.complement() { n - x } else { x };
        ArmSummary {
            value: (n > 0.0).then_some(events / n),
            events: Some(events),
            exposure: Some(n),
            series: None,
        }
    };
    Some([arm(sum.x_c, sum.n_c), arm(sum.x_s, sum.n_s)])
}

/// Is it shown that the canary is now worse than it was, by more than the pass margin?
fn moved(
    objective: &Objective,
    state: &ObjectiveState,
    (past, since): (&[Look], &[Look]),
    block: Millis,
) -> Option<Moved> {
    let rates = |harm: Harm, rates: Rates| {
        let counted = |looks: &[Look]| -> Vec<(f64, f64)> {
            looks.iter().filter_map(|look| look.counted).collect()
        };
        drift::of_counts(&counted(past), &counted(since), harm, rates)
    };
    match state {
        ObjectiveState::Counts(counts) => {
            let shown = |rate: f64| {
                if counts.complement() {
                    1.0 - rate
                } else {
                    rate
                }
            };
            let change = counts.harms().iter().find_map(|&harm| {
                let of = Rates {
                    block,
                    dispersion: counts.phi(),
                    errors: counts.counts_requests() && harm.higher_is_worse,
                    fixed_ratio: false,
                };
                rates(harm, of)
            })?;
            Some(Moved {
                change: Change {
                    before: shown(change.before),
                    now: shown(change.now),
                    ..change
                },
                above: None,
            })
        }
        ObjectiveState::Quantile(quantile) => {
            // a margin on time is another one on the share of requests
            let margin = Margin {
                relative: quantile.pass_boundary() - 1.0,
                absolute: 0.0,
            };
            let of = Rates {
                block,
                dispersion: quantile.phi(),
                errors: false,
                fixed_ratio: true,
            };
            Some(Moved {
                change: rates(Harm::upwards(margin), of)?,
                above: quantile.edge(),
            })
        }
        ObjectiveState::Means(_) | ObjectiveState::Levels(_) => {
            let values = |looks: &[Look]| -> Vec<f64> {
                looks.iter().filter_map(|look| look.value).collect()
            };
            let (past, since) = (values(past), values(since));
            let change = Harm::of(objective)
                .into_iter()
                .find_map(|harm| drift::of_values(&past, &since, harm))?;
            Some(Moved {
                change,
                above: None,
            })
        }
    }
}
