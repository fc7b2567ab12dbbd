//! One-sided group-sequential bounds by alpha spending (Lan and DeMets 1983), by recursive numerical integration
//! (Armitage, McPherson and Rowe 1969).

use super::special::{find_root, normal_quantile, normal_sf};

/// How alpha is spent over the planned information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spending {
    /// `2 (1 - Phi(z_{alpha/2} / sqrt t))`: little at first.
    OBrienFleming,
    /// `alpha ln(1 + (e - 1) t)`: about evenly.
    Pocock,
}

impl Spending {
    /// Alpha spent up to the information fraction `t`.
    pub fn spent(self, alpha: f64, t: f64) -> f64 {
        if t.is_nan() || t <= 0.0 {
            return 0.0;
        }
        let t = t.min(1.0);
        match self {
            Spending::OBrienFleming => 2.0 * normal_sf(-normal_quantile(alpha / 2.0) / t.sqrt()),
            Spending::Pocock => alpha * ((std::f64::consts::E - 1.0) * t).ln_1p(),
        }
    }
}

/// Bounds of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Alpha spent up to each look.
    pub cumulative_alpha: Vec<f64>,
    /// Upper bound for z at each look.
    pub z: Vec<f64>,
}

/// Lowest z that the integration looks at, and the bound that stands for "practically never".
const REACH: f64 = 10.0;

/// Weighted points of the density of z among paths that have not crossed a bound yet.
struct Density {
    fraction: f64,
    points: Vec<(f64, f64)>,
}

impl Density {
    /// Probability of continuing so far and being above `bound` at the fraction `next`.
    fn above(&self, next: f64, bound: f64) -> f64 {
        let step = (next - self.fraction).sqrt();
        let (here, there) = (self.fraction.sqrt(), next.sqrt());
        self.points
            .iter()
            .map(|(z, mass)| mass * normal_sf((bound * there - z * here) / step))
            .sum()
    }

    /// The density at the fraction `next`, cut at `bound`; Simpson's rule.
    fn advance(&self, next: f64, bound: f64, following: f64) -> Self {
        let step = (next - self.fraction).sqrt();
        let (here, there) = (self.fraction.sqrt(), next.sqrt());
        let scale =
            there / step * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2 / 2.0;
        let density = |z: f64| -> f64 {
            self.points
                .iter()
                .map(|(from, mass)| {
                    let e = (z * there - from * here) / step;
                    mass * scale * (-0.5 * e * e).exp()
                })
                .sum()
        };
        Self {
            fraction: next,
            points: simpson(bound, next, following)
                .map(|(z, weight)| (z, weight * density(z)))
                .collect(),
        }
    }

    fn first(fraction: f64, bound: f64, following: f64) -> Self {
        let scale = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2 / 2.0;
        let points = simpson(bound, fraction, following)
            .map(|(z, weight)| (z, weight * scale * (-0.5 * z * z).exp()))
            .collect();
        Self { fraction, points }
    }
}

/// Simpson points and weights on `[-REACH, bound]`, fine enough for the step to the following look.
fn simpson(bound: f64, fraction: f64, following: f64) -> impl Iterator<Item = (f64, f64)> {
    let kernel = ((following - fraction) / fraction).sqrt();
    let wanted = (0.2 * kernel).clamp(0.01, 0.05);
    let width = (bound + REACH).max(0.0);
    let intervals = 2 * ((width / wanted / 2.0).ceil().max(1.0) as usize);
    let step = width / intervals as f64;
    (0..=intervals).map(move |i| {
        let weight = match i {
            _ if i == 0 || i == intervals => 1.0,
            _ if i % 2 == 1 => 4.0,
            _ => 2.0,
        };
        (-REACH + step * i as f64, weight * step / 3.0)
    })
}

/// Bounds at rising information fractions; nothing if they do not rise within (0, 1] or alpha is not in (0, 1).
pub fn bounds(spending: Spending, alpha: f64, fractions: &[f64]) -> Option<Bounds> {
    let rising = fractions
        .iter()
        .zip(fractions.iter().skip(1))
        .all(|(a, b)| a < b);
    let inside = fractions.iter().all(|t| *t > 0.0 && *t <= 1.0 + 1e-9);
    if !(alpha > 0.0 && alpha < 1.0 && rising && inside) {
        return None;
    }
    let cumulative_alpha: Vec<f64> = fractions
        .iter()
        .map(|t| spending.spent(alpha, *t))
        .collect();
    let mut z = Vec::with_capacity(fractions.len());
    let mut density: Option<Density> = None;
    let mut before = 0.0;
    let following = fractions.iter().skip(1).chain(std::iter::once(&2.0));
    for ((&fraction, &spent), &next) in fractions.iter().zip(&cumulative_alpha).zip(following) {
        let increment = spent - before;
        before = spent;
        let (bound, advanced) = match &density {
            None => {
                let bound = -normal_quantile(increment);
                (bound, Density::first(fraction, bound.min(REACH), next))
            }
            Some(density) => {
                let target = increment.max(f64::MIN_POSITIVE).ln();
                let miss = |b: f64| target - density.above(fraction, b).max(f64::MIN_POSITIVE).ln();
                let bound = find_root(miss, -REACH, 4.0 * REACH, 1e-10);
                (bound, density.advance(fraction, bound.min(REACH), next))
            }
        };
        z.push(bound);
        density = Some(advanced);
    }
    Some(Bounds {
        cumulative_alpha,
        z,
    })
}
