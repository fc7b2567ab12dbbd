//! Who looks at a page, and where it is.

use super::{
    layout::{self, Content},
    said::Said,
    shell::PageProblem,
};
use crate::{
    domain::Millis,
    http::{
        auth::{Caller, Visitor},
        guard, session,
        state::App,
    },
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, request::Parts},
    response::Html,
};
use std::sync::Arc;

/// In place of a session, where nobody needs a token: a form must hold what this process signs for the value of this cookie.
/// Whoever can set a cookie for this host, such as a service on another port, still cannot make a form.
pub const FORM_COOKIE: &str = "rollout-judge-form";

/// Where a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From this page to the root of the service: `./`, `../../`.
    root: String,
    /// Path and query.
    here: String,
}

impl Place {
    /// The place of a request.
    pub fn of(uri: &Uri) -> Self {
        let up = uri.path().matches('/').count().saturating_sub(1);
        let here = uri.path_and_query().map_or("/", |p| p.as_str());
        Self {
            root: if up == 0 {
                "./".to_owned()
            } else {
                "../".repeat(up)
            },
            here: here.to_owned(),
        }
    }

    /// A link to a path of this service, without its leading slash: `to("rollouts")`.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The page itself, as a link.
    pub fn itself(&self) -> String {
        self.to(self.here.trim_start_matches('/'))
    }

    /// Path and query of the page itself.
    pub fn here(&self) -> &str {
        &self.here
    }
}

/// Who looks at a page. A handler that takes one is behind the sign-in.
#[derive(Debug, Clone)]
pub struct View {
    /// Where the page is.
    pub place: Place,
    /// Who looks.
    pub caller: Caller,
    /// By our clock.
    pub now: Millis,
    /// What every form of this page must hold in its field `form`.
    pub form: String,
    /// Is there a session that can be ended?
    pub signed_in: bool,
    /// What the form before came to.
    pub said: Option<Said>,
}

impl View {
    /// A link to a path of this service, without its leading slash.
    pub fn to(&self, path: &str) -> String {
        self.place.to(path)
    }

    /// The page around its content.
    pub fn show(&self, content: &Content) -> Html<String> {
        let page = layout::page(&self.place, Some(self), self.now, content);
        Html(page.into_string())
    }
}

/// The value of [`FORM_COOKIE`] of a request, where it can be one of ours.
pub fn form_cookie(headers: &HeaderMap) -> Option<&str> {
    let value = session::cookie(headers, FORM_COOKIE)?;
    let ours = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    ours.then_some(value)
}

/// The value of [`FORM_COOKIE`] that this answer gives to a browser that had none.
#[derive(Debug, Clone)]
pub struct FreshForm(pub String);

impl FromRequestParts<Arc<App>> for View {
    type Rejection = PageProblem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageProblem> {
        let now = app.clock.now();
        if app.auth.is_local() {
            guard::host_is_ours(&parts.headers, &parts.uri, &app.limits.public_url)?;
        }
        let Visitor {
            caller,
            form,
            expires,
        } = app.auth.visitor(&parts.headers, now)?;
        let form = form.or_else(|| {
            let fresh = parts.extensions.get::<FreshForm>().map(|f| f.0.as_str());
            let value = fresh.or_else(|| form_cookie(&parts.headers))?;
            Some(session::form_token(app.form_key.as_bytes(), value))
        });
        Ok(Self {
            place: Place::of(&parts.uri),
            caller,
            now,
            form: form.unwrap_or_default(),
            signed_in: expires.is_some(),
            said: Said::of(&parts.headers),
        })
    }
}
