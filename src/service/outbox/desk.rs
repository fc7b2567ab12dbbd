//! One receiver's desk: tells what was taken and settles it.

use super::{
    Came, Outbox, Receiver,
    group::part,
    note::{alarm, leading, message, report},
    pace::Recent,
};
use crate::domain::{Change, Claimed, Millis, NotifyError, Posted, Tried};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, Semaphore};

/// A settlement that the store refused is tried so often, while the lease lasts.
const SETTLE_TRIES: u32 = 5;
const SETTLE_PAUSE: Duration = Duration::from_millis(200);
/// So many are taken behind the first, see `VerdictStore::claim`.
const FULL: usize = 50;

/// What the worker of a receiver and its messages on their way share.
pub struct Desk {
    pub outbox: Arc<Outbox>,
    pub receiver: Receiver,
    /// Messages on their way.
    pub permits: Arc<Semaphore>,
    /// Look again.
    pub woken: Arc<Notify>,
    /// The receiver asked for patience until then.
    pub paused: AtomicI64,
    recent: Mutex<Recent>,
}

impl Desk {
    pub fn new(outbox: Arc<Outbox>, receiver: Receiver) -> Self {
        let most = receiver
            .pace
            .max_concurrent
            .clamp(1, Semaphore::MAX_PERMITS);
        Self {
            outbox,
            receiver,
            permits: Arc::new(Semaphore::new(most)),
            woken: Arc::new(Notify::new()),
            paused: AtomicI64::new(0),
            recent: Mutex::default(),
        }
    }

    pub fn name(&self) -> &str {
        self.receiver.notifier.name()
    }

    /// Until when this must wait, because the rollout was told of often enough. A fail and the end of an override never wait.
    pub fn held(&self, claimed: &Claimed, now: Millis) -> Option<Millis> {
        let mut all = std::iter::once(&claimed.first).chain(&claimed.behind);
        if all.any(|posted| posted.event.kind.leads()) {
            return None;
        }
        // as many as are taken at once: a fail that comes after them must not wait for them
        if claimed.behind.len() >= FULL {
            return None;
        }
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.held(
            &claimed.first.delivery.order,
            now,
            self.outbox.max_messages,
            self.outbox.within,
        )
    }

    /// Puts it back until then.
    pub async fn hold(&self, claimed: Claimed, until: Millis) {
        let count = 1 + claimed.behind.len() as u64;
        for posted in all(claimed) {
            self.settle(&posted, Tried::Held { due: until }, None).await;
        }
        self.outbox.tally.came(self.name(), Came::Held, count);
    }

    /// Tells it and notes what came of it.
    pub async fn tell(&self, claimed: Claimed) {
        let (claimed, later) = part(claimed);
        let due = self.outbox.clock.now();
        for posted in later {
            self.settle(&posted, Tried::Held { due }, None).await;
        }
        let verdict = match leading(&claimed).event.verdict {
            Some(id) => match self.outbox.store.record(id).await {
                Ok(record) => record.map(|record| record.verdict),
                // late is worse than without numbers
                Err(error) => {
                    tracing::warn!(receiver = self.name(), %error, "a message goes out without its verdict");
                    None
                }
            },
            None => None,
        };
        let message = message(&claimed, verdict, &self.outbox.links);
        // the notifier keeps its own timeout; this is for one that does not
        let patience = Duration::from_millis(self.receiver.pace.timeout.max(0).unsigned_abs());
        let backstop = patience + Duration::from_secs(5);
        let began = Instant::now();
        let told = tokio::time::timeout(backstop, self.receiver.notifier.tell(&message)).await;
        let told = told.unwrap_or_else(|_| {
            Err(NotifyError::Later {
                detail: format!("no answer within {backstop:?}"),
                after: None,
            })
        });
        let took = i64::try_from(began.elapsed().as_millis()).ok();
        let lead = &message.event;
        match told {
            Ok(()) => {
                tracing::info!(
                    receiver = self.name(), event = lead.kind.as_str(), namespace = lead.namespace,
                    rollout = lead.rollout, id = %message.id, "told"
                );
                self.delivered(claimed, took).await;
            }
            Err(NotifyError::Later { detail, after }) => {
                self.failed(claimed, (&detail, after), took).await;
            }
            Err(NotifyError::Refused { detail }) => {
                for posted in all(claimed) {
                    self.dead(&posted, &detail, took).await;
                }
            }
        }
    }

