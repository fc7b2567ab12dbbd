//! The loops: one for each target, and what they leave in memory.

use super::{
    budget::{Budget, Over},
    fetch::{Failure, Fetch},
    shard::{Kept, Shard},
    stage::{Rules, Stage},
    tally::{Standing, Tally},
    target::Target,
};
use crate::{
    config::scrape::ScrapeSettings,
    domain::{Clock, Labels, Millis, TargetSeen},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    task::AbortHandle,
    time::{MissedTickBehavior, interval_at},
};

/// A timestamp this near to its due time is the due time, as for Prometheus.
const TOLERANCE: Millis = 2;
/// Old samples are looked for this often, in each target.
const SWEEP: Millis = 60_000;
/// Not scraped yet.
const NEVER: Millis = Millis::MIN;

type Key = (String, Labels);

/// The last scrape of a target.
#[derive(Debug, Clone, Default)]
struct Latest {
    /// How it ended; `None` before the first.
    outcome: Option<Result<(), Failure>>,
    at: Option<Millis>,
    took: Duration,
    samples: u64,
    /// Samples too far ahead or too old to be kept.
    dropped: u64,
    /// The last that failed; it stays when the target is back.
    failed: Option<(Millis, Failure)>,
}

/// A target and its samples. It stays after the target is gone, until its samples are too old.
pub struct Live {
    pub(super) target: Target,
    pub(super) shard: Shard,
    /// Is it scraped now?
    pub(super) active: AtomicBool,
    latest: Mutex<Latest>,
    bytes: AtomicUsize,
}

impl Live {
    /// How the last scrape ended.
    pub fn last(&self) -> Option<Result<(), Failure>> {
        self.latest().outcome.clone()
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> TargetSeen {
        let latest = self.latest().clone();
        let mut address = self.target.url().clone();
        address.set_query(None);
        TargetSeen {
            address: address.into(),
            labels: self.target.labels().clone(),
            up: latest.outcome.map(|outcome| outcome.is_ok()),
            at: latest.at,
            took: latest.took,
            samples: latest.samples,
            dropped: latest.dropped,
            series: self.shard.series(),
            error: latest
                .failed
                .map(|(at, failure)| (at, failure.kind, failure.detail)),
        }
    }
}

/// All targets of a source.
pub struct Pool {
    pub(super) name: String,
    pub(super) settings: ScrapeSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tally: Arc<dyn Tally>,
    fetch: Fetch,
    budget: Budget,
    targets: RwLock<BTreeMap<Key, Arc<Live>>>,
    loops: Mutex<BTreeMap<Key, AbortHandle>>,
    since: AtomicI64,
    /// Why targets cannot be looked for.
    trouble: Mutex<Option<String>>,
}

impl Pool {
    pub(super) fn new(
        name: &str,
        settings: ScrapeSettings,
        fetch: Fetch,
        clock: Arc<dyn Clock>,
        tally: Arc<dyn Tally>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            budget: Budget::new(settings.max_samples, settings.max_series),
            settings,
            clock,
            tally,
            fetch,
            targets: RwLock::default(),
            loops: Mutex::default(),
            since: AtomicI64::new(NEVER),
            trouble: Mutex::default(),
        }
    }

    /// When the first scrape was kept.
    pub fn since(&self) -> Option<Millis> {
        Some(self.since.load(Ordering::Relaxed)).filter(|since| *since != NEVER)
    }

    /// How long samples are kept.
    pub fn retention(&self) -> Millis {
        millis(self.settings.retention.0)
    }

    /// Every target with samples, gone or not.
    pub fn targets(&self) -> Vec<Arc<Live>> {
        let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
        targets.values().cloned().collect()
    }

    /// The targets that are scraped now, as they stand.
    pub fn seen(&self) -> Vec<TargetSeen> {
        let all = self.targets();
        let active = all.iter().filter(|t| t.active.load(Ordering::Relaxed));
        active.map(|live| live.seen()).collect()
    }

