//! The beta function and its incomplete integral: continued fraction (Lentz) behind a saddle-point prefactor (Loader 2000).

use super::gamma::{HALF_LN_TWO_PI, deviance, ln_gamma, stirling_error};
use super::root::{expand, find_root};

/// Both tails of the regularised incomplete beta integral, linear and in logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaTails {
    /// `I_x(a, b)`.
    pub lower: f64,
    /// `1 - I_x(a, b)`.
    pub upper: f64,
    /// Natural logarithm of the lower tail.
    pub ln_lower: f64,
    /// Natural logarithm of the upper tail.
    pub ln_upper: f64,
}

/// Which tail a probability is measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Probability below the point.
    Lower,
    /// Probability above the point.
    Upper,
}

/// Natural logarithm of the beta function, `ln B(a, b)` for positive arguments.
///
/// A large argument goes through Stirling's series, so that `ln Gamma(b) - ln Gamma(a + b)` does not cancel.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large < 10.0 {
        return ln_gamma(small) + ln_gamma(large) - ln_gamma(small + large);
    }
    let total = small + large;
    let errors = stirling_error(large) - stirling_error(total);
    let tail = -(large - 0.5) * (small / large).ln_1p();
    if small < 10.0 {
        return ln_gamma(small) + errors + tail - small * total.ln() + small;
    }
    errors + stirling_error(small) + HALF_LN_TWO_PI - 0.5 * small.ln()
        + tail
        + small * (small / total).ln()
}

/// `ln [x^a y^b / B(a, b)]` with `y = 1 - x`.
fn ln_prefactor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y)
        + 0.5 * (a.ln() + b.ln() - n.ln())
        - HALF_LN_TWO_PI
}

/// The continued fraction of the incomplete beta integral, by the modified Lentz method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for step in 1..200_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let factor = d * c;
        h *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

/// Both tails of the incomplete beta integral at `x`, where `y = 1 - x` is passed beside it to keep its digits.
///
/// Outside the open interval the tails are 0 and 1. The parameters must be positive; otherwise the mass is put at the
/// end that the limit names (`a <= 0`: at zero).
pub fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> BetaTails {
    let all_lower = BetaTails {
        lower: 1.0,
        upper: 0.0,
        ln_lower: 0.0,
        ln_upper: f64::NEG_INFINITY,
    };
    let all_upper = flip(all_lower);
    if a.is_nan() || a <= 0.0 || y <= 0.0 {
        return all_lower;
    }
    if b.is_nan() || b <= 0.0 || x.is_nan() || x <= 0.0 {
        return all_upper;
    }
    let prefactor = ln_prefactor(a, b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        from_lower(prefactor - a.ln() + continued_fraction(a, b, x).ln())
    } else {
        flip(from_lower(
            prefactor - b.ln() + continued_fraction(b, a, y).ln(),
        ))
    }
}

fn from_lower(ln_lower: f64) -> BetaTails {
    let ln_lower = ln_lower.min(0.0);
    let lower = ln_lower.exp();
    let upper = -ln_lower.exp_m1();
    BetaTails {
        lower,
        upper,
        ln_lower,
        ln_upper: if lower < 0.5 {
            (-lower).ln_1p()
        } else {
            upper.ln()
        },
    }
}

fn flip(tails: BetaTails) -> BetaTails {
    BetaTails {
        lower: tails.upper,
        upper: tails.lower,
        ln_lower: tails.ln_upper,
        ln_upper: tails.ln_lower,
    }
}

/// The point of a beta distribution with probability `p` in the named tail; found on the logit scale.
pub fn beta_quantile(tail: Tail, p: f64, a: f64, b: f64) -> f64 {
    let (at_zero, at_one) = match tail {
        Tail::Lower => (0.0, 1.0),
        Tail::Upper => (1.0, 0.0),
    };
    if p.is_nan() || p <= 0.0 {
        return at_zero;
    }
    if p >= 1.0 {
        return at_one;
    }
    let target = p.ln();
    let complement = (-p).ln_1p();
    let miss = |logit: f64| {
        let tails = beta_tails(
            a,
            b,
            1.0 / (1.0 + (-logit).exp()),
            1.0 / (1.0 + logit.exp()),
        );
        match (tail, p <= 0.5) {
            (Tail::Lower, true) => tails.ln_lower - target,
            (Tail::Lower, false) => complement - tails.ln_upper,
            (Tail::Upper, true) => target - tails.ln_upper,
            (Tail::Upper, false) => tails.ln_lower - complement,
        }
    };
    let centre = (a / b).ln().clamp(-600.0, 600.0);
    // the spread of the logit, at most that of very few trials
    let step = 2.0 * (1.0 / a + 1.0 / b).sqrt();
    let (low, high) = expand(miss, centre, step.min(1.0), (-700.0, 700.0));
    let logit = find_root(miss, low, high, 1e-13);
    1.0 / (1.0 + (-logit).exp())
}
