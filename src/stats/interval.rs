//! Fixed-horizon intervals for one proportion, for the difference of two, and for a quantile of raw values.

use super::special::{Tail, beta_quantile, binomial_tails, normal_quantile};

/// Relative error of a tail probability that is put down to rounding.
const ROUNDING: f64 = 1e-13;

/// Probability left in each tail by a two-sided level, kept within what can be inverted.
pub fn tail_of(level: f64) -> f64 {
    if level > 0.0 {
        ((1.0 - level) / 2.0).max(1e-15)
    } else {
        0.5
    }
}

/// The normal score of a two-sided level, e.g. 1.96 for 0.95.
pub fn two_sided_z(level: f64) -> f64 {
    -normal_quantile(tail_of(level))
}

fn sound(x: f64, n: f64) -> bool {
    x.is_finite() && n.is_finite() && n > 0.0 && x >= 0.0 && x <= n
}

/// Wilson's score interval (Wilson 1927); `(0, 1)` without trials.
pub fn wilson(x: f64, n: f64, level: f64) -> (f64, f64) {
    if !sound(x, n) {
        return (0.0, 1.0);
    }
    let z = two_sided_z(level);
    let square = z * z;
    let p = x / n;
    let centre = p + square / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    let lower = if x == 0.0 {
        0.0
    } else {
        (centre - half) / scale
    };
    let upper = if x == n { 1.0 } else { (centre + half) / scale };
    (lower.max(0.0), upper.min(1.0))
}

/// The exact interval of Clopper and Pearson (1934); `(0, 1)` without trials.
pub fn clopper_pearson(x: f64, n: f64, level: f64) -> (f64, f64) {
    if !sound(x, n) {
        return (0.0, 1.0);
    }
    let tail = tail_of(level);
    let lower = if x == 0.0 {
        0.0
    } else {
        beta_quantile(Tail::Lower, tail, x, n - x + 1.0)
    };
    let upper = if x == n {
        1.0
    } else {
        beta_quantile(Tail::Upper, tail, x + 1.0, n - x)
    };
    (lower, upper)
}

/// The equal-tailed interval under Jeffreys' prior, closed at 0 for no events and at 1 for nothing but events
/// (Brown, Cai, DasGupta 2001); `(0, 1)` without trials.
pub fn jeffreys(x: f64, n: f64, level: f64) -> (f64, f64) {
    if !sound(x, n) {
        return (0.0, 1.0);
    }
    let tail = tail_of(level);
    let (a, b) = (x + 0.5, n - x + 0.5);
    let lower = if x == 0.0 {
        0.0
    } else {
        beta_quantile(Tail::Lower, tail, a, b)
    };
    let upper = if x == n {
        1.0
    } else {
        beta_quantile(Tail::Upper, tail, a, b)
    };
    (lower, upper)
}

/// Newcombe's hybrid score interval for the difference canary minus stable (Newcombe 1998, method 10).
pub fn newcombe(x_c: f64, n_c: f64, x_s: f64, n_s: f64, level: f64) -> (f64, f64) {
    if !sound(x_c, n_c) || !sound(x_s, n_s) {
        return (-1.0, 1.0);
    }
    let (p_c, p_s) = (x_c / n_c, x_s / n_s);
    let (low_c, high_c) = wilson(x_c, n_c, level);
    let (low_s, high_s) = wilson(x_s, n_s, level);
    let difference = p_c - p_s;
    (
        difference - (p_c - low_c).hypot(high_s - p_s),
        difference + (high_c - p_c).hypot(p_s - low_s),
    )
}

/// Distribution-free interval for the `q` quantile of raw values: two order statistics from the binomial distribution of
/// the rank, infinite where the sample is too small. Values that are NaN are left out.
pub fn order_statistics(values: &[f64], q: f64, level: f64) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let tail = tail_of(level);
    // the number below the quantile is Binomial(n, q); X_(l) is above it with probability P(B <= l - 1). A probability equal
    // to the tail (but for rounding) does not serve below and does above, as with quantiles of that distribution
    let below = leading_ranks(sorted.len(), |rank| {
        binomial_tails(rank - 1.0, n, q).at_most < tail * (1.0 - ROUNDING)
    });
    let lower = below.checked_sub(1).and_then(|i| sorted.get(i)).copied();
    let above = leading_ranks(sorted.len(), |rank| {
        binomial_tails(rank, n, q).at_least > tail * (1.0 + ROUNDING)
    });
    let upper = sorted.get(above).copied();
    (
        lower.unwrap_or(f64::NEG_INFINITY),
        upper.unwrap_or(f64::INFINITY),
    )
}

/// How many of the ranks 1..=n satisfy a predicate that holds for a leading part of them.
fn leading_ranks(n: usize, holds: impl Fn(f64) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds((middle + 1) as f64) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
