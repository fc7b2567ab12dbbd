//! The targets of a source that scrapes for itself: what is down first.

use super::super::{
    parts::{badge, long::long, moment, number, text},
    view::View,
};
use crate::domain::TargetSeen;
use maud::{Markup, html};

/// Targets that are shown at most.
const MOST: usize = 200;
/// Labels that already stand in the address.
const PLAIN: [&str; 1] = ["instance"];

/// The table, below its source; nothing where the source does not scrape.
pub fn targets(view: &View, source: &str, seen: Option<Vec<TargetSeen>>) -> Markup {
    let Some(mut seen) = seen else {
        return html! {};
    };
    let all = seen.len();
    // a target of a namespace is for those who may see the namespace
    seen.retain(|one| {
        one.labels
            .get("namespace")
            .is_none_or(|n| view.caller.sees(n))
    });
    let (visible, hidden) = (seen.len(), all - seen.len());
    let count = |up: Option<bool>| seen.iter().filter(|one| one.up == up).count();
    let (up, down, fresh) = (count(Some(true)), count(Some(false)), count(None));
    seen.sort_by(|a, b| (rank(a), &a.address).cmp(&(rank(b), &b.address)));
    let more = visible.saturating_sub(MOST);
    seen.truncate(MOST);
    html! {
        @if visible == 0 {
            p.quiet { "No target of " (text::shown(source)) " is scraped." }
        } @else {
            div.panel.scroll role="region" tabindex="0" aria-label=(format!("Targets of {}", text::flat(source))) {
                table.cards {
                    caption {
                        "Targets of " (text::shown(source)) ": " (up) " up, " (down) " down"
                        @if fresh > 0 { ", " (fresh) " not scraped yet" }
                    }
                    thead { tr {
                        th scope="col" { "Target" } th scope="col" { "State" } th scope="col" { "Last scrape" }
                        th.number scope="col" { "Took" } th.number scope="col" { "Samples" } th.number scope="col" { "Series kept" }
                        th scope="col" { "Last error" }
                    } }
                    tbody { @for one in &seen { (row(view, one)) } }
                }
            }
            @if more > 0 { p.quiet { "and " (number::grouped(more as f64)) " more" } }
        }
        @if hidden > 0 { p.quiet { (hidden) " of namespaces that your token is not for." } }
    }
}

fn rank(one: &TargetSeen) -> u8 {
    match one.up {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    }
}

fn row(view: &View, one: &TargetSeen) -> Markup {
    let labels = one.labels.iter().filter(|(name, _)| !PLAIN.contains(name));
    html! {
        tr {
            th scope="row" {
                code { (text::shown(&one.address)) }
                @for (name, value) in labels {
                    " " span.quiet { (text::shown(name)) "=" (text::shown(&cut(value))) }
                }
            }
            td data-label="State" {
                @match one.up {
                    Some(true) => (badge::word("good", "up")),
                    Some(false) => (badge::word("bad", "down")),
                    None => (badge::word("odd", "not scraped yet")),
                }
            }
            td data-label="Last scrape" {
                @match one.at { Some(at) => (moment::ago(at, view.now)), None => "–" }
            }
            td.number data-label="Took" {
                @if one.at.is_some() { (number::with_unit(one.took.as_secs_f64(), "seconds")) } @else { "–" }
            }
            td.number data-label="Samples" {
                div {
                    (number::grouped(one.samples as f64))
                    @if one.dropped > 0 {
                        div { (badge::word("bad", &format!("{} dropped", number::grouped(one.dropped as f64)))) " " span.quiet { "out of bounds" } }
                    }
                }
            }
            td.number data-label="Series kept" { (number::grouped(one.series as f64)) }
            td.reason data-label="Last error" {
                @match &one.error {
                    Some((at, word, detail)) => div { (moment::ago(*at, view.now)) ", " code { (word) } ": " (long(detail)) },
                    None => "–",
                }
            }
        }
    }
}

/// Long words of others, cut.
fn cut(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
