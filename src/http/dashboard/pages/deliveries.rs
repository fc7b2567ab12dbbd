//! Alerts on their way, arrived and given up; a button puts a dead one back.

use super::super::{
    form::Form,
    layout::Content,
    parts::{badge, long::long, moment, number, state, text},
    said::{Said, lead_on},
    shell::PageProblem,
    view::View,
};
use super::{dead_letters, receivers};
use crate::{
    domain::{Posted, Progress, Wait, text::percent_value},
    http::{
        deliveries::{put_back, visible_before},
        history::{
            cursor,
            params::{Params, invalid},
        },
        loose::cut,
        state::App,
    },
};
use axum::{
    extract::{Path, State},
    http::Uri,
    response::{Html, Response},
};
use maud::{Markup, html};
use std::sync::Arc;

/// Rows of a page.
const ROWS: u32 = 100;

/// `GET /deliveries`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let params = Params::read(&uri, &["state", "receiver", "cursor"])?;
    let word = params.text("state")?.unwrap_or_default();
    let progress = Progress::parse(&word);
    if progress.is_none() && !word.is_empty() {
        let shown = cut(&word);
        let text = format!("`state`: `{shown}` is no state; give `dead`, `pending` or `delivered`");
        return Err(invalid(text).into());
    }
    let receiver = params.text("receiver")?.unwrap_or_default();
    let wanted = Some(receiver.as_str()).filter(|r| !r.is_empty());
    let cursor = params.text("cursor")?;
    let before = cursor.as_deref().map(cursor::delivery).transpose()?;
    let narrowed = (progress, wanted);
    let (rows, next) = visible_before(&app, &view.caller, narrowed, before, ROWS).await?;
    let pages = Pages {
        first: before.is_none(),
        next: next.map(cursor::of_delivery),
    };
    let body = html! {
        h1 { "Deliveries" }
        search {
            form.filters method="get" action=(view.to("deliveries")) {
                div.field {
                    label for="state" { "State" }
                    select #state name="state" {
                        option value="" { "All" }
                        @for state in [Progress::Dead, Progress::Pending, Progress::Delivered] {
                            option value=(state.as_str()) selected[progress == Some(state)] { (state.as_str()) }
                        }
                    }
                }
                div.field {
                    label for="receiver" { "Receiver" }
                    select #receiver name="receiver" {
                        option value="" { "All" }
                        @for known in &app.about.receivers {
                            option value=(known.name) selected[known.name == receiver] { (known.name) }
                        }
                        @if !receiver.is_empty() && !app.about.receivers.iter().any(|r| r.name == receiver) {
                            option value=(receiver) selected { (text::flat(&receiver)) }
                        }
                    }
                }
                button type="submit" { "Show" }
            }
        }
        div data-live="deliveries" {
            @if rows.is_empty() {
                (nothing(&app, &view, before.is_some() || progress.is_some() || wanted.is_some()))
            } @else {
                @if progress == Some(Progress::Dead) { (dead_letters::offer(&view, &receiver)) }
                (table(&view, &rows, &pages, (&word, &receiver)))
            }
            (pages.links(&view, (&word, &receiver)))
        }
    };
    let content = Content::new("Deliveries", body).area("deliveries").live("");
    Ok(view.show(&content))
}

