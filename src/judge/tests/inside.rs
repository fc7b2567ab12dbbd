//! What is shown as the estimate lies inside of what is shown as its interval.

use super::Row;
use crate::evidence::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
use proptest::{prelude::*, sample::select};

/// A block of each arm: events per mille and trials, with harm and allocations as they come.
type Arms = ([f64; 2], [f64; 2]);

fn arms() -> impl Strategy<Value = Vec<Arms>> {
    let rate = || select(vec![0.0, 1.0, 5.0, 10.0, 100.0, 600.0]);
    let trials = || select(vec![0.0, 20.0, 150.0, 3000.0]);
    let block = (rate(), rate(), trials(), trials());
    let block = block.prop_map(|(c, s, n_c, n_s)| ([c, n_c], [s, n_s]));
    // stretches of blocks alike, as steps and incidents make them
    let stretch = (block, 1_usize..8).prop_map(|(block, n)| vec![block; n]);
    prop::collection::vec(stretch, 2..8).prop_map(|stretches| stretches.concat())
}

fn counts(([c, n_c], [s, n_s]): Arms) -> Block {
    let pod = |pod, rate: f64, trials: f64| PodCount {
        pod,
        events: (rate * trials / 1000.0).round(),
        trials,
    };
    Block::Counts(Counts {
        canary: vec![pod(9, c, n_c)],
        stable: vec![pod(0, s, n_s / 2.0), pod(1, s, n_s / 2.0)],
    })
}

fn histograms(([c, n_c], [s, n_s]): Arms) -> Block {
    let pod = |pod, rate: f64, all: f64| {
        let slow = (rate * all / 1000.0).round();
        PodHistogram {
            pod,
            cumulative: vec![0.5 * (all - slow), all - slow, all - 0.4 * slow, all],
        }
    };
    Block::Histograms(Histograms {
        edges: vec![0.1, 0.5, 1.0, f64::INFINITY],
        sparse: false,
        canary: vec![pod(9, c, n_c)],
        stable: vec![pod(0, s, n_s)],
    })
}

fn means(([c, n_c], [s, n_s]): Arms) -> Block {
    let arm = |mean: f64, count: f64| {
        (count > 0.0).then_some(SumCount {
            sum: mean * count,
            count,
            squares: None,
        })
    };
    Block::Means(Means {
        canary: arm(c, n_c),
        stable: arm(s, n_s),
    })
}

fn gauges(([c, n_c], [s, n_s]): Arms) -> Block {
    let arm = |level: f64, there: f64| (there > 0.0).then_some(level);
    Block::Gauges(Gauges {
        canary: arm(c, n_c),
        stable: arm(s, n_s),
    })
}

/// An objective, and its blocks.
type Kind = (&'static str, fn(Arms) -> Block);

const KINDS: [Kind; 4] = [
    (super::ERRORS, counts),
    (
        "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 } }\n",
        histograms,
    ),
    ("    - { name: m, mean: { sum: a, count: b } }\n", means),
    ("    - { name: g, gauge: a }\n", gauges),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_estimate_lies_inside_its_interval(blocks in arms(), (objective, block) in select(KINDS.to_vec())) {
        let mut row = Row::new(objective, "");
        row.blocks = blocks.len() as i64;
        let calm = ([10.0, 0.0], [10.0, 3000.0]);
        let verdict = row.judge(|index| block(*usize::try_from(index).ok().and_then(|at| blocks.get(at)).unwrap_or(&calm)));
        let found = &verdict.findings[0];
        let effect = found.effect;
        if let Some(estimate) = effect.estimate {
            prop_assert!(effect.lower.is_none_or(|lower| lower <= estimate), "{found:?}");
            prop_assert!(effect.upper.is_none_or(|upper| upper >= estimate), "{found:?}");
        }
    }
}

/// Errors at a small share of the traffic, and none at a large one: the stratified ratio weighs blocks as they were.
#[test]
fn harm_at_a_small_share_has_an_estimate_inside() {
    let mut row = Row::new(super::ERRORS, "");
    row.blocks = 80;
    let block = |index: i64| {
        let share = if index < 20 { 0.05 } else { 0.5 };
        let canary = if index < 20 { 100.0 } else { 10.0 };
        counts(([canary, 3000.0 * share], [10.0, 3000.0 * (1.0 - share)]))
    };
    let found = row.judge(block).findings.remove(0);
    let effect = found.effect;
    let inside = effect.lower < effect.estimate && effect.estimate < effect.upper;
    assert!(inside && effect.lower.is_some(), "{found:?}");
}
