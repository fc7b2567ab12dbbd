//! Every judged rollout and where it stands.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::{Html, Redirect};
use maud::html;

/// `GET /rollouts`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Rollouts" }
        p { "Every judged rollout and where it stands." }
    };
    Ok(view.show(&Content::new("Rollouts", body).area("rollouts")))
}

/// `GET /`
pub async fn home() -> Redirect {
    Redirect::to("./rollouts")
}
