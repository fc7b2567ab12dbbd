//! One verdict and everything behind it.

use super::super::{
    layout::Content,
    parts::{badge, text},
    shell::PageProblem,
    view::View,
};
use crate::http::{history::verdicts::find, state::App};
use axum::{
    extract::{Path, State},
    response::Html,
};
use maud::html;
use std::sync::Arc;

/// `GET /verdicts/{id}`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Html<String>, PageProblem> {
    let record = find(&app, &view.caller, &id).await?;
    let verdict = &record.verdict;
    let body = html! {
        h1 { "Verdict" }
        p { (badge::outcome(verdict.outcome)) " " (text::shown(&verdict.reason)) }
    };
    Ok(view.show(&Content::new("Verdict", body).area("rollouts")))
}
