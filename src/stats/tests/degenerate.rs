//! Inputs that make no sense: no panic, no NaN, no evidence.

use crate::stats::beta_binomial::BetaBinomial;
use crate::stats::block_mean::{BlockMean, MeanEstimate, mean_log_e};
use crate::stats::decision::{Decision, Standing, decide};
use crate::stats::dirichlet_multinomial;
use crate::stats::dispersion::{Dispersion, PodSpread};
use crate::stats::exceedance::{choose_edges, exceedance_ratio, share_above};
use crate::stats::histogram::{quantile, quantile_interval, raw_share_above};
use crate::stats::interval::{clopper_pearson, jeffreys, newcombe, order_statistics, wilson};
use crate::stats::mixture::{BinomialBlock, BinomialProcess, Side};
use crate::stats::normal_mixture::{Estimate, log_e_greater, log_e_two_sided, radius};
use crate::stats::paired_gauge::{log_differences, paired_estimate, sign_log_e};
use crate::stats::planning::Plan;
use crate::stats::proportions::{
    fisher_p_greater, miettinen_nurminen_difference, miettinen_nurminen_ratio, pooled_z,
    score_difference, score_ratio,
};
use crate::stats::rank::mann_whitney;
use crate::stats::rate_ratio::{rate_ratio_interval, rate_ratio_test};
use crate::stats::ratio_cs::ratio_confidence_sequence;
use crate::stats::stratified::StratifiedRatio;
use crate::stats::two_arm::{Boundary, Counts, Reference, boundary_ratio, two_arm_block};
use crate::stats::welch::{Summary, log_ratio_from_summaries, welch};

