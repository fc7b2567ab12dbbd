//! Two counts with exposures at a fixed horizon: the conditional exact binomial test.
//!
//! Given `x_c + x_s`, the canary count is binomial with share `r t_c / (r t_c + t_s)` (Przyborowski and Wilenski 1940).

use super::interval::clopper_pearson;
use super::special::{binomial_pmf, binomial_tails};
use super::two_arm::{Counts, conditional_share};

/// One-sided exact p values against a ratio; `_greater` means that the canary is larger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateRatioTest {
    /// p value of "ratio <= r0".
    pub p_greater: f64,
    /// p value of "ratio >= r0".
    pub p_less: f64,
    /// `p_greater` with half the probability of the observed count.
    pub mid_p_greater: f64,
    /// `p_less` with half the probability of the observed count.
    pub mid_p_less: f64,
}

/// The exact test of the ratio `r0`; all p values are 1 without events or exposure.
pub fn rate_ratio_test(counts: Counts, r0: f64) -> RateRatioTest {
    let total = counts.x_c + counts.x_s;
    if !counts.usable() || total <= 0.0 || r0.is_nan() || r0 <= 0.0 {
        return RateRatioTest {
            p_greater: 1.0,
            p_less: 1.0,
            mid_p_greater: 1.0,
            mid_p_less: 1.0,
        };
    }
    let share = conditional_share(r0, counts.n_c, counts.n_s);
    let tails = binomial_tails(counts.x_c, total, share);
    let half = 0.5 * binomial_pmf(counts.x_c, total, share);
    RateRatioTest {
        p_greater: tails.at_least,
        p_less: tails.at_most,
        mid_p_greater: (tails.at_least - half).max(0.0),
        mid_p_less: (tails.at_most - half).max(0.0),
    }
}

/// Two-sided interval for the ratio by transforming the Clopper-Pearson interval of the canary share; `(0, inf)` without
/// events.
pub fn rate_ratio_interval(counts: Counts, level: f64) -> (f64, f64) {
    let total = counts.x_c + counts.x_s;
    if !counts.usable() || total <= 0.0 {
        return (0.0, f64::INFINITY);
    }
    let (low, _) = clopper_pearson(counts.x_c, total, level);
    // the upper limit of the share is one minus the lower limit of the complement, which keeps the digits
    let (other, _) = clopper_pearson(counts.x_s, total, level);
    let exposure = counts.n_s / counts.n_c;
    let lower = low / (1.0 - low) * exposure;
    let upper = if other > 0.0 {
        (1.0 - other) / other * exposure
    } else {
        f64::INFINITY
    };
    (lower, upper)
}
