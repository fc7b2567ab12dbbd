//! What is kept of a verdict, and how it is found again.

use super::{Event, Latch, Millis, Outcome, Override, Question, RolloutRef, RolloutState, Verdict};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Closed blocks of one objective, written once and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The reading that it belongs to.
    pub run: Uuid,
    /// Place of the objective in the policy, or of one raw answer.
    pub part: u32,
    /// First block.
    pub first: i64,
    /// Last block.
    pub last: i64,
    /// Compressed; the store does not look inside.
    pub payload: Vec<u8>,
}

/// A message that must reach a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The idempotency key: a function of event and receiver.
    pub id: Uuid,
    /// The event.
    pub event: Uuid,
    /// Name of the receiver.
    pub receiver: String,
    /// Messages of one order go out one after another: `namespace/rollout`.
    pub order: String,
    /// Not before this moment.
    pub due: Millis,
}

/// Everything that one verdict writes, in one transaction.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The version of the standing that this was decided on.
    pub version: i64,
    /// The verdict.
    pub verdict: Verdict,
    /// The question.
    pub question: Question,
    /// What else the verdict was made of; the store does not look inside.
    pub inputs: Vec<u8>,
    /// The reading whose blocks it was made of.
    pub run: Option<Uuid>,
    /// Blocks that are not kept yet.
    pub chunks: Vec<Chunk>,
    /// The policy document.
    pub policy_text: Arc<str>,
    /// The state from now on; `None` leaves it (a question about an earlier moment).
    pub state: Option<RolloutState>,
    /// A new latch of this canary and revision.
    pub latch: Option<Latch>,
    /// What happened.
    pub events: Vec<Event>,
    /// Who must be told.
    pub deliveries: Vec<Delivery>,
    /// By our clock.
    pub kept_at: Millis,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// It is on the disk; its events have these places in the log.
    Written(Vec<Event>),
    /// The question was answered before: this is the answer.
    Known(Box<Verdict>),
    /// The rollout's state changed meanwhile: judge again.
    Stale,
}

/// Something a person or the watch did, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The rollout's new state and the version it was decided on; a stale one is refused.
    pub state: Option<(i64, RolloutState)>,
    /// An override to add, or to replace under its id. A new override that is not `fail` lifts the canary's latches; one that is taken back lifts nothing.
    pub ruling: Option<Override>,
    /// The override that `ruling` takes the place of, taken back at that moment.
    pub replaced: Option<Override>,
    /// What happened. Events that are known by id are left out, with their deliveries.
    pub events: Vec<Event>,
    /// Who must be told.
    pub deliveries: Vec<Delivery>,
    /// A question that was answered before by this verdict, asked with labels that may be new.
    pub asked_again: Option<(Question, Uuid)>,
}

/// A kept verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The verdict.
    pub verdict: Verdict,
    /// The question.
    pub question: Question,
    /// What else it was made of.
    pub inputs: Vec<u8>,
    /// The reading whose blocks it was made of.
    pub run: Option<Uuid>,
    /// By our clock.
    pub kept_at: Millis,
}

/// One line of history.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Id of the verdict; its first 48 bits are the moment of the question, so ids order history.
    pub id: Uuid,
    /// Moment of the question.
    pub at: Millis,
    /// Who was judged.
    pub rollout: RolloutRef,
    /// By which policy.
    pub policy: String,
    /// Its revision.
    pub revision: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The score.
    pub score: f64,
    /// Traffic percent.
    pub weight: f64,
    /// The sentence.
    pub reason: String,
}

/// Which verdicts. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Namespaces that the caller may see; all where it is absent.
    pub visible: Option<Vec<String>>,
    /// Kubernetes namespace.
    pub namespace: Option<String>,
    /// Name of the Rollout.
    pub rollout: Option<String>,
    /// Part of the Rollout's name, in small letters; narrows lists of rollouts only.
    pub part: Option<String>,
    /// Name of the policy.
    pub policy: Option<String>,
    /// Pod-template hash of the canary.
    pub canary_hash: Option<String>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// Questions at or after this moment.
    pub since: Option<Millis>,
    /// Questions before this moment.
    pub until: Option<Millis>,
    /// `params` and `labels` of the canary.
    pub labels: BTreeMap<String, String>,
}

/// Which version had a label, and when it was judged with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// Name of the param or label.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub rollout: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// First question with it.
    pub first: Millis,
    /// Last question with it.
    pub last: Millis,
    /// Newest verdict with it.
    pub verdict: Uuid,
}

/// A revision of a policy that has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Name of the policy.
    pub name: String,
    /// Digest of the document.
    pub revision: String,
    /// The document.
    pub text: String,
    /// When it first judged.
    pub first: Millis,
}

/// What a delivery is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Waits, or is being tried.
    Pending,
    /// Arrived.
    Delivered,
    /// Given up; a person may retry it.
    Dead,
}

impl Progress {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The progress of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Dead]
            .into_iter()
            .find(|p| p.as_str() == word)
    }
}

/// A delivery with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// What must be delivered.
    pub delivery: Delivery,
    /// The event.
    pub event: Event,
    /// Where it is at.
    pub progress: Progress,
    /// Tries so far.
    pub tries: u32,
    /// When it was queued.
    pub queued_at: Millis,
    /// When the last try ended.
    pub tried_at: Option<Millis>,
    /// What the last try said, without secrets.
    pub error: Option<String>,
    /// How long the last try took.
    pub took: Option<Millis>,
    /// It was put off since its last try: the rollout flaps, or an earlier message came first.
    pub held: bool,
    /// An earlier one of its order and receiver is not settled yet.
    pub behind: bool,
}

/// Why a delivery is not tried, although nothing is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Its turn comes after an earlier message.
    Behind,
    /// The rollout was told of often enough for now.
    Held,
}

impl Wait {
    /// The word on the wire and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Behind => "waiting",
            Self::Held => "held",
        }
    }
}

impl Posted {
    /// Why it is not tried at this moment; `None`: it is tried when it is due, alone or with the one before it.
    pub fn wait(&self, now: Millis) -> Option<Wait> {
        if self.progress != Progress::Pending {
            None
        } else if self.behind {
            (self.held || self.tries == 0).then_some(Wait::Behind)
        } else {
            (self.held && self.delivery.due > now).then_some(Wait::Held)
        }
    }
}

/// A delivery that was taken, and what waits behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The oldest unsettled delivery of its order.
    pub first: Posted,
    /// Later unsettled deliveries of the same order and receiver, in order, taken too: a flapping rollout is told once.
    pub behind: Vec<Posted>,
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// It arrived.
    Delivered,
    /// Again at this moment.
    Later {
        /// Not before.
        due: Millis,
        /// What went wrong.
        error: String,
    },
    /// Given up.
    Dead {
        /// What went wrong.
        error: String,
    },
    /// Not tried: put off until this moment. It counts as no try.
    Held {
        /// Not before.
        due: Millis,
    },
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Verdicts, events and settled deliveries older than this go, and with a verdict all that only it needs.
    pub max_age: Millis,
    /// The oldest of all that go while the store is larger than this.
    pub max_bytes: u64,
    /// Rows removed in one transaction.
    pub batch: u32,
}

/// What one batch of the retention removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// All rows; 0: nothing is over the retention.
    pub rows: u64,
    /// Verdicts among them.
    pub verdicts: u64,
    /// Events among them.
    pub events: u64,
    /// Younger than the age, but the store was too large?
    pub by_size: bool,
}
