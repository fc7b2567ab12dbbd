//! Rows for an arm that loses its data or its traffic: nothing new is compared, and nothing is decided in the dark.

use super::{ERRORS, Row, check, counts, counts_of, pods};
use crate::{
    domain::{Action, Code, Outcome, Verdict},
    evidence::{Block, Counts, Gauges, Histograms, Means, PodHistogram, SumCount},
};

/// The block from which on stable is gone: 25 minutes after the start.
const END: i64 = 50;
type Blocks = Box<dyn Fn(i64) -> Block>;
const SINCE: &str = "nothing of stable to compare with since 2026-01-01T00:25:00Z";

/// One percent of errors on both, until stable ends and the canary has these errors of so many requests.
fn ends(rate: f64, trials: f64) -> impl Fn(i64) -> Block {
    move |index| {
        let (rate, trials) = if index < END {
            (0.01, 150.0)
        } else {
            (rate, trials)
        };
        let Block::Counts(mut block) = counts_of(|_| (rate, 0.01), trials)(index) else {
            unreachable!()
        };
        if index >= END {
            block.stable.clear();
        }
        Block::Counts(block)
    }
}

fn row(weight: f64, blocks: i64) -> Row {
    let mut row = Row::new(ERRORS, "");
    (row.weight, row.blocks, row.step_lasted) = (weight, blocks, Some(blocks * 30_000));
    row
}

fn untold(blocks: i64) -> Row {
    let mut row = row(0.0, blocks);
    row.told = false;
    row
}

fn says(verdict: &Verdict, part: &str) {
    assert!(
        verdict.reason.contains(part),
        "no `{part}` in: {}",
        verdict.reason
    );
}

#[test]
fn a_canary_that_changes_when_stable_is_gone_is_no_pass() {
    for row in [
        row(5.0, 120),
        row(50.0, 120),
        row(60.0, 120),
        row(99.0, 120),
        row(100.0, 120),
        row(100.0, END + 8),
        untold(120),
    ] {
        for trials in [150.0, 3000.0] {
            let verdict = row.judge(ends(0.3, trials));
            check(&verdict, Outcome::Inconclusive, Code::NoComparison);
            assert_eq!(verdict.action, Action::Hold);
            says(&verdict, SINCE);
            says(&verdict, "the canary has become worse than it was: ");
            // the numbers are those of the ratio
            let found = &verdict.findings[0];
            assert!(found.canary.value.unwrap() < 0.02, "{found:?}");
            assert_eq!(found.canary.exposure, Some(150.0 * END as f64));
            let warned = |w: &String| w.contains(SINCE) && w.contains("the evidence is frozen");
            assert!(verdict.warnings.iter().any(warned), "{verdict:?}");
        }
    }
}

#[test]
fn a_canary_that_stays_as_it_was_keeps_its_pass_at_full_weight_only() {
    for (row, trials, expected) in [
        (row(100.0, 120), 3000.0, Outcome::Pass),
        (untold(120), 3000.0, Outcome::Pass),
        // the canary has not taken over what stable had: its metrics are missing, not its traffic
        (untold(120), 150.0, Outcome::Inconclusive),
        (row(50.0, 120), 3000.0, Outcome::Inconclusive),
        (row(99.0, END + 3), 3000.0, Outcome::Inconclusive),
    ] {
        let verdict = row.judge(ends(0.01, trials));
        let code = match expected {
            Outcome::Pass => Code::NoHarm,
            _ => Code::NoComparison,
        };
        check(&verdict, expected, code);
        if expected == Outcome::Pass {
            assert_eq!(verdict.weight, 100.0);
            says(&verdict, "e (compared until 2026-01-01T00:25:00Z): canary ");
            says(&verdict, "was ruled out");
        } else {
            says(&verdict, SINCE);
            says(&verdict, "the evidence is frozen; until then canary ");
        }
        assert!(verdict.warnings.iter().any(|w| w.contains(SINCE)));
    }
    // two blocks are a hiccup
    let verdict = row(5.0, END + 2).judge(ends(0.01, 150.0));
    check(&verdict, Outcome::Pass, Code::NoHarm);
    assert_eq!(verdict.warnings, Vec::<String>::new());
}

