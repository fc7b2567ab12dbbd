//! Two proportions at a fixed horizon: pooled z, Miettinen-Nurminen score tests and intervals, Fisher's exact test.

use super::interval::two_sided_z;
use super::special::{expand, find_root, ln_binomial_pmf, normal_sf};
use super::two_arm::Counts;

/// A score statistic and its one-sided p value (alternative: canary larger).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreTest {
    /// The z statistic.
    pub z: f64,
    /// Upper tail of z.
    pub p_greater: f64,
}

fn score(difference: f64, variance: f64) -> Option<ScoreTest> {
    let z = difference / variance.sqrt();
    (variance > 0.0 && z.is_finite()).then(|| ScoreTest {
        z,
        p_greater: normal_sf(z),
    })
}

fn sound(c: &Counts) -> bool {
    c.usable() && c.x_c <= c.n_c && c.x_s <= c.n_s
}

fn inflation(c: &Counts) -> f64 {
    let n = c.n_c + c.n_s;
    n / (n - 1.0)
}

/// The pooled z test without continuity correction; nothing where the pooled variance is zero.
pub fn pooled_z(counts: Counts) -> Option<ScoreTest> {
    if !sound(&counts) {
        return None;
    }
    let Counts { x_c, n_c, x_s, n_s } = counts;
    let p = (x_c + x_s) / (n_c + n_s);
    score(
        x_c / n_c - x_s / n_s,
        p * (1.0 - p) * (1.0 / n_c + 1.0 / n_s),
    )
}

/// Stable proportion with the largest likelihood among pairs with `p_c = p_s + delta`.
fn constrained_difference(c: &Counts, delta: f64) -> f64 {
    let low = (-delta).max(0.0);
    let high = (1.0 - delta).min(1.0);
    let part = |x: f64, p: f64| if x > 0.0 { x / p } else { 0.0 };
    // the slope of the log likelihood, falling in p
    let slope = |p: f64| {
        let canary = p + delta;
        part(c.x_c, canary) - part(c.n_c - c.x_c, 1.0 - canary) + part(c.x_s, p)
            - part(c.n_s - c.x_s, 1.0 - p)
    };
    let margin = (high - low) * 1e-15;
    if slope(low + margin) <= 0.0 {
        return low;
    }
    if slope(high - margin) >= 0.0 {
        return high;
    }
    find_root(slope, low + margin, high - margin, 1e-16)
}

/// The score test of `p_c - p_s = delta` with constrained maximum likelihood and the factor N/(N-1)
/// (Miettinen and Nurminen 1985).
pub fn score_difference(counts: Counts, delta: f64) -> Option<ScoreTest> {
    if !sound(&counts) || delta.is_nan() || delta.abs() >= 1.0 {
        return None;
    }
    let Counts { x_c, n_c, x_s, n_s } = counts;
    let stable = constrained_difference(&counts, delta);
    let canary = (stable + delta).clamp(0.0, 1.0);
    let variance =
        (canary * (1.0 - canary) / n_c + stable * (1.0 - stable) / n_s) * inflation(&counts);
    score(x_c / n_c - x_s / n_s - delta, variance)
}

/// The score test of `p_c / p_s = ratio` (Miettinen and Nurminen 1985); nothing without events.
pub fn score_ratio(counts: Counts, ratio: f64) -> Option<ScoreTest> {
    if !sound(&counts) || !ratio.is_finite() || ratio <= 0.0 || counts.x_c + counts.x_s <= 0.0 {
        return None;
    }
    let Counts { x_c, n_c, x_s, n_s } = counts;
    let a = (n_c + n_s) * ratio;
    let b = n_c * ratio + x_c + n_s + x_s * ratio;
    let events = x_c + x_s;
    let stable = (2.0 * events / (b + (b * b - 4.0 * a * events).max(0.0).sqrt())).min(1.0);
    let canary = (ratio * stable).min(1.0);
    let variance = (canary * (1.0 - canary) / n_c + ratio * ratio * stable * (1.0 - stable) / n_s)
        * inflation(&counts);
    score(x_c / n_c - ratio * x_s / n_s, variance)
}

