//! One raw sample of a Prometheus native histogram, as the query API prints it.

/// Counts per bucket of one native histogram sample. Counts are cumulative over time, not over buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NativeHistogram {
    /// All observations so far.
    pub count: f64,
    /// Sum of all observed values so far.
    pub sum: f64,
    /// `(lower, upper, count)` of each populated bucket, in ascending order.
    pub buckets: Vec<(f64, f64, f64)>,
}