#[test]
fn a_canary_that_changes_long_after_stable_is_gone_is_no_pass() {
    let late = |since: i64, rate: f64| {
        move |index: i64| ends(if index < since { 0.01 } else { rate }, 3000.0)(index)
    };
    for (since, blocks, rate) in [(70, 73, 0.5), (110, 113, 0.5), (150, 156, 0.05)] {
        let verdict = row(100.0, blocks).judge(late(since, rate));
        check(&verdict, Outcome::Inconclusive, Code::NoComparison);
        says(&verdict, "the canary has become worse than it was: ");
        says(&verdict, " blocks, before 1");
    }
    // a burst of a minute is no new level
    let burst =
        |index: i64| ends(if (80..82).contains(&index) { 0.5 } else { 0.01 }, 3000.0)(index);
    for blocks in 80..130 {
        check(
            &row(100.0, blocks).judge(burst),
            Outcome::Pass,
            Code::NoHarm,
        );
    }
    let verdict = row(100.0, 120).judge(ends(0.01, 3000.0));
    check(&verdict, Outcome::Pass, Code::NoHarm);
    let found = &verdict.findings[0].reason;
    assert!(found.contains("; now canary 1"), "{found}");
}

/// The same with so many requests of stable in a block since.
fn trickles(rate: impl Fn(i64) -> f64, left: impl Fn(i64) -> f64) -> impl Fn(i64) -> Block {
    move |index| {
        let Block::Counts(mut block) = ends(rate(index), 3000.0)(index) else {
            unreachable!()
        };
        if index >= END {
            block.stable = pods(1, 0, 0.01, left(index), index);
        }
        Block::Counts(block)
    }
}

#[test]
fn a_trickle_of_stable_does_not_keep_the_pass_of_a_broken_canary() {
    let breaks = |to: f64| move |index: i64| if index < 70 { 0.01 } else { to };
    let patterns: [fn(i64) -> f64; 4] = [
        |_| 0.6,
        |_| 6.0,
        |index| if index % 7 == 0 { 1.0 } else { 0.0 },
        // a burst, also at the very end
        |index| if index % 20 < 2 { 80.0 } else { 0.0 },
    ];
    for left in patterns {
        for (to, within) in [(0.05, 20), (0.2, 6), (1.0, 4)] {
            for blocks in ((70 + within)..125).step_by(6) {
                let verdict = row(100.0, blocks).judge(trickles(breaks(to), left));
                assert_ne!(verdict.outcome, Outcome::Pass, "{to} {blocks}: {verdict:?}");
            }
        }
        // a healthy one keeps it, in the numbers of before
        for blocks in ((END + 4)..120).step_by(7) {
            let verdict = row(100.0, blocks).judge(trickles(|_| 0.01, left));
            check(&verdict, Outcome::Pass, Code::NoHarm);
            says(
                &verdict,
                "e (compared until 2026-01-01T00:25:00Z): canary 1",
            );
            let found = &verdict.findings[0];
            assert_eq!(found.canary.exposure, Some(150.0 * END as f64));
        }
    }
    let verdict = row(100.0, 76).judge(trickles(breaks(0.2), |index| (index % 3) as f64));
    check(&verdict, Outcome::Inconclusive, Code::NoComparison);
    let told = "too little of stable is left to compare with since 2026-01-01T00:25:00Z (26 requests in 13 min)";
    says(&verdict, told);
    says(&verdict, "the canary has become worse than it was: ");
    assert!(
        verdict.warnings.iter().any(|w| w.ends_with(told)),
        "{verdict:?}"
    );
}

#[test]
fn a_single_request_does_not_bring_stable_back() {
    let once = |index: i64| f64::from(u8::from(index == 118));
    for (weight, outcome, code) in [
        (50.0, Outcome::Inconclusive, Code::NoComparison),
        (100.0, Outcome::Pass, Code::NoHarm),
    ] {
        for blocks in 117..121 {
            let verdict = row(weight, blocks).judge(trickles(|_| 0.01, once));
            check(&verdict, outcome, code);
            assert!(verdict.warnings.iter().any(|w| w.contains(" of stable ")));
        }
    }
    // a weight that leaves it so little freezes nothing
    for (weight, frozen) in [(99.5, false), (95.0, true)] {
        let verdict = row(weight, 120).judge(trickles(|_| 0.01, |_| 9.0));
        let held = verdict.findings[0].code == Code::NoComparison;
        assert_eq!(held, frozen, "{weight}: {verdict:?}");
    }
    let worse = |index: i64| if index < 90 { 0.01 } else { 0.2 };
    let verdict = row(99.5, 94).judge(trickles(worse, |_| 9.0));
    check(&verdict, Outcome::Inconclusive, Code::NoComparison);
}

#[test]
fn a_ratio_that_is_not_that_of_the_numbers_beside_it_says_so() {
    // stable keeps three percent of the traffic: enough to go on comparing with
    let worse = |index: i64| if index < 110 { 0.01 } else { 1.0 };
    let verdict = row(100.0, 120).judge(trickles(worse, |_| 120.0));
    assert_ne!(verdict.findings[0].code, Code::NoComparison);
    says(&verdict, " on stable, ratio block by block ");
}

