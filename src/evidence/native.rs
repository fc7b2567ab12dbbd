//! Native histograms: buckets with exponential edges, at a resolution (schema) that may change.

use super::{kind::COUNTER_MAX, slot::Edge};
use crate::domain::NativeHistogram;
use std::{collections::BTreeSet, sync::Arc};

/// The counts of one native histogram sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Native {
    /// Edges are `2^(i * 2^-schema)`; `None`: edges of their own.
    pub schema: Option<i32>,
    /// Observations below all edges: zero and negative ones.
    below: f64,
    /// `(lower, upper, count)` by ascending upper edge.
    buckets: Vec<(f64, f64, f64)>,
}

impl Native {
    /// Reads one sample; `None` if a number in it cannot be right.
    pub fn new(sample: NativeHistogram) -> Option<Self> {
        let count_ok = |c: f64| (0.0..=COUNTER_MAX).contains(&c);
        let edges_ok = |lower: f64, upper: f64| lower < upper;
        let mut buckets = sample.buckets;
        if !count_ok(sample.count)
            || !buckets
                .iter()
                .all(|&(lower, upper, count)| edges_ok(lower, upper) && count_ok(count))
        {
            return None;
        }
        let schema = schema_of(&buckets);
        let mut below = 0.0;
        buckets.retain(|&(lower, upper, count)| {
            let lowest = lower == f64::NEG_INFINITY || (lower == 0.0 && schema.is_none());
            let above = lower > 0.0 || (upper > 0.0 && lowest);
            if !above {
                below += count;
            }
            above
        });
        if let Some(schema) = schema {
            for (lower, upper, _) in &mut buckets {
                (*lower, *upper) = coarse(*lower, *upper, schema, schema);
            }
        }
        buckets.sort_by(|a, b| a.1.total_cmp(&b.1));
        Some(Self {
            schema,
            below,
            buckets,
        })
    }

    /// Adds this sample's edges, at the resolution `schema` if that is coarser.
    pub fn edges(&self, schema: Option<i32>, edges: &mut BTreeSet<Edge>) {
        for &(lower, upper, _) in &self.buckets {
            let (lower, upper) = match (self.schema, schema) {
                (Some(own), Some(common)) => coarse(lower, upper, own, common.min(own)),
                _ => (lower, upper),
            };
            edges.extend(
                [lower, upper]
                    .into_iter()
                    .filter(|e| e.is_finite())
                    .map(Edge::new),
            );
        }
    }

    /// Adds `sign` times the observations at or below each of the ascending edges.
    pub fn cumulate(&self, edges: &[Edge], sign: f64, into: &mut [f64]) {
        let mut buckets = self.buckets.iter().peekable();
        let mut total = self.below;
        for (edge, slot) in edges.iter().zip(into) {
            while let Some((_, _, count)) = buckets.next_if(|b| b.1 <= edge.value()) {
                total += count;
            }
            *slot += sign * total;
        }
    }
}

/// The bucket at the resolution `to` that holds the bucket at the resolution `from`.
fn coarse(lower: f64, upper: f64, from: i32, to: i32) -> (f64, f64) {
    if upper.is_infinite() {
        return (lower, upper);
    }
    let index = (libm::log2(upper) * libm::exp2(f64::from(from))).round();
    let wide = (index * libm::exp2(f64::from(to - from))).ceil();
    let edge = |i: f64| libm::exp2(i * libm::exp2(f64::from(-to)));
    (edge(wide - 1.0), edge(wide))
}

/// The schema on whose edges all positive buckets lie.
fn schema_of(buckets: &[(f64, f64, f64)]) -> Option<i32> {
    let mut found = None;
    for &(lower, upper, _) in buckets {
        if upper <= 0.0 || upper.is_infinite() || (lower <= 0.0 && lower.is_finite()) {
            continue;
        }
        let schema = -libm::log2(libm::log2(upper / lower));
        let nearest = schema.round();
        let index = libm::log2(upper) * libm::exp2(nearest);
        let fits = (schema - nearest).abs() < 1e-6
            && (-4.0..=8.0).contains(&nearest)
            && (index - index.round()).abs() < 1e-6;
        if !fits || found.is_some_and(|f| f != nearest as i32) {
            return None;
        }
        found = Some(nearest as i32);
    }
    found
}

/// What the native samples of one series in one block come to. Restarts within the block need no counts: the pod then
/// warms up, and the block goes on without it.
#[derive(Debug, Clone)]
pub(super) struct NativeCell {
    pub first: Arc<Native>,
    pub last: Arc<Native>,
    /// The coarsest schema of the block.
    pub schema: Option<i32>,
}

impl NativeCell {
    pub fn new(sample: Native) -> Self {
        let schema = sample.schema;
        let first = Arc::new(sample);
        Self {
            last: first.clone(),
            first,
            schema,
        }
    }

    pub fn push(&mut self, sample: Native) {
        self.schema = coarser(self.schema, sample.schema);
        self.last = Arc::new(sample);
    }
}

/// The coarser of two schemas.
pub(super) fn coarser(a: Option<i32>, b: Option<i32>) -> Option<i32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
