//! Rows for what the sentences say.

use super::{ERRORS, Row, check, counts, counts_of, wave};
use crate::{
    domain::{Code, Outcome},
    evidence::{Block, Counts, Gauges, Means, SumCount},
};

fn levels(canary: impl Fn(i64) -> f64, stable: f64) -> impl Fn(i64) -> Block {
    move |index: i64| {
        Block::Gauges(Gauges {
            canary: Some(canary(index) + 0.01 * wave(index, 5)),
            stable: Some(stable + 0.01 * wave(index, 3)),
        })
    }
}

fn says(row: &Row, block: impl Fn(i64) -> Block, code: Code, parts: &[&str]) -> String {
    let verdict = row.judge(block);
    let found = &verdict.findings[0];
    assert_eq!(found.code, code, "{found:?}");
    for part in parts {
        assert!(
            found.reason.contains(part),
            "no `{part}` in: {}",
            found.reason
        );
    }
    found.reason.clone()
}

#[test]
fn a_difference_is_not_called_a_ratio() {
    let query = |unit: &str, margin: &str, pass: &str| {
        Row::new(
            &format!(
                "    - {{ name: g, query: 'a{{$track}}', unit: {unit}, margin: {{ absolute: {margin} }}, passMargin: {{ absolute: {pass} }} }}\n"
            ),
            "",
        )
    };
    // a block of zero makes logarithms impossible
    let zero = |index: i64| {
        if index == 7 || index == 6 {
            -0.01 * wave(index, 5)
        } else {
            0.2
        }
    };
    let row = query("ratio", "0.1", "0.5");
    let said = says(
        &row,
        levels(zero, 0.2),
        Code::NoHarm,
        &["difference -", " points (", " points to "],
    );
    assert!(!said.contains("ratio"), "{said}");
    let worse = |index: i64| zero(index) + 0.6;
    says(
        &query("seconds", "100ms", "500ms"),
        levels(
            |index| {
                if (6..8).contains(&index) {
                    zero(index)
                } else {
                    worse(index)
                }
            },
            0.2,
        ),
        Code::WorseThanStable,
        &["difference 5", " ms (", "is beyond the margin 100 ms"],
    );
}

#[test]
fn a_fail_of_earlier_is_not_told_as_one_of_now() {
    let healed = |index: i64| {
        if index < 20 {
            (0.05, 0.01)
        } else {
            (0.0, 0.01)
        }
    };
    let mut row = Row::new(ERRORS, "");
    row.blocks = 240;
    let said = says(
        &row,
        counts_of(healed, 150.0),
        Code::WorseThanStable,
        &["harm beyond the margin was shown earlier and stays a fail; now canary"],
    );
    assert!(!said.contains("is beyond the margin"), "{said}");
    says(
        &Row::new(ERRORS, ""),
        counts(0.05, 0.01),
        Code::WorseThanStable,
        &[" is beyond the margin 1."],
    );
    // the evidence may show what the interval, which spends on both sides, does not yet
    row.blocks = 8;
    let mut seen = Vec::new();
    for blocks in 3..40 {
        row.blocks = blocks;
        let found = row.judge(counts(0.022, 0.01)).findings.remove(0);
        if found.code == Code::WorseThanStable {
            let beyond = found.effect.lower.unwrap() > found.margin.unwrap();
            assert_eq!(
                found.reason.contains("is beyond the margin"),
                beyond,
                "{}",
                found.reason
            );
            seen.push(beyond);
        }
    }
    assert!(seen.len() > 3, "{seen:?}");
}

#[test]
fn either_names_the_margin_of_the_side_that_shows_harm() {
    let margin = |row: &Row, block: &dyn Fn(i64) -> Block, above: bool| {
        let found = row.judge(block).findings.remove(0);
        assert_eq!(found.code, Code::WorseThanStable, "{found:?}");
        let margin = found.margin.unwrap();
        assert_eq!(margin > 1.0, above, "{}", found.reason);
        assert!(
            found.reason.contains("is beyond the margin"),
            "{}",
            found.reason
        );
        assert_eq!(
            found.reason.contains("is beyond the margin 1"),
            above,
            "{}",
            found.reason
        );
        let test = found.fixed_horizon.unwrap();
        assert!(test.p_value.unwrap() < 0.01, "{test:?}");
    };
    let ratio = "    - { name: k, ratio: { numerator: a, denominator: b }, harm: either }\n";
    margin(&Row::new(ratio, ""), &counts(0.5, 0.2), true);
    margin(&Row::new(ratio, ""), &counts(0.08, 0.2), false);
    let means = |canary: f64| {
        move |index: i64| {
            let arm = |mean: f64, count: f64, step| {
                Some(SumCount {
                    sum: mean * count * (1.0 + 0.05 * wave(index, step)),
                    count,
                    squares: None,
                })
            };
            Block::Means(Means {
                canary: arm(canary, 40.0, 5),
                stable: arm(50.0, 700.0, 3),
            })
        }
    };
    let mean = "    - { name: m, mean: { sum: a, count: b }, harm: either }\n";
    margin(&Row::new(mean, ""), &means(80.0), true);
    margin(&Row::new(mean, ""), &means(30.0), false);
    let gauge = "    - { name: g, gauge: a, harm: either }\n";
    margin(&Row::new(gauge, ""), &levels(|_| 20.0, 10.0), true);
    margin(&Row::new(gauge, ""), &levels(|_| 5.0, 10.0), false);
}

