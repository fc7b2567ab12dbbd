//! What was asked of the metric source, and what each pod gave.

use super::{
    super::super::{
        parts::{graph_link, moment, number, state, text},
        view::View,
    },
    behind::Behind,
};
use crate::{
    domain::{Verdict, Window},
    service::{
        asked::{Asked, ObjectiveAsked, SearchAsked},
        bundle::{PodArms, PodSums},
    },
};
use maud::{Markup, html};

/// The queries.
pub fn queries(view: &View, verdict: &Verdict, behind: &Behind) -> Markup {
    html! {
        section aria-labelledby="queries" {
            h2 #queries { "Queries as sent" }
            @match &behind.asked {
                Err(why) => (state::note("odd", &html! { "The queries cannot be shown: " (why) "." })),
                Ok((looked, asked)) => {
                    p.quiet {
                        "Planned again from the kept policy, question and inputs, by the code that planned them then. "
                        "Each block of time is asked for once: a verdict asks only for what no earlier one of its reading has read."
                    }
                    (search(verdict, behind, looked))
                    @for (i, one) in asked.iter().enumerate() { (objective(view, verdict, behind, i, one)) }
                }
            }
        }
    }
}

/// Where does the canary start, and how often is it scraped?
fn search(verdict: &Verdict, behind: &Behind, looked: &SearchAsked) -> Markup {
    let sent = html! {
        @if looked.left_out > 0 { p.quiet { (looked.left_out) " more of the same kind are left out." } }
        @for (i, asked) in looked.queries.iter().enumerate() {
            (query(verdict, behind, &format!("query-start-{i}"), asked))
        }
    };
    html! {
        h3 { "Search for the canary’s start" }
        @match looked.found {
            None if looked.failed => p { "The source did not answer all of it, or not in time (see the warnings above). Nothing else was asked." },
            None => p { "Nothing of the canary was found, so nothing else was asked." },
            Some(start) => p {
                "The canary’s start: " (moment::at(start)) "."
                @if looked.earlier {
                    " Found for an earlier verdict of this reading, asked " (moment::at(looked.at)) "."
                }
            },
        }
        @if looked.earlier {
            details { summary { "The queries of that search" } (sent) }
        } @else { (sent) }
    }
}

fn objective(
    view: &View,
    verdict: &Verdict,
    behind: &Behind,
    place: usize,
    one: &ObjectiveAsked,
) -> Markup {
    html! {
        h3 { (text::shown(&one.name)) }
        @if one.nothing_new {
            p {
                "Nothing was asked for this verdict: no further block had closed. The last stretch"
                @if let Some(before) = behind.before {
                    ", read for an " a href=(view.to(&format!("verdicts/{before}"))) { "earlier verdict" }
                }
                ":"
            }
        }
        @if one.left_out > 0 { p.quiet { (one.left_out) " queries about earlier stretches are left out." } }
        @for (i, asked) in one.queries.iter().enumerate() { (query(verdict, behind, &format!("query-{place}-{i}"), asked)) }
    }
}

fn query(verdict: &Verdict, behind: &Behind, id: &str, asked: &Asked) -> Markup {
    let arms = match asked.arm {
        "both" => "both arms",
        other => other,
    };
    let source = behind.source.as_ref();
    // one block is too short to be looked at: the whole judged exposure
    let window = Window {
        start: asked.window.start.min(verdict.window.start),
        end: asked.window.end,
    };
    let graph = source.and_then(|s| {
        let graph = graph_link::graph(s.kind, s.link.as_deref()?, &asked.graph, window)?;
        Some((s.kind, graph))
    });
    html! {
        figure.query {
            figcaption {
                b { (asked.role) } ", " (arms) ", "
                (moment::at(asked.window.start)) " to " (moment::at(asked.window.end))
                @if let Some(step) = asked.step { ", every " (moment::span(step)) }
            }
            pre.scroll id=(id) tabindex="0" { (text::lines(&asked.text)) }
            @for filter in &asked.extra_filters {
                p.quiet { "with " code { "extra_filters[]=" (text::shown(filter)) } }
            }
            p.tools-row {
                button type="button" data-copy=(id) hidden { "Copy" }
                @if let Some((kind, graph)) = graph {
                    a href=(graph) target="_blank" rel="noopener noreferrer" {
                        "Open in " (graph_link::name(kind)) span.sr { " (new tab)" }
                    }
                }
            }
        }
    }
}

/// What each pod gave.
pub fn pods(
    view: &View,
    verdict: &Verdict,
    shown: Option<&Result<Vec<Option<PodArms>>, String>>,
) -> Markup {
    html! {
        section aria-labelledby="pods" {
            h2 #pods { "Pods" }
            @match shown {
                None => {
                    p { a href=(view.to(&format!("verdicts/{}?pods=1#pods", verdict.id))) { "Show what each pod gave" } }
                }
                Some(Err(why)) => (state::note("odd", &html! { "The pods cannot be shown: " (why) "." })),
                Some(Ok(all)) => {
                    p.quiet { "From the kept blocks, since the canary's start. What was left out is named in the warnings above." }
                    @for (finding, arms) in verdict.findings.iter().zip(all) {
                        @match arms {
                            None => p.quiet { (text::shown(&finding.name)) ": pods are not told apart for this kind of objective, or none had data." },
                            Some(arms) => (pod_table(&finding.name, &finding.unit, arms)),
                        }
                    }
                }
            }
        }
    }
}

fn pod_table(name: &str, unit: &str, arms: &PodArms) -> Markup {
    let row = |arm: &'static str, pod: &PodSums| {
        let rate = pod
            .events
            .filter(|_| pod.trials > 0.0)
            .map(|e| e / pod.trials);
        html! {
            tr {
                th scope="row" {
                    (arm) " "
                    @match &pod.name { Some(name) => (text::shown(name)), None => { "number " (pod.pod) } }
                }
                td.number data-label="Trials" { (number::plain(pod.trials)) }
                td.number data-label="Events" { (pod.events.map_or_else(|| "–".to_owned(), number::plain)) }
                td.number data-label="Value" { (rate.map_or_else(|| "–".to_owned(), |r| number::with_unit(r, unit))) }
                td.number data-label="Blocks" { (pod.blocks) }
            }
        }
    };
    let [canary, stable] = arms;
    html! {
        div.panel.scroll role="region" aria-label=(format!("Pods of {}", text::flat(name))) tabindex="0" {
            table.cards {
                caption { (text::shown(name)) ": " (canary.len()) " canary, " (stable.len()) " stable pods used" }
                thead { tr {
                    th scope="col" { "Pod" } th.number scope="col" { "Trials" } th.number scope="col" { "Events" }
                    th.number scope="col" { "Value" } th.number scope="col" { "Blocks with data" }
                } }
                tbody {
                    @for pod in canary { (row("canary", pod)) }
                    @for pod in stable { (row("stable", pod)) }
                }
            }
        }
    }
}