/// Miettinen-Nurminen interval for the difference canary minus stable.
pub fn miettinen_nurminen_difference(counts: Counts, level: f64) -> (f64, f64) {
    if !sound(&counts) {
        return (-1.0, 1.0);
    }
    let z = two_sided_z(level);
    let estimate = counts.x_c / counts.n_c - counts.x_s / counts.n_s;
    let at = |delta: f64| score_difference(counts, delta).map_or(0.0, |s| s.z);
    let edge = 1.0 - 1e-12;
    let share = |x: f64, n: f64| (x + 0.5) / (n + 1.0);
    let variance = |p: f64, n: f64| p * (1.0 - p) / n;
    let step = 2.0
        * (variance(share(counts.x_c, counts.n_c), counts.n_c)
            + variance(share(counts.x_s, counts.n_s), counts.n_s))
        .sqrt();
    let crossing = |z: f64| {
        let rising = |d| z - at(d);
        let (low, high) = expand(rising, estimate, step, (-edge, edge));
        find_root(rising, low, high, 1e-13)
    };
    let lower = if estimate <= -edge { -1.0 } else { crossing(z) };
    let upper = if estimate >= edge { 1.0 } else { crossing(-z) };
    (lower, upper)
}

/// Miettinen-Nurminen interval for the ratio canary over stable: lower limit 0 without canary events, upper limit infinite
/// without stable events.
pub fn miettinen_nurminen_ratio(counts: Counts, level: f64) -> (f64, f64) {
    if !sound(&counts) {
        return (0.0, f64::INFINITY);
    }
    let z = two_sided_z(level);
    let at = |ln_ratio: f64| score_ratio(counts, ln_ratio.exp()).map_or(0.0, |s| s.z);
    let centre = (((counts.x_c + 0.5) / (counts.n_c + 0.5))
        / ((counts.x_s + 0.5) / (counts.n_s + 0.5)))
        .ln();
    let step = 2.0 * (1.0 / (counts.x_c + 0.5) + 1.0 / (counts.x_s + 0.5)).sqrt();
    let crossing = |z: f64| {
        let rising = |l| z - at(l);
        let (low, high) = expand(rising, centre, step, (-80.0, 80.0));
        find_root(rising, low, high, 1e-13).exp()
    };
    let lower = if counts.x_c == 0.0 { 0.0 } else { crossing(z) };
    let upper = if counts.x_s == 0.0 {
        f64::INFINITY
    } else {
        crossing(-z)
    };
    (lower, upper)
}

/// Fisher's exact test, alternative canary larger: the upper tail of the hypergeometric distribution. 1 without trials.
pub fn fisher_p_greater(counts: Counts) -> f64 {
    if !sound(&counts) {
        return 1.0;
    }
    let Counts { x_c, n_c, x_s, n_s } = counts;
    let events = x_c + x_s;
    let total = n_c + n_s;
    let highest = events.min(n_c);
    let lowest = (events - n_s).max(0.0);
    if x_c <= lowest {
        return 1.0;
    }
    let p = events / total;
    let ln_pmf = |k: f64| {
        ln_binomial_pmf(k, n_c, p) + ln_binomial_pmf(events - k, n_s, p)
            - ln_binomial_pmf(events, total, p)
    };
    // next over present probability, and its mirror downwards
    let up = |k: f64| (n_c - k) * (events - k) / ((k + 1.0) * (n_s - events + k + 1.0));
    let down = |k: f64| k * (n_s - events + k) / ((n_c - k + 1.0) * (events - k + 1.0));
    let mean = n_c * p;
    if x_c > mean {
        return (ln_pmf(x_c).exp() * tail_sum(x_c, highest, 1.0, up)).clamp(0.0, 1.0);
    }
    let below = ln_pmf(x_c - 1.0).exp() * tail_sum(x_c - 1.0, lowest, -1.0, down);
    (1.0 - below).clamp(0.0, 1.0)
}

/// Sum of a probability sequence relative to its first term, walked until it no longer changes.
fn tail_sum(from: f64, to: f64, step: f64, factor: impl Fn(f64) -> f64) -> f64 {
    let (mut k, mut term, mut sum) = (from, 1.0, 1.0);
    while (to - k) * step > 0.0 && term > sum * 1e-17 {
        term *= factor(k);
        sum += term;
        k += step;
    }
    sum
}
