//! A metric source that keeps count of itself.

use super::Metrics;
use crate::domain::{
    MetricSource, Millis, PlannedQuery, ReadReport, SampleSink, SourceError, SourceKind,
    TargetSeen, ports::BoxFuture,
};
use std::{sync::Arc, time::Instant};

/// Adds latency, bytes and errors to the metrics of the process.
pub struct Measured {
    inner: Arc<dyn MetricSource>,
    metrics: Arc<Metrics>,
}

impl Measured {
    /// Wraps a source.
    pub fn new(inner: Arc<dyn MetricSource>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

impl MetricSource for Measured {
    fn kind(&self) -> SourceKind {
        self.inner.kind()
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn replica_labels(&self) -> &[String] {
        self.inner.replica_labels()
    }

    fn scrape_interval(&self) -> Option<Millis> {
        self.inner.scrape_interval()
    }

    fn targets(&self) -> Option<Vec<TargetSeen>> {
        self.inner.targets()
    }

    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        deadline: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = self.inner.read(query, deadline, sink).await;
            let bytes = outcome.as_ref().map(|report| report.bytes);
            self.metrics
                .source(self.inner.name(), begun.elapsed(), bytes);
            outcome
        })
    }
}
