//! Sums of exponentials without overflow.

/// A term so far below the largest adds nothing to the last digit of a sum, even sixty times.
pub const NOTHING: f64 = 45.0;

/// `ln sum exp(t)`; minus infinity for an empty list.
pub fn log_sum_exp(terms: impl IntoIterator<Item = f64> + Clone) -> f64 {
    let max = terms.clone().into_iter().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    let near = terms
        .into_iter()
        .map(|t| t - max)
        .filter(|t| *t > -NOTHING || t.is_nan());
    max + near.map(f64::exp).sum::<f64>().ln()
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

/// A running sum of products in twice the working precision (Ogita, Rump and Oishi 2005), for sums of squares that will be
/// subtracted from each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreciseSum {
    high: f64,
    low: f64,
}

impl PreciseSum {
    /// Adds `a * b`.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        let lost_in_product = a.mul_add(b, -product);
        let sum = self.high + product;
        let part = sum - self.high;
        let lost_in_sum = (self.high - (sum - part)) + (product - part);
        self.high = sum;
        self.low += lost_in_product + lost_in_sum;
    }

    /// Adds another sum times `factor`.
    fn add_scaled(&mut self, other: &Self, factor: f64) {
        self.add_product(other.high, factor);
        self.low += other.low * factor;
    }

    /// The sum.
    pub fn value(&self) -> f64 {
        self.high + self.low
    }
}

/// `sum (a - r b)^2` from `sum a a`, `sum a b` and `sum b b`; not below zero.
pub fn residual_squares(aa: &PreciseSum, ab: &PreciseSum, bb: &PreciseSum, r: f64) -> f64 {
    let square = r * r;
    let mut sum = *aa;
    sum.add_scaled(ab, -2.0 * r);
    sum.add_scaled(bb, square);
    sum.low += bb.high * r.mul_add(r, -square);
    sum.value().max(0.0)
}
