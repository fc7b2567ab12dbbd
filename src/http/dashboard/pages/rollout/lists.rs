//! What happened, overrides, and the newest verdicts as tables.

use super::super::super::{
    parts::{badge, moment, number, text},
    view::View,
};
use crate::{
    domain::{Event, Line, Millis, Override},
    service::overrule::in_force,
};
use maud::{Markup, html};

/// Events shown; `GET /v1/rollouts/...` has them all.
const EVENTS: usize = 50;

/// What happened to a canary; `log` is oldest first.
pub fn events(view: &View, log: &[Event]) -> Markup {
    html! {
        section aria-labelledby="events" data-live="events" {
            h2 #events { "Events" }
            @if log.is_empty() { p.quiet { "Nothing but verdicts so far." } }
            @else {
                div.panel.scroll role="region" aria-label="Table of events" tabindex="0" {
                    table.cards {
                        caption { "What happened, newest first" }
                        thead { tr { th scope="col" { "When" } th scope="col" { "What" } th.number scope="col" { "Weight" } th scope="col" { "Why" } } }
                        tbody { @for event in log.iter().rev().take(EVENTS) { (event_row(view, event)) } }
                    }
                }
                @if log.len() > EVENTS { p.quiet { (log.len() - EVENTS) " earlier events are not shown." } }
            }
        }
    }
}

fn event_row(view: &View, event: &Event) -> Markup {
    html! {
        tr {
            th scope="row" { (moment::at(event.at)) }
            td data-label="What" { div { (badge::severity(event.kind.severity())) " " (event.kind.as_str()) } }
            td.number data-label="Weight" { (number::plain(event.weight)) "\u{202f}%" }
            td.reason data-label="Why" {
                div {
                    @if let Some(author) = &event.author { b { (text::shown(author)) } ": " }
                    (text::sentence(&event.told()))
                    @if let Some(id) = event.verdict { " " a href=(view.to(&format!("verdicts/{id}"))) { "Verdict" } }
                }
            }
        }
    }
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
                        caption { "Overrides of all canaries, newest first" }
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

/// The newest verdicts, with their scores where they are of something.
pub fn verdicts(view: &View, lines: &[(Line, Option<f64>)]) -> Markup {
    html! {
        section aria-labelledby="verdicts" data-live="verdicts" {
            h2 #verdicts { "Newest verdicts" }
            @if lines.is_empty() { p.quiet { "No verdict of this canary is kept any more." } }
            @else {
                div.panel.scroll role="region" aria-label="Table of the newest verdicts" tabindex="0" {
                    table.cards {
                        caption { "The newest " (lines.len()) " verdicts of this canary" }
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
