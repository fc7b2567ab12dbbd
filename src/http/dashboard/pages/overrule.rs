//! Overrule the judge for a time.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /rollouts/{namespace}/{name}/override`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Override" }
        p { "Overrule the judge for a time." }
    };
    Ok(view.show(&Content::new("Override", body).area("rollouts")))
}
