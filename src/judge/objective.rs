//! From the reading of one objective to its finding.

use super::{
    frozen::Frozen,
    horizon,
    needs::{self, Goal},
    reading::{Reading, Scale},
    sentence::{self, Said},
    state::ObjectiveState,
};
use crate::{
    domain::{Code, Effect, EvidenceSummary, Finding, Millis, Needs, Outcome},
    policy::{Direction, Indicator, Objective, Policy, Unit},
    stats::{
        decision::{self, Decision, Standing, decide},
        precision,
    },
};

/// Blocks without canary data after which the evidence counts as frozen.
const VANISHED_BLOCKS: i64 = 3;
/// Items that a mean needs, whatever the policy says.
const MIN_ITEMS: f64 = 20.0;
/// Harm that must be detectable for a pass when the time is up: errors.
const DESIGN_EFFECT_ERRORS: f64 = 2.0;
/// The same for latency, means and levels.
const DESIGN_EFFECT: f64 = 1.5;
/// The share of a pass's evidence that a pass by power alone needs.
const HALF_WAY: f64 = 0.5;
/// Probability of detection that "would have shown" means.
const POWER: f64 = 0.8;

/// What the surroundings say about an objective.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each named"
)]
pub struct Surroundings<'a> {
    /// Length of a block.
    pub block: Millis,
    /// Number of the last closed block.
    pub closed: i64,
    /// The canary's pods may still be warming up: no data is no news.
    pub warming: bool,
    /// The source failed in this look: no pass may come of it.
    pub problem: Option<Code>,
    /// Why, in the source's words.
    pub cause: Option<&'a str>,
    /// The share of traffic, where it is far from the weight.
    pub split_severe: Option<f64>,
    /// Stable has been silent since this moment.
    pub frozen: Option<(Millis, Frozen)>,
    /// The planned time is over.
    pub time_is_up: bool,
    /// No data has lasted longer than `noDataPatience`.
    pub patience_over: bool,
    /// All traffic is on the canary.
    pub full_weight: bool,
}

/// This objective's share of the false-abort rate.
pub fn alpha(policy: &Policy, objective: &Objective) -> f64 {
    (policy.false_abort_rate * objective.weight).clamp(1e-12, 0.5)
}

/// Judges one objective.
pub fn judge(
    policy: &Policy,
    objective: &Objective,
    state: &ObjectiveState,
    around: &Surroundings<'_>,
) -> Finding {
    let alpha = alpha(policy, objective);
    let mut reading = state.reading(alpha);
    let rate;
    let objective = if is_rate(objective, &reading) {
        rate = Objective {
            unit: Unit::None,
            ..objective.clone()
        };
        &rate
    } else {
        objective
    };
    let mde = detectable(&reading, alpha);
    let (outcome, code) = outcome(policy, objective, &reading, around, alpha, mde);
    let by_limit = matches!(code, Code::LimitExceeded | Code::OverLimit);
    if by_limit {
        reading.canary = state.whole_canary().unwrap_or(reading.canary);
    } else if let Some((
        _,
        Frozen {
            until: Some(arms), ..
        },
    )) = around.frozen
        && outcome != Outcome::Fail
    {
        // what is told as compared is what was
        [reading.canary, reading.stable] = arms;
        reading.effect.relative = reading.canary.change_from(&reading.stable);
    }
    let goal = Goal {
        fail: -alpha.ln(),
        pass: -policy.false_pass_rate.ln(),
        min_trials: min_trials(policy, objective),
        min_blocks: policy.min_blocks,
        block_seconds: around.block as f64 / 1000.0,
    };
    let open = matches!(code, Code::NeedsMoreData | Code::TooEarly);
    // harm shows, and only the least number of blocks holds the fail back
    let held = (open || code == Code::OverLimit)
        && reading.running.max_fail >= goal.fail
        && !reading.gate.is_open();
    let missing = if held {
        let each = match objective.indicator {
            Indicator::Mean { .. } => goal.block_seconds.max(60.0),
            _ => goal.block_seconds,
        };
        Needs {
            requests: None,
            seconds: Some(reading.gate.needed.saturating_sub(reading.gate.seen) as f64 * each),
        }
    } else {
        still_needed(policy, objective, &reading, &goal, (outcome, code))
    };
    let (edge, above_largest) = match state {
        ObjectiveState::Quantile(quantile) => (quantile.edge(), quantile.above_largest(by_limit)),
        _ => (None, [None; 2]),
    };
    let said = Said {
        outcome,
        code,
        needs: &missing,
        too_near: needs::exposed(&reading, &goal) + missing.seconds.unwrap_or_default()
            > policy.horizon as f64 / 1000.0,
        edge,
        above_largest,
        fails_at: goal.fail,
        cause: around.cause,
        frozen: around.frozen,
        without_requests: around.split_severe == Some(0.0),
    };
    let step_ends = matches!(outcome, Outcome::Pass | Outcome::Fail) || around.time_is_up;
    Finding {
        name: objective.name.clone(),
        kind: objective.indicator.kind().to_owned(),
        outcome,
        code,
        reason: if held {
            sentence::held(objective, &reading.gate)
        } else {
            sentence::sentence(objective, &reading, &said)
        },
        critical: objective.critical,
        watch: objective.watch,
        unit: objective.unit.as_str().to_owned(),
        canary: reading.canary,
        stable: reading.stable,
        effect: Effect {
            scale: Some(reading.scale),
            relative: reading
                .effect
                .relative
                .filter(|_| reading.canary.value.is_some()),
            ..reading.effect
        },
        margin: reading.boundary.filter(|margin| margin.is_finite()),
        limit: objective.limit,
        evidence: EvidenceSummary {
            method: reading.method.clone(),
            alpha,
            log_e_fail: reading.running.max_fail,
            log_e_pass: reading.running.pass,
            p_fail: reading.running.p_fail(),
            p_pass: reading.running.p_pass(),
            dispersion: reading.dispersion,
            pod_spread: reading.pod_spread,
            blocks: reading.blocks,
        },
        needs: missing,
        fixed_horizon: if step_ends {
            horizon::report(objective, state, &reading)
        } else {
            None
        },
    }
}

