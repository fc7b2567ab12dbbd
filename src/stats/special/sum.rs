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
