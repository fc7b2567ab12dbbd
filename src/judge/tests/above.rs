//! Rows for quantiles above the largest bucket.

use super::{BLOCK, ObjectiveState, Row};
use crate::{
    domain::{Code, Finding, Outcome},
    evidence::{Block, Histograms, PodHistogram},
};

const P99: &str = "latencyQuantile: { histogram: a_bucket, quantile: 0.99 }";

/// Requests above 500 ms, where the buckets end: a share of each arm.
fn slow(canary: f64, stable: f64) -> impl Fn(i64) -> Block {
    move |index| {
        let pod = |pod, n: f64, slow: f64| PodHistogram {
            pod,
            cumulative: [0.1, 0.5, 1.0 - slow]
                .map(|share| (share.min(1.0 - slow) * n).round())
                .into_iter()
                .chain([n])
                .collect(),
        };
        Block::Histograms(Histograms {
            edges: vec![0.1, 0.25, 0.5, f64::INFINITY],
            sparse: false,
            canary: if index < 0 {
                Vec::new()
            } else {
                vec![pod(99, 1000.0, canary)]
            },
            stable: (0..5).map(|p| pod(p, 2000.0, stable)).collect(),
        })
    }
}

fn finding(objective: &str, spec: &str, blocks: i64, arms: (f64, f64)) -> Finding {
    let mut row = Row::new(&format!("    - {{ name: q, {objective} }}\n"), spec);
    row.blocks = blocks;
    row.judge(slow(arms.0, arms.1)).findings.remove(0)
}

#[test]
fn a_quantile_above_the_largest_bucket_has_no_value_and_never_passes() {
    use Outcome::{Fail, Inconclusive, Pass};
    let median = "latencyQuantile: { histogram: a_bucket, quantile: 0.5 }";
    let limited = format!("{P99}, limit: 500ms, margin: {{ relative: 5 }}");
    let rows = [
        (
            P99,
            (0.004, 0.004),
            Pass,
            Code::NoHarm,
            [true, true],
            "canary 49",
        ),
        (
            P99,
            (0.15, 0.15),
            Inconclusive,
            Code::AboveLargestBucket,
            [false, false],
            "q: canary above 500 ms against above 500 ms on stable, ratio of requests above ",
        ),
        (
            P99,
            (0.004, 0.02),
            Inconclusive,
            Code::AboveLargestBucket,
            [true, false],
            " ms against above 500 ms on stable, ",
        ),
        (
            P99,
            (0.3, 0.004),
            Fail,
            Code::WorseThanStable,
            [false, true],
            "q: canary above 500 ms against 49",
        ),
        (
            P99,
            (0.4, 0.1),
            Fail,
            Code::WorseThanStable,
            [false, false],
            "q: canary above 500 ms against above 500 ms on stable, ratio of requests above ",
        ),
        (
            median,
            (1.0, 0.01),
            Fail,
            Code::WorseThanStable,
            [false, true],
            "q: canary above 500 ms against 250 ms on stable, ",
        ),
        (
            median,
            (1.0, 1.0),
            Inconclusive,
            Code::AboveLargestBucket,
            [false, false],
            "q: canary above 500 ms against above 500 ms on stable",
        ),
        (
            &limited,
            (0.012, 0.012),
            Inconclusive,
            Code::OverLimit,
            [false, false],
            "q: canary above 500 ms against above 500 ms on stable; the canary (",
        ),
        (
            &limited,
            (0.05, 0.05),
            Fail,
            Code::LimitExceeded,
            [false, false],
            "q: canary above 500 ms against above 500 ms on stable; the canary (",
        ),
    ];
    for (objective, arms, outcome, code, values, told) in rows {
        let blocks = if code == Code::OverLimit { 12 } else { 60 };
        let found = finding(objective, "", blocks, arms);
        assert_eq!((found.outcome, found.code), (outcome, code), "{found:?}");
        let seen = [&found.canary, &found.stable].map(|arm| arm.value.is_some());
        assert_eq!(seen, values, "{found:?}");
        assert_eq!(found.effect.relative.is_some(), values == [true, true]);
        assert!(
            found.reason.contains(told),
            "no `{told}` in: {}",
            found.reason
        );
        assert!(!found.reason.contains("without data"), "{}", found.reason);
        let adds = found
            .reason
            .ends_with("; above the largest bucket nothing can be seen: add buckets");
        assert_eq!(adds, code == Code::AboveLargestBucket, "{}", found.reason);
    }
}

#[test]
fn it_is_told_early_and_at_the_end_of_the_time_too() {
    let early = finding(P99, "  minBlocks: 10\n", 4, (0.15, 0.15));
    assert_eq!(early.code, Code::TooEarly);
    assert!(
        early
            .reason
            .ends_with("; canary above 500 ms against above 500 ms on stable"),
        "{}",
        early.reason
    );
    // the time is up, and harm of the design size would have shown
    let spec = "  steps: [{ weight: 5, maxDuration: 15m, onTimeout: hold }, { weight: 100 }]\n";
    let mut row = Row::new(&format!("    - {{ name: q, {P99} }}\n"), spec);
    row.step_lasted = Some(30 * 60_000);
    let verdict = row.judge(slow(0.15, 0.15));
    assert_eq!(verdict.outcome, Outcome::Inconclusive, "{verdict:?}");
}

#[test]
fn the_trail_shows_no_value_there() {
    let row = Row::new(&format!("    - {{ name: q, {P99} }}\n"), "");
    let mut state = ObjectiveState::new(&row.policy.objectives[0], BLOCK, row.policy.horizon);
    for index in -60..20 {
        let share = if index < 10 { 0.004 } else { 0.02 };
        state.fold(index, &slow(share, 0.004)(index));
    }
    assert_eq!(state.trail().len(), 20);
    for point in state.trail() {
        assert_eq!(point.canary.is_some(), point.index < 10, "{point:?}");
        assert!(point.stable.is_some(), "{point:?}");
    }
}
