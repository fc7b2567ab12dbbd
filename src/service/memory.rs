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

/// The first and the last moment asked about in one stretch of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    first: Millis,
    last: Millis,
}

/// First questions, newest verdicts, and since when each source is silent.
#[derive(Debug)]
pub struct Memory {
    first_asked: Cache<Step, Asked>,
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
    pub fn step_since(&self, question: &Question, horizon: Millis) -> Option<Millis> {
        if question.step_since.is_some() {
            return question.step_since;
        }
        question
            .weight
            .map(|weight| self.first(question, Some(weight.to_bits()), horizon))
    }

    /// The first question about this rollout.
    pub fn asked_since(&self, question: &Question, horizon: Millis) -> Millis {
        self.first(question, None, horizon)
    }

    /// Questions further apart than the horizon belong to different deployments: a later one begins anew, and a replay
    /// of an earlier moment must not make the present step older.
    fn first(&self, question: &Question, weight: Option<u64>, horizon: Millis) -> Millis {
        let key = Step {
            policy: question.policy.clone(),
            rollout: question.rollout.clone(),
            weight,
        };
        let at = question.at;
        let alone = Asked {
            first: at,
            last: at,
        };
        let known = self.first_asked.get(&key);
        let asked = match known {
            Some(known) if at < known.first.saturating_sub(horizon) => return at,
            Some(known) if at <= known.last.saturating_add(horizon) => Asked {
                first: known.first.min(at),
                last: known.last.max(at),
            },
            _ => alone,
        };
        if known != Some(asked) && !question.dry_run {
            self.first_asked.insert(key, asked);
        }
        asked.first
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RolloutRef;

    fn question(at: Millis) -> Question {
        Question {
            policy: "p".into(),
            rollout: RolloutRef {
                namespace: "a".into(),
                name: "b".into(),
                canary_hash: "c".into(),
                stable_hash: "d".into(),
            },
            weight: Some(5.0),
            step: None,
            step_since: None,
            since: None,
            at,
            params: std::collections::BTreeMap::new(),
            labels: std::collections::BTreeMap::new(),
            analysis_run: None,
            dry_run: false,
        }
    }

    #[test]
    fn a_step_begins_with_its_first_question_and_no_replay_of_another_day_moves_it() {
        let (hour, day) = (3_600_000, 86_400_000);
        let now = 20_000 * day;
        let memory = Memory::new(10);
        for (at, since, why) in [
            (0, 0, "a replay of ancient times comes first"),
            (now, now, "the present step is not as old as that replay"),
            (now + hour, now, "the same step"),
            (now - hour, now - hour, "asked out of order"),
            (
                now - day,
                now - day,
                "a replay of yesterday stands for itself",
            ),
            (now + 2 * hour, now - hour, "and moved nothing"),
            (now + day, now + day, "the same hash, deployed anew"),
        ] {
            let question = question(at);
            assert_eq!(memory.step_since(&question, 2 * hour), Some(since), "{why}");
            assert_eq!(memory.asked_since(&question, 2 * hour), since, "{why}");
        }
    }
}
