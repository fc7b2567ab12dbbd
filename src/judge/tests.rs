//! Rows: blocks in, outcome and code out.

mod above;
mod ahead;
mod alone;
mod bounds;
mod drift;
mod gates;
mod gone;
mod inside;
mod lately;
mod lone;
mod measured;
mod powered;
mod said;
mod sane;
mod shares;
mod steady;
mod uncritical;

use super::{Case, ObjectiveState, Observed, evaluate};
use crate::{
    domain::{Action, Code, Outcome, Question, RolloutRef, Verdict},
    evidence::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount},
    policy::{self, Policy},
};
use std::collections::BTreeMap;

const BLOCK: i64 = 30_000;
const START: i64 = 1_767_225_600_000;

fn policy(objectives: &str, spec: &str) -> Policy {
    let text = format!(
        "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: {{ name: p }}\nspec:\n{spec}  objectives:\n{objectives}"
    );
    let mut loaded = policy::load("p.yaml", &text, None).unwrap_or_else(|p| panic!("{p}"));
    loaded.remove(0).policy
}

/// Events of a pod in a block: independent draws, the same in every run.
fn drawn(rate: f64, trials: f64, pod: u32, index: i64) -> f64 {
    let mut state = (u64::from(pod) << 32) ^ (index + 1000) as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut uniform = move || {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..trials as u64).filter(|_| uniform() < rate).count() as f64
}

fn pods(n: u32, first: u32, rate: f64, trials: f64, index: i64) -> Vec<PodCount> {
    (first..first + n)
        .map(|pod| PodCount {
            pod,
            events: drawn(rate, trials, pod, index),
            trials,
        })
        .collect()
}

struct Row {
    policy: Policy,
    weight: f64,
    /// Does the question have the weight?
    told: bool,
    step: Option<u32>,
    blocks: i64,
    problem: Option<Code>,
    cause: Option<&'static str>,
    /// Is the start known? If not: are there samples all the same?
    started: Result<(), bool>,
    step_lasted: Option<i64>,
    /// Is the step's start in the question?
    step_told: bool,
    /// How much later than the canary's start the horizon has moved the judged window.
    cut: i64,
}

impl Row {
    fn new(objectives: &str, spec: &str) -> Self {
        Self {
            policy: policy(objectives, spec),
            weight: 5.0,
            told: true,
            step: None,
            blocks: 60,
            problem: None,
            cause: None,
            started: Ok(()),
            step_lasted: None,
            step_told: false,
            cut: 0,
        }
    }

    fn judge(&self, block: impl Fn(i64) -> Block) -> Verdict {
        let mut states: Vec<ObjectiveState> = self
            .policy
            .objectives
            .iter()
            .map(|o| ObjectiveState::new(o, BLOCK, self.policy.horizon))
            .collect();
        for state in &mut states {
            for index in -60..self.blocks {
                state.fold(index, &block(index));
            }
        }
        let at = START + self.blocks * BLOCK + 30_000;
        let question = Question {
            policy: "p".into(),
            rollout: RolloutRef {
                namespace: "n".into(),
                name: "r".into(),
                canary_hash: "c".into(),
                stable_hash: "s".into(),
            },
            weight: self.told.then_some(self.weight),
            step: self.step,
            step_since: self.step_lasted.filter(|_| self.step_told).map(|l| at - l),
            since: None,
            at,
            params: BTreeMap::new(),
            labels: std::collections::BTreeMap::new(),
            analysis_run: None,
            dry_run: false,
        };
        evaluate(&Case {
            policy: &self.policy,
            question: &question,
            id: uuid::Uuid::nil(),
            sighted: self.started == Err(true),
            start: self.started.ok().map(|()| START + self.cut),
            exposed_since: self.started.ok().map(|()| START),
            block: BLOCK,
            closed: self.blocks - 1,
            step_since: self.step_lasted.map(|lasted| at - lasted),
            asked_since: None,
            force: super::Force::default(),
            observed: states
                .iter()
                .map(|state| Observed {
                    state,
                    problem: self.problem,
                    cause: self.cause,
                    series: (1, 1),
                })
                .collect(),
            warnings: Vec::new(),
        })
    }
}

fn counts(canary: f64, stable: f64) -> impl Fn(i64) -> Block {
    counts_of(move |_| (canary, stable), 150.0)
}

