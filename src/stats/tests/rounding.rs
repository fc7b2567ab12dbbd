//! Where a plain sum or comparison would lose the digits that matter.

use super::near;
use crate::stats::block_mean::BlockMean;
use crate::stats::dispersion::{Dispersion, PodSpread};
use crate::stats::histogram::quantile_interval;
use crate::stats::interval::order_statistics;
use crate::stats::normal_mixture::{log_e_greater, log_e_less};
use crate::stats::stratified::StratifiedRatio;

#[test]
fn blocks_that_hardly_vary_keep_their_variance() {
    // items of exactly 1e6 each, and one stray unit in the last block: residuals of 1e-9 of the sums
    let mut even = BlockMean::new();
    let mut stray = BlockMean::new();
    for i in 0..10 {
        even.push(3e8 * 1e6, 3e8);
        stray.push(3e8 * 1e6 + if i == 9 { 1e6 } else { 0.0 }, 3e8);
    }
    assert_eq!(even.estimate().unwrap().var, 0.0);
    let (total, stray) = (3e9, stray.estimate().unwrap());
    // nine residuals of -1e5 and one of 9e5
    let expected = 10.0 / 9.0 * (9.0 * 1e10 + 81e10) / (total * total);
    near(stray.var / expected, 1.0, 1e-9);
}

#[test]
fn block_residuals_of_large_counts_do_not_cancel() {
    let mut ratio = StratifiedRatio::new();
    let rows = [(500_001.0, 10_000_007.0), (499_999.0, 9_999_999.0)];
    for (x_c, x_s) in rows {
        ratio.push(x_c, 1e8, x_s, 2e9);
    }
    let found = ratio.estimate().unwrap();
    // with two blocks the residuals are computed without subtracting squares
    let (a, b) = (2e9 / 2.1e9, 1e8 / 2.1e9);
    let residuals = rows.map(|(x_c, x_s)| x_c * a - found.ratio * x_s * b);
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let numerator = 1e6 * a + 0.5 * a;
    near(
        found.var_robust / (2.0 * squares / (numerator * numerator)),
        1.0,
        1e-8,
    );
}

#[test]
fn a_single_block_has_no_spread_beyond_its_dispersion() {
    let pods = [(3.0, 7e3), (29.0, 11e3), (5.0, 13e3), (90.0, 17e3)];
    let mut dispersion = Dispersion::new();
    dispersion.push(&pods);
    assert!(dispersion.phi() > 1.0);
    let spread = PodSpread::from_totals(pods);
    assert_eq!(spread.tau(dispersion.phi()), 0.0);
    assert!(spread.tau(1.0) > 0.1);
}

#[test]
fn a_rank_whose_probability_equals_the_tail_does_not_serve_below() {
    // P(B <= 0) = 0.1 for one value below its 0.9 quantile
    let (lower, upper) = order_statistics(&[2.0], 0.9, 0.8);
    assert!(lower.is_infinite() && upper.is_infinite());
    assert_eq!(order_statistics(&[2.0], 0.9, 0.79).0, 2.0);
    assert_eq!(order_statistics(&[2.0], 0.9, 0.81).0, f64::NEG_INFINITY);
}

#[test]
fn a_limit_that_equals_the_share_excludes_no_edge() {
    // the upper limit of no observation in one is 0.9
    let (lower, upper) = quantile_interval(&[1.0, 2.0, f64::INFINITY], &[0.0, 1.0, 1.0], 0.9, 0.8);
    assert!(lower.is_infinite() && upper.is_infinite());
}

#[test]
fn evidence_far_on_the_other_side_keeps_its_digits() {
    // ln(2 s/sqrt v) + ln(1 / (y sqrt(2 pi))), y = 20951.95, to 1/y^2
    near(
        log_e_greater(-2.0953, 1e-4, 0.01),
        -14.780_998_654_099_912,
        1e-12,
    );
    near(
        log_e_less(2.0953, 1e-4, 0.01),
        -14.780_998_654_099_912,
        1e-12,
    );
    assert!(log_e_greater(1e9, 1e-4, 0.01).is_finite());
}
