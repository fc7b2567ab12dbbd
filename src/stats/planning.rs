//! What a comparison can see: the minimum detectable ratio, and the traffic still needed for an assumed one.
//!
//! A large-sample approximation: information `I = M pi (1 - pi) / phi` with `M` the expected events of both arms, and the
//! evidence of procedure B at an estimate `z_power` standard errors below the truth.

use super::normal_mixture::log_e_greater;
use super::special::{expand, find_root, normal_quantile};
use super::two_arm::conditional_share;

/// What is known about a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Rate of the stable version.
    pub stable_rate: f64,
    /// Canary trials.
    pub canary_trials: f64,
    /// Stable trials.
    pub stable_trials: f64,
    /// Largest ratio still acceptable.
    pub boundary_ratio: f64,
    /// Dispersion.
    pub phi: f64,
    /// Error level of the evidence.
    pub alpha: f64,
    /// Wanted probability of detection.
    pub power: f64,
}

/// The smallest ratio that would be flagged with the wanted probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinimumDetectable {
    /// Information about the log ratio.
    pub information: f64,
    /// Its inverse square root.
    pub se: f64,
    /// Distance from the boundary on the log scale.
    pub mde_log: f64,
    /// Ratio of rates.
    pub mde_ratio: f64,
}

impl Plan {
    /// Information reached: `M pi (1 - pi) / phi`, 0 where an arm has no trials.
    pub fn information(&self) -> f64 {
        let share = conditional_share(self.boundary_ratio, self.canary_trials, self.stable_trials);
        let events = self.stable_rate * (self.canary_trials + self.stable_trials);
        let phi = if self.phi > 0.0 { self.phi } else { 1.0 };
        let information = events * share * (1.0 - share) / phi;
        if information > 0.0 && information.is_finite() {
            information
        } else {
            0.0
        }
    }

    /// Distance from the boundary that would be flagged at the standard error `se`.
    fn detectable(&self, se: f64) -> f64 {
        let z = normal_quantile(self.power);
        let target = -self.alpha.ln();
        let miss = |u: f64| log_e_greater(u - z * se, se, 1.0) - target;
        let (low, high) = expand(miss, (z + 2.0) * se, se, (-1e9, 1e9));
        find_root(miss, low, high, 1e-14)
    }

    fn sound(&self) -> bool {
        self.alpha > 0.0
            && self.alpha < 1.0
            && self.power > 0.0
            && self.power < 1.0
            && self.boundary_ratio > 0.0
            && self.boundary_ratio.is_finite()
    }

    /// The minimum detectable ratio (infinite, as far as a number can say, with little information); nothing without
    /// information.
    pub fn minimum_detectable(&self) -> Option<MinimumDetectable> {
        let information = self.information();
        if !self.sound() || information <= 0.0 {
            return None;
        }
        let se = 1.0 / information.sqrt();
        let mde_log = self.detectable(se);
        Some(MinimumDetectable {
            information,
            se,
            mde_log,
            mde_ratio: self.boundary_ratio * mde_log.exp(),
        })
    }

    /// Information needed to flag an assumed ratio above the boundary with the wanted probability; nothing if the ratio is
    /// not above the boundary.
    pub fn needed_information(&self, ratio: f64) -> Option<f64> {
        let distance = (ratio / self.boundary_ratio).ln();
        if !self.sound() || !distance.is_finite() || distance <= 0.0 {
            return None;
        }
        let z = normal_quantile(self.power);
        let target = -self.alpha.ln();
        // the evidence falls as the standard error grows, down to where it is too weak at any size
        let miss = |ln_se: f64| {
            let se = ln_se.exp();
            target - log_e_greater(distance - z * se, se, 1.0)
        };
        let centre = (distance / (z.max(0.0) + (2.0 * target).sqrt())).ln();
        let (low, high) = expand(miss, centre, 0.5, (-40.0, 40.0));
        Some((-2.0 * find_root(miss, low, high, 1e-10)).exp())
    }

    /// Further canary trials needed to flag an assumed ratio when both arms keep their present shares of the traffic; 0 if
    /// they are reached, nothing without information so far.
    pub fn trials_still_needed(&self, ratio: f64) -> Option<f64> {
        let reached = self.information();
        if reached <= 0.0 {
            return None;
        }
        let needed = self.needed_information(ratio)?;
        Some((self.canary_trials * (needed / reached - 1.0)).max(0.0))
    }
}
