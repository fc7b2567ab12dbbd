//! Several metrics at once: adjusted p values and the same for e-values on the log scale.

use super::special::log_sum_exp;

/// Positions in rising order of the values.
fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order.into_iter().map(|(i, _)| i).collect()
}

/// Adjusts in the given order: `factor(rank)` times the value, made monotone by a running maximum (`rising`) or minimum.
fn adjust(p: &[f64], order: &[usize], rising: bool, factor: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut running: f64 = if rising { 0.0 } else { 1.0 };
    for (rank, &i) in order.iter().enumerate() {
        let (Some(value), Some(slot)) = (p.get(i), adjusted.get_mut(i)) else {
            continue;
        };
        let raw = (factor(rank) * value).min(1.0);
        running = if rising {
            running.max(raw)
        } else {
            running.min(raw)
        };
        *slot = running;
    }
    adjusted
}

/// Bonferroni: each p value times their number.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    p.iter().map(|v| (v * p.len() as f64).min(1.0)).collect()
}

/// Holm's step-down adjustment (Holm 1979).
pub fn holm(p: &[f64]) -> Vec<f64> {
    adjust(p, &ascending(p), true, |rank| (p.len() - rank) as f64)
}

/// The step-up adjustment of Benjamini and Hochberg (1995).
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, 1.0)
}

/// The step-up adjustment of Benjamini and Yekutieli (2001), valid under any dependence.
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    step_up(p, (1..=p.len()).map(|k| 1.0 / k as f64).sum())
}

fn step_up(p: &[f64], penalty: f64) -> Vec<f64> {
    let mut order = ascending(p);
    order.reverse();
    adjust(p, &order, false, |rank| {
        penalty * p.len() as f64 / (p.len() - rank) as f64
    })
}

/// The anytime-valid p value of a log e-value: `min(1, 1/E)`.
pub fn anytime_p(log_e: f64) -> f64 {
    (-log_e).exp().min(1.0)
}

/// Holm's adjustment on anytime-valid p values.
pub fn holm_on_e(log_e: &[f64]) -> Vec<f64> {
    holm(&log_e.iter().map(|l| anytime_p(*l)).collect::<Vec<_>>())
}

/// Logarithm of the weighted average of e-values: a test of "no metric is harmed at all".
pub fn log_weighted_average(log_e: &[f64], weights: &[f64]) -> f64 {
    log_sum_exp(
        log_e
            .iter()
            .zip(weights)
            .filter(|(_, w)| **w > 0.0)
            .map(|(l, w)| l + w.ln()),
    )
}

/// Weighted Bonferroni: which metrics have `E_j >= 1 / (w_j alpha)`.
pub fn weighted_bonferroni(log_e: &[f64], weights: &[f64], alpha: f64) -> Vec<bool> {
    log_e
        .iter()
        .zip(weights)
        .map(|(l, w)| *l >= (1.0 / (w * alpha)).ln())
        .collect()
}

/// e-BH: rejects the k largest, `k = max{k : E_(k) >= n / (k alpha)}` (Wang and Ramdas 2022).
pub fn e_benjamini_hochberg(log_e: &[f64], alpha: f64) -> Vec<bool> {
    let n = log_e.len() as f64;
    let mut order = ascending(log_e);
    order.reverse();
    let passes = |(rank, i): (usize, &usize)| {
        log_e
            .get(*i)
            .is_some_and(|l| *l >= (n / ((rank + 1) as f64 * alpha)).ln())
    };
    let rejected = order
        .iter()
        .enumerate()
        .rposition(passes)
        .map_or(0, |last| last + 1);
    let mut decisions = vec![false; log_e.len()];
    for &i in order.iter().take(rejected) {
        if let Some(slot) = decisions.get_mut(i) {
            *slot = true;
        }
    }
    decisions
}
