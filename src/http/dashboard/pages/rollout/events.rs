//! Everything that happened to a rollout, page by page.

use super::{
    super::super::{layout::Content, parts::text, shell::PageProblem, view::View},
    find,
    lists::{event_head, event_row},
};
use crate::http::{
    history::params::{Params, invalid},
    problem::Problem,
    state::App,
};
use axum::{
    extract::{Path, State},
    http::Uri,
    response::Html,
};
use maud::html;
use std::sync::Arc;

/// Rows of a page.
const ROWS: u32 = 100;

/// `GET /rollouts/{namespace}/{name}/events`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let (_, state) = find(&app, &view, &namespace, &name).await?;
    let params = Params::read(&uri, &["before"])?;
    let before = params.text("before")?;
    let place = before.as_deref().map(str::parse::<i64>).transpose();
    let place = place.map_err(|_| {
        invalid("`before` is no place in the log; begin anew without it".to_owned()).at("before")
    })?;
    // one more than is shown, so that no page follows that has nothing
    let log = app.store.timeline(&namespace, &name, place, true, ROWS + 1);
    let mut log = log.await.map_err(Problem::store)?;
    let more = log.len() > ROWS as usize;
    log.truncate(ROWS as usize);
    let next = log.last().filter(|_| more).map(|event| event.seq);
    let several = state.outcomes.len() > 1;
    let title = format!("{namespace}/{name}");
    let base = format!("rollouts/{title}");
    let body = html! {
        p.crumbs { a href=(view.to(&base)) { "← " (text::shown(&title)) } }
        h1 { "Events of " (text::shown(&title)) }
        @if log.is_empty() { p.quiet { "No earlier event is kept." } }
        @else {
            div.panel.scroll role="region" aria-label="Table of events" tabindex="0" {
                table.cards {
                    caption { "What happened to all canaries, newest first" }
                    (event_head(true))
                    tbody { @for event in &log { (event_row(&view, event, several, true)) } }
                }
            }
        }
        @if place.is_some() || next.is_some() {
            nav.pager aria-label="Pages of the list" {
                @if place.is_some() { a.button href=(view.to(&format!("{base}/events"))) { "First page" } }
                @if let Some(next) = next { a.button rel="next" href=(view.to(&format!("{base}/events?before={next}"))) { "Next page" } }
                span.quiet { "The newest first. Plain verdicts and messages that arrived are left out." }
            }
        }
    };
    let content = Content::new(format!("Events of {title}"), body).area("rollouts");
    Ok(view.show(&content))
}