#[test]
fn a_numerator_without_events_is_asked_for() {
    for (harm, code, said) in [
        (
            "decrease",
            Code::StableAtZero,
            "nothing can fall below 0, so this cannot be judged: is the selector of the numerator right?",
        ),
        (
            "increase",
            Code::NeedsMoreData,
            "neither arm has an event of the numerator yet",
        ),
        (
            "either",
            Code::NeedsMoreData,
            "neither arm has an event of the numerator yet",
        ),
    ] {
        let ratio = format!(
            "    - {{ name: k, ratio: {{ numerator: a, denominator: b }}, harm: {harm} }}\n"
        );
        let row = Row::new(&ratio, "");
        says(&row, counts(0.0, 0.0), code, &[said]);
        let found = row.judge(counts(0.0, 0.0)).findings.remove(0);
        assert_eq!(found.needs, crate::domain::Needs::default(), "{found:?}");
    }
}

#[test]
fn a_limit_tells_the_canarys_own_interval_and_what_is_missing() {
    let limited = "    - { name: e, errorRatio: { errors: a, total: b }, limit: 2% }\n";
    let row = Row::new(limited, "");
    says(
        &row,
        counts(0.021, 0.021),
        Code::OverLimit,
        &[
            "the canary (1.",
            " % to 2.",
            " %) is beyond the limit 2 %, not yet for certain",
        ],
    );
    says(
        &row,
        counts(0.06, 0.06),
        Code::LimitExceeded,
        &["the canary (5", "is shown to be beyond the limit 2 %"],
    );
    // on its way to a fail
    let mut early = Row::new(limited, "  minBlocks: 3\n");
    let mut needs = Vec::new();
    for blocks in 5..40 {
        early.blocks = blocks;
        let found = early.judge(counts(0.03, 0.03)).findings.remove(0);
        if found.code == Code::OverLimit && found.needs.requests > Some(0.0) {
            assert!(found.reason.contains("needs about"), "{}", found.reason);
            needs.push(found.needs.requests.unwrap());
        }
    }
    assert!(!needs.is_empty());
    let mean = "    - { name: m, mean: { sum: a, count: b }, harm: increase, limit: 50 }\n";
    let means = |index: i64| {
        let arm = |step| {
            Some(SumCount {
                sum: 50.5 * 40.0 * (1.0 + 0.3 * wave(index, step)),
                count: 40.0,
                squares: None,
            })
        };
        Block::Means(Means {
            canary: arm(5),
            stable: arm(3),
        })
    };
    says(
        &Row::new(mean, ""),
        means,
        Code::OverLimit,
        &[
            "the canary (4",
            " to 5",
            ") is beyond the limit 50, not yet",
        ],
    );
    let gauge = "    - { name: g, gauge: a, limit: 10 }\n";
    says(
        &Row::new(gauge, ""),
        levels(|index| 10.05 + 3.0 * wave(index, 7), 10.0),
        Code::OverLimit,
        &["the canary (", " to 1", ") is beyond the limit 10, not yet"],
    );
}

#[test]
fn an_undecided_limit_always_says_what_is_missing() {
    let limited = "    - { name: e, errorRatio: { errors: a, total: b }, limit: 2% }\n";
    let mut near = 0;
    for blocks in [12, 30, 60, 120] {
        for rate in [0.0201, 0.0205, 0.022, 0.025, 0.03] {
            let mut row = Row::new(limited, "");
            row.blocks = blocks;
            let found = row.judge(counts(rate, rate)).findings.remove(0);
            if found.code != Code::OverLimit {
                continue;
            }
            let told = (found.needs.requests > Some(0.0) && found.needs.seconds > Some(0.0))
                || found.reason.contains("a fail needs");
            assert!(told, "{found:?}");
            assert!(found.reason.chars().count() <= 200, "{found:?}");
            let too_near = found
                .reason
                .ends_with("; too near to it to tell within the horizon");
            near += u32::from(too_near);
            assert!(too_near || found.reason.contains("needs "), "{found:?}");
        }
    }
    assert!(near > 0);
}

