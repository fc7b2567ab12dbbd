//! Raw series become closed blocks of exact increases, per pod and arm. Pure: no clock, no I/O.

pub mod block;

pub use block::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
