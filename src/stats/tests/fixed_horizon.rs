//! Fixed-horizon tests, intervals and the numbers they start from.

use super::near;
use crate::stats::block_mean::BlockMean;
use crate::stats::counter::increase;
use crate::stats::dispersion::Dispersion;
use crate::stats::group_sequential::{Spending, bounds};
use crate::stats::histogram::{at_edges, from_ranges, quantile, total};
use crate::stats::interval::{clopper_pearson, jeffreys, newcombe, wilson};
use crate::stats::multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
use crate::stats::proportions::{
    fisher_p_greater, miettinen_nurminen_difference, miettinen_nurminen_ratio,
};
use crate::stats::rank::{Shift, mann_whitney};
use crate::stats::rate_ratio::{rate_ratio_interval, rate_ratio_test};
use crate::stats::two_arm::Counts;
use proptest::prelude::*;

fn counts() -> impl Strategy<Value = Counts> {
    (1_u32..400, 1_u32..4000, 0.0..1.0_f64, 0.0..1.0_f64).prop_map(|(n_c, n_s, p_c, p_s)| Counts {
        x_c: (f64::from(n_c) * p_c).round(),
        n_c: f64::from(n_c),
        x_s: (f64::from(n_s) * p_s).round(),
        n_s: f64::from(n_s),
    })
}

