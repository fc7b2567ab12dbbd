//! How much more until a decision is likely.

use super::{
    projection::Projection,
    reading::{Information, Reading, Scale},
};
use crate::{
    domain::Needs,
    stats::precision::{Course, shrunk},
};

/// A pass or fail that lies this far beyond the horizon is not promised.
const MAX_FACTOR: f64 = 1e4;
/// Nor one that takes this much more because the canary is so near to the margin.
const NEAR: f64 = 100.0;
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

/// The canary requests and seconds still needed: to the nearer of fail and pass under the present estimate. Not known where
/// the interval lies between the margins.
pub fn needs(reading: &Reading, goal: &Goal) -> Needs {
    let between = between(reading);
    let levels = reading.information.pair_seconds > 0.0;
    match &reading.information.ahead {
        [Some(levels), _] if !between => ahead(reading, goal, levels),
        // two minutes of a level say nothing of its pace
        [None, _] if levels => spread(reading, goal, None),
        _ => spread(reading, goal, growth(reading, goal).filter(|_| !between)),
    }
}

/// The same to the fail of a canary beyond its limit: at the pace of its evidence so far, else from how far the value is
/// from the limit beside the width of its interval, which shrinks with the root of the information.
pub fn limit_needs(reading: &Reading, goal: &Goal, limit: Option<f64>) -> Needs {
    if let [_, Some(levels)] = &reading.information.ahead {
        return ahead(reading, goal, levels);
    }
    // the limit's evidence is averaged with that of the comparison
    let target = goal.fail + std::f64::consts::LN_2;
    let now = reading.running.limit.unwrap_or(0.0);
    let by_pace = target / now.max(SLIGHT) - 1.0;
    let factor = match by_width(reading, limit) {
        Some(factor) if now <= SLIGHT => factor,
        _ => by_pace,
    };
    spread(reading, goal, Some(factor.clamp(0.0, NEAR)))
}

/// The least that any decision takes, for a canary without a closed block. `waits`: seconds that do not count.
pub fn least(reading: &Reading, goal: &Goal, waits: f64) -> Needs {
    let least = spread(reading, goal, None);
    Needs {
        seconds: least.seconds.map(|seconds| seconds + waits),
        ..least
    }
}

/// Levels: their evidence computed ahead, one pair after the other.
fn ahead(reading: &Reading, goal: &Goal, levels: &Projection) -> Needs {
    let pairs = levels.missing(goal.fail, goal.pass);
    let seconds = pairs * reading.information.pair_seconds;
    Needs {
        requests: None,
        seconds: Some(seconds.max(floor(reading, goal))),
    }
}

/// Seconds of data without which nothing passes.
fn floor(reading: &Reading, goal: &Goal) -> f64 {
    let blocks = goal.min_blocks.saturating_sub(reading.blocks) as f64;
    (blocks * goal.block_seconds).max(reading.information.least_seconds)
}

fn by_width(reading: &Reading, limit: Option<f64>) -> Option<f64> {
    let alone = reading.alone?;
    let (value, limit) = match alone.above {
        // the share of a quantile's requests: rather the middle of the ratios
        Some((_, allowed)) => ((alone.lower.max(0.0) * alone.upper).sqrt(), allowed),
        None => (reading.canary.value?, limit?),
    };
    let (beyond, width) = if alone.above.is_some() || value > limit {
        (value - limit, value - alone.lower)
    } else {
        (limit - value, alone.upper - value)
    };
    let factor = if beyond > 0.0 {
        (width / beyond).powi(2) - 1.0
    } else {
        NEAR
    };
    // an interval clear of the limit lacks evidence all the same: then the pace tells
    Some(factor).filter(|factor| factor.is_finite() && *factor > 0.0)
}

/// The seconds judged so far.
pub fn exposed(reading: &Reading, goal: &Goal) -> f64 {
    reading.blocks.max(1) as f64 * goal.block_seconds
}

