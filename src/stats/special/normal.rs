//! The standard normal distribution, with logs that stay finite far out.

use super::gamma::HALF_LN_TWO_PI;
use statrs::distribution::{ContinuousCDF, Normal};

/// Lower tail `P(N <= z)` by the complementary error function (`libm`).
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Upper tail `P(N > z)`.
pub fn normal_sf(z: f64) -> f64 {
    normal_cdf(-z)
}

/// Below this the logarithm of the lower tail comes from the asymptotic series.
const FAR: f64 = -30.0;

/// `ln P(N <= z)`; below -30 by the asymptotic series of Mills' ratio.
pub fn ln_normal_cdf(z: f64) -> f64 {
    if z > 0.0 {
        return (-normal_sf(z)).ln_1p();
    }
    if z > FAR {
        return normal_cdf(z).ln();
    }
    if z == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    ln_mills(z) - 0.5 * z * z
}

/// `ln P(N <= z) + z^2 / 2`, without subtracting the squares from each other far below zero.
pub fn ln_scaled_normal_cdf(z: f64) -> f64 {
    if z > FAR {
        ln_normal_cdf(z) + 0.5 * z * z
    } else {
        ln_mills(z)
    }
}

/// `ln P(N <= z) + z^2 / 2` for z far below zero.
fn ln_mills(z: f64) -> f64 {
    let y = 1.0 / (z * z);
    let series = 1.0
        - y * (1.0
            - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y * (1.0 - 9.0 * y * (1.0 - 11.0 * y)))));
    series.ln() - (-z).ln() - HALF_LN_TWO_PI
}

/// `ln P(N > z)`.
pub fn ln_normal_sf(z: f64) -> f64 {
    ln_normal_cdf(-z)
}

/// The point with lower tail `p` (`statrs`); minus or plus infinity at and beyond the ends.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    Normal::standard().inverse_cdf(p)
}
