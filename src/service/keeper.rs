//! Remembers: what is known before a question, and everything that its answer writes.

use super::{
    bundle::{ChunkKey, chunk_key},
    cache::RolloutEvidence,
    identity::{delivery_id, event_id},
    port::JudgeError,
    transitions::{Aftermath, Given, Patience, after, answers_again},
};
use crate::{
    domain::{
        Change, Delivery, Draft, Event, EventKind, Kept, Question, Standing, StoreError,
        VerdictStore,
    },
    judge::explain::clean,
    policy::Policy,
};
use std::{sync::Arc, time::Instant};
use uuid::Uuid;

/// Names of the receivers of an event, under this policy.
pub type Addressees = Arc<dyn Fn(&Event, Option<&Policy>) -> Vec<String> + Send + Sync>;

/// Called after each write: streams and senders look for what is new.
pub type Poke = Arc<dyn Fn() + Send + Sync>;

/// The way from verdicts to the store.
#[derive(Clone)]
pub struct Keeper {
    /// Where everything is kept.
    pub store: Arc<dyn VerdictStore>,
    /// When people are told.
    pub patience: Patience,
    /// Who is told.
    pub addressees: Addressees,
    /// Wakes those who wait for news.
    pub poke: Poke,
}

impl Keeper {
    /// What is known before a question is judged.
    pub async fn recall(
        &self,
        question: &Question,
        revision: &str,
        id: Uuid,
        deadline: Instant,
    ) -> Result<Standing, JudgeError> {
        within(deadline, self.store.recall(question, revision, id)).await
    }

    /// Writes a verdict and all that comes with it.
    pub async fn keep(
        &self,
        given: &Given<'_>,
        (evidence, inputs): (&mut RolloutEvidence, Vec<u8>),
        deadline: Instant,
    ) -> Result<Kept, JudgeError> {
        let Aftermath {
            state,
            latch,
            mut events,
        } = after(given);
        events.extend(self.answers(given, deadline).await?);
        let chunks = evidence.pending();
        let keys: Vec<ChunkKey> = chunks.iter().map(chunk_key).collect();
        let draft = Draft {
            version: given.standing.version,
            verdict: given.verdict.clone(),
            question: given.question.clone(),
            inputs,
            run: evidence.run,
            chunks,
            policy_text: Arc::clone(&given.policy.text),
            state,
            latch,
            deliveries: self.deliveries(&events, Some(given.policy)),
            events,
            kept_at: given.now,
        };
        let kept = within(deadline, self.store.keep(draft)).await?;
        if matches!(kept, Kept::Written(_)) {
            evidence.kept(&keys);
        }
        (self.poke)();
        Ok(kept)
    }

    /// The source answers for the first time, after it was told to be down before there was any verdict.
    async fn answers(
        &self,
        given: &Given<'_>,
        deadline: Instant,
    ) -> Result<Option<Event>, JudgeError> {
        if given.standing.state.is_some() || given.silent > 0 {
            return Ok(None);
        }
        let rollout = &given.question.rollout;
        let (namespace, name) = (&rollout.namespace, &rollout.name);
        let log = self.store.timeline(namespace, name, None, true, 1);
        let newest = within(deadline, log).await?.pop();
        let down = newest.filter(|event| event.kind == EventKind::SourceDown);
        Ok(down.map(|down| answers_again(given, &down)))
    }