/// What is missing, by the code. What it is not known for is left out: 0 means decided.
fn still_needed(
    policy: &Policy,
    objective: &Objective,
    reading: &Reading,
    goal: &Goal,
    (outcome, code): (Outcome, Code),
) -> Needs {
    if outcome != Outcome::Inconclusive {
        return Needs::NOTHING;
    }
    match code {
        // no data gives a margin a meaning
        Code::NeedsMoreData if reading.unmeasured => Needs::default(),
        // shares of nothing on both arms stay what they are
        Code::NeedsMoreData
            if sentence::lacks_events(objective, reading)
                && objective.pass_margin.absolute == 0.0 =>
        {
            Needs::default()
        }
        Code::NeedsMoreData | Code::TooEarly => needs::needs(reading, goal),
        Code::OverLimit => needs::limit_needs(reading, goal, objective.limit),
        Code::Waiting => {
            let warming = matches!(objective.indicator, Indicator::LatencyQuantile { .. });
            let waits = if warming { policy.warm_up } else { 0 };
            needs::least(reading, goal, waits as f64 / 1000.0)
        }
        _ => Needs::default(),
    }
}

/// A ratio above 1 is no share of anything: it is told as a number.
fn is_rate(objective: &Objective, reading: &Reading) -> bool {
    let told = [reading.canary.value, reading.stable.value, objective.limit];
    matches!(objective.indicator, Indicator::Ratio { .. })
        && objective.unit == Unit::Share
        && told.into_iter().flatten().any(|v| v > 1.0)
}

/// The log evidence at which this objective passes.
pub fn pass_boundary(policy: &Policy) -> f64 {
    decision::boundary(policy.false_pass_rate)
}

/// The log evidence at which an objective with this share of the false-abort rate fails.
pub fn fail_boundary(alpha: f64) -> f64 {
    decision::boundary(alpha)
}

fn min_trials(policy: &Policy, objective: &Objective) -> f64 {
    match objective.indicator {
        // what a mean counts are its items
        Indicator::Mean { .. } => policy.min_requests.max(MIN_ITEMS),
        Indicator::Gauge { .. } | Indicator::Query { .. } => 0.0,
        _ => policy.min_requests,
    }
}

