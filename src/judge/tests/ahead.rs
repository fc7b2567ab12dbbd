//! Rows for what is still needed, and for intervals that nobody can read: levels with a memory, objectives that wait.

use super::{
    ERRORS, Row,
    alone::Draws,
    check, counts,
    powered::{counted, looks},
};
use crate::{
    domain::{Code, Finding, Needs, Outcome},
    evidence::{Block, Counts, Gauges, Means, SumCount},
};

/// About normal numbers, the same in every run.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678;
    move || {
        let mut sum = -6.0;
        for _ in 0..12 {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            sum += ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        }
        sum
    }
}

/// A level with a memory from minute to minute: `sd` on the log scale, `canary` times stable's.
fn remembers(seed: u64, memory: f64, sd: f64, canary: f64) -> impl Fn(i64) -> Block {
    let mut draw = noise(seed);
    let mut logs = Vec::new();
    let mut level = draw();
    for _ in 0..300 {
        level = memory * level + (1.0 - memory * memory).sqrt() * draw();
        logs.push(sd * level);
    }
    move |index| {
        let at = logs[(index.max(0) / 2) as usize];
        Block::Gauges(Gauges {
            canary: (index >= 0).then(|| 10.0 * canary * at.exp()),
            stable: Some(10.0),
        })
    }
}

const GAUGE: &str = "    - { name: g, gauge: a }\n";

/// The promises of every poll until the decision, as shares of what was really left, and the minute of the decision.
fn promises(block: impl Fn(i64) -> Block) -> Option<(Vec<(i64, f64)>, i64)> {
    let mut row = Row::new(GAUGE, "  horizon: 24h\n");
    let mut told: Vec<(i64, f64)> = Vec::new();
    for blocks in (2..560).step_by(2) {
        row.blocks = blocks;
        let found: Finding = row.judge(&block).findings.remove(0);
        if found.outcome != Outcome::Inconclusive {
            return Some((told, blocks / 2));
        }
        let seconds = found.needs.seconds.unwrap_or_else(|| panic!("{found:?}"));
        // two pairs say nothing of the scatter
        assert!(blocks > 4 || seconds <= 600.0, "{found:?}");
        assert!(found.needs.requests.is_none(), "{found:?}");
        told.push((blocks / 2, seconds / 60.0));
    }
    None
}

#[test]
fn the_promise_for_a_level_is_of_the_right_order() {
    let (mut all, mut near, mut decided) = (0, 0, 0);
    for seed in 0..12 {
        for (memory, sd, canary) in [
            (0.0, 0.6, 1.0),
            (0.6, 0.4, 1.0),
            (0.8, 0.25, 1.0),
            (0.8, 0.4, 1.0),
            (0.6, 0.3, 1.6),
        ] {
            let Some((told, end)) = promises(remembers(seed, memory, sd, canary)) else {
                continue;
            };
            decided += 1;
            for (minute, promised) in told {
                // never less than the minutes that any comparison of levels takes
                assert!(promised >= (10 - minute) as f64, "{minute} {promised}");
                if minute >= 10 {
                    let ratio = (minute as f64 + promised) / end as f64;
                    all += 1;
                    near += i32::from((1.0 / 3.0..=3.0).contains(&ratio));
                }
            }
        }
    }
    assert!(
        decided >= 30 && near * 10 >= all * 9,
        "{decided} {near} {all}"
    );
}

#[test]
fn an_interval_without_end_is_not_known_yet() {
    // a slow wave: few degrees of freedom
    let slow = |index: i64| {
        Block::Gauges(Gauges {
            canary: (index >= 0).then(|| 10.0 * (index as f64 / 40.0).sin().exp()),
            stable: Some(10.0),
        })
    };
    let mut row = Row::new(GAUGE, "");
    row.blocks = 24;
    let verdict = row.judge(slow);
    check(&verdict, Outcome::Inconclusive, Code::NeedsMoreData);
    let found = &verdict.findings[0];
    assert!(
        found.effect.estimate.is_some()
            && found.effect.lower.is_none()
            && found.effect.upper.is_none(),
        "{found:?}"
    );
    assert!(
        found.reason.contains("(interval not known yet)"),
        "{}",
        found.reason
    );
}

