//! One verdict and everything behind it.

mod behind;
mod numbers;
mod queries;
mod told;

use super::super::{
    layout::Content,
    parts::{badge, figure, moment, number, shift, state, text},
    shell::PageProblem,
    view::View,
};
use crate::{
    domain::{Latch, Override, Record},
    http::{
        history::{params::Params, verdicts::find},
        state::App,
    },
    service::ruled,
};
use axum::{
    extract::{Path, State},
    http::Uri,
    response::Html,
};
use behind::Behind;
use maud::{Markup, html};
use std::{collections::BTreeMap, sync::Arc};

/// `GET /verdicts/{id}`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let with_pods = Params::read(&uri, &["pods"])?.text("pods")?.is_some();
    let record = find(&app, &view.caller, &id).await?;
    let behind = behind::behind(&app, &record).await?;
    let pods = match &behind.inputs {
        Some(inputs) if with_pods => Some(behind::pod_sums(&app, &record, inputs.clone()).await?),
        _ => None,
    };
    let verdict = &record.verdict;
    let rollout = &verdict.rollout;
    let name = format!("{}/{}", rollout.namespace, rollout.name);
    let inputs = behind.inputs.as_ref();
    let ruling = inputs.and_then(|inputs| inputs.ruling.as_ref());
    let ruling = ruling.filter(|ruling| ruling.in_force(record.question.at));
    let body = html! {
        p.crumbs {
            a href=(view.to("rollouts")) { "Rollouts" } " › "
            a href=(view.to(&format!("rollouts/{name}"))) { (text::shown(&name)) }
        }
        h1 { "Verdict " (badge::outcome(verdict.outcome)) }
        @if !ruling.is_some_and(|ruling| ruled::repeats(verdict, ruling)) {
            p.sentence { (text::sentence(&verdict.reason)) }
        }
        (shift::notes(&verdict.findings))
        (forced(&record, &behind, ruling))
        (facts(&view, &record))
        (state::warnings(&ruled::warnings(verdict, ruling)))
        (numbers::numbers(verdict, behind.policy.as_ref()))
        (told::told(&behind.deliveries, view.now))
        (queries::queries(&view, verdict, &behind))
        @if behind.inputs.is_some() { (queries::pods(&view, verdict, pods.as_ref())) }
    };
    let events = format!("namespace={}&rollout={}", rollout.namespace, rollout.name);
    let content = Content::new(format!("{} · {name}", verdict.outcome.as_str()), body)
        .area("rollouts")
        .live(events)
        .with(&["detail.css"], &["copy.js"]);
    Ok(view.show(&content))
}

/// What stood above the evidence: an override, or a fail that stays.
fn forced(record: &Record, behind: &Behind, ruling: Option<&Override>) -> Markup {
    let Some(inputs) = &behind.inputs else {
        return html! {};
    };
    html! {
        @match (ruling, &inputs.latch) {
            (Some(ruling), _) => (overridden(ruling)),
            (None, Some(latch)) if latch.verdict != record.verdict.id => (latched(latch)),
            _ => {}
        }
    }
}

fn overridden(ruling: &Override) -> Markup {
    state::note(
        "bad",
        &html! {
            "An override was in force: " (badge::outcome(ruling.outcome)) " by " b { (text::shown(&ruling.author)) }
            ", " (moment::at(ruling.at)) " until " (moment::at(ruling.expires)) ". "
            "Reason: " (text::sentence(&ruling.reason))
        },
    )
}

fn latched(latch: &Latch) -> Markup {
    state::note(
        "bad",
        &html! {
            "This canary had failed before, at " (moment::at(latch.at)) ", and a fail stays under its revision of the policy: "
            (text::sentence(&latch.reason)) " "
            a href=(format!("./{}", latch.verdict)) { "That verdict" }
        },
    )
}

fn facts(view: &View, record: &Record) -> Markup {
    let (verdict, question) = (&record.verdict, &record.question);
    let rollout = &verdict.rollout;
    let policy = format!("policies/{}?revision={}", verdict.policy, verdict.revision);
    let percent = |w: f64| format!("{}\u{202f}%", number::plain(w));
    html! {
        section aria-labelledby="facts" {
            h2 #facts { "Question and answer" }
            dl.facts {
                dt { "Asked" } dd { (moment::at(question.at)) ", kept " (moment::at(record.kept_at)) }
                dt { "Advice" } dd {
                    (verdict.action.as_str()) ", weight " (percent(verdict.weight)) " to " (percent(verdict.next_weight))
                    @if let Some(step) = question.step { ", step " (step) }
                }
                dt { "Score" } dd {
                    @match figure::score(verdict) {
                        Some(score) => { (number::plain(score)) " of 100 (100: no sign of harm)" }
                        None => "– (no objective had data)",
                    }
                }
                dt { "Canary" } dd { code { (text::shown(&rollout.canary_hash)) } " against stable " code { (text::shown(&rollout.stable_hash)) } }
                dt { "Judged exposure" } dd {
                    @if verdict.window.start >= verdict.window.end { "none: no block of the canary had closed" }
                    @else {
                    (moment::at(verdict.window.start)) " to " (moment::at(verdict.window.end))
                    " (" (moment::span(verdict.window.end.saturating_sub(verdict.window.start))) ")"
                    }
                }
                dt { "Policy" } dd {
                    a href=(view.to(&policy)) { (text::shown(&verdict.policy)) }
                    " revision " code { (text::shown(&verdict.revision)) }
                }
                @if let Some(run) = &question.analysis_run { dt { "AnalysisRun" } dd { (text::shown(run)) } }
                (pairs("Parameters", &question.params))
                (pairs("Labels", &question.labels))
                dt { "Bundle" } dd {
                    a href=(view.to(&format!("v1/verdicts/{}/bundle", verdict.id))) download { "Download" }
                    " everything it was made of, for " code { "rollout-judge replay" }
                }
                dt { "Id" } dd { code { (verdict.id) } }
            }
        }
    }
}

fn pairs(title: &'static str, pairs: &BTreeMap<String, String>) -> Markup {
    html! {
        @if !pairs.is_empty() {
            dt { (title) }
            dd { ul.pairs { @for (name, value) in pairs { li { (text::shown(name)) " = " b { (text::shown(value)) } } } } }
        }
    }
}