/// The rules in order: a shown fail stands whatever happens now; then everything that forbids a decision; then the pass.
fn outcome(
    policy: &Policy,
    objective: &Objective,
    reading: &Reading,
    around: &Surroundings<'_>,
    alpha: f64,
    mde: f64,
) -> (Outcome, Code) {
    let standing = Standing {
        alpha,
        beta: policy.false_pass_rate,
        max_log_e_fail: reading.running.max_fail,
        log_e_pass: reading.running.pass,
        event_blocks: u32::from(reading.gate.is_open()),
        min_event_blocks: 1,
        blocks: reading.blocks as u32,
        min_blocks: policy.min_blocks as u32,
        canary_trials: reading.trials.unwrap_or(f64::INFINITY),
        min_canary_trials: min_trials(policy, objective),
        horizon_reached: around.time_is_up && harmless(objective, reading, policy),
        mde,
        design_effect: design_effect(objective),
    };
    let decision = decide(&standing);
    if decision == Decision::Fail {
        let by_limit = reading.running.max_limit > reading.running.max_comparison;
        return (
            Outcome::Fail,
            if by_limit {
                Code::LimitExceeded
            } else {
                Code::WorseThanStable
            },
        );
    }
    if let Some(code) = forbids(reading, around) {
        let settled = matches!(code, Code::NoCanaryData) && around.patience_over;
        return (
            if settled {
                policy.on_no_data
            } else {
                Outcome::Inconclusive
            },
            code,
        );
    }
    if let Some((_, frozen)) = around.frozen {
        if reading.over_limit {
            return (Outcome::Inconclusive, Code::OverLimit);
        }
        // at full weight the pass of before stands, unless the canary has changed since
        if !around.full_weight || frozen.moved.is_some() {
            return (Outcome::Inconclusive, Code::NoComparison);
        }
    }
    if standing.canary_trials < standing.min_canary_trials || standing.blocks < standing.min_blocks
    {
        return (Outcome::Inconclusive, Code::TooEarly);
    }
    if reading.over_limit {
        return (Outcome::Inconclusive, Code::OverLimit);
    }
    // what nobody can see is not ruled out
    if reading.above_largest {
        return (Outcome::Inconclusive, Code::AboveLargestBucket);
    }
    match decision {
        Decision::Pass if standing.log_e_pass >= -standing.beta.ln() => {
            (Outcome::Pass, Code::NoHarm)
        }
        Decision::Pass => (Outcome::Pass, Code::AdequatePower),
        // a little of stable is still something to compare with, also at full weight
        _ if around.frozen.is_some() || (around.full_weight && !reading.compared) => {
            (Outcome::Inconclusive, Code::NoComparison)
        }
        _ if reading.nothing_to_lose => (Outcome::Inconclusive, Code::StableAtZero),
        _ => (Outcome::Inconclusive, Code::NeedsMoreData),
    }
}

/// What forbids any decision but a fail.
fn forbids(reading: &Reading, around: &Surroundings<'_>) -> Option<Code> {
    // at full weight stable need not be seen
    let needless = around.full_weight && around.problem == Some(Code::NoStableData);
    if let Some(problem) = around.problem.filter(|_| !needless) {
        return Some(problem);
    }
    if around.closed < 0 {
        return Some(Code::Waiting);
    }
    let Some(last) = reading.last_canary else {
        return Some(if around.warming {
            Code::Waiting
        } else {
            Code::NoCanaryData
        });
    };
    if around.closed - last >= VANISHED_BLOCKS {
        return Some(Code::CanaryVanished);
    }
    let stable = reading.stable.value.is_some() || reading.stable.exposure > Some(0.0);
    if (reading.apart || !reading.compared && !stable) && !around.full_weight {
        return Some(Code::NoStableData);
    }
    // a share of traffic without stable is none
    (around.split_severe.is_some() && around.frozen.is_none()).then_some(Code::TrafficSplit)
}

fn design_effect(objective: &Objective) -> f64 {
    if matches!(objective.indicator, Indicator::ErrorRatio { .. }) {
        DESIGN_EFFECT_ERRORS
    } else {
        DESIGN_EFFECT
    }
}

/// Does nothing point to harm? The estimate is within the margin, the evidence of harm is not above 1, and that against harm
/// beyond the pass margin is half way. Power alone would pass what is about to fail.
fn harmless(objective: &Objective, reading: &Reading, policy: &Policy) -> bool {
    let (running, fail_at) = (&reading.running, reading.information.fail_at);
    let within = |estimate: f64| match objective.harm {
        Direction::Either => estimate.abs() <= fail_at.abs(),
        _ if reading.upwards => estimate <= fail_at,
        _ => estimate >= fail_at,
    };
    reading.information.estimate.is_some_and(within)
        && running.fail <= 0.0
        && running.pass >= HALF_WAY * pass_boundary(policy)
}

/// The smallest harm, as a ratio above 1, that the present precision would show.
fn detectable(reading: &Reading, alpha: f64) -> f64 {
    let information = &reading.information;
    let Some(se) = information.se else {
        return f64::INFINITY;
    };
    let beyond = precision::detectable_distance(se, information.tau, alpha, POWER);
    let apart = information.fail_at.abs() + beyond;
    match reading.scale {
        Scale::Ratio | Scale::Complements => apart.exp(),
        // a share of nothing is none
        Scale::Difference => reading
            .stable
            .value
            .map_or(f64::INFINITY, |stable| 1.0 + apart / stable.abs()),
    }
}
