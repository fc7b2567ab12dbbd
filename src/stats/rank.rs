//! Wilcoxon-Mann-Whitney test and the Hodges-Lehmann shift, without comparing every pair.

use super::interval::{tail_of, two_sided_z};
use super::special::normal_sf;

/// Largest product of sample sizes for which the exact distribution is counted.
const EXACT_LIMIT: usize = 40_000;

/// The test of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankTest {
    /// Pairs with the canary larger, ties one half.
    pub u_canary: f64,
    /// `u_canary` over the number of pairs.
    pub prob_canary_larger: f64,
    /// p values by the normal approximation with tie correction and continuity correction; nothing if all are tied.
    pub normal: Option<RankP>,
    /// Exact p values, without ties and for moderate sizes.
    pub exact: Option<RankP>,
}

/// p values of the rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankP {
    /// Alternative: different.
    pub two_sided: f64,
    /// Alternative: canary larger.
    pub greater: f64,
    /// Alternative: canary smaller.
    pub less: f64,
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .map(|v| v + 0.0)
        .collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The rank test, in O(n log n); nothing if a sample has no finite value.
pub fn mann_whitney(canary: &[f64], stable: &[f64]) -> Option<RankTest> {
    let (canary, stable) = (sorted(canary), sorted(stable));
    if canary.is_empty() || stable.is_empty() {
        return None;
    }
    let (m, n) = (canary.len() as f64, stable.len() as f64);
    let (mut smaller, mut not_larger, mut u) = (0, 0, 0.0);
    for value in &canary {
        while stable.get(smaller).is_some_and(|s| s < value) {
            smaller += 1;
        }
        while stable.get(not_larger).is_some_and(|s| s <= value) {
            not_larger += 1;
        }
        u += 0.5 * (smaller + not_larger) as f64;
    }
    let ties = tie_sum(&canary, &stable);
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let distance = u - 0.5 * m * n;
    let normal = (variance > 1e-12 * m * n).then(|| {
        let sd = variance.sqrt();
        RankP {
            two_sided: (2.0 * normal_sf((distance.abs() - 0.5) / sd)).min(1.0),
            greater: normal_sf((distance - 0.5) / sd),
            less: normal_sf((-distance - 0.5) / sd),
        }
    });
    let exact = (ties == 0.0)
        .then(|| exact_p(canary.len(), stable.len(), u))
        .flatten();
    Some(RankTest {
        u_canary: u,
        prob_canary_larger: u / (m * n),
        normal,
        exact,
    })
}

/// Sum of `t^3 - t` over groups of equal values in both samples.
fn tie_sum(canary: &[f64], stable: &[f64]) -> f64 {
    let mut all: Vec<f64> = canary.iter().chain(stable).copied().collect();
    all.sort_by(f64::total_cmp);
    all.chunk_by(|a, b| a == b)
        .map(|group| {
            let t = group.len() as f64;
            t * t * t - t
        })
        .sum()
}

/// Probabilities of each value of U without ties, by the recurrence on the generating function (a Gaussian binomial
/// coefficient); nothing where it would take long.
fn exact_distribution(m: usize, n: usize) -> Option<Vec<f64>> {
    if m.checked_mul(n)? > EXACT_LIMIT {
        return None;
    }
    let mut counts = vec![0.0; m * n + 1];
    *counts.first_mut()? = 1.0;
    // multiply by (1 - q^(n+i)) / (1 - q^i), scaled to stay a probability
    for i in 1..=m {
        for k in (n + i..counts.len()).rev() {
            let lower = counts.get(k - n - i).copied()?;
            *counts.get_mut(k)? -= lower;
        }
        for k in i..counts.len() {
            let lower = counts.get(k - i).copied()?;
            *counts.get_mut(k)? += lower;
        }
        let scale = i as f64 / (n + i) as f64;
        for count in &mut counts {
            *count *= scale;
        }
    }
    Some(counts)
}

