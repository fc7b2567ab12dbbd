//! A smooth function on a short interval, from its values at a few points.

use std::{f64::consts::PI, sync::LazyLock};

/// Points of a table.
pub const POINTS: usize = 17;

/// So many values are computed side by side: the recurrence of one of them waits for itself.
const ABREAST: usize = 64;

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
    /// Where a function must be known on an interval.
    pub fn points(low: f64, high: f64) -> impl Iterator<Item = f64> {
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        COSINES.iter().take(POINTS).map(move |c| middle + half * c)
    }

    /// Takes the values at these points, in their order.
    pub fn new(low: f64, high: f64, values: &[f64]) -> Self {
        let mut coefficients = [0.0; POINTS];
        for (k, value) in values.iter().take(POINTS).enumerate() {
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

    /// Puts the values at points of the interval in their place.
    pub fn replace(&self, points: &mut [f64]) {
        let scale = 2.0 / (self.high - self.low);
        let middle = 0.5 * (self.low + self.high);
        let (first, others) = self
            .coefficients
            .split_first()
            .map_or((0.0, [].as_slice()), |(first, others)| (*first, others));
        for points in points.chunks_mut(ABREAST) {
            let (mut ahead, mut behind) = ([0.0; ABREAST], [0.0; ABREAST]);
            for point in &mut *points {
                *point = 2.0 * scale * (*point - middle);
            }
            for coefficient in others.iter().rev() {
                let sums = points.iter().zip(&mut ahead).zip(&mut behind);
                for ((twice, ahead), behind) in sums {
                    let next = coefficient + twice * *ahead - *behind;
                    (*behind, *ahead) = (*ahead, next);
                }
            }
            for ((value, ahead), behind) in points.iter_mut().zip(&ahead).zip(&behind) {
                *value = first + 0.5 * *value * ahead - behind;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_without_corners_is_met_to_the_last_digits() {
        let softplus = |x: f64| 1e6 * x.exp().ln_1p();
        let (low, high) = (0.0, 1.5);
        let values: Vec<f64> = Table::points(low, high).map(softplus).collect();
        let table = Table::new(low, high, &values);
        let points: Vec<f64> = (0..=150).map(|i| f64::from(i) * 0.01).collect();
        let mut all = points.clone();
        table.replace(&mut all);
        for (x, found) in points.into_iter().zip(all) {
            let (right, mut alone) = (softplus(x), [x]);
            assert!((found - right).abs() <= 1e-14 * 1e6, "{x}: {found} {right}");
            table.replace(&mut alone);
            assert!(found.to_bits() == alone[0].to_bits());
        }
    }
}
