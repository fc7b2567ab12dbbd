//! Simulated canaries at the pass margin whose step's time is up: passes stay within `falsePassRate`.

use super::{BLOCK, alone::Draws, policy};
use crate::{
    domain::{Code, Finding, Outcome},
    evidence::{Block, Counts, Histograms, Means, PodCount, PodHistogram, SumCount},
    judge::{
        ObjectiveState,
        objective::{self, Surroundings},
    },
};

const RUNS: u64 = 80;
/// Blocks of a step.
const STEP: i64 = 30;
/// It is asked on after that.
const LAST: i64 = 60;

/// The look at every `every` blocks of a canary, until it is decided.
pub(super) fn looks(
    (objectives, spec): (&str, &str),
    (every, step, last): (usize, i64, i64),
    mut block: impl FnMut(bool) -> Block,
) -> Vec<(i64, Finding)> {
    let policy = policy(objectives, spec);
    let objective = &policy.objectives[0];
    let mut state = ObjectiveState::new(objective, BLOCK, policy.horizon);
    for index in -60..10 {
        state.fold(index, &block(index >= 0));
    }
    let mut seen = Vec::new();
    for blocks in 11..=last {
        state.fold(blocks - 1, &block(true));
        if !(blocks as usize).is_multiple_of(every) {
            continue;
        }
        let around = Surroundings {
            block: BLOCK,
            closed: blocks - 1,
            warming: false,
            problem: None,
            cause: None,
            split_severe: None,
            frozen: None,
            time_is_up: blocks >= step,
            patience_over: false,
            full_weight: false,
        };
        let found = objective::judge(&policy, objective, &state, &around);
        let decided = found.outcome != Outcome::Inconclusive;
        seen.push((blocks, found));
        if decided {
            break;
        }
    }
    seen
}

/// Events of both arms: `rps` on the canary, nine times as much on three pods of stable.
pub(super) fn counted(draws: &mut Draws, rps: f64, rates: (f64, f64), there: bool) -> Block {
    let mut pod = |pod, rps: f64, rate: f64| {
        let trials = draws.poisson(rps * 30.0);
        PodCount {
            pod,
            events: draws.poisson(trials * rate).min(trials),
            trials,
        }
    };
    let stable = (0..3).map(|p| pod(p, rps * 3.0, rates.1)).collect();
    let canary = there.then(|| pod(9, rps, rates.0)).into_iter().collect();
    Block::Counts(Counts { canary, stable })
}

/// Log-normal times with a P99 of 200 ms, the canary's stretched.
fn timed(draws: &mut Draws, rps: f64, stretch: f64, there: bool) -> Block {
    let edges: Vec<f64> = (0..40).map(|i| 0.03 * 1.06_f64.powi(i)).collect();
    let below = |edge: f64| 1.0 / (1.0 + (edge / 0.2_f64).powf(-6.0) / 99.0);
    let mut pod = |pod, requests: f64, stretch: f64| {
        let (mut all, mut past) = (0.0, 0.0);
        let cumulative = edges.iter().map(|e| below(e / stretch)).chain([1.0]);
        let cumulative = cumulative.map(|share| {
            all += draws.poisson(requests * (share - past));
            past = share;
            all
        });
        PodHistogram {
            pod,
            cumulative: cumulative.collect(),
        }
    };
    let stable = (0..3).map(|p| pod(p, rps * 90.0, 1.0)).collect();
    let canary = there.then(|| pod(9, rps * 30.0, stretch));
    Block::Histograms(Histograms {
        canary: canary.into_iter().collect(),
        stable,
        edges: edges.into_iter().chain([f64::INFINITY]).collect(),
        sparse: false,
    })
}

/// Log-normal items.
fn bought(draws: &mut Draws, items: f64, ratio: f64, there: bool) -> Block {
    let mut arm = |items: f64, ratio: f64| {
        let count = draws.poisson(items);
        let sum = (0..count as u32).map(|_| 50.0 * ratio * (0.8 * draws.normal()).exp());
        SumCount {
            sum: sum.sum(),
            count,
            squares: None,
        }
    };
    let stable = Some(arm(items * 9.0, 1.0));
    let canary = there.then(|| arm(items, ratio));
    Block::Means(Means { canary, stable })
}

/// Passes of all runs, and how many of them by power.
fn passes(objective: &str, mut block: impl FnMut(&mut Draws, bool) -> Block) -> (u64, u64) {
    let (mut all, mut by_power) = (0, 0);
    for seed in 0..RUNS {
        let mut draws = Draws(seed * 7919 + 1);
        let seen = looks(
            (objective, "  minRequests: 20\n"),
            (3, STEP, LAST),
            |there| block(&mut draws, there),
        );
        let (_, last) = &seen[seen.len() - 1];
        all += u64::from(last.outcome == Outcome::Pass);
        by_power += u64::from(last.code == Code::AdequatePower);
    }
    (all, by_power)
}

#[test]
fn harm_of_the_pass_margin_passes_no_more_often_than_allowed() {
    let equal = ", margin: { relative: 0.3 }, passMargin: { relative: 0.3 }";
    let errors = |margins: &str| {
        format!("    - {{ name: e, errorRatio: {{ errors: a, total: b }}{margins} }}\n")
    };
    let quantile = "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.99 }, margin: { relative: 0.02 }, passMargin: { relative: 0.05 } }\n";
    let mean = "    - { name: m, mean: { sum: a, count: b } }\n";
    let found = [
        passes(&errors(""), |d, t| counted(d, 14.0, (0.016, 0.01), t)),
        passes(&errors(equal), |d, t| counted(d, 14.0, (0.013, 0.01), t)),
        passes(quantile, |d, t| timed(d, 20.0, 1.05, t)),
        passes(mean, |d, t| bought(d, 5.0, 0.85, t)),
        passes(mean, |d, t| bought(d, 14.0, 0.85, t)),
    ];
    let all: u64 = found.iter().map(|(all, _)| all).sum();
    assert!(all * 20 <= RUNS * found.len() as u64, "{found:?}");
}

#[test]
fn the_time_is_up_for_healthy_canaries_that_power_passes() {
    let errors = "    - { name: e, errorRatio: { errors: a, total: b }, margin: { relative: 0.3 }, passMargin: { relative: 0.3 } }\n";
    let mean = "    - { name: m, mean: { sum: a, count: b } }\n";
    for (all, by_power) in [
        passes(errors, |d, t| counted(d, 14.0, (0.01, 0.01), t)),
        passes(mean, |d, t| bought(d, 8.0, 1.0, t)),
    ] {
        assert!(
            all * 10 >= RUNS * 8 && by_power * 5 >= RUNS,
            "{all} {by_power}"
        );
    }
}
