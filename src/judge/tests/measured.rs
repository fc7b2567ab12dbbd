//! Rows for what is measured: changes, intervals and their tests, limits between edges, rates above one.

use super::{ERRORS, Row, check, counts, counts_of, pods};
use crate::{
    domain::{Code, Finding, Outcome},
    evidence::{Block, Counts, Gauges, Histograms, PodHistogram},
};

fn found(row: &Row, block: impl Fn(i64) -> Block) -> Finding {
    row.judge(block).findings.remove(0)
}

#[test]
fn the_change_is_that_of_the_shown_values() {
    let ratio = "    - { name: k, ratio: { numerator: a, denominator: b } }\n";
    for (objective, canary, stable) in [
        (ERRORS, 0.0, 0.01),
        (ERRORS, 0.02, 0.0),
        (ERRORS, 0.0, 0.0),
        (ERRORS, 0.03, 0.01),
        (ratio, 0.6, 0.97),
        (ratio, 0.99, 0.97),
    ] {
        let found = found(&Row::new(objective, ""), counts(canary, stable));
        let (c, s) = (found.canary.value.unwrap(), found.stable.value.unwrap());
        let change = (s > 0.0).then(|| c / s - 1.0);
        assert_eq!(found.effect.relative, change, "{found:?}");
    }
}

/// A step whose time is up, so that there is a report whatever was decided.
fn ended(objective: &str) -> Row {
    let mut row = Row::new(
        objective,
        "  steps: [{ weight: 5, maxDuration: 15m }, { weight: 100 }]\n",
    );
    row.step_lasted = Some(900_000);
    row
}

/// Is p below a half of the interval's error where the interval lies beyond the margin, and only there?
fn agrees(found: &Finding, margin: f64, up: bool) {
    let test = found.fixed_horizon.as_ref().unwrap();
    let beyond = if up {
        test.lower.unwrap() > margin
    } else {
        test.upper.unwrap() < margin
    };
    assert_eq!(test.p_value.unwrap() < 0.025, beyond, "{margin} {test:?}");
}

#[test]
fn p_value_and_interval_of_the_report_agree() {
    // stable without errors: the margin is its absolute part
    for canary in [0.0, 0.0005, 0.001, 0.0015, 0.002, 0.01] {
        agrees(&found(&ended(ERRORS), counts(canary, 0.0)), 0.0005, true);
    }
    let clear = found(&Row::new(ERRORS, ""), counts(0.01, 0.0));
    let test = clear.fixed_horizon.unwrap();
    assert!(test.p_value.unwrap() < 1e-12, "{test:?}");
    assert_eq!(test.interval_of, "share of canary minus share of stable");
    // most requests fail: the complement is counted, errors are told
    let most = found(&Row::new(ERRORS, ""), counts(0.95, 0.85));
    let test = most.fixed_horizon.unwrap();
    assert!(
        test.lower.unwrap() > 0.05 && test.p_value.unwrap() < 0.025,
        "{test:?}"
    );
    for harm in ["increase", "decrease"] {
        for canary in [0.3, 0.36, 0.38, 0.39, 0.41, 0.42, 0.44, 0.5] {
            let row = ended(&format!(
                "    - {{ name: k, ratio: {{ numerator: a, denominator: b }}, harm: {harm} }}\n"
            ));
            let found = found(&row, counts(canary, 0.4));
            agrees(&found, found.margin.unwrap(), harm == "increase");
        }
    }
}

#[test]
fn the_ranks_are_tested_against_the_margin() {
    let levels = |canary: f64| {
        move |index: i64| {
            let wave = |step: i64| ((index * step).rem_euclid(17)) as f64 / 800.0;
            Block::Gauges(Gauges {
                canary: Some(canary + wave(5)),
                stable: Some(10.0 + wave(3)),
            })
        }
    };
    let row = Row::new("    - { name: g, gauge: a }\n", "");
    let p = |canary| {
        found(&row, levels(canary))
            .fixed_horizon
            .unwrap()
            .p_value
            .unwrap()
    };
    // the margin is 10 %
    assert!(p(10.5) > 0.99 && p(12.0) < 1e-6);
}

