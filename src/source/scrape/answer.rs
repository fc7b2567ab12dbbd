//! Questions answered from memory, as Prometheus would answer them.

use super::{
    pool::{Live, Pool},
    shard::Snapshot,
};
use crate::{
    domain::{
        Labels, LabelsDigest, Millis, PlannedQuery, ReadReport, SampleSink, SourceError, Window,
        time::rfc3339,
    },
    query::{Asked, Selection},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

/// Targets that warnings name.
const NAMED: usize = 3;
/// Series after which others get their turn.
const TURN: usize = 64;
/// Most steps of one question, as for Prometheus.
const STEPS: i64 = 11_000;

impl Pool {
    /// Answers one query.
    pub(super) async fn answer(
        &self,
        query: &PlannedQuery,
        sink: &mut dyn SampleSink,
    ) -> Result<ReadReport, SourceError> {
        let rejected = |detail: String| SourceError::Rejected {
            name: self.name.clone(),
            detail,
        };
        if !query.extra_filters.is_empty() {
            return Err(rejected(
                "`extra_filters[]` needs VictoriaMetrics".to_owned(),
            ));
        }
        match Asked::read(query).map_err(|error| rejected(error.to_string()))? {
            Asked::Constant(value) => {
                self.health()?;
                let mut report = ReadReport::default();
                sink.series(Labels::default());
                sink.sample(query.window.end, value);
                (report.series, report.samples) = (1, 1);
                Ok(report)
            }
            Asked::Samples {
                selection,
                at,
                range,
            } => {
                // both the selector's range and the window bind
                let window = Window {
                    start: query.window.start.max(at.saturating_sub(range)),
                    end: query.window.end.min(at),
                };
                let mut report = ReadReport {
                    warnings: self.warnings(&selection, window),
                    ..ReadReport::default()
                };
                self.samples(&selection, window, sink, &mut report).await;
                Ok(report)
            }
            Asked::Presence {
                selection,
                range,
                start,
                end,
                step,
            } => {
                if (end - start) / step >= STEPS {
                    return Err(rejected(format!("more than {STEPS} steps")));
                }
                let window = Window {
                    start: start - range,
                    end,
                };
                let mut report = ReadReport {
                    warnings: self.warnings(&selection, window),
                    ..ReadReport::default()
                };
                let counts = self
                    .presence(&selection, window, range, (start, step))
                    .await;
                if !counts.is_empty() {
                    report.series = 1;
                    sink.series(Labels::default());
                }
                for (at, count) in counts {
                    report.samples += 1;
                    sink.sample(at, count as f64);
                }
                Ok(report)
            }
        }
    }

    /// Series in order of their digests, so that an answer depends on nothing else.
    fn select(
        &self,
        selection: &Selection,
        window: Window,
    ) -> BTreeMap<LabelsDigest, Vec<Snapshot>> {
        let mut found: BTreeMap<LabelsDigest, Vec<Snapshot>> = BTreeMap::new();
        for live in self.targets() {
            for one in live.shard.read(selection, window) {
                found.entry(one.digest).or_default().push(one);
            }
        }
        found
    }

    async fn samples(
        &self,
        selection: &Selection,
        window: Window,
        sink: &mut dyn SampleSink,
        report: &mut ReadReport,
    ) {
        for (i, (digest, parts)) in self.select(selection, window).into_iter().enumerate() {
            if i % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let samples = inside(&parts, window);
            let Some(first) = parts.into_iter().next().filter(|_| !samples.is_empty()) else {
                continue;
            };
            report.series += 1;
            report.samples += samples.len() as u64;
            report.bytes += 16 * samples.len() as u64;
            if sink.recall(digest).is_none() {
                sink.series(first.labels);
            }
            for (at, value) in samples {
                sink.sample(at, value);
            }
        }
    }

    /// For each step the series with a sample in `(step - range, step]`.
    async fn presence(
        &self,
        selection: &Selection,
        window: Window,
        range: Millis,
        (start, step): (Millis, Millis),
    ) -> BTreeMap<Millis, u64> {
        let mut counts = BTreeMap::new();
        for (i, parts) in self.select(selection, window).into_values().enumerate() {
            if i % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let mut counted = Millis::MIN;
            for (at, _) in inside(&parts, window) {
                // every step in [at, at + range), once for each series
                let first = start.max(start + (at - start + step - 1).div_euclid(step) * step);
                let mut t = first.max(counted.saturating_add(step));
                while t < at + range && t <= window.end {
                    *counts.entry(t).or_insert(0) += 1;
                    counted = t;
                    t += step;
                }
            }
        }
        counts
    }

    /// What the samples of a window may lack. The words stay the same from question to question.
    fn warnings(&self, selection: &Selection, window: Window) -> Vec<String> {
        let name = &self.name;
        let mut out = Vec::new();
        match self.since() {
            None => out.push(format!("source `{name}` has scraped nothing yet")),
            Some(since) if window.start < since => out.push(format!(
                "source `{name}` scrapes since {}: there are no samples from before",
                rfc3339(since)
            )),
            Some(_) if window.start < self.clock.now() - self.retention() => out.push(format!(
                "source `{name}` keeps samples for {} (`retention`): older ones are missing",
                self.settings.retention
            )),
            Some(_) => {}
        }
        let mut failing = self.failing();
        if !failing.is_empty() {
            // what some targets get from their discovery, a target without it does not have
            let targets = self.targets();
            let give = |label: &str| {
                targets
                    .iter()
                    .any(|t| t.target.labels().get(label).is_some())
            };
            failing.retain(|(live, _)| selection.may_match(live.target.labels(), give));
        }
        for (live, failure) in failing.iter().take(NAMED) {
            let url = live.target.url();
            // details of refusals are constant, those of the network are not
            let why = if failure.kind == "refused" {
                format!("its scrape is refused as a whole: {}", failure.detail)
            } else {
                format!("its last scrape failed ({})", failure.kind)
            };
            out.push(format!(
                "target `{url}` of source `{name}` gives no samples: {why}"
            ));
        }
        if failing.len() > NAMED {
            out.push(format!("more targets of source `{name}` give no samples"));
        }
        out
    }

    /// Targets that are scraped and give nothing.
    fn failing(&self) -> Vec<(Arc<Live>, super::fetch::Failure)> {
        self.targets()
            .into_iter()
            .filter(|live| live.active.load(Ordering::Relaxed))
            .filter_map(|live| {
                let failure = live.last()?.err()?;
                Some((live, failure))
            })
            .collect()
    }

    /// Is anything scraped, and is nothing refused? Everybody may read this answer: it names no target, only what a limit says.
    pub(super) fn health(&self) -> Result<(), SourceError> {
        self.stands(false)
    }

    /// The same for who runs the program, with an example of a target.
    pub(super) fn problem(&self) -> Option<SourceError> {
        self.stands(true).err()
    }

    fn stands(&self, named: bool) -> Result<(), SourceError> {
        let name = self.name.clone();
        let active = self.targets();
        let active = active
            .iter()
            .filter(|live| live.active.load(Ordering::Relaxed))
            .count();
        let failing = self.failing();
        let refused = failing.iter().any(|(_, failure)| failure.kind == "refused");
        let trouble = self.troubled();
        if let Some(detail) = trouble.filter(|_| !refused) {
            return Err(SourceError::Unreachable { name, detail });
        }
        if active == 0 {
            let detail = "there are no targets".to_owned();
            return Err(SourceError::Unreachable { name, detail });
        }
        if refused || failing.len() == active {
            return Err(silent(name, active, &failing, named));
        }
        Ok(())
    }
}

/// What is told of targets that give nothing: the class of the error is that of the only cause, else a neutral one.
fn silent(
    name: String,
    active: usize,
    failing: &[(Arc<Live>, super::fetch::Failure)],
    named: bool,
) -> SourceError {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, failure) in failing {
        *kinds.entry(failure.kind).or_default() += 1;
    }
    let most = kinds.iter().max_by_key(|(_, n)| **n).map(|(kind, _)| *kind);
    let told: Vec<String> = kinds
        .iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    let mut detail = format!(
        "{} of {active} targets give no samples: {}",
        failing.len(),
        told.join(", ")
    );
    // what a limit says is ours; other words may be a target's
    let shown = |kind: &str| named || kind == "refused";
    let example = |wanted: Option<&str>| {
        let mut fits = failing.iter().filter(|(_, f)| shown(f.kind));
        fits.find(|(_, f)| wanted.is_none_or(|wanted| f.kind == wanted))
    };
    if let Some((live, failure)) = example(most).or_else(|| example(None)) {
        let what = if named {
            format!("; `{}`: {}", live.target.url(), failure.detail)
        } else {
            format!("; one of them: {}", failure.detail)
        };
        detail.push_str(&what);
    }
    let only = kinds.len() == 1;
    match most {
        Some("refused") if only => SourceError::TooLarge { name, detail },
        Some("unreachable") if only => SourceError::Unreachable { name, detail },
        _ => SourceError::Targets { name, detail },
    }
}

/// The samples of one series inside a window. Several targets may have written the same series; of two samples of one
/// moment the first stays.
fn inside(parts: &[Snapshot], window: Window) -> Vec<(Millis, f64)> {
    let chunks = parts.iter().flat_map(|part| &part.chunks);
    let mut samples: Vec<(Millis, f64)> = chunks
        .flat_map(|chunk| chunk.samples())
        .filter(|(at, _)| *at > window.start && *at <= window.end)
        .collect();
    if parts.len() > 1 {
        samples.sort_by_key(|(at, _)| *at); // stable
        samples.dedup_by_key(|(at, _)| *at);
    }
    samples
}
