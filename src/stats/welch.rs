//! Welch's test of two means from summaries (Welch 1947), and B3: a mean with variance information.

use super::interval::tail_of;
use super::mixture::Side;
use super::normal_mixture::Estimate;
use super::special::{student_quantile, student_sf};

/// Mean, standard deviation (n - 1) and size of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Size.
    pub n: f64,
}

impl Summary {
    /// From the sums that a counter holds: of values, of squared values, and the number of values; from two values on.
    pub fn from_sums(sum: f64, sum_of_squares: f64, n: f64) -> Option<Self> {
        if !(sum.is_finite() && sum_of_squares.is_finite() && n.is_finite()) || n < 2.0 {
            return None;
        }
        let mean = sum / n;
        let variance = (sum_of_squares - n * mean * mean).max(0.0) / (n - 1.0);
        Some(Self {
            mean,
            sd: variance.sqrt(),
            n,
        })
    }

    fn variance_of_mean(&self) -> f64 {
        self.sd * self.sd / self.n
    }
}

/// Result of the fixed-horizon test of canary minus stable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Difference, standard error and Welch degrees of freedom.
    pub estimate: Estimate,
    /// Student's t.
    pub t: f64,
}

/// Sum of two variances with the degrees of freedom of Welch and Satterthwaite.
fn combine(value: f64, var_c: f64, n_c: f64, var_s: f64, n_s: f64) -> Option<Estimate> {
    let variance = var_c + var_s;
    let spread = var_c * var_c / (n_c - 1.0) + var_s * var_s / (n_s - 1.0);
    let sound =
        n_c > 1.0 && n_s > 1.0 && variance > 0.0 && spread > 0.0 && (value + spread).is_finite();
    sound.then(|| Estimate {
        value,
        se: variance.sqrt(),
        df: variance * variance / spread,
    })
}

/// The test; nothing without two values per sample or without any variance.
pub fn welch(canary: Summary, stable: Summary) -> Option<Welch> {
    let estimate = combine(
        canary.mean - stable.mean,
        canary.variance_of_mean(),
        canary.n,
        stable.variance_of_mean(),
        stable.n,
    )?;
    Some(Welch {
        estimate,
        t: estimate.t(0.0),
    })
}

/// B3 on the log scale: `ln(mean_c / mean_s)` by the delta method with Welch degrees of freedom; to be combined with the
/// block estimate by [`Estimate::wider`]. Nothing where a mean is not positive.
pub fn log_ratio_from_summaries(canary: Summary, stable: Summary) -> Option<Estimate> {
    if !(canary.mean > 0.0 && stable.mean > 0.0) {
        return None;
    }
    let relative = |s: &Summary| s.variance_of_mean() / (s.mean * s.mean);
    combine(
        (canary.mean / stable.mean).ln(),
        relative(&canary),
        canary.n,
        relative(&stable),
        stable.n,
    )
}

impl Welch {
    /// One-sided p value: the canary mean is on `side` of the stable one.
    pub fn p(&self, side: Side) -> f64 {
        student_sf(side.sign() * self.t, self.estimate.df)
    }

    /// Two-sided p value.
    pub fn p_two_sided(&self) -> f64 {
        (2.0 * student_sf(self.t.abs(), self.estimate.df)).min(1.0)
    }

    /// Two-sided interval for the difference.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half = -student_quantile(tail_of(level), self.estimate.df) * self.estimate.se;
        (self.estimate.value - half, self.estimate.value + half)
    }
}
