//! Planning from a standard error: what procedure B still needs, and what it would show.
//!
//! Both solve `ln E_greater(distance, se, tau) = threshold` of the normal mixture, as [`super::planning`] does from counts.

use super::{
    normal_mixture::log_e_greater,
    special::{find_root, normal_quantile},
};

/// The standard error at which an estimate `distance` beyond the boundary reaches `log_threshold`; nothing if the distance
/// is not positive or no precision would do.
pub fn standard_error_needed(distance: f64, tau: f64, log_threshold: f64) -> Option<f64> {
    if !(distance > 0.0 && tau > 0.0 && distance.is_finite() && log_threshold.is_finite()) {
        return None;
    }
    let miss = |ln_se: f64| log_e_greater(distance, ln_se.exp(), tau) - log_threshold;
    // evidence falls as the standard error grows from a small share of the distance to several times it
    let (low, high) = ((distance * 1e-3).ln(), (distance * 10.0).ln());
    (miss(low) > 0.0 && miss(high) < 0.0).then(|| find_root(miss, low, high, 1e-6).exp())
}

/// How far beyond the boundary harm must lie to be shown at level `alpha` with probability `power`.
pub fn detectable_distance(se: f64, tau: f64, alpha: f64, power: f64) -> f64 {
    if !(se > 0.0 && tau > 0.0 && se.is_finite()) {
        return f64::INFINITY;
    }
    let z = normal_quantile(power);
    let miss = |u: f64| log_e_greater(u - z * se, se, tau) + alpha.ln();
    let mut high = 4.0 * se;
    while miss(high) < 0.0 && high < 1e6 * se {
        high *= 2.0;
    }
    if miss(high) < 0.0 {
        f64::INFINITY
    } else {
        find_root(miss, 0.0, high, 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_standard_error_reaches_the_threshold() {
        for (distance, tau, threshold) in [(0.4, 1.0, 3.0), (0.1, 0.25, 6.0), (2.0, 0.5, 4.6)] {
            let se = standard_error_needed(distance, tau, threshold).unwrap();
            assert!((log_e_greater(distance, se, tau) - threshold).abs() < 1e-3);
        }
        assert_eq!(standard_error_needed(-1.0, 1.0, 3.0), None);
    }

    #[test]
    fn what_is_detectable_shrinks_with_the_standard_error() {
        let at = |se| detectable_distance(se, 1.0, 0.0025, 0.8);
        assert!(at(0.05) < at(0.1) && at(0.1) < at(0.3) && at(0.0).is_infinite());
    }
}
