//! B4: two gauges averaged over the same blocks, compared pairwise with an allowance for autocorrelation.
//!
//! `D_k = ln c_k - ln s_k` (plain difference for signed gauges); lag-1 autocorrelation, corrected for its bias and kept
//! within `[0, 0.9]`, inflates the variance by `(1 + r)/(1 - r)` and shrinks the degrees of freedom.

use super::mixture::{BinomialBlock, BinomialProcess, Side};
use super::normal_mixture::Estimate;

/// Prior scale on the log scale.
pub const GAUGE_TAU: f64 = 0.5;

/// The mean of paired differences and how it came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedEstimate {
    /// Mean difference.
    pub mean: f64,
    /// Standard deviation of the differences.
    pub sd: f64,
    /// Sample autocorrelation at lag 1 (biased form).
    pub lag1: f64,
    /// The autocorrelation that is used.
    pub lag1_used: f64,
    /// Variance inflation.
    pub inflation: f64,
    /// Standard error of the mean.
    pub se: f64,
    /// Effective degrees of freedom.
    pub df: f64,
    /// Pairs.
    pub pairs: usize,
}

impl PairedEstimate {
    fn of(mean: f64, sd: f64, lag1: f64, pairs: usize) -> Self {
        let k = pairs as f64;
        let lag1_used = (lag1 + (1.0 + 3.0 * lag1) / k).clamp(0.0, 0.9);
        let inflation = (1.0 + lag1_used) / (1.0 - lag1_used);
        Self {
            mean,
            sd,
            lag1,
            lag1_used,
            inflation,
            se: sd * (inflation / k).sqrt(),
            df: (k / inflation - 1.0).max(1.0),
            pairs,
        }
    }

    /// What it will be after so many pairs of the same mean, scatter and memory.
    #[must_use]
    pub fn after(self, pairs: usize) -> Self {
        Self::of(self.mean, self.sd, self.lag1, pairs)
    }

    /// As an estimate for procedure B.
    pub fn as_estimate(&self) -> Estimate {
        Estimate {
            value: self.mean,
            se: self.se,
            df: self.df,
        }
    }

    /// The same with a standard error of at least `floor`, as if a known scatter were added to the measured one. Degrees
    /// of freedom by Welch and Satterthwaite; what scatter is measured below the floor, and its memory, may be rounding.
    #[must_use]
    pub fn at_least(self, floor: f64) -> Self {
        if self.se.is_nan() || self.se >= floor {
            return self;
        }
        let measured = (self.se / floor).powi(2);
        let known = 1.0 - measured;
        let most = self.pairs as f64 - 1.0;
        Self {
            se: floor,
            df: 1.0 / (measured * measured / self.df + known * known / most),
            lag1_used: self.lag1_used * measured,
            inflation: 1.0 + (self.inflation - 1.0) * measured,
            ..self
        }
    }

    /// Evidence that the mean difference lies on `side` of `boundary` (`ln(1 + margin)` on the log scale).
    pub fn log_e(&self, side: Side, boundary: f64, tau: f64) -> f64 {
        self.as_estimate().log_e(side, boundary, tau)
    }
}

/// The logarithms of the ratios of two series; pairs with a value that is not positive and finite are left out.
pub fn log_differences(canary: &[f64], stable: &[f64]) -> Vec<f64> {
    let fine = |v: f64| v.is_finite() && v > 0.0;
    canary
        .iter()
        .zip(stable)
        .filter(|(c, s)| fine(**c) && fine(**s))
        .map(|(c, s)| c.ln() - s.ln())
        .collect()
}

/// The differences of two series, for signed gauges; pairs with a value that is not finite are left out.
pub fn plain_differences(canary: &[f64], stable: &[f64]) -> Vec<f64> {
    canary
        .iter()
        .zip(stable)
        .map(|(c, s)| c - s)
        .filter(|d| d.is_finite())
        .collect()
}

/// The estimate from paired differences in time order; nothing below two pairs.
///
/// Differences that do not vary at all have standard error 0 and so give no evidence.
pub fn paired_estimate(differences: &[f64]) -> Option<PairedEstimate> {
    if differences.len() < 2 || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let k = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / k;
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    let neighbours: f64 = differences
        .iter()
        .zip(differences.iter().skip(1))
        .map(|(first, second)| (first - mean) * (second - mean))
        .sum();
    let sd = (squares / (k - 1.0)).sqrt();
    let lag1 = if squares > 0.0 {
        neighbours / squares
    } else {
        0.0
    };
    Some(PairedEstimate::of(mean, sd, lag1, differences.len()))
}

/// Pairs whose difference lies beyond the boundary on `side`.
pub fn sign_count(differences: &[f64], side: Side, boundary: f64) -> usize {
    differences
        .iter()
        .filter(|d| side.sign() * (*d - boundary) > 0.0)
        .count()
}

/// The sign process: the count of pairs beyond the boundary as one block of procedure A at share 1/2.
pub fn sign_log_e(differences: &[f64], side: Side, boundary: f64) -> f64 {
    let mut process = BinomialProcess::new(Side::Greater);
    process.open(1.0);
    process.push(BinomialBlock {
        x: sign_count(differences, side, boundary) as f64,
        m: differences.len() as f64,
        pi0: 0.5,
    });
    process.log_e(1.0)
}
