//! Stable is gone: since when a comparison stands still, and whether the canary has left its own past since.

use super::{
    counts::CountBlock,
    drift::{self, Change, Rates},
    harm::Harm,
    state::ObjectiveState,
};
use crate::{
    domain::Millis,
    policy::{Margin, Objective},
};

/// Blocks of the canary alone after which stable counts as gone, at least.
const ALONE_BLOCKS: usize = 3;
/// So improbable must they be, where stable was missing now and then before.
const CHANCE: f64 = 0.01;
/// A comparison that stands still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frozen {
    /// Number of the last block in which both arms had data.
    pub last: i64,
    /// The canary against its own past, where it has become worse by more than the pass margin.
    pub moved: Option<Moved>,
    /// The canary's value in its newest block.
    pub now: Option<f64>,
}

/// The canary's own value before and since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// Before, now, and in how many of the newest blocks.
    pub change: Change,
    /// Of a quantile these are shares of requests above this edge.
    pub above: Option<f64>,
}

/// One block: did both arms have data, did the canary, and its value.
#[derive(Debug, Clone, Copy)]
struct Look {
    index: i64,
    both: bool,
    canary: bool,
    value: Option<f64>,
    /// Events and trials of the canary, where they are counted.
    counted: Option<(f64, f64)>,
}

/// Has stable been silent beside a canary with data? Nothing where they were never compared, or still are.
pub fn frozen(objective: &Objective, state: &ObjectiveState, block: Millis) -> Option<Frozen> {
    let looks = looks(state);
    let last = looks.iter().rposition(|look| look.both)?;
    let (past, since) = looks.split_at(last + 1);
    let alone = |looks: &[Look]| looks.iter().filter(|l| l.canary && !l.both).count();
    let both = past.iter().filter(|look| look.both).count();
    // an arm of little traffic is missing now and then: that alone is no end
    let lonely = (alone(past) as f64 + 0.5) / ((both + alone(past)) as f64 + 1.0);
    let run = alone(since);
    if run < ALONE_BLOCKS || lonely.powf(run as f64) > CHANCE {
        return None;
    }
    Some(Frozen {
        last: past.last()?.index,
        moved: moved(objective, state, (past, since), block),
        now: since
            .iter()
            .rev()
            .find(|look| look.canary)
            .and_then(|look| look.value),
    })
}

/// Each block of the state.
fn looks(state: &ObjectiveState) -> Vec<Look> {
    let (blocks, usable): (&[CountBlock], Box<dyn Fn(usize) -> bool>) = match state {
        ObjectiveState::Counts(counts) => (counts.blocks(), Box::new(|_| true)),
        // what was counted at another edge is no past of what is counted now
        ObjectiveState::Quantile(quantile) => (
            quantile.blocks(),
            Box::new(|at| quantile.edges().get(at).copied().flatten() == quantile.edge()),
        ),
        ObjectiveState::Means(_) | ObjectiveState::Levels(_) => (&[], Box::new(|_| false)),
    };
    let look = |(at, point): (usize, &super::reading::TrailPoint)| match blocks.get(at) {
        Some(block) => Look {
            index: point.index,
            both: block.usable(),
            canary: block.n_c > 0.0,
            value: point.canary,
            counted: (block.n_c > 0.0 && usable(at)).then_some((block.x_c, block.n_c)),
        },
        None => Look {
            index: point.index,
            both: point.canary.is_some() && point.stable.is_some(),
            canary: point.canary.is_some(),
            value: point.canary,
            counted: None,
        },
    };
    state.trail().iter().enumerate().map(look).collect()
}

/// Is it shown that the canary is now worse than it was, by more than the pass margin?
fn moved(
    objective: &Objective,
    state: &ObjectiveState,
    (past, since): (&[Look], &[Look]),
    block: Millis,
) -> Option<Moved> {
    let rates = |harm: Harm, rates: Rates| {
        let counted = |looks: &[Look], both: bool| -> Vec<(f64, f64)> {
            let of = looks.iter().filter(|look| look.both == both);
            of.filter_map(|look| look.counted).collect()
        };
        drift::of_counts(&counted(past, true), &counted(since, false), harm, rates)
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
            let values = |looks: &[Look], both: bool| -> Vec<f64> {
                let of = looks.iter().filter(|look| look.both == both);
                of.filter_map(|look| look.value).collect()
            };
            let (past, since) = (values(past, true), values(since, false));
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
