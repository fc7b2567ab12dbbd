//! A smooth function on an interval, from its values at a few points.

use std::{f64::consts::PI, sync::LazyLock};

/// Points of a table.
const POINTS: usize = 41;

/// The interpolating polynomial in Chebyshev points of the second kind, as a series of Chebyshev polynomials that is summed by
/// Clenshaw's recurrence (Trefethen 2013, chapters 3 and 19). Its error falls by the factor `rho` per point, where the function
/// is analytic in the ellipse around the interval whose half axes add up to `rho` half lengths.
#[derive(Clone, Debug)]
pub struct Table {
    low: f64,
    high: f64,
    coefficients: [f64; POINTS],
}

/// `cos(pi k / (POINTS - 1))` for a whole turn.
static COSINES: LazyLock<[f64; 2 * (POINTS - 1)]> =
    LazyLock::new(|| std::array::from_fn(|k| (PI * k as f64 / (POINTS - 1) as f64).cos()));

impl Table {
    /// Asks the function for its values.
    pub fn new(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Self {
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let mut coefficients = [0.0; POINTS];
        for (k, cosine) in COSINES.iter().take(POINTS).enumerate() {
            let value = f(middle + half * cosine);
            let share = if k == 0 || k == POINTS - 1 { 0.5 } else { 1.0 } * value;
            let angles = COSINES.iter().cycle().step_by(k.max(1));
            for (coefficient, cosine) in coefficients.iter_mut().zip(angles) {
                *coefficient += if k == 0 { share } else { share * cosine };
            }
        }
        for (k, coefficient) in coefficients.iter_mut().enumerate() {
            let ends = k == 0 || k == POINTS - 1;
            *coefficient *= if ends { 1.0 } else { 2.0 } / (POINTS - 1) as f64;
        }
        Self {
            low,
            high,
            coefficients,
        }
    }

    /// Does a point lie in the interval?
    pub fn holds(&self, x: f64) -> bool {
        (self.low..=self.high).contains(&x)
    }

    /// The values at points of the interval. All at once: the recurrence of one point waits for itself.
    pub fn at<const N: usize>(&self, points: [f64; N]) -> [f64; N] {
        let scale = 2.0 / (self.high - self.low);
        let middle = 0.5 * (self.low + self.high);
        let twice = points.map(|x| 2.0 * scale * (x - middle));
        let (mut ahead, mut behind) = ([0.0; N], [0.0; N]);
        let (first, others) = self
            .coefficients
            .split_first()
            .map_or((0.0, [].as_slice()), |(first, others)| (*first, others));
        for coefficient in others.iter().rev() {
            let sums = twice.iter().zip(&mut ahead).zip(&mut behind);
            for ((twice, ahead), behind) in sums {
                let next = coefficient + twice * *ahead - *behind;
                (*behind, *ahead) = (*ahead, next);
            }
        }
        let mut values = twice;
        for ((value, ahead), behind) in values.iter_mut().zip(&ahead).zip(&behind) {
            *value = first + 0.5 * *value * ahead - behind;
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_without_corners_is_met_to_the_last_digits() {
        let softplus = |x: f64| 1e6 * x.exp().ln_1p();
        let table = Table::new(-4.0, 2.0, softplus);
        for i in 0..=600 {
            let x = -4.0 + f64::from(i) * 0.01;
            let ([found, again], right) = (table.at([x, x]), softplus(x));
            assert!((found - right).abs() <= 1e-13 * 2e6, "{x}: {found} {right}");
            assert!(found.to_bits() == again.to_bits());
        }
        assert!(table.holds(2.0) && !table.holds(2.1) && !table.holds(f64::NAN));
    }
}