const ODD: [f64; 9] = [
    0.0,
    -1.0,
    1.0,
    0.5,
    3.0,
    1e15,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

#[track_caller]
fn sane(values: &[f64]) {
    assert!(values.iter().all(|v| !v.is_nan()), "{values:?}");
}

/// All pairs and, for four counts, all combinations of odd numbers.
fn fours() -> impl Iterator<Item = Counts> {
    ODD.iter().flat_map(|&x_c| {
        ODD.iter().flat_map(move |&n_c| {
            ODD.iter()
                .flat_map(move |&x_s| ODD.iter().map(move |&n_s| Counts { x_c, n_c, x_s, n_s }))
        })
    })
}

#[test]
fn counts_of_any_kind() {
    for c in fours() {
        let mut stratified = StratifiedRatio::new();
        let mut process = BinomialProcess::new(Side::Greater);
        let mut reference = Reference::default();
        process.open(1.0);
        for _ in 0..3 {
            reference.push(c.x_s, c.n_s);
            let ratio = boundary_ratio(reference.rate(), 0.1, 0.0005);
            if let Some(block) =
                two_arm_block(Side::Greater, reference.rate(), ratio, 0.1, 0.0005, c)
            {
                process.push(block);
            }
            stratified.push(c.x_c, c.n_c, c.x_s, c.n_s);
        }
        let (low, high) = ratio_confidence_sequence(&[c, c], 1.0, 0.05, 1e-4);
        let (from, to) = stratified.confidence_sequence(0.05, 1.0);
        sane(&[
            process.log_e(1.0),
            stratified.log_e(Side::Greater, 1.1, 1.0),
            low,
            high,
            from,
            to,
        ]);
        assert!(low <= high && from <= to, "{c:?}");
    }
}

#[test]
fn fixed_horizon_counts_of_any_kind() {
    for c in fours() {
        let (a, b) = miettinen_nurminen_difference(c, 0.95);
        let (low, high) = miettinen_nurminen_ratio(c, 0.95);
        let (from, to) = rate_ratio_interval(c, 0.95);
        let exact = rate_ratio_test(c, 1.1);
        sane(&[
            a,
            b,
            low,
            high,
            from,
            to,
            exact.p_greater,
            exact.p_less,
            exact.mid_p_greater,
            fisher_p_greater(c),
        ]);
        for test in [pooled_z(c), score_difference(c, 0.01), score_ratio(c, 1.25)]
            .into_iter()
            .flatten()
        {
            sane(&[test.z, test.p_greater]);
        }
        let (low, high) = newcombe(c.x_c, c.n_c, c.x_s, c.n_s, 0.95);
        sane(&[low, high]);
    }
}

#[test]
fn pairs_of_any_kind() {
    for a in ODD {
        for b in ODD {
            for interval in [wilson, clopper_pearson, jeffreys] {
                let (low, high) = interval(a, b, 0.95);
                sane(&[low, high]);
                let (low, high) = interval(3.0, 10.0, a);
                sane(&[low, high]);
            }
            let mut process = BinomialProcess::new(Side::Less);
            process.open(a);
            process.open(b);
            process.push(BinomialBlock {
                x: a,
                m: 10.0,
                pi0: b,
            });
            process.push(BinomialBlock {
                x: 1.0,
                m: a,
                pi0: b,
            });
            sane(&[process.log_e(a), process.log_e(b)]);
            sane(&[
                log_e_greater(a, b, 1.0),
                log_e_two_sided(a, 1.0, b),
                radius(a, b, 0.05),
                radius(1.0, a, b),
            ]);
            let estimate = Estimate {
                value: 0.1,
                se: a,
                df: b,
            };
            let (low, high) = estimate.confidence_sequence(0.05, 1.0);
            sane(&[
                estimate.log_e(Side::Greater, 0.0, 1.0),
                estimate.t(0.0),
                low,
                high,
            ]);
            sane(&[
                boundary_ratio(a.abs(), 0.1, 0.001),
                Boundary::of_ratio(1.1).widened(a, b).ratio,
            ]);
            let mixture = BetaBinomial {
                x: a,
                n: b,
                a: 1.0,
                b: 1.0,
            };
            let (low, high) = mixture.confidence_sequence(0.05);
            sane(&[
                mixture.log_e_two_sided(0.1),
                mixture.log_e_greater(0.1),
                low,
                high,
            ]);
            sane(&[dirichlet_multinomial::log_e(&[a, b], &[0.1, 0.9], 100.0)]);
            let summary = Summary {
                mean: 1.0,
                sd: a,
                n: b,
            };
            for estimate in [
                welch(summary, summary).map(|w| w.estimate),
                log_ratio_from_summaries(summary, summary),
            ] {
                sane(&estimate.map_or([0.0; 2], |e| [e.se, e.df]));
            }
            let mut dispersion = Dispersion::new();
            dispersion.push(&[(a, b), (b, a), (1.0, 5.0)]);
            sane(&[
                dispersion.phi(),
                PodSpread::from_totals([(a, b), (b, a)]).tau(1.0),
            ]);
            let differences = log_differences(&[a, b, 1.0], &[b, 2.0, a]);
            sane(&[sign_log_e(&differences, Side::Less, 0.0)]);
            let _ = paired_estimate(&[a, b]);
            let _ = mann_whitney(&[a, b], &[1.0, a]);
            let (low, high) = order_statistics(&[a, b, 1.0], 0.5, 0.95);
            sane(&[low, high]);
            let plan = Plan {
                stable_rate: a.abs(),
                canary_trials: b,
                stable_trials: 100.0,
                boundary_ratio: 1.1,
                phi: b,
                alpha: 0.01,
                power: 0.8,
            };
            sane(
                &plan
                    .minimum_detectable()
                    .map_or([0.0; 2], |m| [m.mde_ratio, m.se]),
            );
            sane(&[plan.trials_still_needed(2.0).unwrap_or(0.0)]);
        }
    }
}

#[test]
fn histograms_of_any_kind() {
    let le = [0.1, 1.0, f64::INFINITY];
    for a in ODD {
        for b in ODD {
            let cumulative = [a, b, 5.0];
            sane(&[
                share_above(&le, &cumulative, a.abs()),
                exceedance_ratio(&le, &cumulative, 0.1, a),
            ]);
            sane(&[
                quantile(&le, &cumulative, 0.9).unwrap_or(0.0),
                raw_share_above(&le, &cumulative, b).unwrap_or(0.0),
            ]);
            let (low, high) = quantile_interval(&le, &cumulative, 0.5, 0.95);
            sane(&[low, high]);
            let _ = choose_edges(&le, &cumulative, a, b);
        }
    }
    assert_eq!(choose_edges(&[], &[], 0.9, 0.1), None);
    assert_eq!(choose_edges(&[f64::INFINITY], &[5.0], 0.9, 0.1), None);
}

#[test]
fn means_that_cannot_be_compared_give_no_evidence() {
    let mut empty = BlockMean::new();
    empty.push(0.0, 0.0);
    empty.push(f64::NAN, 1.0);
    assert_eq!(empty.estimate(), None);
    let flat = MeanEstimate {
        mean: 0.0,
        var: 0.0,
        se: 0.0,
        count: 5.0,
        blocks: 3,
        filled: 3,
    };
    assert_eq!(mean_log_e(Side::Less, &flat, &flat, -0.05), 0.0);
}

#[test]
fn a_number_that_is_missing_decides_nothing() {
    let missing = Standing {
        alpha: 0.01,
        beta: 0.05,
        max_log_e_fail: f64::NAN,
        log_e_pass: f64::NAN,
        event_blocks: 9,
        min_event_blocks: 3,
        blocks: 99,
        min_blocks: 10,
        canary_trials: 1e6,
        min_canary_trials: 100.0,
        horizon_reached: true,
        mde: f64::NAN,
        design_effect: 2.0,
    };
    assert_eq!(decide(&missing), Decision::Inconclusive);
    assert_eq!(
        decide(&Standing {
            canary_trials: f64::NAN,
            log_e_pass: 9.0,
            ..missing
        }),
        Decision::Inconclusive
    );
}