fn counts_of(rates: impl Fn(i64) -> (f64, f64), canary_trials: f64) -> impl Fn(i64) -> Block {
    move |index| {
        let (canary, stable) = rates(index);
        Block::Counts(Counts {
            canary: if index < 0 {
                Vec::new()
            } else {
                pods(1, 99, canary, canary_trials, index)
            },
            stable: pods(19, 0, stable, 150.0, index),
        })
    }
}

const ERRORS: &str = "    - { name: e, errorRatio: { errors: a, total: b } }\n";

/// Between -1 and 1, without any chance.
fn wave(index: i64, step: i64) -> f64 {
    ((index * step).rem_euclid(17)) as f64 / 8.0 - 1.0
}

fn check(verdict: &Verdict, outcome: Outcome, code: Code) {
    let found = &verdict.findings[0];
    assert_eq!(
        (verdict.outcome, found.code),
        (outcome, code),
        "{}\n{found:?}",
        verdict.reason
    );
    assert!(verdict.reason.chars().count() <= 200 && !verdict.reason.contains(['<', '>', '&']));
}

#[test]
fn error_ratios() {
    use Outcome::{Fail, Inconclusive, Pass};
    let rows = [
        (counts(0.01, 0.01), Pass, Code::NoHarm),
        (counts(0.03, 0.01), Fail, Code::WorseThanStable),
        (counts(0.0, 0.0), Pass, Code::NoHarm),
        (counts(0.02, 0.0), Fail, Code::WorseThanStable),
        (counts(0.95, 0.01), Fail, Code::WorseThanStable),
    ];
    for (blocks, outcome, code) in rows {
        check(&Row::new(ERRORS, "").judge(blocks), outcome, code);
    }
    let mut early = Row::new(ERRORS, "");
    early.blocks = 4;
    check(
        &early.judge(counts(0.01, 0.01)),
        Inconclusive,
        Code::TooEarly,
    );
    let mut rare = Row::new(ERRORS, "");
    rare.weight = 0.04;
    let few = rare.judge(counts_of(|_| (0.01, 0.01), 1.0));
    check(&few, Inconclusive, Code::TooEarly);
    assert!(
        few.findings[0].needs.requests > Some(0.0) && few.findings[0].needs.seconds > Some(0.0),
        "{few:?}"
    );
}

#[test]
fn an_outage_of_both_arms_aborts_nothing() {
    let outage = |index: i64| {
        if (20..30).contains(&index) {
            (0.5, 0.5)
        } else {
            (0.01, 0.01)
        }
    };
    let verdict = Row::new(ERRORS, "").judge(counts_of(outage, 150.0));
    check(&verdict, Outcome::Pass, Code::NoHarm);
}

#[test]
fn one_burst_is_no_regression() {
    let burst = |index: i64| {
        if (10..12).contains(&index) {
            (0.9, 0.001)
        } else {
            (0.0, 0.001)
        }
    };
    let mut row = Row::new(ERRORS, "");
    row.blocks = 14;
    assert_ne!(row.judge(counts_of(burst, 150.0)).outcome, Outcome::Fail);
}