#[test]
fn a_limit_is_told_with_all_of_the_canary() {
    let mut row = row(100.0, 120);
    row.policy = super::policy(
        "    - { name: e, errorRatio: { errors: a, total: b }, limit: 20% }\n",
        "",
    );
    let verdict = row.judge(ends(0.6, 150.0));
    check(&verdict, Outcome::Fail, Code::LimitExceeded);
    assert!(verdict.findings[0].canary.value.unwrap() > 0.3);
}

#[test]
fn an_arm_of_little_traffic_that_is_missing_now_and_then_is_not_gone() {
    let sparse = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        if index.rem_euclid(4) != 0 {
            block.stable.clear();
        }
        Block::Counts(block)
    };
    for blocks in [116, 120] {
        let verdict = row(40.0, blocks).judge(sparse);
        assert_ne!(verdict.findings[0].code, Code::NoComparison, "{verdict:?}");
        assert_eq!(verdict.warnings, Vec::<String>::new());
    }
}

#[test]
fn a_little_of_stable_at_full_weight_is_still_compared_with() {
    let mut row = row(100.0, 20);
    let thin = |index| {
        let Block::Counts(mut block) = counts_of(|_| (0.012, 0.01), 240.0)(index) else {
            unreachable!()
        };
        block.stable = pods(1, 0, 0.01, 60.0, index);
        Block::Counts(block)
    };
    for told in [true, false] {
        row.told = told;
        let verdict = row.judge(thin);
        check(&verdict, Outcome::Inconclusive, Code::NeedsMoreData);
        assert_eq!(verdict.weight, 100.0);
        assert!(verdict.findings[0].needs.seconds > Some(0.0), "{verdict:?}");
        says(&verdict, "needs about ");
    }
    // stable was never there
    let never = with(|_, block| block.stable.clear());
    let verdict = row.judge(never);
    check(&verdict, Outcome::Inconclusive, Code::NoComparison);
}

#[test]
fn every_kind_stands_still_without_stable() {
    let noise = |index: i64, step: i64| 0.02 * (((index * step).rem_euclid(17)) as f64 / 8.0 - 1.0);
    let edges = vec![0.1, 0.2, 0.5, 1.0, f64::INFINITY];
    let slow_at = |index: i64, slow: f64| if index >= END { slow } else { 0.005 };
    let quantile = |slow: f64| {
        let edges = edges.clone();
        move |index: i64| {
            let share = slow_at(index, slow);
            let pod = |pod, n: f64, share: f64| PodHistogram {
                pod,
                cumulative: vec![0.9 * n, n * (1.0 - share), n * (1.0 - share / 2.0), n, n],
            };
            Block::Histograms(Histograms {
                edges: edges.clone(),
                sparse: false,
                canary: if index < 0 {
                    Vec::new()
                } else {
                    vec![pod(99, 400.0, share)]
                },
                stable: (0..if index < END { 5 } else { 0 })
                    .map(|p| pod(p, 800.0, 0.005))
                    .collect(),
            })
        }
    };
    let mean = |worse: f64| {
        move |index: i64| {
            let value = if index >= END { 50.0 * worse } else { 50.0 };
            let arm = |value: f64, step| {
                Some(SumCount {
                    sum: value * 40.0 * (1.0 + noise(index, step)),
                    count: 40.0,
                    squares: None,
                })
            };
            Block::Means(Means {
                canary: arm(value, 5),
                stable: arm(50.0, 3).filter(|_| index < END),
            })
        }
    };
    let level = |worse: f64| {
        move |index: i64| {
            let value = if index >= END { 10.0 * worse } else { 10.0 };
            Block::Gauges(Gauges {
                canary: Some(value + noise(index, 5)),
                stable: Some(10.0 + noise(index, 3)).filter(|_| index < END),
            })
        }
    };
    let rows: [(&str, Blocks, Blocks); 3] = [
        (
            "latencyQuantile: { histogram: a_bucket, quantile: 0.99 }",
            Box::new(quantile(0.005)),
            Box::new(quantile(0.08)),
        ),
        (
            "mean: { sum: a, count: b }, harm: increase",
            Box::new(mean(1.0)),
            Box::new(mean(3.0)),
        ),
        ("gauge: a", Box::new(level(1.0)), Box::new(level(3.0))),
    ];
    for (objective, same, worse) in rows {
        let mut row = row(100.0, 120);
        row.policy = super::policy(&format!("    - {{ name: o, {objective} }}\n"), "");
        let verdict = row.judge(&same);
        check(&verdict, Outcome::Pass, Code::NoHarm);
        says(&verdict, "o (compared until 2026-01-01T00:25:00Z): canary ");
        says(&verdict, "was ruled out");
        let verdict = row.judge(&worse);
        check(&verdict, Outcome::Inconclusive, Code::NoComparison);
        says(&verdict, "the canary has become worse than it was: ");
        row.weight = 50.0;
        let verdict = row.judge(&same);
        check(&verdict, Outcome::Inconclusive, Code::NoComparison);
    }
}

