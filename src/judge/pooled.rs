//! Histograms added up over time and pods, whatever edges each block came with.

use crate::{
    evidence::{Histograms, PodHistogram},
    stats::histogram,
};

/// A share of the observations that differs from another by less is equal to it.
const ROUNDING: f64 = 1e-12;

/// Where a quantile lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Here, interpolated between edges.
    At(f64),
    /// Somewhere above the largest finite edge, which is this: how far nobody can see.
    Above(f64),
}

impl Place {
    /// The value, where there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::At(value) => Some(value),
            Self::Above(_) => None,
        }
    }

    /// The edge that it is above of, where there is no value.
    pub fn above(self) -> Option<f64> {
        match self {
            Self::At(_) => None,
            Self::Above(edge) => Some(edge),
        }
    }
}

/// Cumulative counts over ascending edges, the last edge infinite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pooled {
    /// Ascending upper edges.
    pub edges: Vec<f64>,
    /// Observations at or below each edge.
    pub cumulative: Vec<f64>,
}

impl Pooled {
    /// Adds the pods of one block.
    pub fn add(&mut self, block: &Histograms, pods: &[PodHistogram]) {
        if pods.is_empty() {
            return;
        }
        if self.edges.is_empty() {
            self.edges.clone_from(&block.edges);
            self.cumulative = vec![0.0; block.edges.len()];
        } else if self.edges != block.edges {
            self.align(&block.edges, block.sparse);
        }
        for (edge, slot) in self.edges.iter().zip(&mut self.cumulative) {
            for pod in pods {
                *slot += at_or_below(&block.edges, &pod.cumulative, *edge);
            }
        }
    }

    /// Sparse buckets leave empty ones out, so edges unite; fixed buckets that differ keep what they share.
    fn align(&mut self, edges: &[f64], sparse: bool) {
        let mut aligned: Vec<f64> = if sparse {
            self.edges.iter().chain(edges).copied().collect()
        } else {
            self.edges
                .iter()
                .copied()
                .filter(|e| edges.contains(e))
                .collect()
        };
        aligned.sort_by(f64::total_cmp);
        aligned.dedup();
        self.cumulative = aligned
            .iter()
            .map(|&e| at_or_below(&self.edges, &self.cumulative, e))
            .collect();
        self.edges = aligned;
    }

    /// All observations.
    pub fn total(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Where the `q` quantile lies; nothing without observations or without a finite edge.
    pub fn quantile(&self, q: f64) -> Option<Place> {
        let value = histogram::quantile(&self.edges, &self.cumulative, q)?;
        let largest = self.edges.iter().rev().find(|edge| edge.is_finite())?;
        let hidden = self.above(*largest) / self.total() > (1.0 - q) + ROUNDING;
        Some(if hidden {
            Place::Above(*largest)
        } else {
            Place::At(value)
        })
    }

    /// Observations above `edge`.
    pub fn above(&self, edge: f64) -> f64 {
        self.total() - at_or_below(&self.edges, &self.cumulative, edge)
    }
}

/// Observations at or below `edge`: the count of the largest edge that is not above it.
pub fn at_or_below(edges: &[f64], cumulative: &[f64], edge: f64) -> f64 {
    let upto = edges.partition_point(|e| *e <= edge);
    upto.checked_sub(1)
        .and_then(|i| cumulative.get(i))
        .copied()
        .unwrap_or(0.0)
}

/// Observations of one pod: `(above edge, all)`.
pub fn exceedances(edges: &[f64], pod: &PodHistogram, edge: f64) -> (f64, f64) {
    let all = pod.cumulative.last().copied().unwrap_or(0.0);
    (all - at_or_below(edges, &pod.cumulative, edge), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(sparse: bool, edges: &[f64], cumulative: &[f64]) -> (Histograms, Vec<PodHistogram>) {
        let pods = vec![PodHistogram {
            pod: 0,
            cumulative: cumulative.to_vec(),
        }];
        (
            Histograms {
                edges: edges.to_vec(),
                sparse,
                ..Histograms::default()
            },
            pods,
        )
    }

    #[test]
    fn a_quantile_above_the_largest_edge_has_no_value() {
        let pooled = |edges: &[f64], cumulative: &[f64]| Pooled {
            edges: edges.to_vec(),
            cumulative: cumulative.to_vec(),
        };
        let inf = f64::INFINITY;
        let place = |cumulative: [f64; 3], q| pooled(&[0.1, 0.5, inf], &cumulative).quantile(q);
        assert_eq!(place([0.0, 85.0, 100.0], 0.99), Some(Place::Above(0.5)));
        assert_eq!(place([0.0, 0.0, 100.0], 0.5), Some(Place::Above(0.5)));
        // just so many as the quantile allows
        assert_eq!(place([0.0, 99.0, 100.0], 0.99), Some(Place::At(0.5)));
        for all in 1..2000 {
            let all = f64::from(all) * 100.0;
            let place = place([0.0, 0.99 * all, all], 0.99);
            assert_eq!(place, Some(Place::At(0.5)), "{all}");
        }
        assert_eq!(place([0.0, 85.0, 100.0], 0.85), Some(Place::At(0.5)));
        assert_eq!(place([0.0; 3], 0.5), None);
        assert_eq!(pooled(&[inf], &[7.0]).quantile(0.5), None);
        // nothing lies above a last edge that is finite
        let closed = pooled(&[0.1, 0.5], &[0.0, 10.0]).quantile(1.0);
        assert_eq!(closed, Some(Place::At(0.5)));
    }

    #[test]
    fn sparse_edges_unite_and_fixed_edges_intersect() {
        let inf = f64::INFINITY;
        for (sparse, edges, cumulative) in [
            (true, vec![1.0, 2.0, 3.0, inf], vec![1.0, 4.0, 6.0, 6.0]),
            (false, vec![2.0, inf], vec![4.0, 6.0]),
        ] {
            let mut pooled = Pooled::default();
            let (a, pods) = block(sparse, &[1.0, 2.0, inf], &[1.0, 2.0, 3.0]);
            pooled.add(&a, &pods);
            if sparse {
                pooled.cumulative = vec![1.0, 2.0, 3.0];
            }
            let (b, pods) = block(sparse, &[2.0, 3.0, inf], &[2.0, 3.0, 3.0]);
            pooled.add(&b, &pods);
            assert_eq!(pooled.edges, edges);
            if !sparse {
                assert_eq!(pooled.cumulative, cumulative);
            }
            assert_eq!(pooled.total(), 6.0);
            assert_eq!(pooled.above(2.0), 6.0 - 4.0);
        }
    }
}
