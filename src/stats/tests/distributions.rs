//! Tails, quantiles and root finding.

use super::near;
use crate::stats::special::{
    Tail, beta_quantile, beta_tails, binomial_pmf, binomial_tails, find_root, ln_beta, ln_gamma,
    ln_normal_cdf, ln_normal_sf, normal_to_student, student_quantile, student_sf,
    student_to_normal,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn beta_tails_are_symmetric_and_sum_to_one(a in 0.1..500.0, b in 0.1..500.0, x in 0.001..0.999) {
        let here = beta_tails(a, b, x, 1.0 - x);
        let there = beta_tails(b, a, 1.0 - x, x);
        near(here.lower + here.upper, 1.0, 1e-13);
        near(here.ln_lower, there.ln_upper, 1e-11);
        prop_assert!(beta_tails(a, b, x * 0.99, 1.0 - x * 0.99).lower <= here.lower + 1e-15);
    }

    #[test]
    fn beta_quantile_inverts_the_tail(a in 0.2..2000.0, b in 0.2..2e6, ln_p in -40.0..-0.01) {
        let p = f64::exp(ln_p);
        for tail in [Tail::Lower, Tail::Upper] {
            let x = beta_quantile(tail, p, a, b);
            if x > 1e-290 && x < 1.0 - 1e-9 {
                let tails = beta_tails(a, b, x, 1.0 - x);
                let back = if tail == Tail::Lower { tails.ln_lower } else { tails.ln_upper };
                near(back, ln_p, 1e-6);
            }
        }
    }

    #[test]
    fn binomial_tails_overlap_in_one_term(n in 1_u32..3000, share in 0.0..1.0_f64, p in 0.001..0.999) {
        let (n, x) = (f64::from(n), (f64::from(n) * share).floor());
        let tails = binomial_tails(x, n, p);
        near(tails.at_most + tails.at_least, 1.0 + binomial_pmf(x, n, p), 1e-11);
    }

    #[test]
    fn student_map_is_odd_monotone_and_shrinks(t in 0.0..200.0, df in 1.0..500.0) {
        let z = student_to_normal(t, df);
        near(student_to_normal(-t, df), -z, 1e-12);
        prop_assert!(z <= t + 1e-9);
        prop_assert!(student_to_normal(t + 0.1, df) >= z);
        if z < 36.0 {
            near(normal_to_student(z, df), t, 1e-7);
        }
    }

    #[test]
    fn student_quantile_inverts(p in 0.0001..0.9999, df in 0.7..1e5) {
        near(1.0 - student_sf(student_quantile(p, df), df), p, 1e-10);
    }

    #[test]
    fn normal_logs_never_leave_the_line(z in -1e6..1e6) {
        prop_assert!(ln_normal_cdf(z) <= 0.0 && ln_normal_cdf(z).is_finite());
        near(ln_normal_cdf(z), ln_normal_sf(-z), 1e-15);
    }

    #[test]
    fn ln_beta_is_symmetric_and_joins_at_the_switch(a in 0.01..9.99) {
        near(ln_beta(a, 12.0), ln_beta(12.0, a), 1e-14);
        near(ln_beta(a, 12.0), ln_gamma(a) + ln_gamma(12.0) - ln_gamma(a + 12.0), 1e-12);
    }

    #[test]
    fn roots_are_found(root in -50.0..50.0_f64) {
        near(find_root(|x: f64| (x - root).powi(3), -60.0, 70.0, 1e-13), root, 1e-5);
        near(find_root(|x| root.exp() - f64::exp(x), -60.0, 70.0, 1e-13), root, 1e-10);
    }
}

#[test]
fn the_asymptotic_series_joins() {
    near(
        ln_normal_cdf(-29.999_999_999),
        ln_normal_cdf(-30.000_000_001),
        1e-9,
    );
}
