//! From counts of both arms to a block of procedure A: the boundary ratio and the choice of the mode.
//!
//! `p_k = (X + 0.5) / (N + 1)` comes from the stable look-back and *earlier* blocks only, so each choice is made before
//! the block is seen. `R_k = 1 + relative + absolute / p_k` is the largest ratio still acceptable.

use super::mixture::{BinomialBlock, Side};

/// Smallest boundary ratio, for margins of metrics where lower is worse.
pub const RATIO_FLOOR: f64 = 0.001;

/// Above this boundary ratio conditioning tells nearly nothing and the one-sample mode takes over.
pub const CONDITIONAL_LIMIT: f64 = 3.0;

/// Largest expected share in the one-sample mode.
const SHARE_CEILING: f64 = 1.0 - 1e-9;

/// Events and trials of both arms in one block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Canary events.
    pub x_c: f64,
    /// Canary trials or exposure.
    pub n_c: f64,
    /// Stable events.
    pub x_s: f64,
    /// Stable trials or exposure.
    pub n_s: f64,
}

impl Counts {
    /// True when both arms have trials and all numbers are finite and not negative.
    pub fn usable(&self) -> bool {
        let fine = |v: f64| v.is_finite() && v >= 0.0;
        fine(self.x_c)
            && fine(self.x_s)
            && fine(self.n_c)
            && fine(self.n_s)
            && self.n_c > 0.0
            && self.n_s > 0.0
    }
}

/// Stable events and trials of the look-back and the earlier blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reference {
    /// Events.
    pub events: f64,
    /// Trials.
    pub trials: f64,
}

impl Reference {
    /// Adds the stable counts of a block that has been judged (or skipped); anything not finite or negative is left out.
    pub fn push(&mut self, events: f64, trials: f64) {
        if events.is_finite() && trials.is_finite() && events >= 0.0 && trials >= 0.0 {
            self.events += events;
            self.trials += trials;
        }
    }

    /// The smoothed reference rate `(X + 0.5) / (N + 1)`.
    pub fn rate(&self) -> f64 {
        (self.events + 0.5) / (self.trials + 1.0)
    }
}

/// How a block enters procedure A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Canary events among the events of both arms.
    Conditional,
    /// Canary events among canary trials, against a plug-in rate.
    OneSample,
}

/// The boundary of one block: the ratio and the mode it leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boundary {
    /// Largest (for harm upwards) or smallest ratio that is still acceptable.
    pub ratio: f64,
    /// Mode of the block.
    pub mode: Mode,
}

impl Boundary {
    /// The boundary for a reference rate and margins.
    pub fn new(reference_rate: f64, relative: f64, absolute: f64) -> Self {
        Self::of_ratio(boundary_ratio(reference_rate, relative, absolute))
    }

    /// The boundary for a ratio found elsewhere, for example widened by pod differences.
    pub fn of_ratio(ratio: f64) -> Self {
        let mode = if ratio <= CONDITIONAL_LIMIT {
            Mode::Conditional
        } else {
            Mode::OneSample
        };
        Self { ratio, mode }
    }

    /// The same boundary moved away from 1 so far that a difference between pods of standard deviation `tau` on the log
    /// scale, averaged over `canary_pods`, does not count as harm: at least `exp(2 tau / sqrt(pods))`, or for a ratio
    /// below 1 at most its inverse.
    #[must_use]
    pub fn widened(self, tau: f64, canary_pods: f64) -> Self {
        if !(tau > 0.0 && canary_pods > 0.0) {
            return self;
        }
        let spread = (2.0 * tau / canary_pods.sqrt()).exp();
        if self.ratio >= 1.0 {
            Self::of_ratio(self.ratio.max(spread))
        } else {
            Self::of_ratio(self.ratio.min(1.0 / spread).max(RATIO_FLOOR))
        }
    }
}

/// `R_k = 1 + relative + absolute / p`, not below [`RATIO_FLOOR`]. Without a positive rate only the relative part counts.
pub fn boundary_ratio(p: f64, relative: f64, absolute: f64) -> f64 {
    let from_absolute = if absolute == 0.0 || p.is_nan() || p <= 0.0 {
        0.0
    } else {
        absolute / p
    };
    (1.0 + relative + from_absolute).max(RATIO_FLOOR)
}

/// The share of `m` events that falls to the canary when the ratio of rates is `ratio`: `n_c R / (n_c R + n_s)`.
pub fn conditional_share(ratio: f64, n_c: f64, n_s: f64) -> f64 {
    n_c * ratio / (n_c * ratio + n_s)
}

/// The block for procedure A, or nothing when an arm has no trials.
///
/// Up to [`CONDITIONAL_LIMIT`] the mode is conditional. Above, one-sample against `q (1 + relative) + absolute` with
/// `q = max(p_k, x_s / n_s)` for [`Side::Greater`] (a shared outage lifts it too) and `q = p_k` for [`Side::Less`];
/// where `ratio` has been widened beyond `R_k` the plug-in rate is stretched by the same factor.
pub fn two_arm_block(
    side: Side,
    reference_rate: f64,
    ratio: f64,
    relative: f64,
    absolute: f64,
    counts: Counts,
) -> Option<BinomialBlock> {
    if !counts.usable() || !ratio.is_finite() || ratio <= 0.0 {
        return None;
    }
    let Counts { x_c, n_c, x_s, n_s } = counts;
    if Boundary::of_ratio(ratio).mode == Mode::Conditional {
        return Some(BinomialBlock {
            x: x_c,
            m: x_c + x_s,
            pi0: conditional_share(ratio, n_c, n_s),
        });
    }
    let base = match side {
        Side::Greater => reference_rate.max(x_s / n_s),
        Side::Less => reference_rate,
    };
    let widening = (ratio / boundary_ratio(reference_rate, relative, absolute)).max(1.0);
    Some(BinomialBlock {
        x: x_c,
        m: n_c,
        pi0: ((base * (1.0 + relative) + absolute) * widening).clamp(0.0, SHARE_CEILING),
    })
}
