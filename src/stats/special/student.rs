//! Student's t distribution, and the map between t and the normal scale that keeps the tail probability.

use super::beta::{Tail, beta_tails};
use super::normal::{normal_quantile, normal_sf};
use super::root::{expand, find_root};

/// Largest normal score that the maps return: beyond it the tail leaves the range of a 64-bit number.
pub const Z_LIMIT: f64 = 37.0;

/// Tail beyond |t| as (probability, logarithm); no or negative degrees of freedom count as a very heavy tail (1/2).
fn tail_beyond(t: f64, df: f64) -> (f64, f64) {
    let half = (0.5, -std::f64::consts::LN_2);
    if t.is_nan() || df.is_nan() || df <= 0.0 || t == 0.0 {
        return half;
    }
    if t.is_infinite() {
        return (0.0, f64::NEG_INFINITY);
    }
    if df > 1e12 {
        return (normal_sf(t.abs()), super::normal::ln_normal_sf(t.abs()));
    }
    let square = t * t;
    let sum = df + square;
    let tails = beta_tails(0.5 * df, 0.5, df / sum, square / sum);
    (0.5 * tails.lower, tails.ln_lower - std::f64::consts::LN_2)
}

/// Upper tail `P(T > t)`, through the incomplete beta integral.
pub fn student_sf(t: f64, df: f64) -> f64 {
    let (tail, _) = tail_beyond(t, df);
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// `ln P(T > t)`.
pub fn student_ln_sf(t: f64, df: f64) -> f64 {
    let (tail, ln_tail) = tail_beyond(t, df);
    if t < 0.0 { (-tail).ln_1p() } else { ln_tail }
}

/// The normal score with the same upper tail as `t`: `P(N > z) = P(T > t)`, within +-[`Z_LIMIT`].
pub fn student_to_normal(t: f64, df: f64) -> f64 {
    let (tail, _) = tail_beyond(t, df);
    let size = (-normal_quantile(tail)).clamp(0.0, Z_LIMIT);
    if t < 0.0 { -size } else { size }
}

/// The inverse of [`student_to_normal`]: the t value with the same upper tail as `z`.
pub fn normal_to_student(z: f64, df: f64) -> f64 {
    if z.is_nan() || z == 0.0 || df.is_nan() || df <= 0.0 {
        return 0.0;
    }
    let size = upper_point(super::normal::ln_normal_sf(z.abs().min(Z_LIMIT)), df);
    if z < 0.0 { -size } else { size }
}

/// The point with lower tail `p`, by bracketed search on the log tail.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    match if p < 0.5 { Tail::Lower } else { Tail::Upper } {
        Tail::Lower => -upper_point(p.ln(), df),
        Tail::Upper => upper_point((-p).ln_1p(), df),
    }
}

/// The non-negative t whose upper tail has the logarithm `target` (at most ln 1/2), searched on the scale of ln t.
fn upper_point(target: f64, df: f64) -> f64 {
    if target >= -std::f64::consts::LN_2 {
        return 0.0;
    }
    let miss = |ln_t: f64| target - tail_beyond(ln_t.exp(), df).1;
    let (low, high) = expand(miss, 0.0, 0.5, (-80.0, 700.0));
    find_root(miss, low, high, 1e-14).exp()
}
