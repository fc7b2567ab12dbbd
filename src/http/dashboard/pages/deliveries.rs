//! Alerts on their way, arrived and given up.

use super::super::{layout::Content, shell::PageProblem, view::View};
use axum::response::Html;
use maud::html;

/// `GET /deliveries`
pub async fn page(view: View) -> Result<Html<String>, PageProblem> {
    let body = html! {
        h1 { "Deliveries" }
        p { "Alerts on their way, arrived and given up." }
    };
    Ok(view.show(&Content::new("Deliveries", body).area("deliveries")))
}
