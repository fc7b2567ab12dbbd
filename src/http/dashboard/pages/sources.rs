//! The metric sources, and how they answer; below them the receivers.

use super::{
    super::{
        layout::Content,
        parts::{badge, long::long, moment, number, state, text},
        shell::PageProblem,
        view::View,
    },
    receivers, targets,
};
use crate::{
    domain::{Millis, TargetSeen},
    http::{
        about::SourceAbout,
        health::{self, SourceHealth, StoreHealth},
        state::App,
    },
    telemetry::SourceRecord,
};
use axum::{extract::State, response::Html};
use maud::{Markup, html};
use std::{sync::Arc, time::Duration};

/// `GET /sources`
pub async fn page(view: View, State(app): State<Arc<App>>) -> Result<Html<String>, PageProblem> {
    let store = app.health.store(&*app.store).await;
    let receivers = receivers::receivers(&app, &view, &store).await?;
    let probes = app.health.sources();
    let body = html! {
        h1 { "Sources and receivers" }
        div data-live="store" { (store_note(&store)) }
        h2 { "Metric sources" }
        div data-live="sources" {
            @if app.about.sources.is_empty() {
                (state::empty("No metric source", &html! { "Configure one under " code { "sources" } "." }))
            }
            @for about in &app.about.sources {
                @let seen = app.health.targets(&about.name);
                (source(&app, &view, about, (probes.get(&about.name), seen.as_deref())))
                (targets::targets(&view, &about.name, seen))
            }
        }
        h2 { "Receivers of alerts" }
        div data-live="receivers" { (receivers) }
    };
    Ok(view.show(&Content::new("Sources", body).area("sources").live("")))
}

fn store_note(store: &StoreHealth) -> Markup {
    html! {
        @if store.up {
            p { (badge::word("good", "answers")) " The store of verdicts can be read and written." }
        } @else {
            p.note.bad { (badge::word("bad", "down")) " The store does not answer, so no verdict can be given: " (text::sentence(&store.detail)) }
        }
    }
}

fn source(
    app: &App,
    view: &View,
    about: &SourceAbout,
    (probe, seen): (Option<&SourceHealth>, Option<&[TargetSeen]>),
) -> Markup {
    let record = app.metrics.source_record(&about.name);
    let readers: Vec<_> = app
        .catalog
        .all()
        .into_iter()
        .filter(|policy| policy.source == about.name)
        .collect();
    html! {
        section.panel.source aria-label=(format!("Metric source {}", text::flat(&about.name))) {
            h3 { (text::shown(&about.name)) " " (up(probe, seen.unwrap_or_default())) }
            @if let Some(probe) = probe.filter(|p| !p.detail.is_empty()) {
                div class={ "note " (if probe.up { "odd" } else { "bad" }) } { (long(&probe.detail)) }
            }
            dl.facts {
                dt { "Kind" } dd { (about.kind.as_str()) }
                dt { "Address" } dd {
                    @match &about.address { Some(address) => code { (text::shown(address)) }, None => "in this process" }
                }
                (answers(view, &record))
                dt { "Read by" }
                dd {
                    @if readers.is_empty() { span.quiet { "no loaded policy" } }
                    @for (i, policy) in readers.iter().enumerate() {
                        @if i > 0 { ", " }
                        a href=(view.to(&format!("policies/{}", policy.name))) { (policy.name) }
                        " (" (policy.objectives.len()) @if policy.objectives.len() == 1 { " objective)" } @else { " objectives)" }
                    }
                }
            }
        }
    }
}

fn up(probe: Option<&SourceHealth>, seen: &[TargetSeen]) -> Markup {
    let (answering, silent) = health::answering(seen);
    match probe {
        // a source that scrapes is as many sources as it has targets
        Some(probe) if probe.up && (silent > 0 || !probe.detail.is_empty()) => {
            let word = format!("partly, {answering} of {} targets", seen.len());
            html! { (badge::word("odd", &word)) }
        }
        Some(probe) if probe.up => badge::word("good", "answers"),
        Some(_) => badge::word("bad", "down"),
        None => badge::word("odd", "not asked yet"),
    }
}

fn answers(view: &View, record: &SourceRecord) -> Markup {
    let before = |span: Duration| view.now.saturating_sub(span.as_millis() as Millis);
    let seconds = |span: Option<Duration>| {
        span.map_or("–".to_owned(), |s| {
            number::with_unit(s.as_secs_f64(), "seconds")
        })
    };
    html! {
        dt { "Last answer" }
        dd {
            @match record.answered {
                Some(span) => (moment::ago(before(span), view.now)),
                None => span.quiet { "none since this process began" },
            }
        }
        dt { "Time of a query" }
        dd { "median " (seconds(record.median)) ", p99 " (seconds(record.p99)) span.quiet { " (last 512, with the probe every 10 s)" } }
        dt { "Since the start" }
        dd {
            (number::grouped(record.queries as f64)) " queries, "
            (number::grouped(record.failed as f64)) " without an answer, "
            (number::bytes(record.bytes as f64)) " read"
        }
        @if let Some((span, word, detail)) = &record.error {
            dt { "Last error" }
            dd { (moment::ago(before(*span), view.now)) ", " code { (word) } ": " (long(detail)) }
        }
    }
}
