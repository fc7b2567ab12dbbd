//! Sign in with a token.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /sign-in`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Sign in" }
        p { "Sign in with a token." }
    };
    Ok(view.show(&Content::new("Sign in", body).area("")))
}
