//! The port of telling people.

use super::{Event, Verdict, ports::BoxFuture};
use std::time::Duration;
use uuid::Uuid;

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The idempotency key: the same at every try, from every replica.
    pub id: Uuid,
    /// The event; where several are told at once, the newest.
    pub event: Event,
    /// Earlier events that are told with it, oldest first: a flapping rollout is told once.
    pub earlier: Vec<Event>,
    /// The verdict behind it, where it is still kept.
    pub verdict: Option<Verdict>,
    /// Page of the verdict or rollout.
    pub url: String,
    /// How to override, in words or as a command.
    pub how_to_override: String,
}

/// Why a message did not arrive. `Display` never holds credentials or URLs with secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Another try may help.
    #[error("{detail}")]
    Later {
        /// What went wrong.
        detail: String,
        /// The receiver asks for this much patience.
        after: Option<Duration>,
    },
    /// No try will help: the receiver refuses the message itself.
    #[error("{detail}")]
    Refused {
        /// What it said.
        detail: String,
    },
}

/// A receiver.
pub trait Notifier: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &str;
    /// Tells it once; inside the receiver's own timeout.
    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>>;
}
