//! Rows for values that do not vary, and for values of 0.

use super::{Row, check};
use crate::{
    domain::{Code, Needs, Outcome},
    evidence::{Block, Gauges, Means, SumCount},
};

/// Each item has the same value; the number of items varies.
fn items(canary: f64, stable: f64) -> impl Fn(i64) -> Block {
    move |index| {
        let arm = |mean: f64, count: f64| {
            Some(SumCount {
                sum: mean * count,
                count,
                squares: None,
            })
        };
        let more = index.rem_euclid(7) as f64;
        Block::Means(Means {
            canary: arm(canary, 60.0 + more),
            stable: arm(stable, 240.0 + more),
        })
    }
}

fn levels(canary: impl Fn(i64) -> f64, stable: f64) -> impl Fn(i64) -> Block {
    move |index| {
        Block::Gauges(Gauges {
            canary: Some(canary(index)),
            stable: Some(stable),
        })
    }
}

fn objective(kind: &str, rest: &str) -> Row {
    Row::new(&format!("    - {{ name: m, {kind}{rest} }}\n"), "")
}

const MEAN: &str = "mean: { sum: a, count: b }";
const GAUGE: &str = "gauge: a";

#[test]
fn means_that_do_not_vary_decide() {
    use Outcome::{Fail, Pass};
    for (rest, canary, stable, outcome, code) in [
        ("", 4.0, 5.0, Fail, Code::WorseThanStable),
        ("", 5.0, 5.0, Pass, Code::NoHarm),
        ("", 6.0, 5.0, Pass, Code::NoHarm),
        (", harm: increase", 0.6, 0.5, Fail, Code::WorseThanStable),
        (
            ", harm: increase, limit: 3",
            5.0,
            5.0,
            Fail,
            Code::LimitExceeded,
        ),
        (", limit: 3", 0.0, 0.0, Fail, Code::LimitExceeded),
        (", harm: increase, limit: 6", 5.0, 5.0, Pass, Code::NoHarm),
        ("", 0.0, 0.0, Pass, Code::NoHarm),
        (", harm: either", 0.1, 0.1, Pass, Code::NoHarm),
        (", harm: either", -0.2, -0.1, Fail, Code::WorseThanStable),
        (
            ", margin: { relative: 0.1% }, passMargin: { relative: 0.5% }",
            0.3,
            0.3,
            Pass,
            Code::NoHarm,
        ),
        (
            ", harm: increase, margin: { absolute: 1 }, passMargin: { absolute: 2 }",
            0.5,
            0.0,
            Pass,
            Code::NoHarm,
        ),
        (
            ", harm: increase, margin: { absolute: 1 }, passMargin: { absolute: 2 }",
            3.0,
            0.0,
            Fail,
            Code::WorseThanStable,
        ),
    ] {
        for blocks in [14, 60, 118] {
            let mut row = objective(MEAN, rest);
            row.blocks = blocks;
            check(&row.judge(items(canary, stable)), outcome, code);
        }
    }
}

#[test]
fn levels_that_do_not_vary_decide_and_stay_decided() {
    use Outcome::{Fail, Pass};
    for (rest, canary, stable, outcome, code) in [
        ("", 9.0, 5.0, Fail, Code::WorseThanStable),
        ("", 5.0, 5.0, Pass, Code::NoHarm),
        ("", 0.3, 0.1, Fail, Code::WorseThanStable),
        (", limit: 3", 5.0, 5.0, Fail, Code::LimitExceeded),
        (", limit: 6", 5.0, 5.0, Pass, Code::NoHarm),
        ("", 0.0, 0.0, Pass, Code::NoHarm),
        (", harm: either", 0.0, 0.0, Pass, Code::NoHarm),
        (
            ", margin: { absolute: 1 }, passMargin: { absolute: 2 }",
            0.0,
            0.0,
            Pass,
            Code::NoHarm,
        ),
        (
            ", margin: { absolute: 1 }, passMargin: { absolute: 2 }",
            3.0,
            0.0,
            Fail,
            Code::WorseThanStable,
        ),
    ] {
        for blocks in (24..120).step_by(2) {
            let mut row = objective(GAUGE, rest);
            row.blocks = blocks;
            let verdict = row.judge(levels(|_| canary, stable));
            check(&verdict, outcome, code);
            let effect = verdict.findings[0].effect;
            let width = effect.upper.unwrap() - effect.lower.unwrap();
            let size = effect.estimate.unwrap().abs().max(1.0);
            assert!(width < 0.2 * size, "{blocks}: {effect:?}");
        }
    }
}

#[test]
fn a_share_of_zero_is_no_margin() {
    let now_and_then = |index: i64| if index % 5 == 0 { 0.8 } else { 0.0 };
    for harm in [", harm: increase", ", harm: either"] {
        let verdict = objective(GAUGE, harm).judge(levels(now_and_then, 0.0));
        check(&verdict, Outcome::Inconclusive, Code::NeedsMoreData);
        let found = &verdict.findings[0];
        assert!(
            found.reason.contains("give `margin` an `absolute` part"),
            "{}",
            found.reason
        );
        assert!(
            found.margin.is_none() && found.needs == Needs::default(),
            "{found:?}"
        );
        let mean = objective(MEAN, harm).judge(items(0.2, 0.0));
        check(&mean, Outcome::Inconclusive, Code::NeedsMoreData);
    }
    let absolute = ", margin: { absolute: 0.05 }, passMargin: { absolute: 0.1 }";
    let mut row = objective(GAUGE, absolute);
    row.blocks = 120;
    let verdict = row.judge(levels(now_and_then, 0.0));
    check(&verdict, Outcome::Fail, Code::WorseThanStable);
    // who writes 0 means it
    let verdict = objective(GAUGE, ", margin: { relative: 0 }").judge(levels(now_and_then, 0.0));
    check(&verdict, Outcome::Fail, Code::WorseThanStable);
}

#[test]
fn nothing_falls_below_a_stable_of_zero() {
    use Outcome::{Inconclusive, Pass};
    let now_and_then = |index: i64| if index % 5 == 0 { 0.8 } else { 0.0 };
    let rare = |index: i64| if index == 7 { 0.8 } else { 0.0 };
    for rest in [
        ", harm: decrease",
        ", harm: decrease, margin: { relative: 20% }",
    ] {
        let mut row = objective(GAUGE, rest);
        row.blocks = 120;
        check(&row.judge(levels(|_| 5.0, 0.0)), Pass, Code::NoHarm);
        let verdict = row.judge(levels(now_and_then, 0.0));
        check(&verdict, Pass, Code::NoHarm);
        assert!(
            verdict.reason.contains("nothing can fall below 0"),
            "{}",
            verdict.reason
        );
        row.blocks = 40;
        let verdict = row.judge(levels(rare, 0.0));
        check(&verdict, Inconclusive, Code::NeedsMoreData);
        let found = &verdict.findings[0];
        assert!(
            found.reason.contains("nothing can fall below 0"),
            "{}",
            found.reason
        );
        assert!(found.needs.seconds > Some(0.0), "{found:?}");
        check(
            &objective(MEAN, rest).judge(items(0.2, 0.0)),
            Pass,
            Code::NoHarm,
        );
    }
}
