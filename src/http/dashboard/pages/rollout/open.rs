//! What began and is not over: since when, and whether anybody was told.

use super::super::super::parts::{moment, state, text};
use crate::{
    domain::{Event, Millis, Posted, Progress, RolloutState, VerdictStore},
    http::problem::Problem,
    service::ruled,
};
use maud::{Markup, html};

/// Messages of one verdict that are looked through.
const MESSAGES: u32 = 100;

/// One thing that is not over.
#[derive(Debug)]
pub struct Open {
    kind: String,
    policy: Option<String>,
    since: Millis,
    /// Its messages; `None`: its event is not kept any more.
    messages: Option<Vec<Posted>>,
}

/// What is not over of the present canary, from a log that is newest first.
pub async fn open(
    store: &dyn VerdictStore,
    state: &RolloutState,
    log: &[Event],
) -> Result<Vec<Open>, Problem> {
    let mut all = Vec::new();
    for (key, since) in &state.open {
        if key.starts_with("pass") || key == ruled::KEY {
            continue;
        }
        let (kind, policy) = match key.split_once(' ') {
            Some((kind, policy)) => (kind, Some(policy)),
            None => (key.as_str(), None),
        };
        let began = log.iter().find(|event| {
            event.kind.as_str() == kind
                && event.at <= *since
                && event.canary_hash == state.canary_hash
                && policy.is_none_or(|policy| event.policy == policy)
        });
        let messages = match began {
            Some(event) => Some(messages(store, event).await?),
            None => None,
        };
        all.push(Open {
            kind: kind.to_owned(),
            policy: policy.map(str::to_owned),
            since: began.map_or(*since, |event| event.at),
            messages,
        });
    }
    Ok(all)
}

async fn messages(store: &dyn VerdictStore, event: &Event) -> Result<Vec<Posted>, Problem> {
    let Some(verdict) = event.verdict else {
        return Ok(Vec::new());
    };
    let all = store.deliveries(None, None, Some(verdict), MESSAGES).await;
    let mut all = all.map_err(Problem::store)?;
    all.retain(|posted| posted.delivery.event == event.id);
    Ok(all)
}

/// The boxes. `ended`: nobody judges the canary any more, so nothing goes on.
pub fn notes(all: &[Open], ended: bool, now: Millis) -> Markup {
    html! {
        @for one in all {
            (state::note("bad", &html! {
                "Not over: " (text::shown(&one.kind))
                @if let Some(policy) = &one.policy { " (" (text::shown(policy)) ")" }
                ", since " (moment::at(one.since))
                @if !ended { ", for " (moment::since(one.since, now)) }
                ". " (told(one.messages.as_deref()))
            }))
        }
    }
}

fn told(messages: Option<&[Posted]>) -> Markup {
    let Some(messages) = messages else {
        return html! { "Whom it was told is no longer kept." };
    };
    let to = |progress: Progress| {
        let those = messages.iter().filter(|posted| posted.progress == progress);
        let names: Vec<&str> = those
            .map(|posted| posted.delivery.receiver.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    html! {
        @if messages.is_empty() { "Nobody was told: no receiver is set for it." }
        @if let Some(names) = to(Progress::Delivered) { "Told " (text::shown(&names)) ". " }
        @if let Some(names) = to(Progress::Pending) { "Not delivered yet to " (text::shown(&names)) ". " }
        @if let Some(names) = to(Progress::Dead) { "Given up, not told: " (text::shown(&names)) "." }
    }
}