    fn loops(&self) -> MutexGuard<'_, BTreeMap<Key, AbortHandle>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on exactly these are scraped.
    pub fn set(self: &Arc<Self>, wanted: Vec<Target>) {
        let mut loops = self.loops();
        let mut all = self.targets.write().unwrap_or_else(PoisonError::into_inner);
        let wanted: BTreeMap<Key, Target> = wanted.into_iter().map(|t| (t.key(), t)).collect();
        loops.retain(|key, task| {
            let stays = wanted.contains_key(key);
            if !stays {
                task.abort();
                if let Some(live) = all.get(key) {
                    live.active.store(false, Ordering::Relaxed);
                }
            }
            stays
        });
        for (key, target) in wanted {
            if loops.contains_key(&key) {
                continue;
            }
            let live = all.entry(key.clone()).or_insert_with(|| {
                Arc::new(Live {
                    target,
                    shard: Shard::default(),
                    active: AtomicBool::new(true),
                    latest: Mutex::default(),
                    bytes: AtomicUsize::new(0),
                })
            });
            live.active.store(true, Ordering::Relaxed);
            let task = tokio::spawn(scrape_for_ever(Arc::downgrade(self), Arc::clone(live)));
            loops.insert(key, task.abort_handle());
        }
    }

    /// What is wrong with the search for targets, from now on.
    pub(super) fn trouble(&self, found: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// What is wrong with the search for targets.
    pub(super) fn troubled(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends every loop.
    pub fn stop(&self) {
        for task in self.loops().values() {
            task.abort();
        }
    }

    /// Forgets targets that are gone and whose samples are too old, and tells how things stand.
    pub fn tidy(&self) {
        let before = self.clock.now() - self.retention();
        let mut standing = Standing::default();
        let mut empty = Vec::new();
        for live in self.targets() {
            let active = live.active.load(Ordering::Relaxed);
            if !active {
                let (bytes, left) = live.shard.sweep(before, &self.budget);
                live.bytes.store(bytes, Ordering::Relaxed);
                if !left {
                    empty.push(live.target.key());
                }
            }
            standing.bytes += live.bytes.load(Ordering::Relaxed) as u64;
            match live.last() {
                Some(Ok(())) if active => standing.up += 1,
                Some(Err(_)) if active => standing.down += 1,
                _ => {}
            }
        }
        (standing.samples, standing.series) = self.budget.kept();
        self.tally.standing(&self.name, standing);
        if !empty.is_empty() {
            let mut all = self.targets.write().unwrap_or_else(PoisonError::into_inner);
            all.retain(|key, live| live.active.load(Ordering::Relaxed) || !empty.contains(key));
        }
    }

    /// One scrape of one target, kept whole or not at all.
    async fn scrape(&self, live: &Live, at: Millis) {
        let begun = Instant::now();
        let rules = Rules {
            honor_labels: self.settings.honor_labels,
            honor_timestamps: self.settings.honor_timestamps,
            sample_limit: self.settings.sample_limit,
            retention: self.retention(),
        };
        let mut stage = Stage::new(&live.shard, live.target.labels(), rules, at);
        let mut outcome = self.fetch.scrape(&live.target, &mut stage).await;
        let (samples, dropped) = (stage.scraped, stage.out_of_bounds);
        let took = begun.elapsed();
        if outcome.is_ok() {
            own(&mut stage, true, took);
            outcome = self.keep(&live.shard, stage);
        }
        if outcome.is_err() {
            let mut stage = Stage::new(&live.shard, live.target.labels(), rules, at);
            own(&mut stage, false, took);
            let room = (stage.staged.len() as u64, stage.fresh);
            self.budget.force(room.0, room.1);
            live.shard.commit(stage.staged, room, &self.budget);
        }
        let result = match &outcome {
            Ok(()) => "ok",
            Err(failure) => failure.kind,
        };
        self.tally.scraped(&self.name, result, took);
        let failed = outcome.clone().err().map(|failure| (at, failure));
        self.note(
            live,
            Latest {
                samples: if failed.is_none() { samples } else { 0 },
                dropped: if failed.is_none() { dropped } else { 0 },
                outcome: Some(outcome),
                at: Some(at),
                took,
                failed,
            },
        );
    }

    fn keep(&self, shard: &Shard, stage: Stage<'_>) -> Result<(), Failure> {
        let room = (stage.staged.len() as u64, stage.fresh);
        self.budget.reserve(room.0, room.1).map_err(|over| {
            let detail = match over {
                Over::Samples(limit) => format!("{limit} samples are kept already (`maxSamples`)"),
                Over::Series(limit) => format!("{limit} series are kept already (`maxSeries`)"),
            };
            Failure::new("refused", detail)
        })?;
        let Kept {
            out_of_order,
            duplicates,
            ..
        } = shard.commit(stage.staged, room, &self.budget);
        for (reason, count) in [
            ("out-of-order", out_of_order),
            ("duplicate", duplicates),
            ("out-of-bounds", stage.out_of_bounds),
        ] {
            if count > 0 {
                self.tally.dropped(&self.name, reason, count);
            }
        }
        Ok(())
    }

    /// Logs the first of a row of failures, and its end.
    fn note(&self, live: &Live, new: Latest) {
        let mut latest = live.latest();
        let kind = |outcome: &Option<Result<(), Failure>>| match outcome {
            Some(Err(failure)) => Some(failure.kind),
            _ => None,
        };
        let before = kind(&latest.outcome);
        let failed = new.failed.clone().or_else(|| latest.failed.take());
        *latest = Latest { failed, ..new };
        match (&latest.outcome, before) {
            (Some(Err(failure)), before) if before != Some(failure.kind) => tracing::warn!(
                source = self.name,
                target_url = %live.target.url(),
                "a target gives no samples: {}", failure.detail
            ),
            (Some(Ok(())), Some(_)) => tracing::info!(
                source = self.name,
                target_url = %live.target.url(),
                "a target gives samples again"
            ),
            _ => {}
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What Prometheus adds to each target.
fn own(stage: &mut Stage<'_>, up: bool, took: Duration) {
    let scraped = stage.scraped as f64;
    stage.own("up", f64::from(u8::from(up)));
    stage.own("scrape_duration_seconds", took.as_secs_f64());
    stage.own("scrape_samples_scraped", scraped);
}

async fn scrape_for_ever(pool: std::sync::Weak<Pool>, live: Arc<Live>) {
    let Some((mut ticks, interval, mut due)) = pool.upgrade().map(|pool| first(&pool, &live))
    else {
        return;
    };
    let mut swept = due;
    loop {
        ticks.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        let now = pool.clock.now();
        due = align(due, now, interval);
        let near = (now - due).abs() <= TOLERANCE.min(interval / 100);
        let at = if near { due } else { now };
        pool.scrape(&live, at).await;
        if matches!(live.last(), Some(Ok(()))) {
            // the first of all targets stays
            let _ = pool
                .since
                .compare_exchange(NEVER, at, Ordering::Relaxed, Ordering::Relaxed);
        }
        if at - swept >= SWEEP.min(interval * 10) {
            swept = at;
            let (bytes, _) = live.shard.sweep(at - pool.retention(), &pool.budget);
            live.bytes.store(bytes, Ordering::Relaxed);
        }
    }
}

/// The ticks of a target: in each interval at its own place, counted from the epoch, so that a restart changes nothing.
fn first(pool: &Pool, live: &Live) -> (tokio::time::Interval, Millis, Millis) {
    let span = pool.settings.scrape_interval.0;
    let interval = millis(span).max(1);
    let now = pool.clock.now();
    let offset = millis(live.target.offset(span));
    let wait = (offset - now).rem_euclid(interval);
    let begin = Instant::now() + Duration::from_millis(wait as u64);
    let mut ticks = interval_at(begin.into(), span);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    (ticks, interval, now + wait)
}

/// The due time of a scrape that happens now: whole intervals after the last.
fn align(due: Millis, now: Millis, interval: Millis) -> Millis {
    due + (now - due + TOLERANCE).div_euclid(interval) * interval
}

pub(super) fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times() {
        for (due, now, expected) in [
            (1000, 1000, 1000),
            (1000, 1999, 1000 + 1000),
            (1000, 2001, 2000),
            (1000, 2900, 2000),
            (1000, 5003, 5000),
            (1000, 999, 1000),
        ] {
            assert_eq!(align(due, now, 1000), expected, "{now}");
        }
    }
}
