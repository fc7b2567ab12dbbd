//! The id of a verdict: a UUIDv7 that is a function of the question, so that every replica gives the same.

use crate::domain::{Millis, Question};
use sha2::{Digest, Sha256};
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
    seven(digest, question.at)
}

/// UUIDv7 of something that happened at a moment: the same words give the same id on every replica.
pub fn happening(at: Millis, words: &[&str]) -> Uuid {
    let mut digest = Sha256::new();
    for word in words {
        digest.update((word.len() as u64).to_be_bytes());
        digest.update(word.as_bytes());
    }
    seven(digest, at)
}

fn seven(digest: Sha256, at: Millis) -> Uuid {
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
