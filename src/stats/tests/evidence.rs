//! Evidence processes: what makes them valid, and their symmetries.

use super::near;
use crate::stats::exceedance::{choose_edges, exceedance_ratio, share_above};
use crate::stats::mixture::{BinomialBlock, BinomialProcess, Side};
use crate::stats::normal_mixture::{
    confidence_sequence, log_e_greater, log_e_less, log_e_two_sided,
};
use crate::stats::planning::Plan;
use crate::stats::ratio_cs::{RatioSums, ratio_confidence_sequence};
use crate::stats::special::{binomial_pmf, ln_add_exp};
use crate::stats::stratified::StratifiedRatio;
use crate::stats::two_arm::{Boundary, Counts, Mode, conditional_share, two_arm_block};
use proptest::prelude::*;
use proptest::sample::select;

fn single(side: Side, blocks: &[BinomialBlock]) -> BinomialProcess {
    let mut process = BinomialProcess::new(side);
    process.open(1.0);
    for block in blocks {
        process.push(*block);
    }
    process
}

/// Blocks of both arms with counts that have something to say.
fn blocks() -> impl Strategy<Value = Vec<Counts>> {
    let block =
        (0_u32..40, 50_u32..500, 0_u32..80, 50_u32..5000).prop_map(|(x_c, n_c, x_s, n_s)| Counts {
            x_c: f64::from(x_c.min(n_c)),
            n_c: f64::from(n_c),
            x_s: f64::from(x_s.min(n_s)),
            n_s: f64::from(n_s),
        });
    prop::collection::vec(block, 2..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No evidence speaks against the most likely ratio, so it lies between the limits, at any dispersion.
    #[test]
    fn the_most_likely_ratio_lies_between_the_limits(blocks in blocks(), phi in 1.0..9.0) {
        let mut sums = RatioSums::default();
        for block in &blocks {
            sums.push(block);
        }
        let [canary, all] = [|b: &Counts| b.x_c, |b: &Counts| b.x_c + b.x_s].map(|of| blocks.iter().map(of).sum::<f64>());
        if canary > 0.0 && canary < all {
            let ratio = sums.estimate(&blocks).unwrap();
            let expected = blocks.iter().map(|b| (b.x_c + b.x_s) * conditional_share(ratio, b.n_c, b.n_s));
            near(expected.sum(), canary, 1e-6);
            let (lower, upper) = sums.limits(&blocks, phi, 0.05, 1e-8);
            prop_assert!(lower <= ratio && ratio <= upper, "{lower} {ratio} {upper}");
        }
    }

    /// The heart of validity: the expected evidence of a block is 1 at the boundary and not above 1 on the null side.
    #[test]
    fn expected_evidence_is_one_at_the_boundary(
        m in 1_u32..60, pi0 in 0.01..0.9, share in 0.0..1.0, side in select(vec![Side::Greater, Side::Less]),
    ) {
        let m = f64::from(m);
        let expected = |truth: f64| -> f64 {
            (0..=m as u32)
                .map(|x| {
                    let x = f64::from(x);
                    binomial_pmf(x, m, truth) * single(side, &[BinomialBlock { x, m, pi0 }]).log_e(1.0).exp()
                })
                .sum()
        };
        near(expected(pi0), 1.0, 1e-9);
        let healthy = match side {
            Side::Greater => pi0 * share,
            Side::Less => pi0 + (1.0 - pi0) * share,
        };
        prop_assert!(expected(healthy) <= 1.0 + 1e-9);
    }

    #[test]
    fn more_events_are_more_evidence_of_more(x in 0.0..100.0, m in 100.0..300.0, pi0 in 0.05..0.6, phi in 1.0..9.0) {
        let log_e = |side, x| single(side, &[BinomialBlock { x, m, pi0 }]).log_e(phi);
        prop_assert!(log_e(Side::Greater, x + 1.0) >= log_e(Side::Greater, x));
        prop_assert!(log_e(Side::Less, x + 1.0) <= log_e(Side::Less, x));
    }

    #[test]
    fn a_start_does_not_see_the_past(x in 0.0..50.0, later in 0.0..50.0) {
        let block = |x| BinomialBlock { x, m: 50.0, pi0: 0.3 };
        let mut process = BinomialProcess::new(Side::Greater);
        process.open(0.5);
        process.push(block(x));
        process.open(0.5);
        process.push(block(later));
        let whole = single(Side::Greater, &[block(x), block(later)]).log_e(1.0);
        let late = single(Side::Greater, &[block(later)]).log_e(1.0);
        near(process.log_e(1.0), ln_add_exp(whole, late) - std::f64::consts::LN_2, 1e-11);
    }

    #[test]
    fn unopened_weight_is_kept(x in 0.0..20.0) {
        let mut process = BinomialProcess::new(Side::Greater);
        process.open(0.25);
        process.push(BinomialBlock { x, m: 1000.0, pi0: 0.9 });
        prop_assert!(process.log_e(1.0) >= 0.75_f64.ln());
    }

    #[test]
    fn confidence_sequence_mirrors_when_the_arms_are_swapped(blocks in blocks(), phi in 1.0..4.0) {
        let swapped: Vec<Counts> = blocks
            .iter()
            .map(|b| Counts { x_c: b.x_s, n_c: b.n_s, x_s: b.x_c, n_s: b.n_c })
            .collect();
        let (lower, upper) = ratio_confidence_sequence(&blocks, phi, 0.05, 1e-10);
        let (low, high) = ratio_confidence_sequence(&swapped, phi, 0.05, 1e-10);
        prop_assert!(lower <= upper);
        if low > 0.0 { near(1.0 / low, upper, 1e-7) } else { prop_assert!(upper.is_infinite()) }
        if lower > 0.0 { near(1.0 / lower, high, 1e-7) } else { prop_assert!(high.is_infinite()) }
        let (rough, _) = ratio_confidence_sequence(&blocks, phi, 0.05, 1e-4);
        near(rough, lower, 1e-3);
    }

    #[test]
    fn confidence_limit_is_where_the_process_crosses(blocks in blocks(), phi in 1.0..4.0) {
        let (lower, _) = ratio_confidence_sequence(&blocks, phi, 0.05, 1e-10);
        if lower > 0.0 {
            let at: Vec<BinomialBlock> = blocks
                .iter()
                .map(|b| BinomialBlock { x: b.x_c, m: b.x_c + b.x_s, pi0: conditional_share(lower, b.n_c, b.n_s) })
                .collect();
            near(single(Side::Greater, &at).log_e(phi), 40_f64.ln(), 1e-6);
        }
    }

    #[test]
    fn two_sided_evidence_is_the_average_of_both_sides(d in -5.0..5.0, se in 0.01..3.0, tau in 0.05..2.0) {
        let average = ln_add_exp(log_e_greater(d, se, tau), log_e_less(d, se, tau)) - std::f64::consts::LN_2;
        near(log_e_two_sided(d, se, tau), average, 1e-9);
        let (_, high) = confidence_sequence(0.0, se, tau, 0.01);
        near(log_e_two_sided(high, se, tau), 100_f64.ln(), 1e-9);
    }

    #[test]
    fn stratified_ratio_inverts_when_the_arms_are_swapped(blocks in blocks()) {
        let (mut here, mut there) = (StratifiedRatio::new(), StratifiedRatio::new());
        for b in &blocks {
            here.push(b.x_c, b.n_c, b.x_s, b.n_s);
            there.push(b.x_s, b.n_s, b.x_c, b.n_c);
        }
        let (a, b) = (here.estimate().unwrap(), there.estimate().unwrap());
        near(a.log_ratio, -b.log_ratio, 1e-10);
        near(a.se, b.se, 1e-6);
        near(here.log_e(Side::Greater, 1.1, 1.0), there.log_e(Side::Less, 1.0 / 1.1, 1.0), 1e-6);
        let (lower, upper) = here.confidence_sequence(0.05, 1.0);
        prop_assert!(lower <= a.ratio && a.ratio <= upper);
        if lower > 1e-6 {
            near(a.on_log_scale().z(lower.ln()) * a.se, crate::stats::normal_mixture::radius(a.se, 1.0, 0.05), 1e-6);
        }
    }

    #[test]
    fn shares_fall_and_margins_widen(counts in prop::collection::vec(0_u32..500, 6), y in 0.001..12.0, margin in 0.0..1.0) {
        let le = [0.1, 0.25, 0.5, 1.0, 10.0, f64::INFINITY];
        let cumulative: Vec<f64> = counts.iter().scan(0.0, |sum, c| { *sum += f64::from(*c); Some(*sum) }).collect();
        prop_assert!(share_above(&le, &cumulative, y * 1.1) <= share_above(&le, &cumulative, y) + 1e-12);
        for edge in &le[..5] {
            let up = exceedance_ratio(&le, &cumulative, *edge, margin);
            prop_assert!(up >= 1.0 && up <= exceedance_ratio(&le, &cumulative, *edge, margin + 0.1) + 1e-12);
            prop_assert!((0.0..=1.0).contains(&exceedance_ratio(&le, &cumulative, *edge, -margin)));
        }
        if let Some(edges) = choose_edges(&le, &cumulative, 0.95, margin) {
            prop_assert!(edges.edge1 <= edges.edge2);
            prop_assert!(edges.edge1 <= edges.quantile * (1.0 + margin) || edges.edge1 == 0.1);
        }
    }

    #[test]
    fn planning_goes_both_ways(rate in 1e-4..0.2, trials in 1e3..1e6, ratio in 1.3..8.0, phi in 1.0..9.0) {
        let plan = Plan {
            stable_rate: rate, canary_trials: trials, stable_trials: 19.0 * trials,
            boundary_ratio: 1.15, phi, alpha: 0.0025, power: 0.9,
        };
        let needed = plan.needed_information(ratio).unwrap();
        let factor = needed / plan.information();
        let enough = Plan { canary_trials: trials * factor, stable_trials: 19.0 * trials * factor, ..plan };
        near(enough.minimum_detectable().unwrap().mde_ratio, ratio, 1e-6);
        prop_assert!(enough.trials_still_needed(ratio).unwrap() <= 1e-3 * enough.canary_trials);
    }
}

#[test]
fn the_mode_switches_at_three() {
    for (rate, absolute, mode) in [
        (0.01, 0.0005, Mode::Conditional),
        (0.0001, 0.0005, Mode::OneSample),
    ] {
        assert_eq!(Boundary::new(rate, 0.1, absolute).mode, mode);
    }
    let counts = Counts {
        x_c: 3.0,
        n_c: 100.0,
        x_s: 0.0,
        n_s: 1900.0,
    };
    let plain = two_arm_block(Side::Greater, 1e-4, 6.1, 0.1, 5e-4, counts).unwrap();
    near(plain.pi0, 1e-4 * 1.1 + 5e-4, 1e-12);
    let widened = two_arm_block(Side::Greater, 1e-4, 12.2, 0.1, 5e-4, counts).unwrap();
    near(widened.pi0, 2.0 * plain.pi0, 1e-12);
    near(
        Boundary::of_ratio(1.15).widened(0.2, 1.0).ratio,
        0.4_f64.exp(),
        1e-12,
    );
    near(
        Boundary::of_ratio(0.9).widened(0.2, 4.0).ratio,
        (-0.2_f64).exp(),
        1e-12,
    );
}