#[test]
fn a_shown_fail_stays_whatever_comes() {
    let healed = |index: i64| {
        if index < 20 {
            (0.05, 0.01)
        } else {
            (0.0, 0.01)
        }
    };
    check(
        &Row::new(ERRORS, "").judge(counts_of(healed, 150.0)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    let mut gone = Row::new(ERRORS, "");
    gone.problem = Some(Code::SourceDown);
    check(
        &gone.judge(counts_of(healed, 150.0)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
}

#[test]
fn no_pass_comes_of_a_failing_source_or_a_vanished_canary() {
    let mut row = Row::new(ERRORS, "");
    row.problem = Some(Code::SourceMalformed);
    check(
        &row.judge(counts(0.01, 0.01)),
        Outcome::Inconclusive,
        Code::SourceMalformed,
    );
    let row = Row::new(ERRORS, "");
    let vanished = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        if index > 50 {
            block.canary.clear();
        }
        Block::Counts(block)
    };
    check(
        &row.judge(vanished),
        Outcome::Inconclusive,
        Code::CanaryVanished,
    );
    let never = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        block.canary.clear();
        Block::Counts(block)
    };
    check(&row.judge(never), Outcome::Inconclusive, Code::NoCanaryData);
    let strict = Row::new(ERRORS, "  onNoData: fail\n  noDataPatience: 1m\n");
    assert_eq!(strict.judge(never).outcome, Outcome::Fail);
    let alone = |index: i64| {
        let Block::Counts(mut block) = counts(0.01, 0.01)(index) else {
            unreachable!()
        };
        block.stable.clear();
        Block::Counts(block)
    };
    check(&row.judge(alone), Outcome::Inconclusive, Code::NoStableData);
}

#[test]
fn limits_hold_whatever_stable_does() {
    let limited = "    - { name: e, errorRatio: { errors: a, total: b }, limit: 2% }\n";
    check(
        &Row::new(limited, "").judge(counts(0.06, 0.06)),
        Outcome::Fail,
        Code::LimitExceeded,
    );
    check(
        &Row::new(limited, "").judge(counts(0.021, 0.021)),
        Outcome::Inconclusive,
        Code::OverLimit,
    );
    check(
        &Row::new(limited, "").judge(counts(0.01, 0.01)),
        Outcome::Pass,
        Code::NoHarm,
    );
    let mut full = Row::new(limited, "");
    full.weight = 100.0;
    let promoted = |index: i64| {
        let Block::Counts(mut block) = counts(if index > 30 { 0.2 } else { 0.01 }, 0.01)(index)
        else {
            unreachable!()
        };
        if index > 30 {
            block.stable.clear();
        }
        Block::Counts(block)
    };
    check(&full.judge(promoted), Outcome::Fail, Code::LimitExceeded);
}

#[test]
fn kpis_fail_downwards_and_near_one_by_their_complement() {
    let ratio = "    - { name: k, ratio: { numerator: a, denominator: b }, harm: decrease }\n";
    check(
        &Row::new(ratio, "").judge(counts(0.1, 0.2)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    check(
        &Row::new(ratio, "").judge(counts(0.3, 0.2)),
        Outcome::Pass,
        Code::NoHarm,
    );
    check(
        &Row::new(ratio, "").judge(counts(0.80, 0.99)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    check(
        &Row::new(ratio, "").judge(counts(0.99, 0.99)),
        Outcome::Pass,
        Code::NoHarm,
    );
    let either = "    - { name: k, ratio: { numerator: a, denominator: b }, harm: either }\n";
    for canary in [0.08, 0.5] {
        check(
            &Row::new(either, "").judge(counts(canary, 0.2)),
            Outcome::Fail,
            Code::WorseThanStable,
        );
    }
    assert_eq!(
        Row::new(either, "").judge(counts(0.2, 0.2)).outcome,
        Outcome::Pass
    );
}

#[test]
fn watched_objectives_never_decide_and_uncritical_ones_only_hold() {
    let both = |rest: &str| {
        format!(
            "{ERRORS}    - {{ name: w, errorRatio: {{ errors: c, total: d }}, limit: 0.1%, {rest} }}\n"
        )
    };
    let watched = Row::new(&both("watch: true"), "").judge(counts(0.01, 0.01));
    assert_eq!(
        (watched.outcome, watched.findings[1].outcome),
        (Outcome::Pass, Outcome::Fail)
    );
    let holding = Row::new(&both("critical: false"), "").judge(counts(0.01, 0.01));
    assert_eq!(
        (holding.outcome, holding.action),
        (Outcome::Inconclusive, Action::Hold)
    );
    assert!(holding.reason.contains("w: "), "{}", holding.reason);
}

#[test]
fn means_and_levels() {
    let noise =
        |index: i64, step: i64| 1.0 + 0.05 * (((index * step).rem_euclid(17)) as f64 / 8.0 - 1.0);
    let means = |canary: f64| {
        move |index: i64| {
            let arm = |mean: f64, count: f64, step| {
                Some(SumCount {
                    sum: mean * count * noise(index, step),
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
    let objective = "    - { name: m, mean: { sum: a, count: b }, harm: decrease }\n";
    check(
        &Row::new(objective, "").judge(means(50.0)),
        Outcome::Pass,
        Code::NoHarm,
    );
    check(
        &Row::new(objective, "").judge(means(40.0)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    let limited = "    - { name: m, mean: { sum: a, count: b }, harm: decrease, limit: 60 }\n";
    check(
        &Row::new(limited, "").judge(means(50.0)),
        Outcome::Fail,
        Code::LimitExceeded,
    );

    let levels = |canary: f64| {
        move |index: i64| {
            Block::Gauges(Gauges {
                canary: Some(canary * noise(index, 5)),
                stable: Some(10.0 * noise(index, 3)),
            })
        }
    };
    let objective = "    - { name: g, gauge: a }\n";
    check(
        &Row::new(objective, "").judge(levels(10.0)),
        Outcome::Pass,
        Code::NoHarm,
    );
    check(
        &Row::new(objective, "").judge(levels(20.0)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    let idle = |_: i64| {
        Block::Gauges(Gauges {
            canary: Some(3.0),
            stable: Some(3.0),
        })
    };
    check(
        &Row::new(objective, "").judge(idle),
        Outcome::Pass,
        Code::NoHarm,
    );
}

#[test]
fn quantiles() {
    let edges = vec![0.05, 0.1, 0.2, 0.5, 1.0, f64::INFINITY];
    let shares = |slow: f64| {
        [
            0.5,
            0.9,
            0.985 - slow,
            0.995 - slow,
            0.999 - slow / 2.0,
            1.0,
        ]
    };
    let block = move |slow: f64| {
        let edges = edges.clone();
        move |index: i64| {
            let pod = |pod: u32, n: f64, shares: [f64; 6]| PodHistogram {
                pod,
                cumulative: shares
                    .iter()
                    .map(|share| ((index + 60) as f64 * n * share).floor())
                    .zip(
                        shares
                            .iter()
                            .map(|share| ((index + 61) as f64 * n * share).floor()),
                    )
                    .map(|(a, b)| b - a)
                    .collect(),
            };
            Block::Histograms(Histograms {
                edges: edges.clone(),
                sparse: false,
                canary: if index < 0 {
                    Vec::new()
                } else {
                    vec![pod(99, 150.0, shares(slow))]
                },
                stable: (0..10).map(|p| pod(p, 280.0, shares(0.0))).collect(),
            })
        }
    };
    let objective = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 } }\n";
    check(
        &Row::new(objective, "").judge(block(0.0)),
        Outcome::Pass,
        Code::NoHarm,
    );
    check(
        &Row::new(objective, "").judge(block(0.05)),
        Outcome::Fail,
        Code::WorseThanStable,
    );
    let limited = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, limit: 200ms, margin: { relative: 5 }, passMargin: { relative: 9 } }\n";
    check(
        &Row::new(limited, "").judge(block(0.02)),
        Outcome::Fail,
        Code::LimitExceeded,
    );
}

#[test]
fn a_split_far_from_the_weight_is_inconclusive() {
    let mut row = Row::new(ERRORS, "");
    row.weight = 50.0;
    row.step_lasted = Some(900_000);
    let verdict = row.judge(counts(0.01, 0.01));
    check(&verdict, Outcome::Inconclusive, Code::TrafficSplit);
    row.weight = 8.0;
    let verdict = row.judge(counts(0.01, 0.01));
    assert_eq!(
        (verdict.outcome, verdict.warnings.len()),
        (Outcome::Pass, 1),
        "{verdict:?}"
    );
}

/// Over many seeds: healthy canaries are left alone, tripled error rates are found.
#[test]
fn healthy_canaries_are_left_alone_and_regressions_found() {
    let outcomes = |canary: f64| {
        (0..40_u32)
            .filter(|seed| {
                let seeded = |index: i64| {
                    let at = index + i64::from(*seed) * 10_000;
                    Block::Counts(Counts {
                        canary: if index < 0 {
                            Vec::new()
                        } else {
                            pods(1, 99, canary, 150.0, at)
                        },
                        stable: pods(19, 0, 0.01, 150.0, at),
                    })
                };
                Row::new(ERRORS, "").judge(seeded).outcome == Outcome::Fail
            })
            .count()
    };
    let (aborted, found) = (outcomes(0.01), outcomes(0.03));
    assert!(aborted <= 1, "{aborted} of 40 healthy canaries aborted");
    assert!(found >= 38, "{found} of 40 regressions found");
}
