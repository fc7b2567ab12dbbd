//! Whatever the numbers are, no sentence and no number of a finding is none.

use super::Row;
use crate::evidence::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
use proptest::{prelude::*, sample::select};

/// Numbers of counters that lie, and some that do not.
fn numbers() -> impl Strategy<Value = Vec<f64>> {
    let extreme = select(vec![
        0.0,
        1e-300,
        1e-40,
        1e-30,
        1.0,
        7.0,
        150.0,
        1e14,
        1e30,
        1e39,
        1e150,
        1e300,
        f64::MAX,
    ]);
    prop::collection::vec(extreme, 1..9)
}

const KINDS: [&str; 8] = [
    super::ERRORS,
    "    - { name: l, errorRatio: { errors: a, total: b }, limit: 2% }\n",
    "    - { name: k, ratio: { numerator: a, denominator: b }, harm: either }\n",
    "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 400ms }\n",
    "    - { name: m, mean: { sum: a, count: b }, harm: decrease, limit: 5 }\n",
    "    - { name: g, gauge: a, limit: 5 }\n",
    "    - { name: h, gauge: a, margin: { absolute: 1 }, passMargin: { absolute: 2 } }\n",
    "    - { name: n, mean: { sum: a, count: b }, margin: { absolute: 1 }, passMargin: { absolute: 2 } }\n",
];

fn block(kind: usize, at: i64, numbers: &[f64]) -> Block {
    let pick = |step: i64| {
        let place = (at * step + step).rem_euclid(numbers.len() as i64);
        numbers[place as usize]
    };
    let pod = |pod, events: f64, trials: f64| PodCount {
        pod,
        events: events.min(trials),
        trials,
    };
    match kind {
        0..=2 => Block::Counts(Counts {
            canary: vec![pod(9, pick(1), pick(2))],
            stable: vec![pod(0, pick(3), pick(5)), pod(1, pick(7), pick(4))],
        }),
        3 => {
            let pod = |pod, first: f64, second: f64| PodHistogram {
                pod,
                cumulative: vec![
                    first.min(second),
                    second,
                    second.max(first),
                    second.max(first),
                ],
            };
            Block::Histograms(Histograms {
                edges: vec![0.1, 0.5, 1.0, f64::INFINITY],
                sparse: false,
                canary: vec![pod(9, pick(1), pick(2))],
                stable: vec![pod(0, pick(3), pick(5))],
            })
        }
        4 | 7 => {
            let arm = |sum, count: f64, squares| {
                Some(SumCount {
                    sum,
                    count,
                    squares: (at % 2 == 0).then_some(squares),
                })
            };
            Block::Means(Means {
                canary: arm(pick(1), pick(2), pick(3)),
                stable: arm(-pick(5), pick(7), pick(4)),
            })
        }
        _ => Block::Gauges(Gauges {
            canary: Some(pick(1)),
            stable: Some(pick(2) - pick(3)),
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_number_is_none(numbers in numbers(), kind in 0..KINDS.len(), blocks in select(vec![3_i64, 14, 30])) {
        let mut row = Row::new(KINDS[kind], "");
        row.blocks = blocks;
        let verdict = row.judge(|index| block(kind, index, &numbers));
        for found in &verdict.findings {
            // debug output of a number that is none says so, in any field
            let told = format!("{found:?}");
            for none in ["NaN", "nan", "inf,", "inf)"] {
                prop_assert!(!told.contains(none), "{numbers:?}: {told}");
            }
        }
        prop_assert!(!verdict.reason.contains("NaN") && !verdict.reason.contains("inf "), "{}", verdict.reason);
    }
}