fn spread(reading: &Reading, goal: &Goal, factor: Option<f64>) -> Needs {
    let floor = floor(reading, goal);
    let exposed = exposed(reading, goal);
    let lacking = reading.trials.map(|trials| goal.min_trials - trials);
    if factor.is_none() && floor <= 0.0 && lacking.is_none_or(|lacking| lacking <= 0.0) {
        return Needs::default();
    }
    let factor = factor.unwrap_or(0.0).min(MAX_FACTOR);
    let Some(trials) = reading.trials else {
        return Needs {
            requests: None,
            seconds: Some(round_up((factor * exposed).max(floor), goal.block_seconds)),
        };
    };
    let requests = (factor * trials).max(goal.min_trials - trials).max(0.0);
    let rate = trials / exposed;
    let by_rate = if rate > 0.0 { requests / rate } else { 0.0 };
    Needs {
        // 0 would mean decided: where only blocks are missing, requests are not what is
        requests: Some(two_digits(requests)).filter(|requests| *requests > 0.0),
        seconds: Some(round_up(by_rate.max(floor), goal.block_seconds))
            .filter(|seconds| *seconds > 0.0),
    }
}

/// How many times the present information is still missing.
fn growth(reading: &Reading, goal: &Goal) -> Option<f64> {
    // evidence that has no pace yet is not taken for slower than slight
    let by_extrapolation = || goal.pass / reading.running.pass.max(SLIGHT) - 1.0;
    by_precision(reading, goal)
        .or_else(|| Some(by_extrapolation()))
        .filter(|f| f.is_finite())
        .map(|f| f.max(0.0))
}

/// Does the whole interval lie between the margins? Then more data decides nothing.
pub fn between(reading: &Reading) -> bool {
    let Information {
        fail_at, pass_at, ..
    } = reading.information;
    let back = |v: f64| match reading.scale {
        Scale::Difference => v,
        Scale::Ratio | Scale::Complements => v.exp(),
    };
    let (low, high) = (back(fail_at.min(pass_at)), back(fail_at.max(pass_at)));
    let effect = &reading.effect;
    effect.lower.is_some_and(|lower| lower >= low)
        && effect.upper.is_some_and(|upper| upper <= high)
}

/// From the course of the evidence under the present estimate: to the nearer of fail and pass.
fn by_precision(reading: &Reading, goal: &Goal) -> Option<f64> {
    let Information {
        se: Some(se),
        estimate: Some(estimate),
        ..
    } = reading.information
    else {
        return None;
    };
    let nearer = |truth: f64| {
        let courses = courses(reading, goal, (se, estimate, truth));
        let missing = courses.iter().filter_map(Course::missing);
        missing.min_by(f64::total_cmp)
    };
    let truth = shrunk(estimate, se);
    let harmless = nearer(0.0);
    match nearer(truth) {
        Some(missing) if missing <= NEAR => Some(missing),
        // a canary without any difference would be decided by now: this one is too near to a margin
        near => {
            let near = near.unwrap_or(MAX_FACTOR);
            harmless.map(|harmless| near.min(harmless.max(NEAR)))
        }
    }
}

/// The evidence on its way to a fail and to a pass, for an estimate so far and the truth behind it.
fn courses(reading: &Reading, goal: &Goal, (se, estimate, truth): (f64, f64, f64)) -> [Course; 2] {
    let Information {
        fail_at,
        pass_at,
        tau,
        ..
    } = reading.information;
    let sign = if reading.upwards { 1.0 } else { -1.0 };
    let course = |sign: f64, at: f64, reached, threshold| Course {
        distance: sign * (estimate - at),
        truth: sign * (truth - at),
        se,
        tau,
        reached,
        threshold,
    };
    [
        course(sign, fail_at, reading.running.fail, goal.fail),
        course(-sign, pass_at, reading.running.pass, goal.pass),
    ]
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
