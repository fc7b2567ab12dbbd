//! What happens to every request and answer, whatever the path.

use super::{
    problem::Problem,
    state::App,
    verdicts::{announces_more, too_large},
};
use crate::telemetry::traces;
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{any::Any, sync::Arc};

/// The header that names a request, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// Drops a request id that could not stand in a log line; a new one is made in its place.
pub async fn sound_request_id(mut request: Request, next: Next) -> Response {
    let sound = request.headers().get(REQUEST_ID).is_none_or(|id| {
        let bytes = id.as_bytes();
        (1..=128).contains(&bytes.len())
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(b))
    });
    if !sound {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

/// Counts answers, and asks HTTP/1 callers to close after an error: some versions of
/// the Argo Rollouts controller leak the connection otherwise.
pub async fn finish(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let version = request.version();
    let mut response = next.run(request).await;
    app.metrics.request(
        path.as_deref().unwrap_or("other"),
        response.status().as_u16(),
    );
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if failed && version <= Version::HTTP_11 {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Sheds what is over `server.maxConcurrent`, and bodies that announce themselves as too large.
pub async fn shed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Ok(_slot) = app.slots.try_acquire() else {
        let most = app.limits.max_concurrent;
        return Problem::new(
            "too-many-requests",
            format!(
                "{most} calls are under way; try again in a second or raise `server.maxConcurrent`"
            ),
        )
        .into_response();
    };
    if announces_more(request.headers(), app.limits.body_limit) {
        return too_large(app.limits.body_limit).into_response();
    }
    if !is_text(request.uri().path()) {
        return not_found().into_response();
    }
    next.run(request).await
}

/// Is a path UTF-8 once its escapes are read? Names that are not would be refused in words that are no problem+json.
fn is_text(path: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => digit(*high).zip(digit(*low)).zip(Some(after)),
            _ => None,
        };
        let (byte, after) = match escape {
            Some(((high, low), after)) => ((high * 16 + low) as u8, after),
            None => (*first, tail),
        };
        bytes.push(byte);
        rest = after;
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// A panic is a defect: it is logged, and the caller gets a problem.
#[expect(clippy::needless_pass_by_value, reason = "the signature of the layer")]
pub fn caught(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(
        "internal",
        "a defect of the service; its log has it under the request id",
    )
    .into_response()
}

/// No such path.
pub fn not_found() -> Problem {
    Problem::new(
        "not-found",
        "there is nothing at this path; see `/openapi.json`",
    )
}

/// The path does not take this method; `Allow` says which it takes.
pub async fn method_not_allowed() -> Problem {
    Problem::new(
        "method-not-allowed",
        "this path does not take this method; the `Allow` header says which it takes",
    )
}

/// The span of one request.
pub fn span(request: &axum::http::Request<Body>) -> tracing::Span {
    let sent = |name: &str| request.headers().get(name).and_then(|id| id.to_str().ok());
    let id = sent(REQUEST_ID).unwrap_or_default();
    let span = tracing::info_span!(
        "request", otel.name = %format_args!("{} {}", request.method(), request.uri().path()),
        request_id = id, method = %request.method(), path = request.uri().path(), status = tracing::field::Empty,
    );
    traces::follow(&span, sent("traceparent"), sent("tracestate"));
    span
}

/// Notes the status on the span.
pub fn note(
    response: &axum::http::Response<Body>,
    took: std::time::Duration,
    span: &tracing::Span,
) {
    span.record("status", response.status().as_u16());
    if response.status() >= StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(
            status = response.status().as_u16(),
            milliseconds = took.as_millis() as u64,
            "answered"
        );
    } else {
        tracing::debug!(
            status = response.status().as_u16(),
            milliseconds = took.as_millis() as u64,
            "answered"
        );
    }
}
