//! B2: a mean from sum and count counters, without variances; the increases per block are the sampling units.
//!
//! `mu = sum S / sum N`, `var = k/(k-1) sum (S_i - mu N_i)^2 / (sum N)^2` (ratio estimator; weighted least squares with
//! HC1 gives the same). Two means are compared as `ln(mu_c / mu_s)`, or as a difference where a mean can be <= 0.

use super::mixture::Side;
use super::normal_mixture::Estimate;
use super::special::{PreciseSum, residual_squares};

/// Prior scale of the log ratio of two means.
pub const MEAN_TAU: f64 = 0.25;

/// Running sums of one arm.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockMean {
    blocks: u32,
    filled: u32,
    sum: f64,
    count: f64,
    sum_sum: PreciseSum,
    sum_count: PreciseSum,
    count_count: PreciseSum,
}

/// The mean of one arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanEstimate {
    /// Mean per counted item.
    pub mean: f64,
    /// Variance of the mean.
    pub var: f64,
    /// Standard error of the mean.
    pub se: f64,
    /// Items counted.
    pub count: f64,
    /// Blocks, empty ones included.
    pub blocks: u32,
    /// Blocks that contain items.
    pub filled: u32,
}

impl BlockMean {
    /// Without blocks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the increases of one block; a block without items counts as a block. Numbers that are not finite, and a
    /// negative count, are left out.
    pub fn push(&mut self, sum: f64, count: f64) {
        if !(sum.is_finite() && count.is_finite()) || count < 0.0 {
            return;
        }
        self.blocks += 1;
        self.filled += u32::from(count > 0.0);
        self.sum += sum;
        self.count += count;
        self.sum_sum.add_product(sum, sum);
        self.sum_count.add_product(sum, count);
        self.count_count.add_product(count, count);
    }

    /// The mean and its variance, from two blocks with an item on.
    pub fn estimate(&self) -> Option<MeanEstimate> {
        if self.blocks < 2 || self.count <= 0.0 {
            return None;
        }
        let k = f64::from(self.blocks);
        let mean = self.sum / self.count;
        let squares = residual_squares(&self.sum_sum, &self.sum_count, &self.count_count, mean);
        let var = k / (k - 1.0) * squares / (self.count * self.count);
        // below this lies only the rounding of the mean: the blocks do not vary
        let noise = 4.0 * f64::EPSILON * mean;
        let var = if var > noise * noise { var } else { 0.0 };
        Some(MeanEstimate {
            mean,
            var,
            se: var.sqrt(),
            count: self.count,
            blocks: self.blocks,
            filled: self.filled,
        })
    }
}

/// `ln(mu_c / mu_s)` by the delta method with `df` degrees of freedom; nothing where a mean is not positive. Means that do
/// not vary at all have standard error 0 and so give no evidence: the caller knows how steady a mean can be.
pub fn log_ratio_of_means(
    canary: &MeanEstimate,
    stable: &MeanEstimate,
    df: f64,
) -> Option<Estimate> {
    if !(canary.mean > 0.0 && stable.mean > 0.0) {
        return None;
    }
    let relative = |e: &MeanEstimate| e.var / (e.mean * e.mean);
    let var = relative(canary) + relative(stable);
    (var.is_finite() && df > 0.0).then(|| Estimate {
        value: (canary.mean / stable.mean).ln(),
        se: var.sqrt(),
        df,
    })
}

/// `mu_c - mu_s`, for means that may be zero or negative.
pub fn difference_of_means(
    canary: &MeanEstimate,
    stable: &MeanEstimate,
    df: f64,
) -> Option<Estimate> {
    let var = canary.var + stable.var;
    (var.is_finite() && df > 0.0).then(|| Estimate {
        value: canary.mean - stable.mean,
        se: var.sqrt(),
        df,
    })
}

/// Degrees of freedom of a comparison: canary blocks that contain items, minus one.
pub fn comparison_df(canary: &MeanEstimate) -> f64 {
    f64::from(canary.filled.saturating_sub(1))
}

/// Evidence that the canary mean lies on `side` of `(1 + margin)` times the stable one, on the log scale, or where a mean
/// is not positive as a difference with boundary `margin * |mu_s|` and prior scale `0.25 |mu_s|`; 0 without an estimate.
pub fn mean_log_e(side: Side, canary: &MeanEstimate, stable: &MeanEstimate, margin: f64) -> f64 {
    let df = comparison_df(canary);
    if margin > -1.0
        && let Some(estimate) = log_ratio_of_means(canary, stable, df)
    {
        return estimate.log_e(side, margin.ln_1p(), MEAN_TAU);
    }
    let size = stable.mean.abs();
    difference_of_means(canary, stable, df)
        .map_or(0.0, |e| e.log_e(side, margin * size, MEAN_TAU * size))
}
