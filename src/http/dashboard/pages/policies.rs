//! The loaded policies.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /policies`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Policies" }
        p { "The loaded policies." }
    };
    Ok(view.show(&Content::new("Policies", body).area("policies")))
}
