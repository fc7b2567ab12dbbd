//! Looks for what no question will ever show: rollouts that nobody asks about any more, and overrides of theirs that expire.

use super::{identity::event_id, keeper::Keeper, port::Policies, ruled, transitions::told};
use crate::{
    domain::{
        Action, Change, Clock, Event, EventKind, Filter, Millis, Outcome, RolloutState, StoreError,
    },
    judge::explain::{clean, span},
};
use std::{sync::Arc, time::Duration};

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
        for state in page
            .iter()
            .filter(|s| vanished(s, now, keeper.patience.vanished))
        {
            note(keeper, state, now).await?;
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

async fn note(keeper: &Keeper, seen: &RolloutState, now: Millis) -> Result<(), StoreError> {
    let (namespace, name) = (&seen.namespace, &seen.name);
    let Some((version, mut state)) = keeper.store.rollout(namespace, name).await? else {
        return Ok(());
    };
    if !vanished(&state, now, keeper.patience.vanished) {
        return Ok(());
    }
    let event = Event {
        seq: 0,
        id: event_id(EventKind::Vanished, state.at, &state.verdict.to_string()),
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
    };
    state.open.insert(KEY.to_owned(), now);
    let events: Vec<Event> = std::iter::once(event.clone())
        .chain(over(&mut state, event))
        .collect();
    let change = Change {
        state: Some((version, state)),
        deliveries: keeper.deliveries(&events, None),
        events,
        ..Change::default()
    };
    write(keeper, change).await
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

/// Nobody waits any more for a decision; a failed canary, a silent source and a promotion without evidence stay as they are.
pub(super) fn over(state: &mut RolloutState, vanished: Event) -> Option<Event> {
    let waits = |key: &String| key.starts_with(EventKind::Inconclusive.as_str());
    let ended = state.open.keys().any(waits);
    state.open.retain(|key, _| !waits(key));
    let stays = state.open.keys().any(|key| told(key));
    (ended && !stays).then(|| Event {
        id: event_id(
            EventKind::Recovered,
            state.at,
            &format!("{} {KEY}", state.verdict),
        ),
        kind: EventKind::Recovered,
        reason: format!("over: {}", vanished.reason),
        ..vanished
    })
}
