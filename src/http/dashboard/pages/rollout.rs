//! One rollout: where it stands and how it came there.

use super::super::{layout::Content, parts::text, shell::PageProblem, view::View};
use crate::http::request::check_names;
use axum::{extract::Path, response::Html};
use maud::html;

/// `GET /rollouts/{namespace}/{name}`
pub async fn page(
    view: View,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Html<String>, PageProblem> {
    check_names(&namespace, &name)?;
    view.caller.may_see(&namespace)?;
    let title = format!("{namespace}/{name}");
    let body = html! {
        h1 { (text::shown(&title)) }
        div data-live="rollout" { p { "Where this rollout stands." } }
    };
    let events = format!("namespace={namespace}&rollout={name}");
    Ok(view.show(&Content::new(title, body).area("rollouts").live(events)))
}
