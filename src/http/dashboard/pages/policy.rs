//! One policy.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /policies/{name}`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Policy" }
        p { "One policy." }
    };
    Ok(view.show(&Content::new("Policy", body).area("policies")))
}
