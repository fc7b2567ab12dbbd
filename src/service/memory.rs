//! What the service remembers between questions until there is a store: bounded, and never a reason for a fail.

use crate::domain::{Millis, Question, Verdict};
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};

/// Steps and patience are remembered this long.
const KEEP: Duration = Duration::from_hours(24);

/// Who is judged at which step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Step {
    policy: String,
    rollout: crate::domain::RolloutRef,
    weight: Option<u64>,
}

/// First questions, newest verdicts, and since when each source is silent.
#[derive(Debug)]
pub struct Memory {
    first_asked: Cache<Step, Millis>,
    latest: Cache<(String, String), Arc<Verdict>>,
    silent_since: Cache<String, Millis>,
}

impl Memory {
    /// Remembers this many rollouts.
    pub fn new(rollouts: u64) -> Self {
        Self {
            first_asked: Cache::builder()
                .max_capacity(rollouts.saturating_mul(8))
                .time_to_live(KEEP)
                .build(),
            latest: Cache::new(rollouts),
            silent_since: Cache::new(1000),
        }
    }

    /// Start of the present step: as told, else the first question with this weight.
    pub fn step_since(&self, question: &Question) -> Option<Millis> {
        if question.step_since.is_some() {
            return question.step_since;
        }
        question
            .weight
            .map(|weight| self.first(question, Some(weight.to_bits())))
    }

    /// The first question about this rollout.
    pub fn asked_since(&self, question: &Question) -> Millis {
        self.first(question, None)
    }

    fn first(&self, question: &Question, weight: Option<u64>) -> Millis {
        let key = Step {
            policy: question.policy.clone(),
            rollout: question.rollout.clone(),
            weight,
        };
        let known = self.first_asked.get(&key);
        let first = known.map_or(question.at, |known| known.min(question.at));
        if known != Some(first) && !question.dry_run {
            self.first_asked.insert(key, first);
        }
        first
    }

    /// Keeps the newest verdict of a rollout.
    pub fn keep(&self, verdict: &Arc<Verdict>) {
        let key = (
            verdict.rollout.namespace.clone(),
            verdict.rollout.name.clone(),
        );
        // a replay of an earlier moment is no news; the first six bytes of an id are the moment of the question
        let moment = |v: &Verdict| v.id.as_u128() >> 80;
        let newer = self
            .latest
            .get(&key)
            .is_none_or(|known| moment(&known) <= moment(verdict));
        if newer {
            self.latest.insert(key, Arc::clone(verdict));
        }
    }

    /// The newest verdict of a rollout.
    pub fn latest(&self, namespace: &str, rollout: &str) -> Option<Arc<Verdict>> {
        self.latest.get(&(namespace.to_owned(), rollout.to_owned()))
    }

    /// Notes whether a source answered, and says how long it has been silent.
    pub fn source_silent(&self, source: &str, failed: bool, now: Millis) -> Millis {
        if !failed {
            self.silent_since.invalidate(source);
            return 0;
        }
        let since = self.silent_since.get_with(source.to_owned(), || now);
        (now - since).max(0)
    }
}
