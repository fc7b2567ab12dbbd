//! The receivers of alerts: whether they take what they are told, and how fast. All of it from the store, so that a restart
//! forgets nothing.

use super::super::{
    parts::{badge, long::long, moment, number, state, text},
    view::View,
};
use crate::{
    domain::{Millis, Posted, Progress},
    http::{
        about::ReceiverAbout, deliveries::visible_before, health::StoreHealth, problem::Problem,
        state::App,
    },
};
use maud::{Markup, html};

/// Unsettled deliveries of a receiver that are counted.
const COUNTED: u32 = 500;
/// Messages that arrived, of which the latency is made.
const ARRIVED: u32 = 20;

/// How a receiver took the last messages.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    waiting: usize,
    dead: usize,
    /// When the last message arrived.
    arrived: Option<Millis>,
    /// How long those took that arrived, the shortest first.
    took: Vec<Millis>,
    failing: Option<Failing>,
}

/// No message has arrived since these did not.
#[derive(Debug, PartialEq)]
struct Failing {
    since: Millis,
    tried_at: Millis,
    error: String,
}

impl Seen {
    fn of(arrived: &[Posted], waiting: &[Posted], dead: &[Posted]) -> Self {
        let last = arrived.iter().filter_map(|one| one.tried_at).max();
        let mut took: Vec<Millis> = arrived.iter().filter_map(|one| one.took).collect();
        took.sort_unstable();
        let failed = || {
            let tried = |one: &Posted| Some((one.queued_at, one.tried_at?, one.error.clone()?));
            let all = waiting.iter().chain(dead).filter_map(tried);
            all.filter(|(_, at, _)| last.is_none_or(|last| *at > last))
        };
        let began = failed().map(|(queued, _, _)| last.map_or(queued, |last| queued.max(last)));
        let failing = began.min().zip(failed().max_by_key(|(_, at, _)| *at));
        Self {
            waiting: waiting.len(),
            dead: dead.len(),
            arrived: last,
            took,
            failing: failing.map(|(since, (_, tried_at, error))| Failing {
                since,
                tried_at,
                error,
            }),
        }
    }

    fn median(&self) -> Option<Millis> {
        self.took.get(self.took.len() / 2).copied()
    }
}

/// The region of the receivers.
pub async fn receivers(app: &App, view: &View, store: &StoreHealth) -> Result<Markup, Problem> {
    let mut rows = Vec::new();
    for about in &app.about.receivers {
        let seen = seen(app, view, store, &about.name).await?;
        rows.push(row(view, about, seen.as_ref()));
    }
    Ok(html! {
        @if rows.is_empty() {
            (state::empty("Nobody is told", &html! { "Configure one under " code { "receivers" } "." }))
        } @else {
            div.panel.scroll role="region" aria-label="Receivers of alerts" tabindex="0" {
                table.cards {
                    caption.sr { "Receivers of alerts" }
                    thead { tr {
                        th scope="col" { "Receiver" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Last arrived" }
                        th.number scope="col" { "Took, median" } th.number scope="col" { "On the way" } th.number scope="col" { "Given up" }
                    } }
                    tbody { @for row in &rows { (row) } }
                }
            }
            p.quiet {
                "As kept in the store: messages are counted up to " (COUNTED) ", the median is of the last " (ARRIVED) " that arrived."
                @if view.caller.visible().is_some() { " Only messages about namespaces of your token count here." }
                " " a href=(view.to("deliveries")) { "All deliveries" }
            }
        }
    })
}

/// What the store knows of a receiver; `None` while it does not answer: the rest of the page is in memory.
async fn seen(
    app: &App,
    view: &View,
    store: &StoreHealth,
    receiver: &str,
) -> Result<Option<Seen>, Problem> {
    let mut lists = Vec::new();
    for (progress, limit) in [
        (Progress::Delivered, ARRIVED),
        (Progress::Pending, COUNTED),
        (Progress::Dead, COUNTED),
    ] {
        if !store.up {
            return Ok(None);
        }
        let narrowed = (Some(progress), Some(receiver));
        match visible_before(app, &view.caller, narrowed, None, limit).await {
            Ok((found, _)) => lists.push(found),
            Err(problem) if problem.status == 503 => return Ok(None),
            Err(problem) => return Err(problem),
        }
    }
    Ok(match lists.as_slice() {
        [arrived, waiting, dead] => Some(Seen::of(arrived, waiting, dead)),
        _ => None,
    })
}

fn row(view: &View, about: &ReceiverAbout, seen: Option<&Seen>) -> Markup {
    let link = |state: &str| view.to(&format!("deliveries?state={state}&receiver={}", about.name));
    let unknown = html! { span.quiet { "not known" } };
    html! {
        tr {
            th scope="row" { (text::shown(&about.name)) }
            td data-label="Kind" { (about.kind) }
            @match seen {
                None => {
                    td data-label="State" { (unknown) } td data-label="Last arrived" { (unknown) }
                    td.number data-label="Took, median" { (unknown) } td.number data-label="On the way" { (unknown) }
                    td.number data-label="Given up" { (unknown) }
                }
                Some(seen) => {
                    td.reason data-label="State" { div { (standing(view, seen)) } }
                    td data-label="Last arrived" {
                        @match seen.arrived { Some(at) => (moment::ago(at, view.now)), None => "–" }
                    }
                    td.number data-label="Took, median" { (took(seen.median())) }
                    td.number data-label="On the way" {
                        @match seen.waiting { 0 => "0", some => a href=(link("pending")) { (some) } }
                    }
                    td.number data-label="Given up" {
                        @match seen.dead {
                            0 => "0",
                            dead => { (badge::word("bad", "dead")) " " a href=(link("dead")) { (dead) } }
                        }
                    }
                }
            }
        }
    }
}

fn standing(view: &View, seen: &Seen) -> Markup {
    html! {
        @match (&seen.failing, seen.arrived) {
            (Some(failing), _) => {
                (badge::word("bad", "failing")) " since " (moment::at(failing.since))
                div.quiet { "last try " (moment::ago(failing.tried_at, view.now)) ": " (long(&failing.error)) }
            }
            (None, Some(_)) => (badge::word("good", "works")),
            (None, None) if seen.waiting > 0 => (badge::word("odd", "not tried yet")),
            (None, None) => (badge::word("odd", "never used")),
        }
    }
}

/// How long a try took.
pub fn took(took: Option<Millis>) -> String {
    took.map_or_else(
        || "–".to_owned(),
        |took| number::with_unit(took as f64 / 1000.0, "seconds"),
    )
}