#[test]
fn either_direction_is_tested_on_both_sides() {
    let row = |harm: &str| {
        ended(&format!(
            "    - {{ name: k, ratio: {{ numerator: a, denominator: b }}, harm: {harm} }}\n"
        ))
    };
    let test = |harm: &str| found(&row(harm), counts(0.23, 0.2)).fixed_horizon.unwrap();
    let (one, both) = (test("increase"), test("either"));
    assert_eq!(both.method, format!("{}, two-sided", one.method));
    assert_eq!(both.p_value.unwrap(), (2.0 * one.p_value.unwrap()).min(1.0));
    assert_eq!((both.lower, both.upper), (one.lower, one.upper));
}

#[test]
fn a_limit_between_edges_is_held_at_the_next_one() {
    let edges = vec![0.1, 0.3, 0.5, 1.0, f64::INFINITY];
    let block = |slow: f64| {
        let edges = edges.clone();
        move |index: i64| {
            let pod = |pod: u32, n: f64, slow: f64| PodHistogram {
                pod,
                cumulative: vec![0.5 * n, 0.96 * n, n - slow * n, n, n],
            };
            Block::Histograms(Histograms {
                edges: edges.clone(),
                sparse: false,
                canary: if index < 0 {
                    Vec::new()
                } else {
                    vec![pod(99, 1000.0, slow)]
                },
                stable: (0..5).map(|p| pod(p, 2000.0, slow)).collect(),
            })
        }
    };
    let row = Row::new(
        "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 340ms }\n",
        "",
    );
    // 0.2 % above the edge: the value is above the limit only between edges, where nothing is known
    let verdict = row.judge(block(0.002));
    check(&verdict, Outcome::Pass, Code::NoHarm);
    let pass = &verdict.findings[0];
    assert!(pass.canary.value.unwrap() > 0.34);
    assert!(
        pass.reason.ends_with("; its limit is held at 500 ms"),
        "{}",
        pass.reason
    );
    let over = row.judge(block(0.0105));
    check(&over, Outcome::Inconclusive, Code::OverLimit);
    let far = row.judge(block(0.03));
    check(&far, Outcome::Fail, Code::LimitExceeded);
    for verdict in [over, far] {
        let said = &verdict.findings[0].reason;
        assert!(
            said.contains("of requests above 500 ms, 1 % may be)")
                && said.contains("the limit 340 ms (edge 500 ms)"),
            "{said}"
        );
    }
}

#[test]
fn a_ratio_above_one_is_a_number() {
    let per_trial = |canary: f64| {
        move |index: i64| {
            let Block::Counts(mut block) = counts_of(|_| (0.5, 0.5), 150.0)(index) else {
                unreachable!()
            };
            for pod in &mut block.stable {
                pod.events *= 10.0;
            }
            for pod in &mut block.canary {
                pod.events *= 2.0 * canary;
            }
            Block::Counts(block)
        }
    };
    let row = |rest: &str| {
        Row::new(
            &format!(
                "    - {{ name: k, ratio: {{ numerator: a, denominator: b }}, harm: increase{rest} }}\n"
            ),
            "",
        )
    };
    for (rest, canary, code) in [
        ("", 5.0, Code::NoHarm),
        ("", 8.0, Code::WorseThanStable),
        (", limit: 3", 5.0, Code::LimitExceeded),
        (", limit: 6", 5.0, Code::NoHarm),
    ] {
        let found = found(&row(rest), per_trial(canary));
        assert_eq!(found.code, code, "{found:?}");
        assert!(
            found.unit.is_empty() && !found.reason.contains('%'),
            "{found:?}"
        );
    }
    // below one it is a share
    let below = found(&row(""), counts(0.2, 0.2));
    assert!(
        below.unit == "ratio" && below.reason.contains(" % on stable"),
        "{below:?}"
    );
}

#[test]
fn only_latency_has_a_warm_up_to_wait_for() {
    for (objective, told) in [
        (ERRORS, false),
        (
            "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 } }\n",
            true,
        ),
    ] {
        let mut row = Row::new(objective, "");
        row.blocks = 0;
        let nothing = |index: i64| {
            Block::Counts(Counts {
                canary: Vec::new(),
                stable: pods(1, 0, 0.1, 10.0, index),
            })
        };
        let found = found(&row, nothing);
        assert_eq!(found.code, Code::Waiting);
        assert_eq!(found.reason.contains("warm-up"), told, "{}", found.reason);
    }
}
