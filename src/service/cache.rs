//! Folded evidence per rollout: bounded, and losing it costs time, never a different answer.

use super::{
    bundle::{ChunkKey, Recorder},
    discover::Found,
    read::ObjectiveEvidence,
};
use crate::domain::{Chunk, Millis, Question, RolloutRef};
use moka::future::Cache;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use uuid::Uuid;

/// A rollout nobody asks about is forgotten.
const IDLE: Duration = Duration::from_hours(3);

/// Whose evidence: everything that changes what is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    revision: String,
    rollout: RolloutRef,
    since: Option<Millis>,
    params: BTreeMap<String, String>,
}

impl Key {
    /// The key of a question under a revision of its policy.
    pub fn new(revision: &str, question: &Question) -> Self {
        Self {
            revision: revision.to_owned(),
            rollout: question.rollout.clone(),
            since: question.since,
            params: question.params.clone(),
        }
    }
}

/// What is known about a rollout.
#[derive(Debug, Clone, Default)]
pub struct RolloutEvidence {
    /// Start and rhythm, once found.
    pub found: Option<Found>,
    /// There are samples of the canary, but only in a minute that is not over: its start is not known yet.
    pub sighted: bool,
    /// The reading that the blocks belong to: another one for each that begins anew.
    pub run: Option<Uuid>,
    /// One for each objective, in the policy's order.
    pub objectives: Vec<ObjectiveEvidence>,
    /// What the source said while nothing of the canary was found.
    pub said: Vec<String>,
}

impl RolloutEvidence {
    /// The newest block folded in by any objective.
    pub fn folded(&self) -> i64 {
        self.objectives
            .iter()
            .map(ObjectiveEvidence::folded)
            .max()
            .unwrap_or(i64::MIN)
    }

    /// What the store does not have yet, to be written with the next verdict.
    pub fn pending(&self) -> Vec<Chunk> {
        let recorders = self.objectives.iter().map(|o| &o.recorder);
        recorders.flat_map(Recorder::pending).collect()
    }

    /// The store has these. What it does not have is offered again.
    pub fn kept(&mut self, keys: &[ChunkKey]) {
        for objective in &mut self.objectives {
            objective.recorder.kept(keys);
        }
    }

    /// Before more is read: forgets what has waited for the store in vain. Evidence that lost something so can still
    /// judge, but a verdict that is kept needs a new reading.
    pub fn bound(&mut self, keeps: bool) {
        let mut lost = false;
        for objective in &mut self.objectives {
            objective.recorder.bound();
            lost |= objective.recorder.lost();
        }
        if lost && keeps {
            *self = Self::default();
        }
    }
}

/// The cache.
#[derive(Debug)]
pub struct EvidenceCache(Cache<Key, Arc<Mutex<RolloutEvidence>>>);

impl EvidenceCache {
    /// Holds at most this many rollouts.
    pub fn new(rollouts: u64) -> Self {
        Self(
            Cache::builder()
                .max_capacity(rollouts)
                .time_to_idle(IDLE)
                .build(),
        )
    }

    /// The place of one rollout.
    pub async fn place(&self, key: Key) -> Arc<Mutex<RolloutEvidence>> {
        self.0.get_with(key, async { Arc::default() }).await
    }
}
