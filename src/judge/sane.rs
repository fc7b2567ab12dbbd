//! Numbers that no counter has are taken as missing: what is computed of them would not be a number.

use crate::evidence::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
use std::borrow::Cow;

/// No count, sum or level is larger.
const LARGEST: f64 = 1e40;
/// Nor is one smaller without being none.
const SMALLEST: f64 = 1e-40;

/// The block without what cannot be: a pod that tells it is left out of the block, and next to nothing is nothing.
pub fn sane(block: &Block) -> Cow<'_, Block> {
    if is_sane(block) {
        return Cow::Borrowed(block);
    }
    Cow::Owned(match block {
        Block::Counts(Counts { canary, stable }) => Block::Counts(Counts {
            canary: counts(canary),
            stable: counts(stable),
        }),
        Block::Histograms(block) => Block::Histograms(Histograms {
            edges: block.edges.clone(),
            sparse: block.sparse,
            canary: histograms(&block.canary),
            stable: histograms(&block.stable),
        }),
        Block::Means(Means { canary, stable }) => Block::Means(Means {
            canary: canary.and_then(mean),
            stable: stable.and_then(mean),
        }),
        Block::Gauges(Gauges { canary, stable }) => Block::Gauges(Gauges {
            canary: canary.and_then(number),
            stable: stable.and_then(number),
        }),
    })
}

fn is_sane(block: &Block) -> bool {
    let fine = |v: f64| v == 0.0 || (SMALLEST..=LARGEST).contains(&v.abs());
    let count = |v: f64| v >= 0.0 && fine(v);
    match block {
        Block::Counts(Counts { canary, stable }) => {
            let mut pods = canary.iter().chain(stable);
            pods.all(|pod| count(pod.events) && count(pod.trials))
        }
        Block::Histograms(block) => {
            let pods = block.canary.iter().chain(&block.stable);
            pods.flat_map(|pod| &pod.cumulative).all(|v| count(*v))
        }
        Block::Means(Means { canary, stable }) => {
            let mut arms = [canary, stable].into_iter().flatten();
            arms.all(|arm| fine(arm.sum) && count(arm.count) && arm.squares.is_none_or(fine))
        }
        Block::Gauges(Gauges { canary, stable }) => {
            [canary, stable].into_iter().flatten().all(|v| fine(*v))
        }
    }
}

/// The number, where it is one that something can have.
fn number(v: f64) -> Option<f64> {
    match v.abs() {
        size if size < SMALLEST => Some(0.0),
        size if size <= LARGEST => Some(v),
        _ => None,
    }
}

fn count(v: f64) -> Option<f64> {
    number(v).filter(|v| *v >= 0.0)
}

fn counts(pods: &[PodCount]) -> Vec<PodCount> {
    let pod = |pod: &PodCount| {
        Some(PodCount {
            pod: pod.pod,
            events: count(pod.events)?,
            trials: count(pod.trials)?,
        })
    };
    pods.iter().filter_map(pod).collect()
}

fn histograms(pods: &[PodHistogram]) -> Vec<PodHistogram> {
    let pod = |pod: &PodHistogram| {
        let cumulative = pod.cumulative.iter().map(|v| count(*v));
        Some(PodHistogram {
            pod: pod.pod,
            cumulative: cumulative.collect::<Option<_>>()?,
        })
    };
    pods.iter().filter_map(pod).collect()
}

fn mean(arm: SumCount) -> Option<SumCount> {
    Some(SumCount {
        sum: number(arm.sum)?,
        count: count(arm.count)?,
        squares: arm.squares.and_then(number),
    })
}
