//! Sums of exponentials without overflow.

/// `ln sum exp(t)`; minus infinity for an empty list.
pub fn log_sum_exp(terms: impl IntoIterator<Item = f64> + Clone) -> f64 {
    let max = terms.clone().into_iter().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    max + terms.into_iter().map(|t| (t - max).exp()).sum::<f64>().ln()
}

/// `ln(exp(a) + exp(b))`.
pub fn ln_add_exp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high.is_infinite() {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

/// `ln` of the mean of `exp(t)`: averages e-processes on the log scale, which is an e-process again. 0 for an empty list.
pub fn log_mean_exp(terms: &[f64]) -> f64 {
    if terms.is_empty() {
        return 0.0;
    }
    log_sum_exp(terms.iter().copied()) - (terms.len() as f64).ln()
}
