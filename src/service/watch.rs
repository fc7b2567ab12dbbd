//! Looks for what no question will ever show: rollouts that nobody asks about any more, and overrides of theirs that expire.

use super::{
    identity::event_id,
    keeper::Keeper,
    port::Policies,
    ruled,
    transitions::{trouble, troubles},
};
use crate::{
    domain::{
        Action, Change, Clock, Delivery, Event, EventKind, Filter, Millis, Outcome, RolloutState,
        StoreError, UNASKED,
    },
    judge::{
        explain::{clean, span},
        ruling::sentence,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(20);
/// Rollouts of one page.
const PAGE: u32 = 200;

/// Looks until it is dropped.
pub async fn watch(keeper: Keeper, policies: Arc<dyn Policies>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = look(&keeper, &*policies, clock.now()).await {
            tracing::warn!(%error, "could not look for vanished rollouts and overrides that have expired");
        }
    }
}

/// One look at every rollout.
pub async fn look(keeper: &Keeper, policies: &dyn Policies, now: Millis) -> Result<(), StoreError> {
    let everything = Filter::default();
    let mut after: Option<(String, String)> = None;
    loop {
        let from = after.as_ref().map(|(a, b)| (a.as_str(), b.as_str()));
        let page = keeper.store.rollouts(&everything, from, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some((last.namespace.clone(), last.name.clone()));
        let patience = keeper.patience.vanished;
        let unasked = |s: &&RolloutState| vanished(s, now, patience) || abandoned(s, now, patience);
        for state in page.iter().filter(unasked) {
            note(keeper, policies, state, now).await?;
        }
        for state in page.iter().filter(|s| s.open.contains_key(ruled::KEY)) {
            end_override(keeper, policies, state, now).await?;
        }
    }
}

/// Overrides of a rollout that are looked at to find the one of its canary.
const RECENT: u32 = 100;

/// Ends an override that has expired although nobody has asked since.
async fn end_override(
    keeper: &Keeper,
    policies: &dyn Policies,
    seen: &RolloutState,
    now: Millis,
) -> Result<(), StoreError> {
    let (namespace, name) = (&seen.namespace, &seen.name);
    // the state first: an override that comes after it makes it stale
    let Some((version, mut state)) = keeper.store.rollout(namespace, name).await? else {
        return Ok(());
    };
    let all = keeper.store.overrides(namespace, name, RECENT).await?;
    let newest = all.iter().find(|o| o.canary_hash == state.canary_hash);
    let Some(ruling) = newest.filter(|o| state.open.contains_key(ruled::KEY) && o.expires <= now)
    else {
        return Ok(());
    };
    let mut change = Change::default();
    if ruling.revoked.is_none() {
        let event = ruled::expired(ruling, &state);
        let policy = policies.policy(&state.policy);
        change.deliveries = keeper.deliveries(std::slice::from_ref(&event), policy.as_deref());
        change.events = vec![event];
    }
    ruled::over(&mut state, ruling);
    change.state = Some((version, state));
    write(keeper, change).await
}

const KEY: &str = "vanished";

/// Undecided, or on its way, and nobody has asked for so long.
fn vanished(state: &RolloutState, now: Millis, patience: Millis) -> bool {
    let done = state.outcome == Outcome::Fail
        || (state.action == Action::Advance && state.weight >= 100.0);
    !done && now - state.kept_at >= patience && !state.open.contains_key(KEY)
}

/// Does this entry of `open` wait for the answer to a question?
fn waits(key: &str) -> bool {
    trouble(key).is_some_and(|kind| AWAITED.contains(&kind))
}

/// What only the answer to a question ends, although the trouble is not the canary's own.
const AWAITED: [EventKind; 2] = [EventKind::Inconclusive, EventKind::SourceDown];

/// Something waits for an answer, and nobody has asked for so long.
fn abandoned(state: &RolloutState, now: Millis, patience: Millis) -> bool {
    now - state.kept_at >= patience && state.open.keys().any(|key| waits(key))
}

/// Notes what nobody asks about any more.
async fn note(
    keeper: &Keeper,
    policies: &dyn Policies,
    seen: &RolloutState,
    now: Millis,
) -> Result<(), StoreError> {
    let (namespace, name) = (&seen.namespace, &seen.name);
    let Some((version, mut state)) = keeper.store.rollout(namespace, name).await? else {
        return Ok(());
    };
    let patience = keeper.patience.vanished;
    let gone = vanished(&state, now, patience);
    if !gone && !abandoned(&state, now, patience) {
        return Ok(());
    }
    let ruling = if state.open.contains_key(ruled::KEY) {
        let all = keeper.store.overrides(namespace, name, RECENT).await?;
        let newest = all.into_iter().find(|o| o.canary_hash == state.canary_hash);
        newest.filter(|ruling| ruling.in_force(now))
    } else {
        None
    };
    // the same question may be asked in vain for a while, and then no more
    let about = format!("{} {}", state.verdict, state.kept_at);
    let event = Event {
        seq: 0,
        id: event_id(EventKind::Vanished, state.at, &about),
        at: now,
        kind: EventKind::Vanished,
        namespace: namespace.clone(),
        rollout: name.clone(),
        policy: state.policy.clone(),
        canary_hash: state.canary_hash.clone(),
        weight: state.weight,
        outcome: Some(state.outcome),
        verdict: Some(state.verdict),
        author: None,
        reason: clean(&format!(
            "not asked about for {} at {} %, {}: {}",
            span((now - state.kept_at) as f64 / 1000.0),
            state.weight,
            state.outcome.as_str(),
            state.reason
        )),
        ruling: ruling.as_ref().map(sentence),
        still: Vec::new(),
    };
    let mut events = Vec::new();
    if gone {
        state.open.insert(KEY.to_owned(), now);
        events.push(event.clone());
    }
    let judging = policies_of(&state);
    events.extend(over(&mut state, event));
    let mut deliveries = Vec::new();
    for policy in judging {
        let told = keeper.deliveries(&events, policies.policy(&policy).as_deref());
        let new = |one: &Delivery| !deliveries.iter().any(|d: &Delivery| d.id == one.id);
        let told: Vec<Delivery> = told.into_iter().filter(new).collect();
        deliveries.extend(told);
    }
    let change = Change {
        state: Some((version, state)),
        deliveries,
        events,
        ..Change::default()
    };
    write(keeper, change).await
}

/// The policies whose receivers heard of the rollout: the one that counts and those of what waits.
fn policies_of(state: &RolloutState) -> BTreeSet<String> {
    let waiting = state.open.keys().filter(|key| waits(key));
    let named = waiting.filter_map(|key| key.split_once(' '));
    let named = named.map(|(_, policy)| policy.to_owned());
    named.chain([state.policy.clone()]).collect()
}

async fn write(keeper: &Keeper, change: Change) -> Result<(), StoreError> {
    match keeper.store.change(change).await {
        // somebody has just asked
        Err(StoreError::Stale) => Ok(()),
        done => {
            done?;
            (keeper.poke)();
            Ok(())
        }
    }
}

/// Nobody waits any more for a decision or a source; a failed canary and a promotion without evidence stay as they are.
pub(super) fn over(state: &mut RolloutState, unasked: Event) -> Option<Event> {
    let ended: BTreeSet<EventKind> = state
        .open
        .keys()
        .filter(|key| waits(key))
        .filter_map(|key| trouble(key))
        .collect();
    if ended.is_empty() {
        return None;
    }
    state.open.retain(|key, _| !waits(key));
    let ended: Vec<&str> = ended.into_iter().map(EventKind::as_str).collect();
    let about = format!("{} {} {KEY}", state.verdict, state.kept_at);
    Some(Event {
        id: event_id(EventKind::Recovered, state.at, &about),
        kind: EventKind::Recovered,
        reason: clean(&format!(
            "no longer {}, {UNASKED}: {}",
            ended.join(" or "),
            unasked.reason
        )),
        still: troubles(&state.open),
        ..unasked
    })
}
