//! From "a delivery is in the store" to "the person was told": at least once, in the order of each rollout.
//!
//! ```text
//!  store.claim (a lease) ─ held? ─ store.record ─> Message ─> Notifier::tell ─> store.settle ─> Delivered | DeadLetter
//!       ^                                                         │ Later: backoff with jitter
//!       └──────── poke, or every `poll` ──────────────────────────┘
//! ```
//!
//! Each receiver has a worker of its own, so that a slow one delays nobody else. A worker that dies leaves its leases,
//! which run out; the next one tells again, under the same message id.

mod desk;
mod group;
mod note;
mod pace;
mod repeat;
mod worker;

pub use note::Links;
pub use pace::Pace;
pub use repeat::{Repeat, RepeatError};

use super::{keeper::Poke, routes::Routes};
use crate::domain::{Clock, Millis, Notifier, VerdictStore};
use desk::Desk;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use worker::Worker;

/// A receiver with its numbers.
pub struct Receiver {
    /// How to tell it.
    pub notifier: Arc<dyn Notifier>,
    /// Its numbers.
    pub pace: Pace,
}

/// What a message came to, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It arrived.
    Delivered,
    /// It is tried again.
    Failed,
    /// It was given up.
    Dead,
    /// It waits, because the rollout flaps.
    Held,
}

impl Came {
    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Held => "held",
        }
    }
}

/// Counts.
pub trait Tally: Send + Sync {
    /// Deliveries of a receiver came to something.
    fn came(&self, receiver: &str, came: Came, deliveries: u64);
    /// So many deliveries wait (at least), the oldest for so long.
    fn waiting(&self, receiver: &str, deliveries: u64, oldest: Duration);
}

/// What every worker shares.
pub struct Outbox {
    /// Where deliveries are.
    pub store: Arc<dyn VerdictStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who is told of dead letters.
    pub routes: Arc<Routes>,
    /// How links begin.
    pub links: Links,
    /// How often other replicas' deliveries are looked for.
    pub poll: Duration,
    /// So many messages about one rollout within `within` are enough.
    pub max_messages: usize,
    /// See `max_messages`.
    pub within: Millis,
    /// Who counts.
    pub tally: Arc<dyn Tally>,
    /// Called after the log got a line of ours.
    pub wrote: Poke,
}

/// Wakes the workers, and ends them.
#[derive(Clone)]
pub struct Workers {
    wakers: Arc<Vec<Arc<Notify>>>,
    stop: Arc<watch::Sender<bool>>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Outbox {
    /// Starts a worker for each receiver on the present runtime.
    pub fn start(self, receivers: Vec<Receiver>) -> Workers {
        let outbox = Arc::new(self);
        let (stop, stopping) = watch::channel(false);
        let mut wakers = Vec::new();
        let mut workers = Vec::new();
        for receiver in receivers {
            let desk = Arc::new(Desk::new(Arc::clone(&outbox), receiver));
            wakers.push(Arc::clone(&desk.woken));
            workers.push(tokio::spawn(Worker::new(desk).run(stopping.clone())));
        }
        Workers {
            wakers: Arc::new(wakers),
            stop: Arc::new(stop),
            running: Arc::new(Mutex::new(workers)),
        }
    }
}

impl Workers {
    /// Something was queued: look at once.
    pub fn poke(&self) {
        for waker in self.wakers.iter() {
            waker.notify_one();
        }
    }

    /// Takes nothing any more and waits for what is on its way, at most a receiver's timeout.
    pub async fn stop(&self) {
        let _ = self.stop.send(true);
        let workers =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if worker.await.is_err() {
                tracing::error!(
                    "a worker of the outbox panicked; its messages are told again later"
                );
            }
        }
    }
}
