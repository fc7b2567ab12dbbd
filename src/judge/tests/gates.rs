//! Rows for what holds a decision back: timeouts, the horizon, bursts, scale-ups, limits between edges.

use super::{ERRORS, Row, check, counts, counts_of, pods};
use crate::{
    domain::{Action, Code, Outcome},
    evidence::{Block, Counts, Histograms, Means, PodHistogram, SumCount},
};

#[test]
fn no_timeout_rules_while_the_source_fails() {
    for timeout in ["advance", "abort"] {
        let steps = format!(
            "  steps: [{{ weight: 5, maxDuration: 15m, onTimeout: {timeout} }}, {{ weight: 100 }}]\n"
        );
        let mut row = Row::new(ERRORS, &steps);
        row.step_lasted = Some(900_000);
        row.blocks = 12;
        row.problem = Some(Code::SourceDown);
        let verdict = row.judge(counts(0.0135, 0.01));
        assert_eq!(
            (verdict.outcome, verdict.action),
            (Outcome::Inconclusive, Action::Hold),
            "{timeout}"
        );
    }
}

#[test]
fn the_horizon_stays_reached_when_it_cuts_the_window() {
    let mut row = Row::new(ERRORS, "  horizon: 1h\n");
    (row.weight, row.blocks, row.cut) = (0.04, 120, 7 * 60_000);
    let verdict = row.judge(counts_of(|_| (0.01, 0.01), 1.0));
    check(&verdict, Outcome::Inconclusive, Code::NeedsMoreData);
    assert!(verdict.findings[0].fixed_horizon.is_some());
}

