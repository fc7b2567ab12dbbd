//! Procedure B: evidence from an approximately normal estimate (mixture SPRT; Robbins 1970, Johari et al. 2022).
//!
//! With `v = s^2 + tau^2` the one-sided evidence for a distance `d` beyond the boundary is
//! `ln 2 + 0.5 ln(s^2/v) + d^2 tau^2 / (2 s^2 v) + ln Phi(d tau / (s sqrt v))`.

use super::mixture::Side;
use super::special::{ln_scaled_normal_cdf, normal_to_student, student_to_normal};

fn usable(d: f64, se: f64, tau: f64) -> bool {
    d.is_finite() && se.is_finite() && se > 0.0 && tau.is_finite() && tau > 0.0
}

/// Two-sided evidence against `distance = 0`; 0 when the numbers say nothing (no positive standard error or scale).
pub fn log_e_two_sided(distance: f64, se: f64, tau: f64) -> f64 {
    if !usable(distance, se, tau) {
        return 0.0;
    }
    let variance = se * se + tau * tau;
    let z = distance / se;
    let share = tau / variance.sqrt();
    (se / variance.sqrt()).ln() + 0.5 * z * z * share * share
}

/// Evidence that `distance = estimate - boundary` is above zero; 0 when the numbers say nothing.
pub fn log_e_greater(distance: f64, se: f64, tau: f64) -> f64 {
    if !usable(distance, se, tau) {
        return 0.0;
    }
    // with y = d tau / (s sqrt v) the last two terms are y^2/2 + ln Phi(y)
    let spread = (se * se + tau * tau).sqrt();
    std::f64::consts::LN_2
        + (se / spread).ln()
        + ln_scaled_normal_cdf(distance / se * (tau / spread))
}

/// Evidence that `distance = estimate - boundary` is below zero; 0 when the numbers say nothing.
pub fn log_e_less(distance: f64, se: f64, tau: f64) -> f64 {
    log_e_greater(-distance, se, tau)
}

/// Half the width of the two-sided confidence sequence: `sqrt(2 s^2 v / tau^2 * ln(sqrt(v / s^2) / alpha))`.
pub fn radius(se: f64, tau: f64, alpha: f64) -> f64 {
    if !usable(0.0, se, tau) || alpha.is_nan() || alpha <= 0.0 {
        return f64::INFINITY;
    }
    let square = se * se;
    let variance = square + tau * tau;
    let nats = 0.5 * (variance / square).ln() - alpha.ln();
    (2.0 * square * variance / (tau * tau) * nats.max(0.0)).sqrt()
}

/// The two-sided confidence sequence around an estimate (Waudby-Smith et al. 2024 in another notation).
pub fn confidence_sequence(estimate: f64, se: f64, tau: f64, alpha: f64) -> (f64, f64) {
    let radius = radius(se, tau, alpha);
    (estimate - radius, estimate + radius)
}

/// An estimate on the scale where it is about normal, with its standard error and degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom of the standard error.
    pub df: f64,
}

impl Estimate {
    /// Student's t against a boundary; 0 without a positive standard error.
    pub fn t(&self, boundary: f64) -> f64 {
        if self.se > 0.0 {
            (self.value - boundary) / self.se
        } else {
            0.0
        }
    }

    /// The normal score with the same upper tail as t (the small-sample map).
    pub fn z(&self, boundary: f64) -> f64 {
        student_to_normal(self.t(boundary), self.df)
    }

    /// Evidence that the truth lies on `side` of the boundary, with prior scale `tau`; 0 when the estimate says nothing.
    pub fn log_e(&self, side: Side, boundary: f64, tau: f64) -> f64 {
        if !usable(self.value - boundary, self.se, tau) {
            return 0.0;
        }
        log_e_greater(side.sign() * self.z(boundary) * self.se, self.se, tau)
    }

    /// The two-sided confidence sequence that matches [`Estimate::log_e`], small-sample map included.
    pub fn confidence_sequence(&self, alpha: f64, tau: f64) -> (f64, f64) {
        let plain = radius(self.se, tau, alpha);
        if !plain.is_finite() {
            return (f64::NEG_INFINITY, f64::INFINITY);
        }
        let mapped = normal_to_student(plain / self.se, self.df) * self.se;
        (self.value - mapped, self.value + mapped)
    }

    /// The same with a standard error of at least `floor`.
    #[must_use]
    pub fn at_least(self, floor: f64) -> Self {
        Self {
            se: self.se.max(floor),
            ..self
        }
    }

    /// The one of two estimates with the larger standard error (rule B3).
    #[must_use]
    pub fn wider(self, other: Self) -> Self {
        if other.se > self.se { other } else { self }
    }
}
