//! The metric sources and how they answer.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /sources`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Sources" }
        p { "The metric sources and how they answer." }
    };
    Ok(view.show(&Content::new("Sources", body).area("sources")))
}
