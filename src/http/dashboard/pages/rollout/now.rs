//! Where a canary stands, and what is missing until a decision.

use super::super::{
    super::{
        parts::{
            badge, figure, moment, number, shift, state, text,
            track::{Walk, track},
        },
        view::View,
    },
    rollouts,
};
use super::open::{self, Open};
use crate::{
    domain::{Finding, Outcome, Override, Present, Record, RolloutState, Verdict},
    policy::Policy,
    service::{ruled, walk},
};
use maud::{Markup, html};

/// The canary that is shown.
pub struct Shown<'a> {
    /// The state of the rollout.
    pub state: &'a RolloutState,
    /// What its policy says of it, where it is the present one and that policy was asked of late.
    pub present: Option<Present>,
    /// Its override in force.
    pub ruling: Option<&'a Override>,
    /// What is not over of it.
    pub open: &'a [Open],
    /// Its newest verdict; `None`: not kept any more.
    pub newest: Option<&'a Record>,
    /// The policy of that verdict, where it is kept.
    pub policy: Option<&'a Policy>,
}

/// The region.
pub fn now(view: &View, shown: &Shown<'_>) -> Markup {
    html! {
        div data-live="now" {
            @if let Some(ruling) = shown.ruling { (overruled(view, ruling, shown.newest, several(shown.state))) }
            @match shown.newest {
                None => (state::empty("No verdict is kept", &html! { "The verdicts of this canary are older than the retention of the store." })),
                Some(record) => {
                    (sentence(view, shown, record))
                    (facts(view, shown, record))
                    (state::warnings(&ruled::warnings(&record.verdict, shown.ruling)))
                    (missing(&record.verdict.findings))
                }
            }
        }
    }
}

/// The override in force, from the moment on that it is made.
fn overruled(view: &View, ruling: &Override, newest: Option<&Record>, all: bool) -> Markup {
    let waits = newest
        .is_none_or(|record| ruled::beside(&record.verdict, Some(ruling), view.now).is_some());
    state::note(
        "bad",
        &html! {
            "Overridden to " (badge::outcome(ruling.outcome)) @if all { " for all its policies" } " by " b { (text::shown(&ruling.author)) }
            " until " (moment::at(ruling.expires)) " (" (moment::ago(ruling.expires, view.now)) ")"
            @if waits { "; the next answer says so" }
            ": " (text::sentence(&ruling.reason))
        },
    )
}

fn sentence(view: &View, shown: &Shown<'_>, record: &Record) -> Markup {
    let verdict = &record.verdict;
    let weights = shown
        .policy
        .map(|p| p.steps.iter().map(|s| s.weight).collect());
    let end = rollouts::end(shown.state, view.now);
    let seen = || shown.state.steps.iter().filter_map(|s| s.weight).collect();
    html! {
        div.standing {
            span { (label(shown, verdict)) (badge::outcome(verdict.outcome)) @if several(shown.state) { " (" (text::shown(&verdict.policy)) ")" } }
            (track(&Walk {
                weights: weights.unwrap_or_else(seen),
                weight: verdict.weight,
                outcome: verdict.outcome,
                action: verdict.action,
            }))
        }
        // the note above says it in the words as written
        @if !shown.ruling.is_some_and(|ruling| ruled::repeats(verdict, ruling)) {
            p.sentence { (text::sentence(&verdict.reason)) }
        }
        (shift::notes(&verdict.findings))
        (open::notes(shown.open, end.is_some(), view.now))
    }
}

fn several(state: &RolloutState) -> bool {
    state.outcomes.len() > 1
}

/// Whose word it is, where several policies judge the rollout.
fn label(shown: &Shown<'_>, verdict: &Verdict) -> String {
    let asked = shown.state.answers().len();
    let counts = verdict.policy == shown.state.policy && shown.present.is_some();
    match (several(shown.state), counts && asked > 1) {
        (true, true) => format!("Worst of {asked} policies: "),
        (true, false) => "One of several policies: ".to_owned(),
        (false, _) => String::new(),
    }
}

fn facts(view: &View, shown: &Shown<'_>, record: &Record) -> Markup {
    let (verdict, at) = (&record.verdict, record.question.at);
    let end = rollouts::end(shown.state, view.now);
    let rollout = &verdict.rollout;
    let percent = |w: f64| format!("{}\u{202f}%", number::plain(w));
    let policy = format!("policies/{}?revision={}", verdict.policy, verdict.revision);
    html! {
        dl.facts {
            dt { "Advice" } dd { (verdict.action.as_str()) ", weight " (percent(verdict.weight)) " to " (percent(verdict.next_weight)) }
            @if let Some(present) = &shown.present {
                @if end.is_some() { dt { "This verdict since" } dd { (moment::at(present.since)) } }
                @else { dt { "This verdict for" } dd { (moment::since(present.since, view.now)) } }
                dt { "Judged for" } dd { (moment::lasted(shown.state.since, end, view.now)) ", since " (moment::at(shown.state.since)) }
            }
            dt { "Newest question" } dd {
                a href=(view.to(&format!("verdicts/{}", verdict.id))) { (moment::at(at)) } " (" (moment::ago(at, view.now)) ")"
            }
            dt { "Canary" } dd { code { (text::shown(&rollout.canary_hash)) } " against stable " code { (text::shown(&rollout.stable_hash)) } }
            dt { "Policy" } dd { a href=(view.to(&policy)) { (text::shown(&verdict.policy)) } }
        }
    }
}

fn missing(findings: &[Finding]) -> Markup {
    html! {
        div.panel.scroll role="region" aria-label="Objectives now" tabindex="0" {
            table.cards {
                caption { "Objectives now, and what is missing until a decision" }
                thead { tr {
                    th scope="col" { "Objective" } th scope="col" { "Outcome" } th.number scope="col" { "Canary" } th.number scope="col" { "Stable" }
                    th.number scope="col" { "Against stable" } th.number scope="col" { "Margin" } th scope="col" { "Still missing" }
                } }
                tbody { @for finding in findings { (row(finding)) } }
            }
        }
    }
}

fn row(finding: &Finding) -> Markup {
    let unit = finding.unit.as_str();
    let scale = figure::scale(finding);
    let on_scale = |v: Option<f64>| {
        v.filter(|v| v.is_finite())
            .map_or_else(|| "–".to_owned(), |v| figure::on_scale(v, scale, unit))
    };
    let range = finding
        .effect
        .estimate
        .and_then(|_| figure::interval(&finding.effect, scale, unit));
    html! {
        tr {
            th scope="row" { (text::shown(&finding.name)) @if finding.watch { div.quiet { "watched only" } } }
            td data-label="Outcome" { div { (badge::outcome(finding.outcome)) div.quiet { (finding.code.as_str()) } } }
            td.number data-label="Canary" { (figure::value(finding.canary.value, unit)) }
            td.number data-label="Stable" { (figure::value(finding.stable.value, unit)) }
            td.number data-label="Against stable" {
                div {
                    (on_scale(finding.effect.estimate))
                    @if let Some(range) = range { div.quiet { (range) } }
                    @if let Some(of) = figure::of(scale) { div.quiet { (of) } }
                }
            }
            td.number data-label="Margin" { (on_scale(finding.margin)) }
            td.reason data-label="Still missing" {
                @match walk::missing(finding) {
                    Some(words) => (words),
                    None if finding.outcome != Outcome::Inconclusive => { span.quiet { "nothing" } }
                    None => (finding.code.meaning().replace('`', "")),
                }
            }
        }
    }
}
