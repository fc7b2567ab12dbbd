//! The gamma function and its error terms (Loader 2000, "Fast and accurate computation of binomial probabilities").

/// Half the logarithm of two pi.
pub(crate) const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Natural logarithm of the gamma function for a positive argument (`libm`).
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Upper tail of the chi-square distribution: `P(X > x)` with `df` degrees of freedom (`statrs`, regularised gamma).
///
/// A negative `x` has upper tail 1; no degrees of freedom means a point at zero, hence 0 above it.
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    if df.is_nan() || df <= 0.0 || x.is_infinite() {
        return 0.0;
    }
    statrs::function::gamma::checked_gamma_ur(df / 2.0, x / 2.0).map_or(0.0, |p| p.clamp(0.0, 1.0))
}

/// Error of Stirling's formula: `ln x! - [(x + 1/2) ln x - x + ln sqrt(2 pi)]` (Loader 2000).
pub(crate) fn stirling_error(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x <= 15.0 {
        return libm::lgamma(x + 1.0) - (x + 0.5) * x.ln() + x - HALF_LN_TWO_PI;
    }
    let y = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / y) / y) / y) / y)
        / x
}

/// The deviance term `x ln(x / np) + np - x` without cancellation near `x = np` (Loader 2000).
pub(crate) fn deviance(x: f64, np: f64) -> f64 {
    if x <= 0.0 {
        return np;
    }
    let difference = x - np;
    if difference.abs() >= 0.1 * (x + np) {
        return x * (x / np).ln() - difference;
    }
    let v = difference / (x + np);
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    let square = v * v;
    let mut odd = 3.0;
    loop {
        term *= square;
        let next = sum + term / odd;
        if next == sum || odd > 4001.0 {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}
