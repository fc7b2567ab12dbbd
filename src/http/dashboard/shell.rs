//! What is around every page: headers that bind the browser, and errors as pages.

use super::{
    layout::{self, Content},
    parts::state,
    view::Place,
};
use crate::http::{layers, problem::Problem, state::App};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use std::sync::Arc;

/// Nothing but what this service itself sends; no inline script, no inline style, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A refusal that is shown as a page of its own.
#[derive(Debug, Clone)]
pub struct PageProblem(pub Problem);

impl From<Problem> for PageProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for PageProblem {
    /// An empty answer that carries the problem; [`dress`] makes a page of it.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer around every page and asset.
pub async fn dress(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let place = Place::of(request.uri());
    let response = next.run(request).await;
    let problem = response.extensions().get::<PageProblem>().cloned();
    let mut response = match problem {
        Some(PageProblem(problem)) => error_page(&app, &place, &problem),
        None => response,
    };
    bind(response.headers_mut());
    response
}

/// There is nothing at this path: as a page for a browser, as a problem for programs.
pub async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let programs = request.uri().path().starts_with("/v1/") || !wants_html(request.headers());
    if programs {
        return layers::not_found().await.into_response();
    }
    let problem = Problem::new("not-found", "there is nothing at this address");
    let mut response = error_page(&app, &Place::of(request.uri()), &problem);
    bind(response.headers_mut());
    response
}

/// The page does not take this method.
pub async fn method_not_allowed() -> PageProblem {
    PageProblem(Problem::new(
        "method-not-allowed",
        "this page does not take this method",
    ))
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|v| v.to_str().ok())
        .any(|v| v.contains("text/html"))
}

fn error_page(app: &App, place: &Place, problem: &Problem) -> Response {
    let content = Content::new(
        state::problem_title(problem),
        state::problem(place, problem),
    );
    let content = if problem.status == 503 || problem.status == 429 {
        content.retrying()
    } else {
        content
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = layout::page(place, None, app.clock.now(), &content);
    let mut response = (status, Html(page.into_string())).into_response();
    if problem.status == 503 || problem.status == 429 {
        let patience = HeaderValue::from_static("5");
        response.headers_mut().insert(header::RETRY_AFTER, patience);
    }
    response
}

/// The headers of every answer of the dashboard.
fn bind(headers: &mut HeaderMap) {
    let rows: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // not `no-referrer`: forms would be sent with `Origin: null`
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in rows {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