    /// Notes that no verdict could be given because the source has been silent for too long.
    pub async fn source_down(
        &self,
        given: &Given<'_>,
        deadline: Instant,
    ) -> Result<(), JudgeError> {
        let Aftermath { events, .. } = after(given);
        let standing = given.standing;
        let known = |event: &Event| {
            let key = format!("{} {}", event.kind.as_str(), event.policy);
            let state = standing.state.as_ref();
            // also while the source of another canary was asked for
            state.is_some_and(|state| state.open.contains_key(&key))
        };
        let mut told = events.into_iter();
        let told = told.find(|e| e.kind == EventKind::SourceDown && !known(e));
        // asked in vain is asked: from time to time this is noted, so that it does not count as vanished
        let often = self.patience.vanished / 4;
        let unnoted = standing
            .state
            .as_ref()
            .is_some_and(|state| given.now - state.kept_at >= often);
        if told.is_none() && !unnoted {
            return Ok(()); // told before
        }
        let told = told.map(|mut event| {
            let since = given.now - given.silent;
            // it may be told again in the same silence, after nobody asked for a while
            let about = format!(
                "{}/{} {} {}",
                event.namespace,
                event.rollout,
                event.policy,
                standing.state.as_ref().map_or(0, |state| state.kept_at)
            );
            event.id = event_id(event.kind, since, &about);
            (event.outcome, event.verdict) = (None, None);
            event
        });
        let events: Vec<Event> = told.into_iter().collect();
        let change = Change {
            state: standing.state.clone().map(|mut state| {
                state.open.remove(EventKind::Vanished.as_str());
                for event in &events {
                    let key = format!("{} {}", event.kind.as_str(), event.policy);
                    state.open.insert(key, event.at);
                }
                state.kept_at = given.now;
                (standing.version, state)
            }),
            deliveries: self.deliveries(&events, Some(given.policy)),
            events,
            ..Change::default()
        };
        match tokio::time::timeout_at(deadline.into(), self.store.change(change)).await {
            // another replica has just written: it or the next question tells it
            Ok(Ok(_) | Err(StoreError::Stale)) => {
                (self.poke)();
                Ok(())
            }
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(JudgeError::StoreDown),
        }
    }

    /// Notes the labels of a question that was answered before, so that they are found too. Gives what a person should know
    /// where they differ from those that were kept with the answer.
    pub async fn asked_again(
        &self,
        question: &Question,
        verdict: Uuid,
        deadline: Instant,
    ) -> Result<Vec<String>, JudgeError> {
        if question.labels.is_empty() {
            return Ok(Vec::new());
        }
        let change = Change {
            asked_again: Some((question.clone(), verdict)),
            ..Change::default()
        };
        within(deadline, self.store.change(change)).await?;
        let kept = within(deadline, self.store.record(verdict)).await?;
        let labels = kept.map(|kept| kept.question.labels).unwrap_or_default();
        let differs = |(name, new): (&String, &String)| {
            let old = labels.get(name).filter(|old| *old != new)?;
            Some(clean(&format!(
                "label `{name}` is `{new}` here and was `{old}` when this was judged; the verdict is found by both"
            )))
        };
        Ok(question.labels.iter().filter_map(differs).collect())
    }

    /// The messages that events cause.
    pub fn deliveries(&self, events: &[Event], policy: Option<&Policy>) -> Vec<Delivery> {
        let to = |event: &Event| {
            let order = format!("{}/{}", event.namespace, event.rollout);
            let (id, at) = (event.id, event.at);
            (self.addressees)(event, policy)
                .into_iter()
                .map(move |receiver| Delivery {
                    id: delivery_id(id, at, &receiver),
                    event: id,
                    receiver,
                    order: order.clone(),
                    due: at,
                })
        };
        events.iter().flat_map(to).collect()
    }
}

async fn within<T>(
    deadline: Instant,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, JudgeError> {
    // reading and judging are not stopped in the midst of a computation
    let left = deadline.checked_duration_since(Instant::now());
    if left.is_none_or(|left| left.is_zero()) {
        tracing::error!(
            "reading and judging took longer than `server.deadline`; the store was not asked. Raise it, lower `lookBack` or `horizon`, or leave out labels"
        );
        return Err(JudgeError::TooSlow);
    }
    if let Ok(outcome) = tokio::time::timeout_at(deadline.into(), call).await {
        outcome.map_err(|error| unavailable(&error))
    } else {
        let left = left.unwrap_or_default();
        tracing::error!(
            left_ms = left.as_millis() as u64,
            "the store did not answer in the time that reading and judging left of `server.deadline`"
        );
        Err(JudgeError::StoreDown)
    }
}

fn unavailable(error: &StoreError) -> JudgeError {
    tracing::error!(%error, "no verdict without the store");
    JudgeError::StoreDown
}
