//! Rows for harm that begins late: what is told of the whole run must not hide it.

use super::{Row, counts_of, wave};
use crate::{
    domain::{Code, Finding},
    evidence::{Block, Gauges, Histograms, Means, PodHistogram, SumCount},
};

type Blocks = Box<dyn Fn(i64) -> Block>;

/// The canary is better than stable for so long.
const LATE: i64 = 100;

/// Rates of canary and stable before and after.
fn rates(before: (f64, f64), after: (f64, f64)) -> Blocks {
    Box::new(counts_of(
        move |index| if index < LATE { before } else { after },
        150.0,
    ))
}

/// Shares of requests above 500 ms, canary and stable, before and after.
fn slow(before: (f64, f64), after: (f64, f64)) -> Blocks {
    Box::new(move |index| {
        let (canary, stable) = if index < LATE { before } else { after };
        let pod = |pod, n: f64, share: f64| PodHistogram {
            pod,
            cumulative: vec![0.9 * n, n * (1.0 - share), n * (1.0 - share / 2.0), n, n],
        };
        Block::Histograms(Histograms {
            edges: vec![0.1, 0.5, 0.8, 1.0, f64::INFINITY],
            sparse: false,
            canary: if index < 0 {
                Vec::new()
            } else {
                vec![pod(99, 400.0, canary)]
            },
            stable: (0..5).map(|p| pod(p, 800.0, stable)).collect(),
        })
    })
}

/// Means of canary and stable before and after.
fn means(before: (f64, f64), after: (f64, f64)) -> Blocks {
    Box::new(move |index| {
        let (canary, stable) = if index < LATE { before } else { after };
        let arm = |mean: f64, count: f64, step| {
            Some(SumCount {
                sum: mean * count * (1.0 + 0.05 * wave(index, step)),
                count,
                squares: None,
            })
        };
        Block::Means(Means {
            canary: arm(canary, 40.0, 5),
            stable: arm(stable, 700.0, 3),
        })
    })
}

/// Levels of canary and stable before and after.
fn levels(before: (f64, f64), after: (f64, f64)) -> Blocks {
    Box::new(move |index| {
        let (canary, stable) = if index < LATE { before } else { after };
        Block::Gauges(Gauges {
            canary: Some(canary + 0.1 * wave(index, 5)),
            stable: Some(stable + 0.1 * wave(index, 3)),
        })
    })
}

/// The finding of each look since shortly before the change.
fn looks(objective: &str, blocks: &Blocks) -> Vec<Finding> {
    let mut row = Row::new(&format!("    - {{ name: o, {objective} }}\n"), "");
    let looks = (LATE + 4..LATE + 100).step_by(12).map(|last| {
        row.blocks = last;
        row.judge(blocks).findings.remove(0)
    });
    looks.collect()
}

#[test]
fn late_harm_against_stable_is_told_as_late() {
    let quantile = "latencyQuantile: { histogram: a_bucket, quantile: 0.99 }";
    let rows: [(&str, Blocks); 6] = [
        (
            "errorRatio: { errors: a, total: b }",
            rates((0.004, 0.01), (0.05, 0.01)),
        ),
        (
            "ratio: { numerator: a, denominator: b }, harm: decrease",
            rates((0.3, 0.2), (0.1, 0.2)),
        ),
        (
            "ratio: { numerator: a, denominator: b }, harm: either",
            rates((0.22, 0.2), (0.12, 0.2)),
        ),
        (
            "ratio: { numerator: a, denominator: b }, harm: either",
            rates((0.18, 0.2), (0.3, 0.2)),
        ),
        // the complement is counted
        (
            "ratio: { numerator: a, denominator: b }, harm: decrease",
            rates((0.98, 0.9), (0.8, 0.9)),
        ),
        (quantile, slow((0.002, 0.008), (0.05, 0.008))),
    ];
    for (objective, blocks) in rows {
        let (mut lately, mut whole) = (0, 0);
        for found in looks(objective, &blocks) {
            if found.code != Code::WorseThanStable {
                continue;
            }
            let (estimate, margin) = (found.effect.estimate.unwrap(), found.margin.unwrap());
            // of harm in either direction the margin is on the side of the harm
            let within = (estimate - margin) * (margin - 1.0).signum() <= 0.0;
            let told = found
                .reason
                .starts_with("o: lately harm beyond the margin ");
            assert_eq!(told, within, "{found:?}");
            assert_eq!(found.reason.contains(" shows; in all canary "), within);
            lately += u32::from(within);
            whole += u32::from(!within);
        }
        assert!(lately > 0, "{objective}: {lately} {whole}");
    }
}

#[test]
fn what_is_judged_over_the_whole_run_is_not_told_as_late() {
    let rows: [(&str, Blocks); 4] = [
        (
            "mean: { sum: a, count: b }, harm: decrease",
            means((55.0, 50.0), (10.0, 50.0)),
        ),
        (
            "mean: { sum: a, count: b }, harm: either",
            means((48.0, 50.0), (150.0, 50.0)),
        ),
        ("gauge: a", levels((60.0, 10.0), (80.0, 10.0))),
        ("gauge: a, harm: either", levels((3.0, 10.0), (2.0, 10.0))),
    ];
    for (objective, blocks) in rows {
        let failed: Vec<Finding> = looks(objective, &blocks)
            .into_iter()
            .filter(|found| found.code == Code::WorseThanStable)
            .collect();
        assert!(!failed.is_empty(), "{objective}");
        for found in failed {
            assert!(!found.reason.contains("lately"), "{}", found.reason);
        }
    }
}

