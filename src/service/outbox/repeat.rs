//! Tells again what still lasts, for receivers that forget it with a restart: Alertmanager keeps alerts in memory and
//! expects its clients to repeat them. Any number of replicas may do so: the same alert again is the same alert.

use super::note::Links;
use crate::{
    domain::{
        Clock, Event, EventKind, Filter, Message, Millis, Notifier, NotifyError, RolloutState,
        StoreError,
    },
    service::{identity::delivery_id, keeper::Keeper, port::Policies, ruled, transitions::trouble},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Rollouts of one page.
const PAGE: u32 = 200;
/// Events of a rollout that are read at once, and how often, to find the one that opened what lasts.
const EVENTS: u32 = 100;
const READS: usize = 10;

/// Why a round ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepeatError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The receiver did not take it.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

/// A receiver that is told again.
pub struct Repeat {
    /// What lasts, and who is told of it.
    pub keeper: Keeper,
    /// Their receivers count too.
    pub policies: Arc<dyn Policies>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How links begin.
    pub links: Links,
    /// The receiver.
    pub notifier: Arc<dyn Notifier>,
    /// Between two rounds.
    pub every: Duration,
    /// What began longer ago is told no more.
    pub lasts: Millis,
}

/// How a kind of event stands.
enum Last {
    Lasts(Event),
    Ended(Event),
}

impl Repeat {
    /// Repeats until it is dropped.
    pub async fn run(self) {
        let mut failed = false;
        loop {
            tokio::time::sleep(self.every).await;
            let round = self.round().await;
            if let (Err(error), false) = (&round, failed) {
                let receiver = self.notifier.name();
                tracing::warn!(receiver, %error, "could not repeat what lasts; it is tried again");
            }
            failed = round.is_err();
        }
    }

    /// Tells everything that lasts once more; gives how many alerts that were.
    pub async fn round(&self) -> Result<usize, RepeatError> {
        let (everything, mut told) = (Filter::default(), 0);
        let mut after: Option<(String, String)> = None;
        loop {
            let from = after.as_ref().map(|(a, b)| (a.as_str(), b.as_str()));
            let page = self.keeper.store.rollouts(&everything, from, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(told);
            };
            after = Some((last.namespace.clone(), last.name.clone()));
            for state in &page {
                for kind in lasting(state, self.clock.now().saturating_sub(self.lasts)) {
                    told += usize::from(self.again(state, kind).await?);
                }
            }
        }
    }

    async fn again(&self, state: &RolloutState, kind: EventKind) -> Result<bool, RepeatError> {
        let Some(Last::Lasts(event)) = self.last(state, kind).await? else {
            return Ok(false);
        };
        let policy = self.policies.policy(&event.policy);
        let to = (self.keeper.addressees)(&event, policy.as_deref());
        if !to.iter().any(|name| name == self.notifier.name()) {
            return Ok(false);
        }
        self.tell(event).await?;
        // what ended meanwhile may have been told before this
        if let Some(Last::Ended(end)) = self.last(state, kind).await? {
            self.tell(end).await?;
        }
        Ok(true)
    }

    async fn tell(&self, event: Event) -> Result<(), RepeatError> {
        let record = match event.verdict {
            Some(id) => self.keeper.store.record(id).await?,
            None => None,
        };
        let message = Message {
            // the one that it was told under
            id: delivery_id(event.id, event.at, self.notifier.name()),
            earlier: Vec::new(),
            verdict: record.map(|record| record.verdict),
            url: self.links.page(&event),
            how_to_override: self.links.how_to_override(&event),
            event,
        };
        Ok(self.notifier.tell(&message).await?)
    }

    /// The newest event that began or ended this kind.
    async fn last(
        &self,
        state: &RolloutState,
        kind: EventKind,
    ) -> Result<Option<Last>, RepeatError> {
        let (namespace, name) = (&state.namespace, &state.name);
        let mut before = None;
        for _ in 0..READS {
            let log = self
                .keeper
                .store
                .timeline(namespace, name, before, true, EVENTS);
            let log = log.await?;
            let Some(oldest) = log.last() else {
                return Ok(None);
            };
            before = Some(oldest.seq);
            for event in log {
                if event.kind == kind {
                    return Ok(Some(Last::Lasts(event)));
                }
                if event.ends(kind) {
                    return Ok(Some(Last::Ended(event)));
                }
            }
        }
        Ok(None)
    }
}

/// The kinds that last for a rollout and began after this moment.
fn lasting(state: &RolloutState, after: Millis) -> Vec<EventKind> {
    let mut kinds: BTreeMap<EventKind, Millis> = BTreeMap::new();
    for (key, since) in &state.open {
        let own = (key == ruled::KEY).then_some(EventKind::Override);
        if let Some(kind) = trouble(key).or(own) {
            let newest = kinds.entry(kind).or_insert(*since);
            *newest = (*newest).max(*since);
        }
    }
    let young = kinds.into_iter().filter(|(_, since)| *since > after);
    young.map(|(kind, _)| kind).collect()
}