fn exact_p(m: usize, n: usize, u: f64) -> Option<RankP> {
    let distribution = exact_distribution(m, n)?;
    let at_most = |k: f64| -> f64 { distribution.iter().take(k as usize + 1).sum() };
    let less = at_most(u).clamp(0.0, 1.0);
    let greater = at_most((m * n) as f64 - u).clamp(0.0, 1.0);
    Some(RankP {
        two_sided: (2.0 * less.min(greater)).min(1.0),
        greater,
        less,
    })
}

/// The shift between two samples: all pairwise differences canary minus stable, never written out.
#[derive(Clone, Debug)]
pub struct Shift {
    canary: Vec<f64>,
    stable: Vec<f64>,
}

impl Shift {
    /// From two samples; nothing if one has no finite value.
    pub fn new(canary: &[f64], stable: &[f64]) -> Option<Self> {
        let this = Self {
            canary: sorted(canary),
            stable: sorted(stable),
        };
        (!this.canary.is_empty() && !this.stable.is_empty()).then_some(this)
    }

    fn pairs(&self) -> usize {
        self.canary.len().saturating_mul(self.stable.len())
    }

    /// Pairs with a difference of at most `limit`.
    fn count_at_most(&self, limit: f64) -> usize {
        let mut from = 0;
        let mut count = 0;
        for value in &self.canary {
            while self.stable.get(from).is_some_and(|s| value - s > limit) {
                from += 1;
            }
            count += self.stable.len() - from;
        }
        count
    }

    /// The difference of rank `rank` (from 1) in rising order, by bisection over the ordered bits of a 64-bit number.
    fn ranked(&self, rank: usize) -> f64 {
        let (mut low, mut high) = (ordered_bits(f64::MIN), ordered_bits(f64::MAX));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.count_at_most(from_ordered_bits(middle)) >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        from_ordered_bits(low) + 0.0
    }

    /// The Hodges-Lehmann estimate: the median of all differences.
    pub fn hodges_lehmann(&self) -> f64 {
        let pairs = self.pairs();
        let low = self.ranked(pairs.div_ceil(2));
        if pairs % 2 == 1 {
            return low;
        }
        0.5 * (low + self.ranked(pairs / 2 + 1))
    }

    fn between(&self, rank: usize) -> (f64, f64) {
        (self.ranked(rank), self.ranked(self.pairs() + 1 - rank))
    }

    /// Interval by the normal approximation of the rank: `k = max(1, floor(mn/2 - z sd))`, z to six decimals (1.959964 for
    /// a level of 0.95).
    pub fn order_interval(&self, level: f64) -> (f64, f64) {
        let (m, n) = (self.canary.len() as f64, self.stable.len() as f64);
        let z = (two_sided_z(level) * 1e6).round() / 1e6;
        let rank = (0.5 * m * n - z * (m * n * (m + n + 1.0) / 12.0).sqrt()).floor();
        self.between(rank.max(1.0) as usize)
    }

    /// The 95 % interval by the normal approximation of the rank.
    pub fn interval_95(&self) -> (f64, f64) {
        self.order_interval(0.95)
    }

    /// Exact interval from the distribution of U, for samples without ties and of moderate size.
    pub fn exact_interval(&self, level: f64) -> Option<(f64, f64)> {
        let distribution = exact_distribution(self.canary.len(), self.stable.len())?;
        // a sum that equals the tail but for rounding has reached it
        let tail = tail_of(level) * (1.0 - 1e-12);
        let mut sum = 0.0;
        let reached = distribution.iter().position(|p| {
            sum += p;
            sum >= tail
        })?;
        Some(self.between(reached.max(1)))
    }
}

/// A 64-bit number as an integer in the same order.
fn ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | (1 << 63)
    }
}

fn from_ordered_bits(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 {
        ordered ^ (1 << 63)
    } else {
        !ordered
    })
}
