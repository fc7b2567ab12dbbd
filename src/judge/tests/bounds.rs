//! Rows for arms without events: no estimate, only bounds.

use super::{ERRORS, Row, counts, pods};
use crate::{
    domain::Finding,
    evidence::{Block, Counts, Histograms, PodCount, PodHistogram},
};

/// Errors out of 40 canary and 800 stable requests in each block.
fn errors(canary: impl Fn(i64) -> f64, stable: impl Fn(i64) -> f64) -> impl Fn(i64) -> Block {
    move |index| {
        let pod = |pod, events, trials| PodCount {
            pod,
            events,
            trials,
        };
        let canary = pod(99, canary(index), 40.0);
        Block::Counts(Counts {
            canary: if index < 0 { Vec::new() } else { vec![canary] },
            stable: (0..2).map(|p| pod(p, stable(index) / 2.0, 400.0)).collect(),
        })
    }
}

fn every(blocks: i64, first: i64) -> impl Fn(i64) -> f64 {
    move |index| f64::from(u8::from(index >= 0 && index % blocks == first))
}

fn finding(objective: &str, blocks: i64, block: impl Fn(i64) -> Block) -> Finding {
    let mut row = Row::new(objective, "");
    row.blocks = blocks;
    row.judge(block).findings.remove(0)
}

/// No estimate, in numbers and words alike; the bounds that are left.
fn bounds(found: &Finding) -> [Option<f64>; 2] {
    assert_eq!(found.effect.estimate, None, "{found:?}");
    let points = found.reason.contains(", difference ");
    assert_eq!(found.reason.contains('('), points, "{}", found.reason);
    assert!(!found.reason.contains("at least 0 "), "{}", found.reason);
    assert!(!found.reason.contains("not known yet"), "{}", found.reason);
    [found.effect.lower, found.effect.upper]
}

#[test]
fn a_canary_without_errors_is_told_with_an_upper_bound_or_none() {
    // two errors of stable say nothing of the ratio
    let few = finding(ERRORS, 16, errors(|_| 0.0, every(8, 3)));
    let [lower, upper] = bounds(&few);
    assert_eq!(lower, None, "{few:?}");
    let told = few.reason.contains(", ratio at most ");
    assert_eq!(told, upper.is_some_and(|upper| upper <= 1000.0), "{few:?}");
    // many do
    let many = finding(ERRORS, 60, errors(|_| 0.0, |_| 8.0));
    let [lower, upper] = bounds(&many);
    assert_eq!(lower, None, "{many:?}");
    assert!(upper.unwrap() < 1.0, "{many:?}");
    assert!(
        many.reason.contains(" on stable, ratio at most 0."),
        "{}",
        many.reason
    );
    // one error on each arm is an estimate
    let one = finding(ERRORS, 60, errors(every(60, 5), |_| 1.0));
    assert!(
        one.effect.estimate.is_some() && one.reason.contains(", ratio "),
        "{one:?}"
    );
}

#[test]
fn a_stable_without_errors_is_told_with_a_lower_bound_or_none() {
    let few = finding(ERRORS, 60, errors(every(60, 5), |_| 0.0));
    let [_, upper] = bounds(&few);
    assert_eq!(upper, None, "{few:?}");
    assert!(!few.reason.contains("ratio"), "{}", few.reason);
    let many = finding(ERRORS, 60, errors(|_| 4.0, |_| 0.0));
    let [lower, upper] = bounds(&many);
    assert!(lower > many.margin && upper.is_none(), "{many:?}");
    assert!(
        many.reason.contains(" is beyond the margin "),
        "{}",
        many.reason
    );
    // no ratio to nothing is a measure, nor is a margin in it: both are told in points
    assert!(
        many.reason.contains(", difference 10 points (")
            && many
                .reason
                .ends_with(" points) is beyond the margin 10 % + 0.05 points"),
        "{}",
        many.reason
    );
}

#[test]
fn neither_needs_nor_outcomes_come_of_what_is_told() {
    // half an event of the canary is still what is planned with
    let found = finding(ERRORS, 30, errors(|_| 0.0, every(4, 1)));
    assert!(found.needs.requests > Some(0.0), "{found:?}");
    bounds(&found);
    // nor does what has events lose its estimate
    let both = finding(ERRORS, 60, counts(0.01, 0.01));
    assert!(
        both.effect.estimate.is_some() && both.effect.lower.is_some(),
        "{both:?}"
    );
}

#[test]
fn shares_near_one_are_told_alike() {
    let ratio = "    - { name: k, ratio: { numerator: a, denominator: b }, harm: decrease }\n";
    // the canary has all of it
    let all = |index: i64| {
        let canary = PodCount {
            pod: 99,
            events: 150.0,
            trials: 150.0,
        };
        Block::Counts(Counts {
            canary: if index < 0 { Vec::new() } else { vec![canary] },
            stable: pods(3, 0, 0.95, 150.0, index),
        })
    };
    let found = finding(ratio, 60, all);
    assert_eq!(bounds(&found)[0], None);
    assert!(
        found.reason.contains(", ratio of the complements at most "),
        "{}",
        found.reason
    );
}

#[test]
fn a_canary_without_slow_requests_has_no_ratio_of_them() {
    let block = |index: i64| {
        let pod = |pod, n: f64, slow: f64| PodHistogram {
            pod,
            cumulative: vec![0.5 * n, n - slow, n - slow, n],
        };
        Block::Histograms(Histograms {
            edges: vec![0.1, 0.5, 1.0, f64::INFINITY],
            sparse: false,
            canary: if index < 0 {
                Vec::new()
            } else {
                vec![pod(99, 300.0, 0.0)]
            },
            stable: (0..5).map(|p| pod(p, 600.0, 3.0)).collect(),
        })
    };
    let objective = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 } }\n";
    let found = finding(objective, 60, block);
    assert_eq!(bounds(&found)[0], None);
    assert!(
        found.reason.contains(", ratio of requests above ") && found.reason.contains(" at most 0."),
        "{}",
        found.reason
    );
}