#[test]
fn what_is_not_known_is_left_out_and_only_a_decision_needs_nothing() {
    let needs = |row: &Row, block: &dyn Fn(i64) -> Block| {
        let found = row.judge(block).findings.remove(0);
        (found.code, found.needs)
    };
    let of = |requests, seconds| Needs {
        requests,
        seconds: Some(seconds),
    };
    let row = |objective: &str, blocks| {
        let mut row = Row::new(objective, "");
        row.blocks = blocks;
        row
    };
    let none = |_: i64| Block::Counts(Counts::default());
    let empty = |_: i64| Block::Gauges(Gauges::default());
    // a canary that has just started waits for what any decision takes
    let waits = needs(&row(ERRORS, 0), &none);
    assert_eq!(waits, (Code::Waiting, of(Some(100.0), 300.0)));
    let waits = needs(&row(GAUGE, 0), &empty);
    assert_eq!(waits, (Code::Waiting, of(None, 600.0)));
    let quantile = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 } }\n";
    let waits = needs(&row(quantile, 0), &none);
    assert_eq!(waits, (Code::Waiting, of(Some(100.0), 360.0)));
    // nobody knows when data comes
    let missing = needs(&row(ERRORS, 20), &none);
    assert_eq!(missing, (Code::NoCanaryData, Needs::default()));
    let passed = needs(&row(ERRORS, 60), &counts(0.01, 0.01));
    assert_eq!(passed, (Code::NoHarm, Needs::NOTHING));
    let failed = needs(&row(ERRORS, 60), &counts(0.05, 0.01));
    assert_eq!(failed, (Code::WorseThanStable, Needs::NOTHING));
}

#[test]
fn arms_that_never_meet_are_told() {
    // each is scraped once in two blocks, in turn
    let turns = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        if index % 2 == 0 {
            block.canary.clear();
        } else {
            block.stable.clear();
        }
        Block::Counts(block)
    };
    let items = |there: bool| {
        there.then_some(SumCount {
            sum: 500.0,
            count: 100.0,
            squares: None,
        })
    };
    let means = move |index: i64| {
        Block::Means(Means {
            canary: items(index >= 0 && index % 2 == 0),
            stable: items(index % 2 != 0),
        })
    };
    let mean = "    - { name: m, mean: { sum: a, count: b } }\n";
    for blocks in [8, 20, 60] {
        for (objective, name, block) in [
            (ERRORS, "e", &turns as &dyn Fn(i64) -> Block),
            (mean, "m", &means),
        ] {
            let mut row = Row::new(objective, "");
            row.blocks = blocks;
            let verdict = row.judge(block);
            check(&verdict, Outcome::Inconclusive, Code::NoStableData);
            let found = &verdict.findings[0];
            let said = format!("{name}: canary and stable never have data in the same block");
            assert!(found.reason.starts_with(&said), "{}", found.reason);
            assert_eq!(found.needs, Needs::default());
        }
    }
}

#[test]
fn a_ratio_beyond_measure_is_more_than_a_thousand() {
    let reason = Row::new(ERRORS, "").judge(counts(0.95, 0.0005)).reason;
    assert!(reason.contains("ratio more than 1000 times"), "{reason}");
    // to nothing it is none at all
    let reason = Row::new(ERRORS, "").judge(counts(0.9, 0.0)).reason;
    assert!(
        reason.contains(", difference 89.") || reason.contains(", difference 90"),
        "{reason}"
    );
}

#[test]
fn the_promise_for_counts_is_of_the_right_order() {
    let (mut all, mut near, mut close) = (0, 0, Vec::new());
    for (canary, stable, rps) in [
        (0.016, 0.01, 6.0),
        (0.016, 0.01, 20.0),
        (0.01, 0.01, 3.0),
        (0.02, 0.01, 2.0),
        (0.013, 0.01, 15.0),
        (0.004, 0.001, 4.0),
        (0.001, 0.001, 10.0),
    ] {
        for seed in 0..6 {
            let mut draws = Draws(seed * 7919 + 1);
            let polls = (4, i64::MAX, 480);
            let seen = looks((ERRORS, "  horizon: 24h\n"), polls, |there| {
                counted(&mut draws, rps, (canary, stable), there)
            });
            let [before @ .., (end, last)] = &seen[..] else {
                continue;
            };
            assert_ne!(last.outcome, Outcome::Inconclusive, "{last:?}");
            for (blocks, found) in before {
                let seconds = found.needs.seconds.unwrap_or_else(|| panic!("{found:?}"));
                let ratio = (*blocks as f64 + seconds / 30.0) / *end as f64;
                all += 1;
                near += i32::from((1.0 / 3.0..=3.0).contains(&ratio));
                // a fail that is about to come is not put off
                let evidence = &found.evidence;
                if evidence.log_e_fail > 4.0 && last.outcome == Outcome::Fail {
                    close.push(ratio);
                }
            }
        }
    }
    assert!(all >= 200 && near * 10 >= all * 9, "{near} {all}");
    assert!(
        close.len() >= 10 && close.iter().all(|ratio| *ratio < 3.0),
        "{close:?}"
    );
}