/// `POST /deliveries/{id}/retry`
pub async fn retry(
    view: View,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, PageProblem> {
    let form = form.of(&view)?;
    put_back(&app, &view.caller, &id).await?;
    let back = to(&view, (form.text("state"), form.text("receiver")), None);
    Ok(lead_on(&back, Some(Said::PutBack), &[]))
}

/// The list, narrowed as it was.
pub(super) fn to(view: &View, (state, receiver): (&str, &str), cursor: Option<&str>) -> String {
    let pairs = [("state", state), ("receiver", receiver)];
    let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = given
        .chain(cursor.map(|cursor| ("cursor", cursor)))
        .map(|(name, value)| format!("{name}={}", percent_value(value)))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    view.to(&format!("deliveries{mark}{}", query.join("&")))
}

fn nothing(app: &App, view: &View, narrowed: bool) -> Markup {
    if narrowed {
        let help = html! { a href=(view.to("deliveries")) { "Show all deliveries" } };
        return state::empty("No delivery here", &help);
    }
    let help = if app.about.receivers.is_empty() {
        html! { "No receiver is configured, so nobody is told. Add one under " code { "receivers" } " of the configuration." }
    } else {
        html! { "A delivery appears when a rollout fails, recovers or needs a person." }
    };
    state::empty("Nobody was told anything yet", &help)
}

/// What lies before and behind the rows.
struct Pages {
    first: bool,
    next: Option<String>,
}

impl Pages {
    fn links(&self, view: &View, narrowed: (&str, &str)) -> Markup {
        let to = |cursor| to(view, narrowed, cursor);
        html! {
            @if !self.first || self.next.is_some() {
                nav.pager aria-label="Pages of the list" {
                    @if !self.first { a.button href=(to(None)) { "First page" } }
                    @if let Some(next) = &self.next { a.button rel="next" href=(to(Some(next))) { "Next page" } }
                    span.quiet { "The newest first." }
                }
            }
        }
    }
}

fn table(view: &View, rows: &[Posted], pages: &Pages, narrowed: (&str, &str)) -> Markup {
    let most = match (pages.first, &pages.next) {
        (true, Some(_)) => format!("The newest {} deliveries", rows.len()),
        (true, None) => format!("{} deliveries, the newest first", rows.len()),
        (false, _) => format!("{} earlier deliveries, the newest first", rows.len()),
    };
    html! {
        div.panel.scroll {
            table.cards {
                caption { (most) }
                thead {
                    tr {
                        th scope="col" { "Event" }
                        th scope="col" { "State" }
                        th scope="col" { "Receiver" }
                        th scope="col" { "Rollout" }
                        th scope="col" { "What is told" }
                        th.number scope="col" { "Tries" }
                        th scope="col" { "Queued" }
                        th scope="col" { "Next try" }
                    }
                }
                tbody { @for row in rows { (line(view, row, narrowed)) } }
            }
        }
    }
}

fn line(view: &View, row: &Posted, narrowed: (&str, &str)) -> Markup {
    let event = &row.event;
    let of_rollout = !event.namespace.is_empty();
    let wait = row.wait(view.now);
    html! {
        tr {
            th scope="row" {
                @if let Some(id) = event.verdict {
                    a href=(view.to(&format!("verdicts/{id}"))) data-key=(row.delivery.id) { (event.kind.as_str()) }
                } @else { (event.kind.as_str()) }
                " " (badge::severity(event.kind.severity()))
            }
            td data-label="State" { (progress(row, wait)) }
            td data-label="Receiver" { (text::shown(&row.delivery.receiver)) }
            td data-label="Rollout" {
                @if of_rollout {
                    a href=(view.to(&format!("rollouts/{}/{}", event.namespace, event.rollout))) {
                        (text::shown(&format!("{}/{}", event.namespace, event.rollout)))
                    }
                } @else { (text::shown(&event.rollout)) }
            }
            td.reason data-label="What is told" {
                div {
                    (long(&event.told()))
                    @if let Some(error) = &row.error {
                        div.quiet { "last try: " (long(error)) }
                    }
                }
            }
            td.number data-label="Tries" {
                div {
                    (number::grouped(f64::from(row.tries)))
                    @if row.took.is_some() { div.quiet { "last took " (receivers::took(row.took)) } }
                }
            }
            td.nowrap data-label="Queued" { (moment::ago(row.queued_at, view.now)) }
            td.nowrap data-label="Next try" {
                @match row.progress {
                    Progress::Pending => @match wait {
                        Some(Wait::Behind) => span.quiet { "after the message before it" },
                        Some(Wait::Held) => div {
                            (moment::ago(row.delivery.due, view.now))
                            div.quiet { "many about this rollout" }
                        },
                        // what is due is taken at once, or is on its way
                        _ if row.delivery.due <= view.now => "now",
                        _ => (moment::ago(row.delivery.due, view.now)),
                    },
                    Progress::Delivered => span.quiet { "–" },
                    Progress::Dead => (again(view, row, narrowed)),
                }
            }
        }
    }
}

fn progress(row: &Posted, wait: Option<Wait>) -> Markup {
    let kind = match row.progress {
        Progress::Pending => "odd",
        Progress::Delivered => "good",
        Progress::Dead => "bad",
    };
    badge::word(kind, wait.map_or(row.progress.as_str(), Wait::as_str))
}

fn again(view: &View, row: &Posted, (state, receiver): (&str, &str)) -> Markup {
    if view.caller.may_retry().is_err() {
        return html! { span.quiet { "needs " code { "mayOverride" } } };
    }
    let told = format!(
        "Try again: {} for {}",
        row.event.kind.as_str(),
        row.delivery.receiver
    );
    html! {
        form method="post" action=(view.to(&format!("deliveries/{}/retry", row.delivery.id))) {
            input type="hidden" name="form" value=(view.form);
            input type="hidden" name="state" value=(state);
            input type="hidden" name="receiver" value=(receiver);
            button type="submit" aria-label=(told) { "Try again" }
        }
    }
}