#[test]
fn a_drop_to_nothing_fails_where_either_direction_is_harm() {
    let either = "    - { name: k, ratio: { numerator: a, denominator: b }, harm: either }\n";
    check(
        &Row::new(either, "").judge(counts(0.0, 0.2)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    let mut early = Row::new(either, "");
    early.blocks = 8;
    assert_ne!(early.judge(counts(0.0, 0.2)).outcome, Outcome::Fail);
}

#[test]
fn a_scale_up_does_not_sharpen_what_one_pod_has_shown() {
    // stable pods differ by a quarter; one canary pod on a slow node, then nineteen average ones beside it
    let rate = |pod: u32| 0.05 * (0.25 * (f64::from(pod % 3) - 1.0) * 1.2).exp();
    let blocks = |index: i64| {
        let stable = (0..19).flat_map(|p| pods(1, p, rate(p), 300.0, index));
        let canaries = match index {
            ..0 => 0,
            0..40 => 1,
            _ => 20,
        };
        let canary = (0..canaries).flat_map(|p| {
            let trials = if canaries == 1 { 3000.0 } else { 150.0 };
            pods(1, 100 + p, if p == 0 { 0.065 } else { 0.05 }, trials, index)
        });
        Block::Counts(Counts {
            canary: canary.collect(),
            stable: stable.collect(),
        })
    };
    let mut row = Row::new(ERRORS, "");
    row.weight = 35.0;
    for blocks_seen in [40, 42, 60] {
        row.blocks = blocks_seen;
        let verdict = row.judge(blocks);
        assert_ne!(
            verdict.outcome,
            Outcome::Fail,
            "{blocks_seen}: {verdict:#?}"
        );
    }
}

const LIMITED: &str = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 500ms, margin: { relative: 5 }, passMargin: { relative: 9 } }\n";

/// Buckets of one block from `(edge, requests)`.
fn buckets(pod: u32, ranges: &[(f64, f64)], edges: &[f64]) -> PodHistogram {
    let below = |edge: &f64| ranges.iter().filter(|r| r.0 <= *edge).map(|r| r.1).sum();
    PodHistogram {
        pod,
        cumulative: edges.iter().map(below).collect(),
    }
}

#[test]
fn a_limit_is_held_at_the_nearest_edge_that_the_blocks_have() {
    let inf = f64::INFINITY;
    // the canary's layout lacks the edge at the limit: what lies between its edges is not known to be beyond
    let other_layout = |index: i64| {
        let edges = if index < 0 {
            vec![0.1, 0.5, 1.0, inf]
        } else {
            vec![0.1, 1.0, inf]
        };
        let canary = buckets(99, &[(0.1, 100.0), (1.0, 50.0)], &edges);
        Block::Histograms(Histograms {
            canary: if index < 0 { Vec::new() } else { vec![canary] },
            stable: (0..5)
                .map(|p| buckets(p, &[(0.1, 200.0), (1.0, 100.0)], &edges))
                .collect(),
            edges,
            sparse: false,
        })
    };
    let verdict = Row::new(LIMITED, "").judge(other_layout);
    assert_ne!(verdict.outcome, Outcome::Fail, "{verdict:#?}");
    // empty ranges are left out: one very slow request must not move the limit there for ever
    let sparse = |index: i64| {
        let slow = if index == 0 { (9.5, 1.0) } else { (0.6, 20.0) };
        let edges = match index {
            ..0 => vec![0.1, 0.2, inf],
            0 => vec![0.1, 0.2, 9.0, 9.5, inf],
            _ => vec![0.1, 0.2, 0.55, 0.6, inf],
        };
        let canary = buckets(99, &[(0.2, 130.0), slow], &edges);
        Block::Histograms(Histograms {
            canary: if index < 0 { Vec::new() } else { vec![canary] },
            stable: (0..5)
                .map(|p| buckets(p, &[(0.2, 550.0)], &edges))
                .collect(),
            edges,
            sparse: true,
        })
    };
    check(
        &Row::new(LIMITED, "").judge(sparse),
        Outcome::Fail,
        Code::LimitExceeded,
    );
}

#[test]
fn one_slow_burst_is_no_regression_with_a_limit_either() {
    let edges = vec![0.1, 0.2, 0.5, 1.0, f64::INFINITY];
    let burst = |index: i64| {
        let slow = if (10..12).contains(&index) {
            100.0
        } else {
            0.0
        };
        let canary = buckets(99, &[(0.1, 150.0 - slow), (1.0, slow)], &edges);
        Block::Histograms(Histograms {
            canary: if index < 0 { Vec::new() } else { vec![canary] },
            stable: (0..5)
                .map(|p| buckets(p, &[(0.1, 545.0), (0.2, 5.0)], &edges))
                .collect(),
            edges: edges.clone(),
            sparse: false,
        })
    };
    for limit in ["", ", limit: 500ms"] {
        let objective = format!(
            "    - {{ name: q, latencyQuantile: {{ histogram: a_bucket, quantile: 0.99 }}{limit} }}\n"
        );
        let mut row = Row::new(&objective, "");
        row.blocks = 14;
        assert_ne!(row.judge(burst).outcome, Outcome::Fail, "{limit}");
    }
}

#[test]
fn a_fail_that_waits_for_blocks_says_so() {
    let mut row = Row::new(ERRORS, "");
    row.blocks = 2;
    let verdict = row.judge(counts(0.5, 0.01));
    check(&verdict, Outcome::Inconclusive, Code::TooEarly);
    let found = &verdict.findings[0];
    assert_eq!(
        found.reason,
        "e: harm shows, but a fail needs 3 blocks with canary events, 2 seen"
    );
    assert!(found.evidence.log_e_fail > -found.evidence.alpha.ln());
    assert!(found.needs.requests.is_none() && found.needs.seconds > Some(0.0));
    row.blocks = 3;
    let verdict = row.judge(counts(0.5, 0.01));
    check(&verdict, Outcome::Fail, Code::WorseThanStable);
}

#[test]
fn steps_rule_the_advice() {
    let steps = "  steps: [{ weight: 5, minDuration: 2m, maxDuration: 15m, onTimeout: TIMEOUT }, { weight: 100 }]\n";
    let rows = [
        (
            "hold",
            Some(60_000),
            0.01,
            Outcome::Inconclusive,
            Action::Hold,
            5.0,
        ),
        (
            "hold",
            Some(180_000),
            0.01,
            Outcome::Pass,
            Action::Advance,
            100.0,
        ),
        ("hold", None, 0.01, Outcome::Pass, Action::Advance, 100.0),
        ("hold", Some(60_000), 0.9, Outcome::Fail, Action::Abort, 0.0),
        (
            "hold",
            Some(900_000),
            0.0135,
            Outcome::Inconclusive,
            Action::Hold,
            5.0,
        ),
        (
            "advance",
            Some(900_000),
            0.0135,
            Outcome::Pass,
            Action::Advance,
            100.0,
        ),
        (
            "abort",
            Some(900_000),
            0.0135,
            Outcome::Fail,
            Action::Abort,
            0.0,
        ),
    ];
    for (timeout, lasted, canary, outcome, action, next) in rows {
        let mut row = Row::new(ERRORS, &steps.replace("TIMEOUT", timeout));
        row.step_lasted = lasted;
        row.blocks = if lasted == Some(900_000) { 12 } else { 90 };
        let verdict = row.judge(counts(canary, 0.01));
        assert_eq!(
            (verdict.outcome, verdict.action, verdict.next_weight),
            (outcome, action, next),
            "{timeout} {lasted:?} {canary}: {}",
            verdict.reason
        );
    }
}

#[test]
fn a_limit_fails_after_three_blocks_with_errors_where_stable_is_all_errors_too() {
    // judged by its complement: the comparison still waits for ten blocks
    let limited = "    - { name: e, errorRatio: { errors: a, total: b }, limit: 5% }\n";
    let mut row = Row::new(limited, "");
    row.blocks = 2;
    let verdict = row.judge(counts(0.995, 0.99));
    assert_eq!(verdict.outcome, Outcome::Inconclusive, "{verdict:?}");
    for blocks in 3..14 {
        row.blocks = blocks;
        check(
            &row.judge(counts(0.995, 0.99)),
            Outcome::Fail,
            Code::LimitExceeded,
        );
    }
}

#[test]
fn the_items_of_a_mean_are_what_min_requests_counts() {
    let means = |index: i64| {
        let arm = |count: f64, step: i64| {
            let noise = 1.0 + 0.02 * ((index * step).rem_euclid(17) as f64 / 8.0 - 1.0);
            Some(SumCount {
                sum: 50.0 * count * noise,
                count,
                squares: None,
            })
        };
        Block::Means(Means {
            canary: arm(10.0, 5).filter(|_| index >= 0),
            stable: arm(700.0, 3),
        })
    };
    let mean = "    - { name: m, mean: { sum: a, count: b } }\n";
    for (least, outcome, code) in [
        ("1000000", Outcome::Inconclusive, Code::TooEarly),
        ("601", Outcome::Inconclusive, Code::TooEarly),
        ("600", Outcome::Pass, Code::NoHarm),
        ("0", Outcome::Pass, Code::NoHarm),
    ] {
        let verdict = Row::new(mean, &format!("  minRequests: {least}\n")).judge(means);
        check(&verdict, outcome, code);
    }
}
