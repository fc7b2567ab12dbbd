//! What happened, overrides, and the newest verdicts as tables.

use super::super::super::{
    parts::{badge, long::long, moment, number, text},
    view::View,
};
use crate::{
    domain::{Event, EventKind, Line, Millis, Override},
    service::overrule::in_force,
};
use maud::{Markup, html};

/// Events shown; the page of all events has the others.
const EVENTS: usize = 50;

/// What happened to a canary; `log` is oldest first. `several` policies judge it: each event says which. `all` is the page of all events.
pub fn events(view: &View, log: &[Event], several: bool, all: &str) -> Markup {
    let hidden = log.len() > EVENTS;
    let last = log.iter().rev().nth(EVENTS - 1).filter(|_| hidden);
    html! {
        section aria-labelledby="events" data-live="events" {
            h2 #events { "Events" }
            @if log.is_empty() { p.quiet { "Nothing but verdicts so far." } }
            @else {
                div.panel.scroll role="region" aria-label="Table of events" tabindex="0" {
                    table.cards {
                        caption { "What happened, newest first" }
                        (event_head(false))
                        tbody { @for event in log.iter().rev().take(EVENTS) { (event_row(view, event, several, false)) } }
                    }
                }
                @if let Some(last) = last {
                    p { a href=(view.to(&format!("{all}?before={}", last.seq))) { "Earlier events" } span.quiet { ", of all canaries" } }
                }
            }
        }
    }
}

/// The head of a table of events, of one canary or of all.
pub fn event_head(canaries: bool) -> Markup {
    html! {
        thead { tr {
            th scope="col" { "When" } th scope="col" { "What" }
            @if canaries { th scope="col" { "Canary" } }
            th.number scope="col" { "Weight" } th scope="col" { "Why" }
        } }
    }
}

/// One event. Where several policies judge the rollout it says which of them it is about.
pub fn event_row(view: &View, event: &Event, several: bool, canaries: bool) -> Markup {
    html! {
        tr {
            th scope="row" { (moment::at(event.at)) }
            td data-label="What" {
                div {
                    (badge::severity(event.kind.severity())) " " (event.kind.as_str())
                    @if several && of_policy(event.kind) && !event.policy.is_empty() {
                        div.quiet { "by policy " (text::shown(&event.policy)) }
                    }
                }
            }
            @if canaries { td data-label="Canary" { code { (text::shown(&event.canary_hash)) } } }
            td.number data-label="Weight" { (number::plain(event.weight)) "\u{202f}%" }
            td.reason data-label="Why" {
                div {
                    @if let Some(author) = &event.author { b { (text::shown(author)) } ": " }
                    (long(&event.told()))
                    @if let Some(id) = event.verdict { " " a href=(view.to(&format!("verdicts/{id}"))) { "Verdict" } }
                }
            }
        }
    }
}

/// Does one policy say it, and not a person or the caller about the whole rollout?
fn of_policy(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Override
            | EventKind::OverrideEnded
            | EventKind::Weight
            | EventKind::PromotionWithoutEvidence
            | EventKind::Vanished
    )
}

/// Overrides, newest first.
pub fn overrides(all: &[Override], now: Millis) -> Markup {
    let counts = in_force(all, now);
    html! {
        section aria-labelledby="overrides" data-live="overrides" {
            h2 #overrides { "Overrides" }
            @if all.is_empty() { p.quiet { "Nobody overruled the judge here." } }
            @else {
                div.panel.scroll role="region" aria-label="Table of overrides" tabindex="0" {
                    table.cards {
                        caption { "Overrides of all canaries, newest first; each holds for every policy" }
                        thead { tr {
                            th scope="col" { "Since" } th scope="col" { "Until" } th scope="col" { "Says" } th scope="col" { "Canary" }
                            th scope="col" { "Who and why" } th scope="col" { "State" }
                        } }
                        tbody { @for one in all { (override_row(one, counts.iter().any(|o| o.id == one.id), now)) } }
                    }
                }
            }
        }
    }
}

fn override_row(one: &Override, in_force: bool, now: Millis) -> Markup {
    html! {
        tr {
            th scope="row" { (moment::at(one.at)) }
            td data-label="Until" { (moment::at(one.expires)) }
            td data-label="Says" { (badge::outcome(one.outcome)) }
            td data-label="Canary" { code { (text::shown(&one.canary_hash)) } }
            td.reason data-label="Who and why" { div { b { (text::shown(&one.author)) } ": " (text::sentence(&one.reason)) } }
            td data-label="State" {
                div {
                    @match (&one.revoked, in_force) {
                        (Some((at, who)), _) => { "taken back " (moment::at(*at)) " by " (text::shown(who)) }
                        (None, true) => (badge::word("bad", "in force")),
                        (None, false) if one.expires <= now => "expired",
                        (None, false) => "replaced",
                    }
                }
            }
        }
    }
}

/// The newest verdicts, with their scores where they are of something; `policy` is the one that gave them, where several judge
/// the rollout.
pub fn verdicts(view: &View, lines: &[(Line, Option<f64>)], policy: Option<&str>) -> Markup {
    html! {
        section aria-labelledby="verdicts" data-live="verdicts" {
            h2 #verdicts { "Newest verdicts" }
            @if lines.is_empty() { p.quiet { "No verdict of this canary is kept any more." } }
            @else {
                div.panel.scroll role="region" aria-label="Table of the newest verdicts" tabindex="0" {
                    table.cards {
                        caption {
                            "The newest " (lines.len()) " verdicts of this canary"
                            @if let Some(policy) = policy { ", by policy " (text::shown(policy)) }
                        }
                        thead { tr {
                            th scope="col" { "Asked" } th scope="col" { "Verdict" } th.number scope="col" { "Weight" }
                            th.number scope="col" { "Score" } th scope="col" { "Reason" }
                        } }
                        tbody { @for (line, score) in lines {
                            tr {
                                th scope="row" { a href=(view.to(&format!("verdicts/{}", line.id))) { (moment::at(line.at)) } }
                                td data-label="Verdict" { (badge::outcome(line.outcome)) }
                                td.number data-label="Weight" { (number::plain(line.weight)) "\u{202f}%" }
                                td.number data-label="Score" { (score.map_or_else(|| "–".to_owned(), number::plain)) }
                                td.reason data-label="Reason" { (text::sentence(&line.reason)) }
                            }
                        } }
                    }
                }
            }
        }
    }
}
