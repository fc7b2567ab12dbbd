//! Sign-in with a token, and sign-out.

use super::{
    super::{
        form::Form,
        layout::{self, Content},
        said::{Said, lead_on},
        shell::{PageProblem, secure},
        view::{Place, View},
    },
    overrule,
};
use crate::http::{session, state::App};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{Html, IntoResponse, Response},
};
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    next: String,
}

/// `GET /sign-in`
pub async fn page(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let said = Said::of(&headers);
    form(&app, &Place::of(&uri), &asked.next, None, said)
}

/// `POST /sign-in`
pub async fn send(
    State(app): State<Arc<App>>,
    uri: Uri,
    sent: Form,
) -> Result<Response, PageProblem> {
    let next = sent.text("next");
    let Some(begun) = app.auth.begin(sent.text("token"), app.clock.now()) else {
        let wrong = if sent.text("token").is_empty() {
            "Give a token."
        } else {
            "This is not one of `auth.tokens`. Check for a part that is missing or for another cluster's token."
        };
        tracing::warn!("a sign-in to the dashboard with a wrong token");
        return Ok(form(&app, &Place::of(&uri), next, Some(wrong), None));
    };
    tracing::info!(name = begun.name, "signed in to the dashboard");
    let cookie = format!(
        "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}",
        session::COOKIE,
        begun.cookie,
        begun.lasts.as_secs(),
        secure(&app)
    );
    Ok(lead_on(&local(next), None, &[cookie]))
}

/// `POST /sign-out`
pub async fn sign_out(
    view: View,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageProblem> {
    form.of(&view)?;
    let over = format!(
        "{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{}",
        session::COOKIE,
        secure(&app)
    );
    let cookies: Vec<String> = [over].into_iter().chain(overrule::over(&headers)).collect();
    Ok(lead_on("./sign-in", Some(Said::SignedOut), &cookies))
}

/// A place of this service, seen from `/sign-in`; anything else leads to the front page.
fn local(next: &str) -> String {
    let sound = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains("/..")
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if sound {
        format!(".{next}")
    } else {
        "./rollouts".to_owned()
    }
}

fn form(app: &App, place: &Place, next: &str, wrong: Option<&str>, said: Option<Said>) -> Response {
    let body = html! {
        @if let Some(said) = said { p.note.good role="status" { (said.text()) } }
        h1 { "Sign in" }
        @if app.auth.is_open() {
            p { "No token is configured, so no sign-in is needed. " a href=(place.to("rollouts")) { "All rollouts" } }
        } @else {
            form.form method="post" action=(place.to("sign-in")) {
                input type="hidden" name="next" value=(next);
                // password managers keep the token under a name
                input type="text" name="username" value="rollout-judge" autocomplete="username" readonly hidden;
                div.field {
                    label for="token" { "Token" }
                    p.hint #token-hint { "One of " code { "auth.tokens" } " of the configuration. Its namespaces and its right to override apply here too." }
                    @if let Some(wrong) = wrong { p.error #token-error role="alert" { (wrong) } }
                    input #token name="token" type="password" autocomplete="current-password" required autofocus
                        aria-describedby=(if wrong.is_some() { "token-error token-hint" } else { "token-hint" })
                        aria-invalid=[wrong.map(|_| "true")];
                }
                button.primary type="submit" { "Sign in" }
            }
        }
    };
    let content = Content::new("Sign in", body);
    let page = layout::page(place, None, app.clock.now(), &content);
    let status = if wrong.is_some() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    (status, Html(page.into_string())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_are_led_to() {
        for (next, to) in [
            (
                "/rollouts/shop/checkout?a=%20b",
                "./rollouts/shop/checkout?a=%20b",
            ),
            ("/", "./"),
            ("", "./rollouts"),
            ("//evil.example", "./rollouts"),
            ("/\\evil.example", "./rollouts"),
            ("https://evil.example", "./rollouts"),
            ("/a\r\nSet-Cookie: x", "./rollouts"),
            ("/é", "./rollouts"),
        ] {
            assert_eq!(local(next), to);
        }
    }
}
