//! Who looks at a page, and where it is.

use super::{
    layout::{self, Content},
    shell::PageProblem,
};
use crate::{
    domain::Millis,
    http::{auth::Caller, state::App},
};
use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
    response::Html,
};
use std::sync::Arc;

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
}

impl View {
    /// A link to a path of this service, without its leading slash.
    pub fn to(&self, path: &str) -> String {
        self.place.to(path)
    }

    /// The page around its content.
    pub fn show(&self, content: &Content) -> Html<String> {
        let page = layout::page(&self.place, Some(&self.caller), self.now, content);
        Html(page.into_string())
    }
}

impl FromRequestParts<Arc<App>> for View {
    type Rejection = PageProblem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageProblem> {
        let caller = app.auth.caller(&parts.headers)?;
        Ok(Self {
            place: Place::of(&parts.uri),
            caller,
            now: app.clock.now(),
        })
    }
}