/// Changes a healthy block.
fn with(change: impl Fn(i64, &mut Counts)) -> impl Fn(i64) -> Block {
    move |index| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        change(index, &mut block);
        Block::Counts(block)
    }
}

#[test]
fn no_timeout_decides_without_data() {
    let cases: [(Code, f64, Blocks); 6] = [
        (
            Code::NoCanaryData,
            5.0,
            Box::new(with(|_, block| block.canary.clear())),
        ),
        (
            Code::NoStableData,
            5.0,
            Box::new(with(|_, block| block.stable.clear())),
        ),
        (
            Code::CanaryVanished,
            5.0,
            Box::new(with(|index, block| {
                if index > 50 {
                    block.canary.clear();
                }
            })),
        ),
        (Code::TrafficSplit, 50.0, Box::new(with(|_, _| ()))),
        (
            Code::TrafficSplit,
            5.0,
            Box::new(with(|_, block| block.canary = pods(1, 99, 0.0, 0.0, 0))),
        ),
        (Code::NoComparison, 5.0, Box::new(ends(0.01, 150.0))),
    ];
    for (code, weight, blocks) in &cases {
        for timeout in ["hold", "advance", "abort"] {
            let spec = format!(
                "  steps: [{{ weight: 5, maxDuration: 15m, onTimeout: {timeout} }}, {{ weight: 100 }}]\n"
            );
            let mut row = Row::new(ERRORS, &spec);
            (row.weight, row.step_lasted) = (*weight, Some(1_800_000));
            let verdict = row.judge(blocks);
            check(&verdict, Outcome::Inconclusive, *code);
            assert_eq!(verdict.action, Action::Hold, "{code:?} {timeout}");
            says(
                &verdict,
                "the step's time is up, but there is nothing to decide on; e: ",
            );
        }
    }
    // an objective that is only watched holds no timeout back
    let watched = format!(
        "{ERRORS}    - {{ name: w, errorRatio: {{ errors: c, total: d }}, watch: true }}\n"
    );
    let spec = "  steps: [{ weight: 5, maxDuration: 15m, onTimeout: advance }, { weight: 100 }]\n";
    let mut row = Row::new(&watched, spec);
    (row.blocks, row.step_lasted) = (12, Some(1_800_000));
    assert_eq!(row.judge(counts(0.0135, 0.01)).outcome, Outcome::Pass);
}

#[test]
fn the_patience_counts_from_the_step_where_nothing_was_ever_seen() {
    let spec = "  onNoData: fail\n  steps: [{ weight: 5, maxDuration: 15m, onTimeout: advance }, { weight: 100 }]\n";
    let mut row = Row::new(ERRORS, spec);
    (row.blocks, row.started) = (0, Err(false));
    let none = |_: i64| Block::Counts(Counts::default());
    for (lasted, outcome) in [
        (120_000, Outcome::Inconclusive),
        (301_000, Outcome::Fail),
        (1_800_000, Outcome::Fail),
    ] {
        row.step_lasted = Some(lasted);
        check(&row.judge(none), outcome, Code::NoCanaryData);
    }
}

#[test]
fn a_canary_without_requests_is_told_as_one() {
    let idle = |since: i64| {
        with(move |index, block| {
            if index >= since {
                block.canary = pods(1, 99, 0.0, 0.0, index);
            }
        })
    };
    // never a request; none for the last 15 minutes; with, at full, and without a weight
    for since in [0, 30] {
        for row in [row(5.0, 60), row(100.0, 60), untold(60)] {
            let verdict = row.judge(idle(since));
            check(&verdict, Outcome::Inconclusive, Code::TrafficSplit);
            says(&verdict, "the canary has had no requests for three blocks");
            let told = |w: &String| w.contains("the canary gets 0 % of the traffic");
            assert!(verdict.warnings.iter().any(told), "{verdict:?}");
        }
    }
    let verdict = untold(60).judge(idle(58));
    check(&verdict, Outcome::Pass, Code::NoHarm);
}
