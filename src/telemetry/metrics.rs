//! Every metric that we export: name, kind, labels, help. Nothing is exported that is not in [`LIST`].

use super::{
    sources::{SourceLog, SourceRecord},
    table::RolloutTable,
};
use crate::domain::{Millis, SourceError, Verdict};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// One exported metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Exported {
    Exported {
        name,
        kind,
        labels,
        help,
    }
}

/// All of them.
pub const LIST: &[Exported] = &[
    metric(
        "rollout_judge_verdicts_total",
        "counter",
        &["policy", "outcome"],
        "Verdicts made, by policy and outcome; answers that were kept or shared are not counted again.",
    ),
    metric(
        "rollout_judge_objective_value",
        "gauge",
        &["namespace", "rollout", "objective", "track"],
        "Last judged value of an objective on one track, in the objective's unit.",
    ),
    metric(
        "rollout_judge_objective_log_e",
        "gauge",
        &["namespace", "rollout", "objective", "side"],
        "Last natural logarithm of the e-process: side `fail` is evidence of harm, side `pass` of its absence.",
    ),
    metric(
        "rollout_judge_metrics_rollouts_dropped_total",
        "counter",
        &[],
        "Verdicts whose rollout is not shown by the objective gauges because `telemetry.metrics.maxRollouts` is reached.",
    ),
    metric(
        "rollout_judge_source_request_seconds",
        "histogram",
        &["source"],
        "Time of one query to a metric source, with its retries.",
    ),
    metric(
        "rollout_judge_source_errors_total",
        "counter",
        &["source", "kind"],
        "Queries to a metric source without an answer, by kind of error.",
    ),
    metric(
        "rollout_judge_source_bytes_total",
        "counter",
        &["source"],
        "Bytes of the answers of a metric source after decompression.",
    ),
    metric(
        "rollout_judge_evaluation_seconds",
        "histogram",
        &[],
        "Time from a checked question to its verdict, where one was made for it.",
    ),
    metric(
        "rollout_judge_http_requests_total",
        "counter",
        &["path", "status"],
        "Requests answered, by route and status.",
    ),
    metric(
        "rollout_judge_policy_reloads_total",
        "counter",
        &["result"],
        "Looks at changed policy files: `ok`, or `error` where the old version stays.",
    ),
    metric(
        "rollout_judge_writeback_total",
        "counter",
        &["target", "result"],
        "Write-back: samples and annotations `written`, events `dropped` because the target refuses their data, tries `failed`.",
    ),
    metric(
        "rollout_judge_store_removed_total",
        "counter",
        &["what", "why"],
        "Retention: `verdicts` (with all that only they need) and `events` removed, because of their `age` or of the store's `size`.",
    ),
    metric("rollout_judge_policies", "gauge", &[], "Loaded policies."),
    metric(
        "rollout_judge_deliveries_total",
        "counter",
        &["receiver", "result"],
        "Alerts tried, by receiver: `delivered`, `failed` and tried again, `dead`, or `held` while a rollout flaps.",
    ),
    metric(
        "rollout_judge_deliveries_pending",
        "gauge",
        &["receiver"],
        "Alerts that wait for a receiver, counted up to 500.",
    ),
    metric(
        "rollout_judge_delivery_pending_seconds",
        "gauge",
        &["receiver"],
        "How long the oldest of them has waited.",
    ),
    metric(
        "rollout_judge_scrapes_total",
        "counter",
        &["source", "result"],
        "Scrapes of targets by a source of kind `scrape`: `ok`, `unreachable`, `timeout`, `status`, `malformed`, or `refused` as a whole by a limit.",
    ),
    metric(
        "rollout_judge_scrape_seconds",
        "histogram",
        &["source"],
        "Time of one scrape of one target.",
    ),
    metric(
        "rollout_judge_scrape_targets",
        "gauge",
        &["source", "state"],
        "Targets by their last scrape: `up` or `down`.",
    ),
    metric(
        "rollout_judge_scrape_samples",
        "gauge",
        &["source"],
        "Scraped samples kept in memory.",
    ),
    metric(
        "rollout_judge_scrape_series",
        "gauge",
        &["source"],
        "Scraped series kept in memory.",
    ),
    metric(
        "rollout_judge_scrape_bytes",
        "gauge",
        &["source"],
        "Bytes that the kept samples take, without labels and indexes.",
    ),
    metric(
        "rollout_judge_scrape_dropped_total",
        "counter",
        &["source", "reason"],
        "Scraped samples that are not kept: `out-of-order`, `duplicate` or `out-of-bounds` in time.",
    ),
    metric(
        "rollout_judge_scrape_discoveries_total",
        "counter",
        &["source", "by", "result"],
        "Looks for targets by `http`, `file` or `kubernetes`: `ok`, or `error` where the targets found before stay.",
    ),
    metric(
        "rollout_judge_build_info",
        "gauge",
        &["version"],
        "Always 1; the version is the label.",
    ),
];

const BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 10.0,
];

/// How a scraping source stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scraped {
    /// Targets whose last scrape was kept.
    pub up: u64,
    /// Targets whose last scrape was not.
    pub down: u64,
    /// Samples kept.
    pub samples: u64,
    /// Series kept.
    pub series: u64,
    /// Bytes that the samples take.
    pub bytes: u64,
}

/// The metrics of one process.
pub struct Metrics {
    recorder: PrometheusRecorder,
    rollouts: Mutex<RolloutTable>,
    sources: SourceLog,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(500)
    }
}

impl Metrics {
    /// Shows gauges for at most `max_rollouts` rollouts.
    pub fn new(max_rollouts: usize) -> Self {
        let mut builder = PrometheusBuilder::new();
        for metric in LIST.iter().filter(|m| m.kind == "histogram") {
            // An empty list of buckets is the only error, and this list is not empty.
            builder = match builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), BUCKETS)
            {
                Ok(builder) => builder,
                Err(_) => PrometheusBuilder::new(),
            };
        }
        let recorder = builder.build_recorder();
        metrics::with_local_recorder(&recorder, describe);
        let metrics = Self {
            recorder,
            rollouts: Mutex::new(RolloutTable::new(max_rollouts)),
            sources: SourceLog::default(),
        };
        metrics.with(|| {
            gauge!("rollout_judge_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            counter!("rollout_judge_metrics_rollouts_dropped_total").absolute(0);
            gauge!("rollout_judge_policies").set(0.0);
        });
        metrics
    }

    fn with<T>(&self, f: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&self.recorder, f)
    }

    /// A verdict was given, and `made` now rather than before or for somebody else.
    pub fn verdict(&self, verdict: &Verdict, made: bool, now: Millis) {
        let kept = self
            .rollouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(verdict, now);
        self.with(|| {
            if made {
                counter!("rollout_judge_verdicts_total", "policy" => verdict.policy.clone(), "outcome" => verdict.outcome.as_str()).increment(1);
            }
            if !kept {
                counter!("rollout_judge_metrics_rollouts_dropped_total").increment(1);
            }
        });
    }

    /// A question was evaluated, with or without a verdict. Answers that were kept or shared are none.
    pub fn evaluated(&self, took: Duration) {
        self.with(|| histogram!("rollout_judge_evaluation_seconds").record(took.as_secs_f64()));
    }

    /// A request was answered. `path` is the route's pattern, never what the caller sent.
    pub fn request(&self, path: &str, status: u16) {
        self.with(|| {
            counter!("rollout_judge_http_requests_total", "path" => path.to_owned(), "status" => status.to_string()).increment(1);
        });
    }

    /// A metric source was asked.
    pub fn source(&self, name: &str, took: Duration, outcome: Result<u64, &SourceError>) {
        self.sources.note(name, took, outcome);
        let name = name.to_owned();
        self.with(|| {
            histogram!("rollout_judge_source_request_seconds", "source" => name.clone()).record(took.as_secs_f64());
            match outcome {
                Ok(bytes) => counter!("rollout_judge_source_bytes_total", "source" => name).increment(bytes),
                Err(error) => {
                    counter!("rollout_judge_source_errors_total", "source" => name, "kind" => error_kind(error)).increment(1);
                }
            }
        });
    }

    /// How a source answered lately.
    pub fn source_record(&self, name: &str) -> SourceRecord {
        self.sources.record(name)
    }

    /// Changed policy files were read.
    pub fn reloaded(&self, ok: bool) {
        let result = if ok { "ok" } else { "error" };
        self.with(|| {
            counter!("rollout_judge_policy_reloads_total", "result" => result).increment(1);
        });
    }

    /// A target of the write-back took, refused or missed something.
    pub fn write_back(&self, target: &'static str, result: &'static str, count: u64) {
        self.with(|| {
            counter!("rollout_judge_writeback_total", "target" => target, "result" => result)
                .increment(count);
        });
    }

    /// Retention removed something.
    pub fn removed(&self, what: &'static str, why: &'static str, count: u64) {
        self.with(|| {
            counter!("rollout_judge_store_removed_total", "what" => what, "why" => why)
                .increment(count);
        });
    }

    /// A target was scraped.
    pub fn scraped(&self, source: &str, result: &'static str, took: Duration) {
        let source = source.to_owned();
        self.with(|| {
            histogram!("rollout_judge_scrape_seconds", "source" => source.clone())
                .record(took.as_secs_f64());
            counter!("rollout_judge_scrapes_total", "source" => source, "result" => result)
                .increment(1);
        });
    }

    /// Scraped samples were not kept.
    pub fn scrape_dropped(&self, source: &str, reason: &'static str, count: u64) {
        self.with(|| {
            counter!("rollout_judge_scrape_dropped_total", "source" => source.to_owned(), "reason" => reason).increment(count);
        });
    }

    /// Targets were looked for.
    pub fn scrape_discovered(&self, source: &str, by: &'static str, ok: bool) {
        let result = if ok { "ok" } else { "error" };
        self.with(|| {
            counter!("rollout_judge_scrape_discoveries_total", "source" => source.to_owned(), "by" => by, "result" => result).increment(1);
        });
    }

    /// How a scraping source stands.
    pub fn scrape_standing(&self, source: &str, now: Scraped) {
        let source = || source.to_owned();
        self.with(|| {
            for (state, count) in [("up", now.up), ("down", now.down)] {
                gauge!("rollout_judge_scrape_targets", "source" => source(), "state" => state)
                    .set(count as f64);
            }
            gauge!("rollout_judge_scrape_samples", "source" => source()).set(now.samples as f64);
            gauge!("rollout_judge_scrape_series", "source" => source()).set(now.series as f64);
            gauge!("rollout_judge_scrape_bytes", "source" => source()).set(now.bytes as f64);
        });
    }

    /// How many policies are loaded.
    pub fn policies(&self, count: usize) {
        self.with(|| gauge!("rollout_judge_policies").set(count as f64));
    }

    /// Deliveries of a receiver of the configuration came to something.
    pub fn deliveries(&self, receiver: &str, result: &'static str, count: u64) {
        self.with(|| {
            counter!("rollout_judge_deliveries_total", "receiver" => receiver.to_owned(), "result" => result).increment(count);
        });
    }

    /// What waits for a receiver.
    pub fn pending(&self, receiver: &str, count: u64, oldest: Duration) {
        self.with(|| {
            gauge!("rollout_judge_deliveries_pending", "receiver" => receiver.to_owned())
                .set(count as f64);
            gauge!("rollout_judge_delivery_pending_seconds", "receiver" => receiver.to_owned())
                .set(oldest.as_secs_f64());
        });
    }

    /// Moves observations out of the recorder's buffers. Call it every few seconds.
    pub fn upkeep(&self) {
        self.recorder.handle().run_upkeep();
    }

    /// The page of `/metrics`.
    pub fn render(&self, now: Millis) -> String {
        let mut text = self.recorder.handle().render();
        self.rollouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .render(now, &mut text);
        text
    }
}

/// The word of an error in labels.
pub fn error_kind(error: &SourceError) -> &'static str {
    match error {
        SourceError::Unreachable { .. } => "unreachable",
        SourceError::Targets { .. } => "targets",
        SourceError::Timeout { .. } => "timeout",
        SourceError::Overloaded { .. } => "overloaded",
        SourceError::Rejected { .. } => "rejected",
        SourceError::Malformed { .. } => "malformed",
        SourceError::TooLarge { .. } => "too-large",
    }
}

fn describe() {
    for metric in LIST {
        match metric.kind {
            "counter" => describe_counter!(metric.name, metric.help),
            "gauge" => describe_gauge!(metric.name, metric.help),
            _ => describe_histogram!(metric.name, Unit::Seconds, metric.help),
        }
    }
}

/// The help of a metric of [`LIST`].
pub(super) fn help(name: &str) -> &'static str {
    LIST.iter().find(|m| m.name == name).map_or("", |m| m.help)
}
