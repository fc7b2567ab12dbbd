//! The loop of one receiver: takes what is due, as much as there is room for.

use super::{desk::Desk, pace::Rate};
use crate::domain::{Millis, Progress};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::watch;

/// How often what waits is counted.
const MEASURE: Millis = 15_000;
/// What waits is counted up to here.
const MOST_COUNTED: u32 = 500;
/// Longest pause while the store does not answer.
const STORE_PAUSE: Duration = Duration::from_secs(10);

pub struct Worker {
    desk: Arc<Desk>,
    rate: Rate,
    measured: Option<Millis>,
    store_failed: u32,
}

impl Worker {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            rate: Rate::default(),
            measured: None,
            store_failed: 0,
        }
    }

    /// Until it is told to stop; then it waits for what is on its way.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            let wait = self.round().await;
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                () = self.desk.woken.notified() => {}
                () = tokio::time::sleep(wait) => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        let most = u32::try_from(self.desk.receiver.pace.max_concurrent.max(1)).unwrap_or(u32::MAX);
        // fails only where the semaphore is closed, which nobody does
        let _ = self.desk.permits.acquire_many(most).await;
    }

    /// Takes what there is room for; gives how long to wait before the next look.
    async fn round(&mut self) -> Duration {
        let desk = Arc::clone(&self.desk);
        let (outbox, pace) = (&desk.outbox, &desk.receiver.pace);
        let now = outbox.clock.now();
        self.measure(now).await;
        let room = self
            .rate
            .room(pace.per_minute, now)
            .min(desk.permits.available_permits());
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        if room == 0 || desk.paused.load(Ordering::Relaxed) > now {
            return outbox.poll;
        }
        let until = now.saturating_add(pace.lease());
        let taken = match outbox.store.claim(desk.name(), now, until, room).await {
            Ok(taken) => taken,
            Err(error) => {
                if self.store_failed == 0 {
                    tracing::error!(receiver = desk.name(), %error, "messages wait until the store answers again");
                }
                self.store_failed = self.store_failed.saturating_add(1);
                return STORE_PAUSE.min(outbox.poll.saturating_mul(self.store_failed));
            }
        };
        if self.store_failed > 0 {
            tracing::info!(receiver = desk.name(), "the store answers again");
            self.store_failed = 0;
        }
        let wait = if taken.is_empty() {
            outbox.poll
        } else {
            Duration::ZERO
        };
        for claimed in taken {
            if let Some(until) = desk.held(&claimed, now) {
                desk.hold(claimed, until).await;
                continue;
            }
            self.rate.count(now);
            // there is room: nobody else takes permits
            let Ok(permit) = Arc::clone(&desk.permits).acquire_owned().await else {
                return outbox.poll;
            };
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                desk.tell(claimed).await;
                drop(permit);
                desk.woken.notify_one();
            });
        }
        wait
    }

    async fn measure(&mut self, now: Millis) {
        if self
            .measured
            .is_some_and(|at| now.saturating_sub(at) < MEASURE)
        {
            return;
        }
        self.measured = Some(now);
        let (outbox, name) = (&self.desk.outbox, self.desk.name());
        let pending = Some(Progress::Pending);
        if let Ok(waiting) = outbox
            .store
            .deliveries(pending, Some(name), None, MOST_COUNTED)
            .await
        {
            let oldest = waiting
                .iter()
                .map(|posted| posted.queued_at)
                .min()
                .unwrap_or(now);
            let age = now.saturating_sub(oldest).max(0).unsigned_abs();
            outbox
                .tally
                .waiting(name, waiting.len() as u64, Duration::from_millis(age));
        }
    }
}
