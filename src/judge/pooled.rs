//! Histograms added up over time and pods, whatever edges each block came with.

use crate::evidence::{Histograms, PodHistogram};

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
