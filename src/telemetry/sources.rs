//! How each metric source answered lately: a bounded record in memory, for the page about sources.

use crate::domain::SourceError;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Queries that the latencies are made of.
const KEPT: usize = 512;

/// The record of every source that was asked.
#[derive(Debug, Default)]
pub struct SourceLog(Mutex<BTreeMap<String, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    took: VecDeque<Duration>,
    queries: u64,
    failed: u64,
    bytes: u64,
    answered: Option<Instant>,
    error: Option<(Instant, &'static str, String)>,
}

/// What one source did since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRecord {
    /// Queries, with their retries counted once.
    pub queries: u64,
    /// Those without an answer.
    pub failed: u64,
    /// Bytes of its answers.
    pub bytes: u64,
    /// Time since its last answer.
    pub answered: Option<Duration>,
    /// The last error: how long ago, its word, its sentence.
    pub error: Option<(Duration, &'static str, String)>,
    /// Median of the last 512 queries.
    pub median: Option<Duration>,
    /// 99th percentile of the same.
    pub p99: Option<Duration>,
}

impl SourceLog {
    /// A source was asked.
    pub fn note(&self, name: &str, took: Duration, outcome: Result<u64, &SourceError>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = all.entry(name.to_owned()).or_default();
        entry.queries += 1;
        if entry.took.len() == KEPT {
            entry.took.pop_front();
        }
        entry.took.push_back(took);
        match outcome {
            Ok(bytes) => {
                entry.bytes = entry.bytes.saturating_add(bytes);
                entry.answered = Some(Instant::now());
            }
            Err(error) => {
                entry.failed += 1;
                let word = super::metrics::error_kind(error);
                entry.error = Some((Instant::now(), word, error.to_string()));
            }
        }
    }

    /// The record of a source; empty where it was never asked.
    pub fn record(&self, name: &str) -> SourceRecord {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = all.get(name) else {
            return SourceRecord::default();
        };
        let mut took: Vec<Duration> = entry.took.iter().copied().collect();
        took.sort_unstable();
        let rank = |share: f64| {
            let last = took.len().checked_sub(1)?;
            took.get((share * last as f64).ceil() as usize).copied()
        };
        SourceRecord {
            queries: entry.queries,
            failed: entry.failed,
            bytes: entry.bytes,
            answered: entry.answered.map(|at| at.elapsed()),
            error: entry
                .error
                .as_ref()
                .map(|(at, word, text)| (at.elapsed(), *word, text.clone())),
            median: rank(0.5),
            p99: rank(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_bounded_and_ranks_latencies() {
        let log = SourceLog::default();
        assert_eq!(log.record("vm"), SourceRecord::default());
        for i in 0..1000_u64 {
            log.note("vm", Duration::from_millis(i), Ok(10));
        }
        let error = SourceError::Timeout { name: "vm".into() };
        log.note("vm", Duration::from_secs(9), Err(&error));
        let record = log.record("vm");
        assert_eq!(
            (record.queries, record.failed, record.bytes),
            (1001, 1, 10_000)
        );
        // the last 512: 489..=999 ms, and 9 s
        assert_eq!(record.median, Some(Duration::from_millis(745)));
        assert_eq!(record.p99, Some(Duration::from_millis(995)));
        assert_eq!(record.error.unwrap().1, "timeout");
    }
}
