//! The binomial distribution for any size, by Loader's saddle-point form and the incomplete beta integral.

use super::beta::beta_tails;
use super::gamma::{HALF_LN_TWO_PI, deviance, stirling_error};

/// Tails of a binomial distribution at `x`, both including `x` itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinomialTails {
    /// `P(X <= x)`.
    pub at_most: f64,
    /// `P(X >= x)`.
    pub at_least: f64,
    /// `ln P(X >= x)`.
    pub ln_at_least: f64,
}

/// Both tails of Binomial(n, p) at `x`.
pub fn binomial_tails(x: f64, n: f64, p: f64) -> BinomialTails {
    let q = 1.0 - p;
    let at_most = if x >= n {
        1.0
    } else if x < 0.0 {
        0.0
    } else {
        beta_tails(x + 1.0, n - x, p, q).upper
    };
    let (at_least, ln_at_least) = if x <= 0.0 {
        (1.0, 0.0)
    } else if x > n {
        (0.0, f64::NEG_INFINITY)
    } else {
        let tails = beta_tails(x, n - x + 1.0, p, q);
        (tails.lower, tails.ln_lower)
    };
    BinomialTails {
        at_most,
        at_least,
        ln_at_least,
    }
}

/// `P(X = x)` for Binomial(n, p) (Loader 2000).
pub fn binomial_pmf(x: f64, n: f64, p: f64) -> f64 {
    ln_binomial_pmf(x, n, p).exp()
}

/// `ln P(X = x)` for Binomial(n, p).
pub(crate) fn ln_binomial_pmf(x: f64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    if x < 0.0 || x > n {
        return f64::NEG_INFINITY;
    }
    if x == 0.0 {
        return if n == 0.0 { 0.0 } else { n * (-p).ln_1p() };
    }
    if x == n {
        return n * p.ln();
    }
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(n - x)
        - deviance(x, n * p)
        - deviance(n - x, n * q)
        + 0.5 * (n.ln() - x.ln() - (n - x).ln())
        - HALF_LN_TWO_PI
}
