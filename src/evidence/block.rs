//! What one closed block holds for one objective.

use serde::{Deserialize, Serialize};

/// One closed block: `(anchor + index * length, anchor + (index + 1) * length]`. A negative index is look-back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Block {
    /// Events and trials.
    Counts(Counts),
    /// Bucket counts.
    Histograms(Histograms),
    /// Sums and item counts.
    Means(Means),
    /// Averages of a level.
    Gauges(Gauges),
}

/// Events out of trials; an arm without any sample in the block has no pods.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Canary pods with samples.
    pub canary: Vec<PodCount>,
    /// Stable pods with samples.
    pub stable: Vec<PodCount>,
}

/// One pod's increases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PodCount {
    /// Number of the pod, stable within one rollout.
    pub pod: u32,
    /// Increase of the numerator.
    pub events: f64,
    /// Increase of the denominator.
    pub trials: f64,
}

/// Cumulative bucket increases over one ascending set of upper edges; the last edge is infinite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Histograms {
    /// Upper edges, ascending, the last one infinite. Both arms share them.
    pub edges: Vec<f64>,
    /// Empty buckets are left out (`vmrange`, native): an edge that is not listed has no observations of its own.
    pub sparse: bool,
    /// Canary pods, warm-up left out.
    pub canary: Vec<PodHistogram>,
    /// Stable pods.
    pub stable: Vec<PodHistogram>,
}

/// One pod's cumulative increases, one for each edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PodHistogram {
    /// Number of the pod.
    pub pod: u32,
    /// Observations at or below each edge.
    pub cumulative: Vec<f64>,
}

/// Sums and counts of both arms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// `None`: no sample in the block.
    pub canary: Option<SumCount>,
    /// `None`: no sample in the block.
    pub stable: Option<SumCount>,
}

/// Increases of a sum, a count and, where kept, a sum of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SumCount {
    /// Increase of the sum.
    pub sum: f64,
    /// Increase of the count.
    pub count: f64,
    /// Increase of the sum of squares.
    pub squares: Option<f64>,
}

/// Averages of a level over pods and time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauges {
    /// `None`: no sample in the block.
    pub canary: Option<f64>,
    /// `None`: no sample in the block.
    pub stable: Option<f64>,
}
