//! Stable is gone: since when a comparison stands still, and whether the canary has left its own past since.

use super::{counts::CountBlock, harm::Harm, reading::TrailPoint, state::ObjectiveState};
use crate::{
    policy::{Margin, Objective},
    stats::{normal_mixture::Estimate, paired_gauge::paired_estimate},
};

/// Blocks of the canary alone after which stable counts as gone, at least.
const ALONE_BLOCKS: usize = 3;
/// So improbable must they be, where stable was missing now and then before.
const CHANCE: f64 = 0.01;
/// Prior scale of the canary's own change, as a share of its value.
const TAU: f64 = 0.5;
/// Values that never vary are not known better than this share of the prior scale.
const MIN_SE: f64 = 0.01;

/// A comparison that stands still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frozen {
    /// Number of the last block in which both arms had data.
    pub last: i64,
    /// The canary against its own past, where it has become worse by more than the pass margin.
    pub moved: Option<Moved>,
}

/// The canary's own value before and since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// While it was compared: the mean of its blocks.
    pub before: f64,
    /// Since then.
    pub now: f64,
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
}

/// Has stable been silent beside a canary with data? Nothing where they were never compared, or still are.
pub fn frozen(objective: &Objective, state: &ObjectiveState, threshold: f64) -> Option<Frozen> {
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
    let values = |looks: &[Look], both: bool| -> Vec<f64> {
        let of = looks.iter().filter(|look| look.both == both);
        of.filter_map(|look| look.value).collect()
    };
    Some(Frozen {
        last: past.last()?.index,
        moved: moved(
            objective,
            state,
            (&values(past, true), &values(since, false)),
            threshold,
        ),
    })
}

/// Each block of the state. A quantile is followed by the share of requests above its edge, which every block has.
fn looks(state: &ObjectiveState) -> Vec<Look> {
    let of_counts = |(point, block): (&TrailPoint, &CountBlock), value| Look {
        index: point.index,
        both: block.usable(),
        canary: block.n_c > 0.0,
        value,
    };
    let trail = state.trail().iter();
    match state {
        ObjectiveState::Counts(counts) => trail
            .zip(counts.blocks())
            .map(|pair| of_counts(pair, pair.0.canary))
            .collect(),
        ObjectiveState::Quantile(quantile) => trail
            .zip(quantile.blocks())
            .map(|pair| {
                let share = (pair.1.n_c > 0.0).then(|| pair.1.x_c / pair.1.n_c);
                of_counts(pair, share)
            })
            .collect(),
        ObjectiveState::Means(_) | ObjectiveState::Levels(_) => trail
            .map(|point| Look {
                index: point.index,
                both: point.canary.is_some() && point.stable.is_some(),
                canary: point.canary.is_some(),
                value: point.canary,
            })
            .collect(),
    }
}

/// Is it shown that the canary is now worse than it was, by more than the pass margin?
fn moved(
    objective: &Objective,
    state: &ObjectiveState,
    (before, now): (&[f64], &[f64]),
    threshold: f64,
) -> Option<Moved> {
    let (past, present) = (paired_estimate(before)?, paired_estimate(now)?);
    let (above, harms) = match state {
        // a margin on time is another one on the share of requests
        ObjectiveState::Quantile(quantile) => {
            let margin = Margin {
                relative: quantile.pass_boundary() - 1.0,
                absolute: 0.0,
            };
            let harm = Harm::upwards(margin);
            (quantile.edge(), vec![harm])
        }
        _ => (None, Harm::of(objective)),
    };
    let tau = TAU * past.mean.abs().max(present.mean.abs());
    let change = Estimate {
        value: present.mean - past.mean,
        se: present.se.hypot(past.se).max(MIN_SE * tau),
        df: present.df,
    };
    let worse = harms.iter().any(|harm| {
        let boundary = harm.pass.on_scale(past.mean, false);
        // the side of FAIL is where harm is
        boundary.is_some_and(|at| change.log_e(harm.fail_side(), at, tau) >= threshold)
    });
    worse.then_some(Moved {
        before: past.mean,
        now: present.mean,
        above,
    })
}