#[test]
fn a_limit_that_is_exceeded_late_is_told_as_such() {
    let quantile = "latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 500ms";
    let rows: [(&str, &str, Blocks); 4] = [
        (
            "errorRatio: { errors: a, total: b }, limit: 2%",
            "2 %",
            rates((0.004, 0.004), (0.05, 0.05)),
        ),
        (
            "ratio: { numerator: a, denominator: b }, harm: decrease, limit: 15%",
            "15 %",
            rates((0.3, 0.3), (0.08, 0.08)),
        ),
        (
            "ratio: { numerator: a, denominator: b }, harm: decrease, limit: 90%",
            "90 %",
            rates((0.97, 0.97), (0.8, 0.8)),
        ),
        (quantile, "500 ms", slow((0.002, 0.002), (0.05, 0.05))),
    ];
    for (objective, limit, blocks) in rows {
        let mut lately = 0;
        for found in looks(objective, &blocks) {
            if found.code != Code::LimitExceeded {
                continue;
            }
            let told = format!(
                "o: lately the canary is shown to be beyond the limit {limit}; in all canary "
            );
            let late = found.reason.starts_with(&told);
            let now = found.reason.contains(") is shown to be beyond the limit ");
            // the whole run is over the limit, but its interval holds it still
            let ahead = found.reason.ends_with(&format!(
                "; the evidence shows the canary beyond the limit {limit}"
            ));
            let told = [late, now, ahead].into_iter().filter(|told| *told);
            assert_eq!(told.count(), 1, "{}", found.reason);
            lately += u32::from(late);
        }
        assert!(lately > 0, "{objective}");
    }
    let rows: [(&str, Blocks); 4] = [
        (
            "mean: { sum: a, count: b }, harm: increase, limit: 60",
            means((50.0, 50.0), (150.0, 150.0)),
        ),
        (
            "mean: { sum: a, count: b }, harm: decrease, limit: 40",
            means((50.0, 50.0), (5.0, 5.0)),
        ),
        ("gauge: a, limit: 15", levels((60.0, 60.0), (80.0, 80.0))),
        (
            "gauge: a, harm: decrease, limit: 9",
            levels((4.0, 4.0), (3.0, 3.0)),
        ),
    ];
    for (objective, blocks) in rows {
        let failed: Vec<Finding> = looks(objective, &blocks)
            .into_iter()
            .filter(|found| found.code == Code::LimitExceeded)
            .collect();
        assert!(!failed.is_empty(), "{objective}");
        for found in failed {
            assert!(!found.reason.contains("lately"), "{}", found.reason);
            assert!(
                found.reason.contains(" beyond the limit "),
                "{}",
                found.reason
            );
        }
    }
}

/// The ends of the canary's own interval in a sentence, in percent.
fn told_interval(reason: &str) -> Option<(f64, f64)> {
    let (_, rest) = reason.split_once("the canary (")?;
    let (lower, rest) = rest.split_once(" % to ")?;
    let (upper, _) = rest.split_once(" %")?;
    Some((lower.parse().ok()?, upper.parse().ok()?))
}

#[test]
fn a_limit_broken_earlier_is_not_told_as_broken_beside_an_interval_that_holds_it() {
    let storm = |calm: Blocks, storm: Blocks| -> Blocks {
        Box::new(move |index| {
            if (20..24).contains(&index) {
                storm(index)
            } else {
                calm(index)
            }
        })
    };
    let both = |share: f64| ((share, share), (share, share));
    let rates = |share| rates(both(share).0, both(share).1);
    let slow = |share| slow(both(share).0, both(share).1);
    let quantile = "latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 500ms";
    let rows: [(&str, f64, Blocks); 2] = [
        (
            "errorRatio: { errors: a, total: b }, limit: 2%",
            2.0,
            storm(rates(0.0185), rates(0.1)),
        ),
        (quantile, 1.0, storm(slow(0.008), slow(0.1))),
    ];
    for (objective, limit, blocks) in rows {
        let mut row = Row::new(&format!("    - {{ name: o, {objective} }}\n"), "");
        let (mut now, mut earlier) = (0, 0);
        for last in (21..30).chain((30..150).step_by(10)) {
            row.blocks = last;
            let found = row.judge(&blocks).findings.remove(0);
            if found.code != Code::LimitExceeded {
                continue;
            }
            let reason = &found.reason;
            let holds = told_interval(reason).is_some_and(|(l, u)| l <= limit && limit <= u);
            let was = reason.contains(" was shown earlier to be beyond the limit ");
            assert_eq!(was, reason.ends_with(" and stays a fail"), "{reason}");
            assert!(was || !holds, "{reason}");
            now += u32::from(reason.contains(") is shown to be beyond the limit "));
            earlier += u32::from(was && holds);
        }
        assert!(now > 0 && earlier > 0, "{objective}: {now} {earlier}");
    }
}