#[test]
fn too_early_shows_what_is_there_after_what_is_missing() {
    let mut row = Row::new(ERRORS, "");
    row.blocks = 4;
    let said = says(
        &row,
        counts(0.01, 0.01),
        Code::TooEarly,
        &[
            "e: too early to tell, needs about ",
            "; canary ",
            " on stable",
        ],
    );
    assert!(said.find("needs about") < said.find("canary "), "{said}");
}

#[test]
fn samples_without_a_known_start_are_waited_for() {
    let none = |_: i64| Block::Counts(Counts::default());
    let mut row = Row::new(ERRORS, "  onNoData: fail\n  noDataPatience: 1m\n");
    row.blocks = 0;
    for (sighted, code) in [(true, Code::Waiting), (false, Code::NoCanaryData)] {
        row.started = Err(sighted);
        let verdict = row.judge(none);
        check(&verdict, Outcome::Inconclusive, code);
    }
}

#[test]
fn a_pass_without_data_is_not_called_harmless() {
    let never = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        block.canary.clear();
        Block::Counts(block)
    };
    let spec = "  onNoData: pass\n  noDataPatience: 1m\n  steps: [{ weight: 5, minDuration: 1h }, { weight: 100 }]\n";
    let mut row = Row::new(ERRORS, spec);
    row.step_lasted = Some(60_000);
    let verdict = row.judge(never);
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    let reason = &verdict.reason;
    assert!(
        reason.contains("must last 59 min more; e: no canary data")
            && reason.contains("(onNoData: pass)"),
        "{reason}"
    );
    row.step_lasted = Some(2 * 3_600_000);
    let verdict = row.judge(never);
    check(&verdict, Outcome::Pass, Code::NoCanaryData);
    assert!(
        verdict.reason.contains("onNoData: pass"),
        "{}",
        verdict.reason
    );
}

#[test]
fn a_refused_query_is_told_as_one() {
    let mut row = Row::new(ERRORS, "");
    row.problem = Some(Code::SourceDown);
    row.cause = Some("metric source `default` refused the query: 422 unknown function");
    let verdict = row.judge(counts(0.01, 0.01));
    check(&verdict, Outcome::Inconclusive, Code::SourceDown);
    for said in [&verdict.reason, &verdict.findings[0].reason] {
        assert!(said.contains("refused the query: 422"), "{said}");
    }
}

#[test]
fn a_weight_that_is_left_out_is_that_of_the_traffic() {
    let steps = "  steps: [{ weight: 5, minDuration: 2m }, { weight: 25 }, { weight: 100 }]\n";
    let mut row = Row::new(ERRORS, steps);
    (row.told, row.step_lasted) = (false, Some(60_000));
    let verdict = row.judge(counts(0.01, 0.01));
    assert_eq!(
        (verdict.outcome, verdict.weight),
        (Outcome::Inconclusive, 5.0),
        "{verdict:?}"
    );
    assert!(
        verdict.warnings[0].contains("from the traffic seen"),
        "{verdict:?}"
    );
    // Argo's index counts pauses too: it says no weight
    for step in [1, 7] {
        (row.step, row.step_lasted) = (Some(step), Some(20 * 60_000));
        let verdict = row.judge(counts(0.01, 0.01));
        assert_eq!(
            (verdict.outcome, verdict.weight),
            (Outcome::Pass, 5.0),
            "{verdict:?}"
        );
    }
}

#[test]
fn a_step_times_out_without_a_weight_too() {
    let steps = "  steps: [{ weight: 5, maxDuration: 15m, onTimeout: abort }, { weight: 100 }]\n";
    let mut row = Row::new(ERRORS, steps);
    (row.told, row.blocks) = (false, 12);
    for (lasted, outcome) in [(14, Outcome::Inconclusive), (15, Outcome::Fail)] {
        row.step_lasted = Some(lasted * 60_000);
        let verdict = row.judge(counts(0.0135, 0.01));
        assert_eq!(verdict.outcome, outcome, "{lasted} min: {}", verdict.reason);
    }
}

