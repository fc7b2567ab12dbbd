//! Dead letters put back, all at once: first how many that are, then a button.

use super::{
    super::{
        form::Form,
        layout::Content,
        parts::{badge, text},
        said::{Said, lead_on},
        shell::PageProblem,
        view::View,
    },
    deliveries::to,
};
use crate::{
    domain::{Posted, Progress, text::percent_value},
    http::{
        deliveries::{put_all_back, visible_before},
        history::params::Params,
        problem::Problem,
        state::App,
    },
};
use axum::{
    extract::State,
    http::Uri,
    response::{Html, Response},
};
use maud::{Markup, html};
use std::{collections::BTreeMap, sync::Arc};

/// Dead letters that are put back at once, the oldest of the newest first.
const MOST: u32 = 500;

/// What leads to the page, above a list of dead letters.
pub fn offer(view: &View, receiver: &str) -> Markup {
    let query = match receiver {
        "" => String::new(),
        name => format!("?receiver={}", percent_value(name)),
    };
    html! {
        @if view.caller.may_retry().is_ok() {
            p.tools-row { a.button href=(view.to(&format!("deliveries/retry-all{query}"))) { "Try all of these again" } }
        }
    }
}

/// `GET /deliveries/retry-all`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let params = Params::read(&uri, &["receiver"])?;
    let receiver = params.text("receiver")?.unwrap_or_default();
    view.caller.may_retry()?;
    let (dead, more) = dead(&app, &view, &receiver).await?;
    let mut receivers: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &dead {
        *receivers.entry(&one.delivery.receiver).or_default() += 1;
    }
    let body = html! {
        p.crumbs { a href=(to(&view, ("dead", &receiver), None)) { "← Dead letters" } }
        h1 { "Try dead letters again" }
        @if dead.is_empty() {
            p { "There is no dead letter" @if !receiver.is_empty() { " of " (text::shown(&receiver)) } "." }
        } @else {
            p {
                (badge::word("bad", "dead")) " "
                "This puts "
                @if more { "the newest " (dead.len()) " dead letters" }
                @else if dead.len() == 1 { "1 dead letter" }
                @else { (dead.len()) " dead letters" }
                " back; then they are tried within seconds:"
            }
            ul { @for (name, count) in receivers { li { (text::shown(name)) ": " (count) } } }
            p.quiet { "With each goes the last thing that its receiver was told about the same rollout, so that it is not left with what is over." }
            form method="post" action=(view.to("deliveries/retry-all")) {
                input type="hidden" name="form" value=(view.form);
                input type="hidden" name="receiver" value=(receiver);
                button.primary type="submit" { "Try " (dead.len()) " again" }
                " " a href=(to(&view, ("dead", &receiver), None)) { "Cancel" }
            }
        }
    };
    Ok(view.show(&Content::new("Try dead letters again", body).area("deliveries")))
}

/// `POST /deliveries/retry-all`
pub async fn send(
    view: View,
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Response, PageProblem> {
    let form = form.of(&view)?;
    let receiver = form.text("receiver");
    view.caller.may_retry()?;
    let (dead, _) = dead(&app, &view, receiver).await?;
    put_all_back(&app, &view.caller, &dead).await?;
    let back = to(&view, ("", receiver), None);
    Ok(lead_on(&back, Some(Said::AllPutBack), &[]))
}

/// The newest dead letters that the caller may see, and whether there are more.
async fn dead(app: &App, view: &View, receiver: &str) -> Result<(Vec<Posted>, bool), Problem> {
    let narrowed = (
        Some(Progress::Dead),
        Some(receiver).filter(|name| !name.is_empty()),
    );
    let found = visible_before(app, &view.caller, narrowed, None, MOST).await?;
    Ok((found.0, found.1.is_some()))
}
