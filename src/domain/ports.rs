//! What the core asks of the outside.

use super::{Labels, LabelsDigest, Millis, NativeHistogram, PlannedQuery};
use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

/// The kind of a metric back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Prometheus or something that speaks exactly its API.
    Prometheus,
    /// VictoriaMetrics, single node or cluster.
    VictoriaMetrics,
    /// Our own memory of what we scraped: raw samples, no expressions.
    Scrape,
}

impl SourceKind {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::VictoriaMetrics => "victoriametrics",
            Self::Scrape => "scrape",
        }
    }
}

/// A boxed future, so that ports stay object safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives an answer as it arrives: a series, then its samples in ascending time, then the next series.
pub trait SampleSink: Send {
    /// The answer starts anew (a retry): forget everything since the sink was made.
    fn restart(&mut self);
    /// A new series begins whose labels are written in a text of this digest. The digest of the labels, however they are
    /// written, where the sink knows that text: then nobody needs to read them. Else they follow by `series`.
    fn recall(&mut self, _: LabelsDigest) -> Option<LabelsDigest> {
        None
    }
    /// A new series begins, or the one that was not recalled.
    fn series(&mut self, labels: Labels);
    /// One sample of the present series. NaN (stale markers too) and infinities are passed on.
    fn sample(&mut self, at: Millis, value: f64);
    /// One native histogram sample of the present series.
    fn histogram(&mut self, at: Millis, value: NativeHistogram);
}

/// What came back beside the samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Bytes of the answer after decompression.
    pub bytes: u64,
    /// Series seen.
    pub series: u64,
    /// Samples seen.
    pub samples: u64,
    /// Warnings of the database, and ours ("partial answer").
    pub warnings: Vec<String>,
    /// The database says that the answer may lack data.
    pub partial: bool,
}

/// Why a source gave no answer. `Display` never holds credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No connection, broken connection, TLS refused.
    #[error("metric source `{name}` cannot be reached: {detail}")]
    Unreachable {
        /// Name in the configuration.
        name: String,
        /// What the network said.
        detail: String,
    },
    /// No complete answer before the deadline.
    #[error("metric source `{name}` gave no complete answer in time")]
    Timeout {
        /// Name in the configuration.
        name: String,
    },
    /// 429 or 503, or our own concurrency limit.
    #[error("metric source `{name}` is overloaded: {detail}")]
    Overloaded {
        /// Name in the configuration.
        name: String,
        /// Status or limit.
        detail: String,
    },
    /// It scrapes for itself, and its targets fail for different reasons.
    #[error("metric source `{name}`: {detail}")]
    Targets {
        /// Name in the configuration.
        name: String,
        /// How many, and by what.
        detail: String,
    },
    /// The source refuses the query: 4xx, or `status: error`.
    #[error("metric source `{name}` refused the query: {detail}")]
    Rejected {
        /// Name in the configuration.
        name: String,
        /// Its words, cut.
        detail: String,
    },
    /// Not the documented JSON, or samples that cannot be: out of order, from the future, duplicate series.
    #[error("metric source `{name}` answered something that cannot be right: {detail}")]
    Malformed {
        /// Name in the configuration.
        name: String,
        /// Where and what.
        detail: String,
    },
    /// More bytes or series than the configuration allows.
    #[error("the answer of metric source `{name}` is over the limit: {detail}")]
    TooLarge {
        /// Name in the configuration.
        name: String,
        /// Which limit, its number and its setting.
        detail: String,
    },
}

/// One target of a source that scrapes, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSeen {
    /// Where it is, without its query.
    pub address: String,
    /// What its series get.
    pub labels: Labels,
    /// Was its last scrape kept? `None` before the first.
    pub up: Option<bool>,
    /// When its last scrape began.
    pub at: Option<Millis>,
    /// How long that took.
    pub took: Duration,
    /// Samples that it gave.
    pub samples: u64,
    /// Of those, the ones that were not kept: their time is out of bounds.
    pub dropped: u64,
    /// Its series that are kept now.
    pub series: u64,
    /// The last scrape that came to nothing: when, a word of a closed list, and why. It stays when the target is back.
    pub error: Option<(Millis, &'static str, String)>,
}

/// A metric back end.
pub trait MetricSource: Send + Sync {
    /// Its kind.
    fn kind(&self) -> SourceKind;
    /// Its name in the configuration.
    fn name(&self) -> &str;
    /// Labels that only tell replicas apart; series equal without them are the same data.
    fn replica_labels(&self) -> &[String];
    /// How often it scrapes, where it does so for itself.
    fn scrape_interval(&self) -> Option<Millis> {
        None
    }
    /// Its targets, where it scrapes for itself.
    fn targets(&self) -> Option<Vec<TargetSeen>> {
        None
    }
    /// Sends one query and feeds the answer into `sink`; retries inside `deadline` and calls `sink.restart()` before each.
    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        deadline: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>>;
}
