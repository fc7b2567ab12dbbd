//! Folded evidence per rollout: bounded, and losing it costs time, never a different answer.

use super::{discover::Found, read::ObjectiveEvidence};
use crate::domain::{Millis, Question, RolloutRef};
use moka::future::Cache;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;

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
    /// One for each objective, in the policy's order.
    pub objectives: Vec<ObjectiveEvidence>,
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
