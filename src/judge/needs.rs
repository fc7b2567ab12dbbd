//! How much more until a decision is likely.

use super::reading::{Information, Reading};
use crate::{domain::Needs, stats::precision};

/// A pass or fail that lies this far beyond the horizon is not promised.
const MAX_FACTOR: f64 = 1e4;
/// Evidence below this has no pace yet.
const SLIGHT: f64 = 0.3;

/// What the plan starts from.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// ln E that a fail needs.
    pub fail: f64,
    /// ln E that a pass needs.
    pub pass: f64,
    /// Canary trials that any pass needs.
    pub min_trials: f64,
    /// Blocks that any pass needs.
    pub min_blocks: u64,
    /// Length of a block in seconds.
    pub block_seconds: f64,
}

/// The canary requests and seconds still needed: to the fail that the estimate points to, else to the pass of a harmless
/// canary. Zero where nothing can be said.
pub fn needs(reading: &Reading, goal: &Goal) -> Needs {
    spread(reading, goal, growth(reading, goal))
}

/// The same to the fail of a canary beyond its limit, at the pace of its evidence so far.
pub fn limit_needs(reading: &Reading, goal: &Goal) -> Needs {
    // the limit's evidence is averaged with that of the comparison
    let target = goal.fail + std::f64::consts::LN_2;
    let now = reading.running.limit.filter(|now| *now > SLIGHT);
    let factor = now.map(|now| (target / now - 1.0).max(0.0));
    spread(reading, goal, factor)
}

fn spread(reading: &Reading, goal: &Goal, factor: Option<f64>) -> Needs {
    let blocks_missing = goal.min_blocks.saturating_sub(reading.blocks) as f64;
    let exposed = reading.blocks.max(1) as f64 * goal.block_seconds;
    let factor = factor.unwrap_or(0.0).min(MAX_FACTOR);
    let Some(trials) = reading.trials else {
        let seconds = (factor * exposed).max(blocks_missing * goal.block_seconds);
        return Needs {
            requests: 0.0,
            seconds: round_up(seconds, goal.block_seconds),
        };
    };
    let requests = (factor * trials).max(goal.min_trials - trials).max(0.0);
    let rate = trials / exposed;
    let by_rate = if rate > 0.0 { requests / rate } else { 0.0 };
    Needs {
        requests: two_digits(requests),
        seconds: round_up(
            by_rate.max(blocks_missing * goal.block_seconds),
            goal.block_seconds,
        ),
    }
}

/// How many times the present information is still missing.
fn growth(reading: &Reading, goal: &Goal) -> Option<f64> {
    let information = &reading.information;
    let by_extrapolation = || {
        let now = reading.running.pass;
        (now > SLIGHT).then(|| goal.pass / now - 1.0)
    };
    by_precision(information, goal)
        .or_else(by_extrapolation)
        .filter(|f| f.is_finite())
        .map(|f| f.max(0.0))
}

fn by_precision(information: &Information, goal: &Goal) -> Option<f64> {
    let Information {
        se: Some(se),
        estimate: Some(estimate),
        fail_at,
        pass_at,
        tau,
    } = *information
    else {
        return None;
    };
    let sign = if pass_at >= 0.0 { 1.0 } else { -1.0 };
    let beyond_fail = sign * (estimate - fail_at);
    // only harm that stands out of the present scatter is planned for, else the plan would chase noise
    let (distance, target) = if beyond_fail > 2.0 * se {
        (beyond_fail, goal.fail)
    } else {
        (sign * pass_at, goal.pass)
    };
    let wanted = precision::standard_error_needed(distance, tau, target)?;
    Some((se / wanted).powi(2) - 1.0)
}

fn two_digits(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let scale = 10f64.powf(value.log10().floor() - 1.0);
    if scale < 1.0 {
        value.ceil()
    } else {
        (value / scale).ceil() * scale
    }
}

fn round_up(seconds: f64, step: f64) -> f64 {
    if step > 0.0 {
        (seconds / step).ceil() * step
    } else {
        seconds
    }
}
