//! A person overrules the judge, for a time, under their name; and takes it back.

use super::{
    identity::{event_id, override_id},
    keeper::Keeper,
    port::Policies,
    ruled,
};
use crate::{
    domain::{
        Change, Clock, Delivery, Event, EventKind, Filter, Millis, Outcome, Override, RolloutState,
        StoreError, time::rfc3339,
    },
    judge::explain::clean,
};
use std::{collections::BTreeSet, sync::Arc};

/// A state that changes this often while an override is written: something is wrong, and the caller may try again.
const TRIES: usize = 16;
/// Overrides of a rollout that are looked at to find the one in force.
const RECENT: u32 = 100;

/// What a person decides, already checked at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// The canary; the present one where it is absent.
    pub canary_hash: Option<String>,
    /// What every answer says from now on.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Millis,
    /// Who.
    pub author: String,
}

/// Why nobody was overruled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverruleError {
    /// The rollout is not known.
    #[error("the rollout was never judged")]
    NeverJudged,
    /// The canary is not known.
    #[error("canary `{canary_hash}` was never judged; the present one is `{present}`")]
    UnknownCanary {
        /// The hash that was given.
        canary_hash: String,
        /// The hash that is judged now.
        present: String,
    },
    /// There is nothing to take back.
    #[error("no override is in force")]
    NothingInForce,
    /// The rollout's state changed at every try.
    #[error("the rollout's state keeps changing")]
    Busy,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use case.
pub struct Overrule {
    keeper: Keeper,
    policies: Arc<dyn Policies>,
    clock: Arc<dyn Clock>,
}

impl Overrule {
    /// Writes through `keeper`; `policies` say who is told.
    pub fn new(keeper: Keeper, policies: Arc<dyn Policies>, clock: Arc<dyn Clock>) -> Self {
        Self {
            keeper,
            policies,
            clock,
        }
    }

    /// Puts an override in force.
    pub async fn rule(&self, ruling: Ruling) -> Result<Override, OverruleError> {
        for _ in 0..TRIES {
            let (version, mut state) = self.state(&ruling.namespace, &ruling.name).await?;
            let canary_hash = match &ruling.canary_hash {
                None => state.canary_hash.clone(),
                Some(hash) => {
                    self.judged(&state, hash).await?;
                    hash.clone()
                }
            };
            let made = made(&ruling, canary_hash, self.clock.now());
            let replaced = self.replaced(&made).await?;
            let text = sentence(&made, replaced.as_ref());
            let event = event(&made, &state, &made.author, made.at, &text);
            if made.canary_hash == state.canary_hash {
                state.open.insert(ruled::KEY.to_owned(), made.at);
            }
            let rulings = (made.clone(), replaced);
            if self.write(version, state, rulings, event).await? {
                return Ok(made);
            }
        }
        Err(OverruleError::Busy)
    }

    /// Takes the newest override in force back; it stays in the history.
    pub async fn take_back(
        &self,
        namespace: &str,
        name: &str,
        author: &str,
    ) -> Result<Override, OverruleError> {
        for _ in 0..TRIES {
            let (version, mut state) = self.state(namespace, name).await?;
            let now = self.clock.now();
            let all = self.keeper.store.overrides(namespace, name, RECENT).await?;
            let found = in_force(&all, now).into_iter().next().cloned();
            let mut taken = found.ok_or(OverruleError::NothingInForce)?;
            taken.revoked = Some((second(now), author.to_owned()));
            let text = format!(
                "{author} took the override to {} back",
                taken.outcome.as_str()
            );
            let event = event(&taken, &state, author, now, &text);
            ruled::over(&mut state, &taken);
            let rulings = (taken.clone(), None);
            if self.write(version, state, rulings, event).await? {
                return Ok(taken);
            }
        }
        Err(OverruleError::Busy)
    }

    /// The override of the same canary that is in force until this one, taken back by its author.
    async fn replaced(&self, made: &Override) -> Result<Option<Override>, OverruleError> {
        let store = &self.keeper.store;
        let all = store.overrides(&made.namespace, &made.name, RECENT).await?;
        let mut former = in_force(&all, made.at).into_iter();
        let former = former.find(|one| one.canary_hash == made.canary_hash && one.id != made.id);
        Ok(former.cloned().map(|mut former| {
            former.revoked = Some((made.at, made.author.clone()));
            former
        }))
    }

