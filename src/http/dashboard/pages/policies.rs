//! The loaded policies, and files that are not in force as they are written.

use super::super::{
    layout::Content,
    parts::{badge, code, number, state, text},
    shell::PageProblem,
    view::View,
};
use crate::{
    http::{catalog::FileAnswer, state::App},
    policy::Policy,
};
use axum::{extract::State, response::Html};
use maud::{Markup, html};
use std::sync::Arc;

/// `GET /policies`
pub async fn page(view: View, State(app): State<Arc<App>>) -> Result<Html<String>, PageProblem> {
    let policies = app.catalog.all();
    let problems = problems(&app, &view);
    let body = html! {
        h1 { "Policies" }
        div data-live="problems" { @for problem in &problems { (refused(problem)) } }
        div data-live="policies" {
            @if policies.is_empty() {
                (state::empty("No policy is loaded", &html! { "Name its file under " code { "policies.paths" } " of the configuration; see the log." }))
            } @else { (table(&view, &policies, &problems)) }
        }
    };
    Ok(view.show(&Content::new("Policies", body).area("policies").live("")))
}

/// Files that are not in force as they are written, as far as this viewer may know of them.
pub fn problems(app: &App, view: &View) -> Vec<FileAnswer> {
    let all = app.catalog.problems().into_iter();
    all.map(|one| one.seen_by(&view.caller)).collect()
}

/// A file with mistakes.
pub fn refused(problem: &FileAnswer) -> Markup {
    let count = problem.diagnostics.len();
    let hidden = problem.rendered.is_empty();
    html! {
        div.note.bad {
            p {
                @if hidden { strong { "A policy file" } } @else { strong { (text::shown(&problem.file)) } } " is not in force as it is written"
                @if !hidden { ": " (count) @if count == 1 { " mistake" } @else { " mistakes" } } ", since "
                time datetime=(problem.since) { (problem.since) } ". "
                @if problem.kept.is_empty() { "None of its policies is loaded." }
                @else { "The former version stays: " (text::shown(&problem.kept.join(", "))) "." }
                @if hidden { " Its path and its mistakes are shown to tokens without " code { "namespaces" } "." }
            }
            @if !hidden { (code::plain(&format!("Report on {}", text::flat(&problem.file)), &problem.rendered)) }
        }
    }
}

fn table(view: &View, policies: &[Arc<Policy>], problems: &[FileAnswer]) -> Markup {
    let stale = |policy: &Policy| problems.iter().any(|p| p.kept.contains(&policy.name));
    html! {
        div.panel.scroll {
            table.cards {
                caption { (policies.len()) @if policies.len() == 1 { " policy" } @else { " policies" } " loaded" }
                thead { tr {
                    th scope="col" { "Policy" } th scope="col" { "State" } th scope="col" { "Objectives" } th scope="col" { "Steps, %" }
                    th scope="col" { "Source" } th scope="col" { "Revision" }
                } }
                tbody {
                    @for policy in policies {
                        tr {
                            th scope="row" { a href=(view.to(&format!("policies/{}", policy.name))) { (policy.name) } }
                            td data-label="State" {
                                @if stale(policy) { (badge::word("bad", "former version")) } @else { (badge::word("good", "in force")) }
                            }
                            td.reason data-label="Objectives" { span {
                                @for (i, objective) in policy.objectives.iter().enumerate() {
                                    @if i > 0 { ", " }
                                    (objective.name)
                                    @if objective.watch { span.quiet { " (watch)" } }
                                }
                            } }
                            td data-label="Steps, %" { (steps(policy)) }
                            td data-label="Source" { (policy.source) }
                            td data-label="Revision" { code { (policy.revision) } }
                        }
                    }
                }
            }
        }
    }
}

/// `5 → 25 → 50 → 100`
pub fn steps(policy: &Policy) -> String {
    let weights: Vec<String> = policy
        .steps
        .iter()
        .map(|s| number::plain(s.weight))
        .collect();
    weights.join(" → ")
}