#[test]
fn a_split_off_by_more_than_three_is_found_in_little_traffic() {
    let spec = "  steps: [{ weight: 5 }, { weight: 25 }, { weight: 100 }]\n";
    let mut row = Row::new(ERRORS, spec);
    (row.weight, row.blocks, row.step_lasted) = (25.0, 46, Some(46 * 30_000));
    // 25 of 400 requests in a block: a quarter of what is asked for
    let block = |index: i64| {
        let Block::Counts(mut block) = counts_of(|_| (0.01, 0.01), 25.0)(index) else {
            unreachable!()
        };
        block.stable.truncate(1);
        block.stable[0].trials = 375.0;
        block.stable[0].events = 4.0;
        Block::Counts(block)
    };
    let verdict = row.judge(block);
    check(&verdict, Outcome::Inconclusive, Code::TrafficSplit);
    // the traffic of the former step is allowed for while the step is new
    row.step_lasted = Some(60_000);
    assert_ne!(row.judge(block).findings[0].code, Code::TrafficSplit);
}

#[test]
fn needs_are_never_nothing_while_data_is_lacking() {
    // half a percent of errors on both: chance makes the ratio walk about
    let row = &mut Row::new(ERRORS, "");
    let (mut undecided, mut most) = (0, 0.0_f64);
    for seed in 0..6 {
        for blocks in (10..90).step_by(4) {
            row.blocks = blocks;
            let walk = |index: i64| {
                let moved = if index < 0 {
                    index
                } else {
                    index + 10_000 * seed
                };
                let Block::Counts(mut block) = counts(0.005, 0.005)(moved) else {
                    unreachable!()
                };
                if index < 0 {
                    block.canary.clear();
                }
                Block::Counts(block)
            };
            let found = row.judge(walk).findings.remove(0);
            if found.code == Code::NeedsMoreData {
                assert!(
                    found.needs.requests > Some(0.0) && found.needs.seconds > Some(0.0),
                    "{seed} {blocks}: {found:?}"
                );
                assert!(found.reason.contains("needs about"), "{}", found.reason);
                undecided += 1;
                most = most.max(found.needs.requests.unwrap());
            }
        }
    }
    assert!(undecided > 20 && most < 60_000.0, "{undecided} {most}");
}

#[test]
fn between_the_margins_is_said_where_the_interval_lies_there() {
    // worse than the pass margin, but no more than stable pods differ among themselves
    let mut row = Row::new(ERRORS, "");
    row.blocks = 200;
    let said = says(
        &row,
        unlike_pods(0.028),
        Code::NeedsMoreData,
        &["the evidence is between the margins"],
    );
    assert!(!said.contains("needs about"), "{said}");
}

#[test]
fn a_pass_names_its_margin() {
    says(
        &Row::new(ERRORS, ""),
        counts(0.01, 0.01),
        Code::NoHarm,
        &["harm beyond the pass margin 1.6 is ruled out"],
    );
    // no ratio where stable has no errors
    says(
        &Row::new(ERRORS, ""),
        counts(0.0, 0.0),
        Code::NoHarm,
        &["harm beyond the pass margin 50 % + 0.1 points is ruled out"],
    );
    let gauge = "    - { name: g, gauge: a, passMargin: { relative: 0.25 } }\n";
    says(
        &Row::new(gauge, ""),
        levels(|_| 10.0, 10.0),
        Code::NoHarm,
        &["harm beyond the pass margin 1.25 is ruled out"],
    );
}

/// Five stable pods from a third to twice the usual rate, and one canary pod.
fn unlike_pods(rate: f64) -> impl Fn(i64) -> Block {
    move |index| {
        let stable = (0..5).zip([0.003, 0.006, 0.01, 0.016, 0.025]);
        Block::Counts(Counts {
            canary: if index < 0 {
                Vec::new()
            } else {
                super::pods(1, 99, rate, 480.0, index)
            },
            stable: stable
                .flat_map(|(pod, rate)| super::pods(1, pod, rate, 1800.0, index))
                .collect(),
        })
    }
}

#[test]
fn pods_that_differ_are_told_with_what_cannot_be_seen() {
    let verdict = Row::new(ERRORS, "").judge(unlike_pods(0.018));
    assert_ne!(verdict.outcome, Outcome::Fail, "{verdict:?}");
    let told = verdict.warnings.first().unwrap();
    assert!(
        told.starts_with("e: stable pods differ by ")
            && told.contains(" %: with 1 canary pod no ratio below ")
            && told.contains(" can be shown as harm, the margin is 1.1"),
        "{told}"
    );
    // pods that are alike are not worth a word
    let alike = Row::new(ERRORS, "").judge(counts(0.01, 0.01));
    assert_eq!(alike.warnings, Vec::<String>::new());
}