    async fn state(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<(i64, RolloutState), OverruleError> {
        let found = self.keeper.store.rollout(namespace, name).await?;
        found.ok_or(OverruleError::NeverJudged)
    }

    async fn judged(&self, state: &RolloutState, hash: &str) -> Result<(), OverruleError> {
        if state.canary_hash == hash {
            return Ok(());
        }
        let filter = Filter {
            namespace: Some(state.namespace.clone()),
            rollout: Some(state.name.clone()),
            canary_hash: Some(hash.to_owned()),
            ..Filter::default()
        };
        if self
            .keeper
            .store
            .history(&filter, None, 1)
            .await?
            .is_empty()
        {
            return Err(OverruleError::UnknownCanary {
                canary_hash: hash.to_owned(),
                present: state.canary_hash.clone(),
            });
        }
        Ok(())
    }

    fn deliveries(&self, policy: &str, event: &Event) -> Vec<Delivery> {
        let policy = self.policies.policy(policy);
        self.keeper
            .deliveries(std::slice::from_ref(event), policy.as_deref())
    }

    /// `false`: the state changed meanwhile.
    async fn write(
        &self,
        version: i64,
        state: RolloutState,
        (ruling, replaced): (Override, Option<Override>),
        event: Event,
    ) -> Result<bool, OverruleError> {
        let change = Change {
            deliveries: self.deliveries(&state.policy, &event),
            state: Some((version, state)),
            ruling: Some(ruling),
            replaced,
            events: vec![event],
            ..Change::default()
        };
        match self.keeper.store.change(change).await {
            Ok(_) => {
                (self.keeper.poke)();
                Ok(true)
            }
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Questions without a moment are about the whole second that they are asked in: the next one after an override must see it.
fn second(moment: Millis) -> Millis {
    moment.div_euclid(1000) * 1000
}

/// The overrides in force, newest first: of each canary only the newest counts. `all` is newest first.
pub fn in_force(all: &[Override], now: Millis) -> Vec<&Override> {
    let mut seen = BTreeSet::new();
    all.iter()
        .filter(|one| seen.insert(one.canary_hash.as_str()))
        .filter(|one| one.in_force(now))
        .collect()
}

fn made(ruling: &Ruling, canary_hash: String, at: Millis) -> Override {
    let expires = ruling.expires.to_string();
    let words = [
        &ruling.namespace,
        &ruling.name,
        &canary_hash,
        ruling.outcome.as_str(),
        &ruling.reason,
        &expires,
        &ruling.author,
    ];
    Override {
        id: override_id(at, &words),
        namespace: ruling.namespace.clone(),
        name: ruling.name.clone(),
        canary_hash,
        outcome: ruling.outcome,
        reason: ruling.reason.clone(),
        author: ruling.author.clone(),
        at: second(at),
        expires: ruling.expires,
        revoked: None,
    }
}

fn sentence(ruling: &Override, replaced: Option<&Override>) -> String {
    let replaces = replaced.map_or_else(String::new, |former| {
        format!(
            " (replaces the override of {} to {} until {})",
            former.author,
            former.outcome.as_str(),
            rfc3339(former.expires)
        )
    });
    format!(
        "{} overrode the judge to {} until {}{replaces}: {}",
        ruling.author,
        ruling.outcome.as_str(),
        rfc3339(ruling.expires),
        ruling.reason
    )
}

fn event(ruling: &Override, state: &RolloutState, author: &str, at: Millis, reason: &str) -> Event {
    let id = ruling.id;
    let (kind, what) = match ruling.revoked {
        Some(_) => (EventKind::OverrideEnded, "ended"),
        None => (EventKind::Override, "in force"),
    };
    let present = state.canary_hash == ruling.canary_hash;
    Event {
        seq: 0,
        id: event_id(kind, at, &format!("{id} {what}")),
        at,
        kind,
        namespace: ruling.namespace.clone(),
        rollout: ruling.name.clone(),
        policy: state.policy.clone(),
        canary_hash: ruling.canary_hash.clone(),
        weight: state.weight,
        outcome: Some(ruling.outcome),
        verdict: present.then_some(state.verdict),
        author: Some(author.to_owned()),
        reason: clean(reason),
        ruling: None,
        still: Vec::new(),
    }
}
