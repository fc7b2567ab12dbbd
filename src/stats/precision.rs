//! Planning from a standard error: what procedure B still needs, and what it would show.
//!
//! Both follow `ln E_greater(distance, se, tau)` of the normal mixture to a threshold, as [`super::planning`] does from counts.

use super::{
    normal_mixture::log_e_greater,
    special::{find_root, normal_quantile},
};

/// No course is followed further than so many times the present information.
const FURTHEST: f64 = 1e4;
/// Each try lies further than the one before by this share.
const STRIDE: f64 = 0.02;

/// An estimate drawn towards no difference by as much as may be chance: a plan on the estimate itself would chase noise.
pub fn shrunk(estimate: f64, se: f64) -> f64 {
    let share = 1.0 - (se / estimate).powi(2);
    if share > 0.0 { estimate * share } else { 0.0 }
}

/// Evidence on its way to a threshold: an estimate `distance` beyond the boundary now, `truth` beyond it in all that is
/// still to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Of the estimate so far.
    pub distance: f64,
    /// Of what is to come.
    pub truth: f64,
    /// Standard error of the estimate so far.
    pub se: f64,
    /// Prior scale.
    pub tau: f64,
    /// ln E so far, which other procedures may have a part in.
    pub reached: f64,
    /// ln E that decides.
    pub threshold: f64,
}

impl Course {
    /// How many times the present information is still missing; nothing if it leads nowhere. The evidence grows from what
    /// it is as the normal mixture's would.
    pub fn missing(&self) -> Option<f64> {
        let now = log_e_greater(self.distance, self.se, self.tau);
        // a head start holds for an estimate that is beyond the boundary already
        let ahead = if self.distance > 0.0 {
            self.reached - now
        } else {
            (self.reached - now).min(0.0)
        };
        let mut whole = 1.0;
        while whole < FURTHEST {
            let distance = self.truth + (self.distance - self.truth) / whole;
            let log_e = log_e_greater(distance, self.se / f64::sqrt(whole), self.tau);
            if distance > 0.0 && log_e + ahead >= self.threshold {
                return Some(whole - 1.0);
            }
            whole *= 1.0 + STRIDE;
        }
        None
    }
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
    fn what_may_be_chance_is_no_difference() {
        for (estimate, se, expected) in [
            (0.4, 0.2, 0.3),
            (-0.4, 0.2, -0.3),
            (0.1, 0.2, 0.0),
            (0.0, 0.2, 0.0),
            (0.0, 0.0, 0.0),
            (0.4, f64::INFINITY, 0.0),
        ] {
            assert!((shrunk(estimate, se) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_course_reaches_its_threshold() {
        let course = Course {
            distance: 0.4,
            truth: 0.4,
            se: 0.2,
            tau: 1.0,
            reached: log_e_greater(0.4, 0.2, 1.0),
            threshold: 4.6,
        };
        let whole = 1.0 + course.missing().unwrap();
        let reached = log_e_greater(0.4, 0.2 / f64::sqrt(whole), 1.0);
        assert!((4.6..4.8).contains(&reached), "{reached}");
        let near = Course {
            reached: 4.5,
            ..course
        };
        assert!(near.missing().unwrap() < 0.1);
        let nowhere = Course {
            truth: -0.1,
            ..course
        };
        assert_eq!(nowhere.missing(), None);
    }

    #[test]
    fn what_is_detectable_shrinks_with_the_standard_error() {
        let at = |se| detectable_distance(se, 1.0, 0.0025, 0.8);
        assert!(at(0.05) < at(0.1) && at(0.1) < at(0.3) && at(0.0).is_infinite());
    }
}
