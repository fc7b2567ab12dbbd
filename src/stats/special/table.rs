//! A smooth function on an interval, from its values at a few points.

use std::f64::consts::PI;

/// Points of a table.
const POINTS: usize = 41;

/// The interpolating polynomial in Chebyshev points of the second kind, in its barycentric form (Berrut and Trefethen 2004). Its
/// error falls by the factor `rho` per point, where the function is analytic in the ellipse around the interval whose half axes
/// add up to `rho` half lengths.
#[derive(Clone, Debug)]
pub struct Table {
    low: f64,
    high: f64,
    /// Points and values.
    points: [(f64, f64); POINTS],
}

impl Table {
    /// Asks the function for its values.
    pub fn new(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Self {
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let last = (POINTS - 1) as f64;
        Self {
            low,
            high,
            points: std::array::from_fn(|k| {
                let x = middle + half * (PI * k as f64 / last).cos();
                (x, f(x))
            }),
        }
    }

    /// The value at `x`, if that lies in the interval.
    pub fn at(&self, x: f64) -> Option<f64> {
        if !(self.low..=self.high).contains(&x) {
            return None;
        }
        let (mut above, mut below) = (0.0, 0.0);
        let mut sign = 1.0;
        for (k, (point, value)) in self.points.iter().enumerate() {
            let distance = x - point;
            if distance == 0.0 {
                return Some(*value);
            }
            let end = k == 0 || k == POINTS - 1;
            let weight = if end { 0.5 * sign } else { sign } / distance;
            above += weight * value;
            below += weight;
            sign = -sign;
        }
        Some(above / below)
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
            let (found, right) = (table.at(x).unwrap(), softplus(x));
            assert!((found - right).abs() <= 1e-13 * 2e6, "{x}: {found} {right}");
        }
        assert!(table.at(2.1).is_none() && table.at(f64::NAN).is_none());
    }
}
