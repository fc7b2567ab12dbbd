//! Ids that are functions of what they stand for, in the form of UUIDv7, so that every replica gives the same. And the
//! id of a reading, which no other process and no restart gives again.

use crate::domain::{EventKind, Millis, Question};
use sha2::{Digest, Sha256};
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// UUIDv7 with the moment of the question and, in place of chance, a digest of revision and question.
pub fn verdict_id(revision: &str, question: &Question) -> Uuid {
    let mut digest = Sha256::new();
    let mut part = |text: &str| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    part(revision);
    part(&question.rollout.namespace);
    part(&question.rollout.name);
    part(&question.rollout.canary_hash);
    part(&question.rollout.stable_hash);
    for number in [
        question.weight,
        question.step.map(f64::from),
        question.step_since.map(|t| t as f64),
        question.since.map(|t| t as f64),
    ] {
        part(&number.map_or_else(String::new, |n| n.to_string()));
    }
    for (name, value) in &question.params {
        part(name);
        part(value);
    }
    uuid7(question.at, digest)
}

/// UUIDv7 of a new reading.
pub fn run_id(at: Millis) -> Uuid {
    uuid7(at, chance())
}

/// 64 hex digits that nobody can guess.
pub fn nonce() -> String {
    let digits = |byte: u8| [byte >> 4, byte & 15].map(|d| char::from_digit(u32::from(d), 16));
    let bytes = chance().finalize();
    bytes.iter().flat_map(|b| digits(*b)).flatten().collect()
}

/// The system's entropy (it seeds the standard library's hashers) and a count.
fn chance() -> Sha256 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let mut digest = Sha256::new();
    for part in 0..4_u64 {
        digest.update(RandomState::new().hash_one((run, part)).to_be_bytes());
    }
    digest
}

/// The id of an event: of its kind and of what it is about.
pub fn event_id(kind: EventKind, at: Millis, about: &str) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(kind.as_str().as_bytes());
    digest.update([0]);
    digest.update(about.as_bytes());
    uuid7(at, digest)
}

/// The id of a delivery, which is its idempotency key.
pub fn delivery_id(event: Uuid, at: Millis, receiver: &str) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(event.as_bytes());
    digest.update(receiver.as_bytes());
    uuid7(at, digest)
}

/// The id of an override: of everything that a person said.
pub fn override_id(at: Millis, words: &[&str]) -> Uuid {
    let mut digest = Sha256::new();
    for word in words {
        digest.update((word.len() as u64).to_be_bytes());
        digest.update(word.as_bytes());
    }
    uuid7(at, digest)
}

fn uuid7(at: Millis, digest: Sha256) -> Uuid {
    let digest = digest.finalize();
    let mut bytes = [0u8; 16];
    for (slot, byte) in bytes.iter_mut().zip(digest.iter()) {
        *slot = *byte;
    }
    for (slot, byte) in bytes.iter_mut().zip(at.max(0).to_be_bytes().iter().skip(2)) {
        *slot = *byte;
    }
    uuid::Builder::from_bytes(bytes)
        .with_version(uuid::Version::SortRand)
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RolloutRef;

    #[test]
    fn no_two_readings_have_the_same_id() {
        let mut ids: Vec<Uuid> = (0..1000).map(|_| run_id(1_767_225_600_123)).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn the_same_question_has_the_same_id_and_any_change_another() {
        let rollout = RolloutRef {
            namespace: "a".into(),
            name: "b".into(),
            canary_hash: "c".into(),
            stable_hash: "d".into(),
        };
        let question = Question {
            policy: "p".into(),
            rollout,
            weight: Some(5.0),
            step: None,
            step_since: None,
            since: None,
            at: 1_767_225_600_123,
            params: std::collections::BTreeMap::new(),
            labels: std::collections::BTreeMap::new(),
            analysis_run: None,
            dry_run: false,
        };
        let id = verdict_id("r", &question);
        assert_eq!(id, verdict_id("r", &question));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(
            id.get_timestamp().map(|t| t.to_unix()),
            Some((1_767_225_600, 123_000_000))
        );
        let later = Question {
            at: question.at + 1,
            ..question.clone()
        };
        let heavier = Question {
            weight: Some(25.0),
            ..question.clone()
        };
        assert!(
            id != verdict_id("r", &later)
                && id != verdict_id("r", &heavier)
                && id != verdict_id("s", &question)
        );
    }
}
