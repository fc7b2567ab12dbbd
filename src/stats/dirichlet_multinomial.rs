//! The split of traffic against the requested shares: a Dirichlet mixture of multinomial likelihoods
//! (Lindon and Malek 2022), and the fixed-sample chi-square test.

use super::special::{chi_square_sf, ln_beta};

/// Chi-square statistic and upper tail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// p value with one degree of freedom less than there are shares.
    pub p: f64,
}

fn sound(counts: &[f64], shares: &[f64]) -> bool {
    counts.len() == shares.len()
        && counts.len() >= 2
        && counts.iter().all(|c| c.is_finite() && *c >= 0.0)
        && shares.iter().all(|s| s.is_finite() && *s > 0.0)
}

/// Log e-value of counts against fixed shares under a Dirichlet(concentration * shares) mixture; 0 for input that makes no
/// sense.
///
/// Computed as a chain of beta functions, one share against all later ones, so that large counts do not cancel.
pub fn log_e(counts: &[f64], shares: &[f64], concentration: f64) -> f64 {
    if !sound(counts, shares) || !concentration.is_finite() || concentration <= 0.0 {
        return 0.0;
    }
    let mut rest_count: f64 = counts.iter().sum();
    let mut rest_share: f64 = shares.iter().sum();
    let mut sum = 0.0;
    for (count, share) in counts.iter().zip(shares).take(counts.len() - 1) {
        rest_count = (rest_count - count).max(0.0);
        let whole = rest_share;
        rest_share -= share;
        if rest_share <= 0.0 {
            break;
        }
        let (a, b) = (concentration * share, concentration * rest_share);
        sum += ln_beta(a + count, b + rest_count) - ln_beta(a, b);
        sum -= count * (share / whole).ln() + rest_count * (rest_share / whole).ln();
    }
    sum
}

/// The goodness-of-fit test of counts against shares; nothing without counts.
pub fn chi_square(counts: &[f64], shares: &[f64]) -> Option<ChiSquare> {
    let total: f64 = counts.iter().sum();
    if !sound(counts, shares) || total <= 0.0 {
        return None;
    }
    let whole: f64 = shares.iter().sum();
    let statistic = counts
        .iter()
        .zip(shares)
        .map(|(count, share)| {
            let expected = total * share / whole;
            (count - expected) * (count - expected) / expected
        })
        .sum();
    Some(ChiSquare {
        statistic,
        p: chi_square_sf(statistic, counts.len() as f64 - 1.0),
    })
}
