//! Reads the log from its place on and sends what a target wants, at least once.

use super::{Item, SendError, Tally, Target};
use crate::domain::{Event, EventKind, StoreError, VerdictStore};
use std::{sync::Arc, time::Duration};

/// Events read at once: memory is bounded by these and their verdicts.
const EVENTS: u32 = 200;
/// No target makes us wait longer than this between tries.
const MOST_PATIENCE: Duration = Duration::from_mins(5);

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time between looks at the log while nothing happens.
    pub idle: Duration,
    /// Time after the first failed try; it doubles with each further one.
    pub first: Duration,
    /// The longest time between tries.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(1),
            first: Duration::from_secs(1),
            longest: Duration::from_mins(1),
        }
    }
}

impl Pace {
    pub(super) fn after(self, failures: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// One target and its place in the log.
pub struct Pump {
    store: Arc<dyn VerdictStore>,
    target: Box<dyn Target>,
    tally: Arc<dyn Tally>,
    pace: Pace,
    reader: String,
}

impl Pump {
    /// Ties a target to the log.
    pub fn new(
        store: Arc<dyn VerdictStore>,
        target: Box<dyn Target>,
        tally: Arc<dyn Tally>,
        pace: Pace,
    ) -> Self {
        let reader = format!("write-back/{}", target.name());
        Self {
            store,
            target,
            tally,
            pace,
            reader,
        }
    }

    /// Runs until it is dropped. A target that was never there begins with what happens from now on.
    pub async fn run(self) {
        let mut failures = 0;
        loop {
            match self.turn().await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    failures = 0;
                    tokio::time::sleep(self.pace.idle).await;
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(to = self.target.name(), %error, "write-back waits for the store");
                    }
                    tokio::time::sleep(self.pace.after(failures)).await;
                }
            }
        }
    }

    /// One batch of the log; `false` where there is nothing new. The place moves on only after everything was sent.
    pub async fn turn(&self) -> Result<bool, StoreError> {
        let known = self.store.cursor(&self.reader).await?;
        let after = if let Some(after) = known {
            after
        } else {
            let now = self.store.last_event().await?;
            self.store.advance(&self.reader, now).await?;
            now
        };
        let events = self.store.events(after, EVENTS).await?;
        let Some(last) = events.last().map(|event| event.seq) else {
            return Ok(false);
        };
        let wanted = events.into_iter().filter(|e| self.target.wants(e));
        let wanted: Vec<Event> = wanted.collect();
        for group in wanted.chunks(self.target.most().max(1)) {
            let mut items = Vec::new();
            for event in group {
                items.push(self.item(event.clone()).await?);
            }
            self.deliver(&items).await;
        }
        self.store.advance(&self.reader, last).await?;
        Ok(true)
    }

    async fn item(&self, event: Event) -> Result<Item, StoreError> {
        let record = match event.verdict.filter(|_| event.kind == EventKind::Verdict) {
            Some(id) => self.store.record(id).await?,
            None => None,
        };
        Ok(Item { event, record })
    }

    /// Tries until everything is settled. What a target refuses is halved until only the bad item is left out.
    async fn deliver(&self, items: &[Item]) {
        let target = self.target.name();
        let mut left = vec![items];
        let mut failures = 0;
        while let Some(batch) = left.pop() {
            match self.target.send(batch).await {
                Ok(count) => {
                    if failures > 0 {
                        tracing::info!(to = target, "write-back goes on");
                    }
                    failures = 0;
                    self.tally.written(target, count);
                }
                Err(SendError::Refused { detail }) => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    if first.is_empty() {
                        self.dropped(second, &detail);
                    } else {
                        left.extend([second, first]);
                    }
                }
                Err(SendError::Later { detail, after }) => {
                    failures += 1;
                    self.tally.failed(target);
                    if failures == 1 {
                        tracing::warn!(to = target, detail, "write-back fails; it is tried again");
                    }
                    let pause = self.pace.after(failures).max(after.unwrap_or_default());
                    tokio::time::sleep(pause.min(MOST_PATIENCE)).await;
                    left.push(batch);
                }
            }
        }
    }

    fn dropped(&self, items: &[Item], detail: &str) {
        let target = self.target.name();
        for item in items {
            self.tally.dropped(target);
            tracing::warn!(
                to = target,
                event = %item.event.id,
                namespace = item.event.namespace,
                rollout = item.event.rollout,
                detail,
                "write-back left out data that the target refuses"
            );
        }
    }
}