fn swapped(c: Counts) -> Counts {
    Counts {
        x_c: c.x_s,
        n_c: c.n_s,
        x_s: c.x_c,
        n_s: c.n_c,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn intervals_hold_the_estimate_and_mirror(c in counts(), level in 0.5..0.999) {
        let p = c.x_c / c.n_c;
        for interval in [wilson, clopper_pearson, jeffreys] {
            let (low, high) = interval(c.x_c, c.n_c, level);
            let (mirrored, _) = interval(c.n_c - c.x_c, c.n_c, level);
            prop_assert!(0.0 <= low && low <= high && high <= 1.0);
            near(1.0 - mirrored, high, 1e-9);
        }
        let (low, high) = clopper_pearson(c.x_c, c.n_c, level);
        prop_assert!(low <= p && p <= high);
    }

    #[test]
    fn differences_and_ratios_mirror(c in counts()) {
        let d = c.x_c / c.n_c - c.x_s / c.n_s;
        for (here, there) in [
            (newcombe(c.x_c, c.n_c, c.x_s, c.n_s, 0.95), newcombe(c.x_s, c.n_s, c.x_c, c.n_c, 0.95)),
            (miettinen_nurminen_difference(c, 0.95), miettinen_nurminen_difference(swapped(c), 0.95)),
        ] {
            prop_assert!(here.0 <= d + 1e-9 && d <= here.1 + 1e-9);
            near(here.0, -there.1, 1e-7);
        }
        let (low, high) = miettinen_nurminen_ratio(c, 0.95);
        let (_, other) = miettinen_nurminen_ratio(swapped(c), 0.95);
        prop_assert!(low <= high);
        if low > 0.0 { near(1.0 / low, other, 1e-6) }
    }

    #[test]
    fn fisher_sums_the_hypergeometric_tail(n_c in 1_u32..25, n_s in 1_u32..25, x_c in 0_u32..25, x_s in 0_u32..25) {
        let (x_c, x_s) = (x_c.min(n_c), x_s.min(n_s));
        let choose = |n: u32, k: u32| -> f64 { (0..k).map(|i| f64::from(n - i) / f64::from(k - i)).product() };
        let events = x_c + x_s;
        let tail: f64 = (x_c..=events.min(n_c))
            .filter(|k| events - k <= n_s)
            .map(|k| choose(n_c, k) * choose(n_s, events - k))
            .sum();
        let c = Counts { x_c: x_c.into(), n_c: n_c.into(), x_s: x_s.into(), n_s: n_s.into() };
        near(fisher_p_greater(c), tail / choose(n_c + n_s, events), 1e-9);
    }

    #[test]
    fn conditional_test_agrees_with_its_interval(c in counts()) {
        let (low, high) = rate_ratio_interval(c, 0.95);
        if low > 0.0 { near(rate_ratio_test(c, low).p_greater, 0.025, 1e-6) }
        if high.is_finite() && high > 0.0 { near(rate_ratio_test(c, high).p_less, 0.025, 1e-6) }
    }

    #[test]
    fn ranks_agree_with_counting_pairs(
        canary in prop::collection::vec(0_i32..12, 1..12), stable in prop::collection::vec(0_i32..12, 1..12), step in 1_i32..9,
    ) {
        let floats = |v: &[i32], by: i32| -> Vec<f64> { v.iter().map(|x| f64::from(x + by)).collect() };
        let (c, s) = (floats(&canary, 0), floats(&stable, 0));
        let mut pairs: Vec<f64> = c.iter().flat_map(|a| s.iter().map(move |b| a - b)).collect();
        pairs.sort_by(f64::total_cmp);
        let u: f64 = pairs.iter().map(|d| if *d > 0.0 { 1.0 } else if *d == 0.0 { 0.5 } else { 0.0 }).sum();
        let test = mann_whitney(&c, &s).unwrap();
        near(test.u_canary, u, 1e-12);
        near(test.prob_canary_larger + mann_whitney(&s, &c).unwrap().prob_canary_larger, 1.0, 1e-12);
        let middle = 0.5 * (pairs[(pairs.len() - 1) / 2] + pairs[pairs.len() / 2]);
        let shift = Shift::new(&c, &s).unwrap().hodges_lehmann();
        near(shift, middle, 1e-12);
        near(Shift::new(&floats(&canary, step), &s).unwrap().hodges_lehmann(), shift + f64::from(step), 1e-12);
    }

    #[test]
    fn adjustments_are_ordered(p in prop::collection::vec(0.0..1.0, 1..9)) {
        let (plain, stepped) = (bonferroni(&p), holm(&p));
        let (independent, any) = (benjamini_hochberg(&p), benjamini_yekutieli(&p));
        for i in 0..p.len() {
            prop_assert!(p[i] <= stepped[i] && stepped[i] <= plain[i] + 1e-15);
            prop_assert!(p[i] <= independent[i] + 1e-15 && independent[i] <= stepped[i] + 1e-15 && independent[i] <= any[i] + 1e-15);
        }
    }

    #[test]
    fn quantiles_rise_with_the_level(counts in prop::collection::vec(0_u32..50, 5), q in 0.0..0.99) {
        let le = [0.1, 0.25, 0.5, 1.0, f64::INFINITY];
        let cumulative: Vec<f64> = counts.iter().scan(0.0, |sum, c| { *sum += f64::from(*c); Some(*sum) }).collect();
        if let (Some(low), Some(high)) = (quantile(&le, &cumulative, q), quantile(&le, &cumulative, q + 0.01)) {
            prop_assert!(low <= high);
        }
        near(*at_edges(&le, &cumulative, &[0.7, 5.0]).first().unwrap(), cumulative[2], 0.0);
    }

    #[test]
    fn ranges_keep_their_total(counts in prop::collection::vec(0_u32..50, 1..9)) {
        let ranges: Vec<(f64, f64, f64)> =
            counts.iter().enumerate().map(|(i, c)| (i as f64, i as f64 + 1.0, f64::from(*c))).rev().collect();
        let (le, cumulative) = from_ranges(&ranges);
        prop_assert_eq!(le.len(), counts.len() + 1);
        near(total(&cumulative), counts.iter().copied().map(f64::from).sum(), 0.0);
    }

    #[test]
    fn increases_add_up(values in prop::collection::vec(0_u32..100, 4..30), cut in 0.2..0.8_f64) {
        let samples: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (15.0 * i as f64, f64::from(*v))).collect();
        let end = samples.last().unwrap().0;
        let middle = (end * cut / 15.0).ceil() * 15.0;
        let part = |from, to| increase(&samples, from, to, 300.0).map_or(0.0, |i| i.exact);
        prop_assert!(part(0.0, end) >= 0.0);
        near(part(0.0, middle) + part(middle, end), part(0.0, end), 1e-12);
    }

    #[test]
    fn dispersion_ignores_the_order_of_pods(x in prop::collection::vec(0_u32..30, 4), n in prop::collection::vec(100_u32..300, 4)) {
        let pods: Vec<(f64, f64)> = x.iter().zip(&n).map(|(x, n)| (f64::from(*x), f64::from(*n))).collect();
        let turned: Vec<(f64, f64)> = pods.iter().copied().rev().collect();
        let (mut here, mut there) = (Dispersion::new(), Dispersion::new());
        here.push(&pods);
        there.push(&turned);
        near(here.phi(), there.phi(), 1e-12);
        prop_assert!(here.phi() >= 1.0);
    }

    #[test]
    fn block_mean_scales(sums in prop::collection::vec((1.0..100.0, 1.0..20.0), 3..20), factor in 0.1..50.0) {
        let (mut here, mut there) = (BlockMean::new(), BlockMean::new());
        for (sum, count) in sums {
            here.push(sum, count);
            there.push(factor * sum, count);
        }
        let (a, b) = (here.estimate().unwrap(), there.estimate().unwrap());
        near(b.mean, factor * a.mean, 1e-12);
        near(b.se, factor * a.se, 1e-6);
    }
}

#[test]
fn group_sequential_bounds_fall_with_obrien_fleming() {
    let plan = bounds(Spending::OBrienFleming, 0.025, &[0.25, 0.5, 0.75, 1.0]).unwrap();
    assert!(plan.z.windows(2).all(|pair| pair[1] < pair[0]));
    assert!(bounds(Spending::Pocock, 0.025, &[0.5, 0.5]).is_none());
}
