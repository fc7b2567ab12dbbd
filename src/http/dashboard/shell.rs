//! What is around every page: headers that bind the browser, and errors as pages.

use super::{
    layout::{self, Content},
    parts::state,
    said,
    view::{FORM_COOKIE, FreshForm, Place, form_cookie},
};
use crate::{
    domain::text::percent,
    http::{layers, problem::Problem, session, state::App},
    service::identity::nonce,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use std::{sync::Arc, time::Duration};

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

/// A page waits this long for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The layer around every page and asset.
pub async fn dress(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let place = Place::of(request.uri());
    let reads = request.method().is_safe();
    let told = session::cookie(request.headers(), said::COOKIE).is_some()
        && !request.headers().contains_key(said::LIVE);
    // only where no session guards the forms
    let fresh = app.auth.is_open() && form_cookie(request.headers()).is_none();
    let fresh = fresh.then(nonce);
    if let Some(fresh) = &fresh {
        request.extensions_mut().insert(FreshForm(fresh.clone()));
    }
    let response = match tokio::time::timeout(PATIENCE, app.pages.acquire()).await {
        Ok(Ok(_turn)) => next.run(request).await,
        _ => PageProblem(Problem::new(
            "too-many-requests",
            "many pages are being made; this one is tried again",
        ))
        .into_response(),
    };
    let problem = response.extensions().get::<PageProblem>().cloned();
    let mut response = match problem {
        Some(PageProblem(problem)) if problem.status == 401 => sign_in_first(&place, reads, None),
        Some(PageProblem(problem)) => error_page(&app, &place, &problem, reads),
        None => response,
    };
    let page = is_page(&response);
    let fresh = fresh.filter(|_| page).map(|fresh| {
        let secure = secure(&app);
        format!("{FORM_COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}")
    });
    let told = (told && page).then(said::told);
    for cookie in fresh.into_iter().chain(told) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    bind(response.headers_mut());
    response
}

/// The attribute of cookies that are for HTTPS only.
pub fn secure(app: &App) -> &'static str {
    if app.limits.public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    }
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// To the sign-in, and back afterwards. A form that came too late is not sent again; its page is.
pub fn sign_in_first(place: &Place, reads: bool, cookie: Option<String>) -> Response {
    let back = if reads {
        place.here()
    } else {
        place.here().split('?').next().unwrap_or("/")
    };
    let next = percent(back, |b| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b));
    let to = place.to(&format!("sign-in?next={next}"));
    said::lead_on(&to, None, &Vec::from_iter(cookie))
}

/// There is nothing at this path: as a page for a browser, as a problem for programs.
pub async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let programs = request.uri().path().starts_with("/v1/") || !wants_html(request.headers());
    if programs {
        return layers::not_found().into_response();
    }
    let problem = Problem::new("not-found", "there is nothing at this address");
    let mut response = error_page(&app, &Place::of(request.uri()), &problem, true);
    bind(response.headers_mut());
    response
}

/// To the page itself, seen from its address with a slash behind it: `../NAME`.
pub async fn without_slash(uri: Uri) -> Response {
    let name = uri.path().trim_end_matches('/').rsplit('/').next();
    let query = uri.query().map_or_else(String::new, |q| format!("?{q}"));
    Redirect::permanent(&format!("../{}{query}", name.unwrap_or_default())).into_response()
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

fn error_page(app: &App, place: &Place, problem: &Problem, reads: bool) -> Response {
    // what a form asked for is never asked for again by itself
    let again = reads && (problem.status == 503 || problem.status == 429);
    let content = Content::new(
        state::problem_title(problem),
        state::problem(place, problem, reads),
    );
    let content = if again { content.retrying() } else { content };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = layout::page(place, None, app.clock.now(), &content);
    let mut response = (status, Html(page.into_string())).into_response();
    if again {
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
