//! Closed blocks on the wire: compact, and exact.

use super::number::Number;
use crate::evidence::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
use serde::{Deserialize, Serialize};

/// Consecutive blocks of one objective.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WireBlocks(Vec<WireBlock>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireBlock {
    Counts([Vec<(u32, Number, Number)>; 2]),
    Histograms(WireHistograms),
    Means([Option<(Number, Number, Option<Number>)>; 2]),
    Gauges([Option<Number>; 2]),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHistograms {
    /// Absent: those of the block before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edges: Option<Vec<Number>>,
    #[serde(default, skip_serializing_if = "no")]
    sparse: bool,
    /// Sums instead of steps from edge to edge, where the steps do not add up exactly.
    #[serde(default, skip_serializing_if = "no")]
    sums: bool,
    arms: [Vec<(u32, Vec<Number>)>; 2],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn no(flag: &bool) -> bool {
    !flag
}

impl WireBlocks {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The wire form of blocks in their order.
    pub fn write<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        let mut edges: &[f64] = &[];
        let blocks = blocks.into_iter().map(|block| match block {
            Block::Counts(b) => WireBlock::Counts([counts(&b.canary), counts(&b.stable)]),
            Block::Histograms(b) => {
                let known = same(edges, &b.edges);
                edges = &b.edges;
                WireBlock::Histograms(histograms(b, known))
            }
            Block::Means(b) => WireBlock::Means([b.canary, b.stable].map(|arm| arm.map(mean))),
            Block::Gauges(b) => WireBlock::Gauges([b.canary, b.stable].map(|arm| arm.map(Number))),
        });
        Self(blocks.collect())
    }

    /// The blocks.
    pub fn read(&self) -> Vec<Block> {
        let mut edges: Vec<f64> = Vec::new();
        let blocks = self.0.iter().map(|block| match block {
            WireBlock::Counts([canary, stable]) => Block::Counts(Counts {
                canary: pods(canary),
                stable: pods(stable),
            }),
            WireBlock::Histograms(b) => {
                if let Some(own) = &b.edges {
                    edges = own.iter().map(|n| n.0).collect();
                }
                let [canary, stable] = &b.arms;
                Block::Histograms(Histograms {
                    edges: edges.clone(),
                    sparse: b.sparse,
                    canary: buckets(canary, b.sums),
                    stable: buckets(stable, b.sums),
                })
            }
            WireBlock::Means(arms) => {
                let [canary, stable] = arms.map(|arm| {
                    arm.map(|(sum, count, squares)| SumCount {
                        sum: sum.0,
                        count: count.0,
                        squares: squares.map(|n| n.0),
                    })
                });
                Block::Means(Means { canary, stable })
            }
            WireBlock::Gauges(arms) => {
                let [canary, stable] = arms.map(|arm| arm.map(|n| n.0));
                Block::Gauges(Gauges { canary, stable })
            }
        });
        blocks.collect()
    }
}

fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn counts(pods: &[PodCount]) -> Vec<(u32, Number, Number)> {
    pods.iter()
        .map(|p| (p.pod, Number(p.events), Number(p.trials)))
        .collect()
}

fn pods(wire: &[(u32, Number, Number)]) -> Vec<PodCount> {
    wire.iter()
        .map(|&(pod, events, trials)| PodCount {
            pod,
            events: events.0,
            trials: trials.0,
        })
        .collect()
}

fn mean(arm: SumCount) -> (Number, Number, Option<Number>) {
    (Number(arm.sum), Number(arm.count), arm.squares.map(Number))
}

fn histograms(block: &Histograms, edges_known: bool) -> WireHistograms {
    let pods = || block.canary.iter().chain(&block.stable);
    let sums = !pods().all(|pod| adds_up(&pod.cumulative));
    let arm = |pods: &[PodHistogram]| {
        pods.iter()
            .map(|pod| {
                let values = if sums {
                    pod.cumulative.iter().copied().map(Number).collect()
                } else {
                    steps(&pod.cumulative).map(Number).collect()
                };
                (pod.pod, values)
            })
            .collect()
    };
    WireHistograms {
        edges: (!edges_known).then(|| block.edges.iter().copied().map(Number).collect()),
        sparse: block.sparse,
        sums,
        arms: [arm(&block.canary), arm(&block.stable)],
    }
}

/// Differences from value to value: mostly zeros, which cost nothing once compressed.
fn steps(values: &[f64]) -> impl Iterator<Item = f64> {
    let before = std::iter::once(0.0).chain(values.iter().copied());
    values
        .iter()
        .zip(before)
        .map(|(value, before)| value - before)
}

fn adds_up(values: &[f64]) -> bool {
    let mut sum = 0.0_f64;
    steps(values).zip(values).all(|(step, value)| {
        sum += step;
        sum.to_bits() == value.to_bits()
    })
}

fn buckets(wire: &[(u32, Vec<Number>)], sums: bool) -> Vec<PodHistogram> {
    wire.iter()
        .map(|(pod, values)| {
            let mut sum = 0.0;
            let cumulative = values.iter().map(|value| {
                sum = if sums { value.0 } else { sum + value.0 };
                sum
            });
            PodHistogram {
                pod: *pod,
                cumulative: cumulative.collect(),
            }
        })
        .collect()
}