    async fn delivered(&self, claimed: Claimed, took: Option<Millis>) {
        let now = self.outbox.clock.now();
        self.recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(
                &claimed.first.delivery.order,
                now,
                self.outbox.max_messages,
                self.outbox.within,
            );
        let all = all(claimed);
        for posted in &all {
            self.settle(posted, Tried::Delivered, took).await;
        }
        self.outbox
            .tally
            .came(self.name(), Came::Delivered, all.len() as u64);
        let change = Change {
            events: all.iter().map(|posted| report(posted, None, now)).collect(),
            ..Change::default()
        };
        self.write(change).await;
    }

    async fn failed(
        &self,
        claimed: Claimed,
        (detail, after): (&str, Option<Duration>),
        took: Option<Millis>,
    ) {
        let (now, pace) = (self.outbox.clock.now(), &self.receiver.pace);
        let first = &claimed.first;
        let asked = after.map_or(0, |after| {
            i64::try_from(after.as_millis()).unwrap_or(i64::MAX)
        });
        let pause = pace.pause(first.delivery.id, first.tries).max(asked);
        if asked > 0 {
            let until = now.saturating_add(asked.min(pace.max_backoff));
            self.paused.fetch_max(until, Ordering::Relaxed);
        }
        let due = now.saturating_add(pause);
        let mut later = 0;
        for posted in all(claimed) {
            if pace.given_up(posted.queued_at, posted.tries, now) {
                self.dead(&posted, detail, took).await;
                continue;
            }
            later += 1;
            tracing::warn!(
                receiver = self.name(),
                event = posted.event.kind.as_str(),
                namespace = posted.event.namespace,
                rollout = posted.event.rollout,
                tries = posted.tries + 1,
                again_in_ms = pause,
                error = detail,
                "a message did not arrive"
            );
            let error = detail.to_owned();
            self.settle(&posted, Tried::Later { due, error }, took)
                .await;
        }
        if later > 0 {
            self.outbox.tally.came(self.name(), Came::Failed, later);
        }
    }

    async fn dead(&self, posted: &Posted, detail: &str, took: Option<Millis>) {
        tracing::error!(
            receiver = self.name(), event = posted.event.kind.as_str(), namespace = posted.event.namespace,
            rollout = posted.event.rollout, id = %posted.delivery.id, error = detail,
            "a message was given up; retry it with `POST /v1/deliveries/ID/retry`"
        );
        let event = report(posted, Some(detail), self.outbox.clock.now());
        let receivers = self.outbox.routes.receivers_for(&event, &[], &[]);
        // before it is settled: a crash in between tells it once more, and the event is known by its id
        let change = Change {
            deliveries: alarm(&event, posted, receivers),
            events: vec![event],
            ..Change::default()
        };
        self.write(change).await;
        let error = detail.to_owned();
        self.settle(posted, Tried::Dead { error }, took).await;
        self.outbox.tally.came(self.name(), Came::Dead, 1);
    }

    async fn write(&self, change: Change) {
        match self.outbox.store.change(change).await {
            Ok(_) => (self.outbox.wrote)(),
            Err(error) => {
                tracing::warn!(receiver = self.name(), %error, "the log lacks what became of a message");
            }
        }
    }

    /// Where the store does not take it, the lease runs out and the message is told again.
    async fn settle(&self, posted: &Posted, tried: Tried, took: Option<Millis>) {
        for left in (0..SETTLE_TRIES).rev() {
            let (id, now) = (posted.delivery.id, self.outbox.clock.now());
            match self.outbox.store.settle(id, tried.clone(), now, took).await {
                Ok(()) => return,
                Err(error) if left == 0 => {
                    tracing::warn!(receiver = self.name(), %id, %error, "what came of a message could not be noted; it is told again");
                }
                Err(_) => tokio::time::sleep(SETTLE_PAUSE).await,
            }
        }
    }
}

fn all(claimed: Claimed) -> Vec<Posted> {
    let mut all = vec![claimed.first];
    all.extend(claimed.behind);
    all
}
