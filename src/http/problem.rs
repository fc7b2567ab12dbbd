//! Errors on the wire: `application/problem+json` with a stable `code`.

use crate::domain::StoreError;
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Every `code` that an error answer may carry. Codes are never renamed.
pub const CODES: &[(&str, u16, &str)] = &[
    ("malformed-json", 400, "the body is not one JSON object"),
    ("unknown-field", 400, "the body has a key that no field has"),
    ("missing-field", 400, "a required field is absent or empty"),
    (
        "invalid-field",
        400,
        "a field has a value that it cannot have",
    ),
    (
        "invalid-query",
        400,
        "the query string is not what the path takes",
    ),
    (
        "unauthenticated",
        401,
        "the bearer token is missing or wrong",
    ),
    ("forbidden", 403, "the token is not for this namespace"),
    (
        "may-not-override",
        403,
        "the token may not overrule the judge or put alerts back",
    ),
    (
        "cross-site",
        403,
        "a form was not sent by a page of this service",
    ),
    ("stale-form", 403, "a form is older than its session"),
    (
        "wrong-host",
        403,
        "without tokens, the service answers only to the names of this machine",
    ),
    ("not-found", 404, "there is nothing at this path"),
    ("unknown-policy", 404, "no policy of this name is loaded"),
    (
        "no-verdict",
        404,
        "this rollout has not been judged, or its verdicts are no longer kept",
    ),
    (
        "unknown-verdict",
        404,
        "no verdict of this id is kept, or the token is not for its namespace",
    ),
    (
        "no-override",
        404,
        "no override of this rollout is in force",
    ),
    (
        "method-not-allowed",
        405,
        "the path does not take this method",
    ),
    (
        "unknown-canary",
        409,
        "no canary of this hash was judged for this rollout",
    ),
    (
        "conflict",
        409,
        "the rollout's state changed at the same time",
    ),
    (
        "bundle-gone",
        410,
        "what this verdict was made of is not kept any more",
    ),
    (
        "body-too-large",
        413,
        "the body is larger than `server.bodyLimit`",
    ),
    (
        "unsupported-media-type",
        415,
        "the body is not declared as JSON",
    ),
    (
        "cannot-plan",
        422,
        "the policy cannot be planned for this question",
    ),
    ("invalid-policy", 422, "the policy document has errors"),
    (
        "too-many-requests",
        429,
        "more calls under way than `server.maxConcurrent`",
    ),
    (
        "too-many-streams",
        429,
        "more open event streams and exports than `server.maxStreams`",
    ),
    (
        "internal",
        500,
        "a defect of the service; the log has it under the request id",
    ),
    (
        "store-unavailable",
        503,
        "the store of verdicts does not answer",
    ),
];

/// An error answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:rollout-judge:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:rollout-judge:problem:missing-field")]
    pub kind: String,
    /// What the code means, the same text for every answer with this code.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong here, and what cures it.
    pub detail: String,
    /// Stable word for programs.
    #[schema(example = "missing-field")]
    pub code: &'static str,
    /// The field at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
}

impl Problem {
    /// A problem of a code of [`CODES`].
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let (_, status, title) = CODES
            .iter()
            .find(|(known, _, _)| *known == code)
            .unwrap_or(&("internal", 500, "a defect of the service"));
        Self {
            kind: format!("urn:rollout-judge:problem:{code}"),
            title,
            status: *status,
            detail: detail.into(),
            code,
            field: None,
        }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// A field with a value that it cannot have.
    pub fn invalid(field: &str, detail: impl std::fmt::Display) -> Self {
        Self::new("invalid-field", format!("`{field}`: {detail}")).at(field)
    }

    /// The store did not answer; why is in the log only.
    #[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
    pub fn store(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not answer");
        Self::new(
            "store-unavailable",
            "the store does not answer; try again in a moment, the log of the service says why",
        )
    }

    /// A required field that is absent or empty.
    pub fn missing(field: &str, cure: &str) -> Self {
        Self::new(
            "missing-field",
            format!("`{field}` is missing or empty: {cure}"),
        )
        .at(field)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, "application/problem+json", &self);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A strict JSON answer; a body that cannot be written becomes an empty 500, never half a document.
pub fn json<T: Serialize>(
    status: StatusCode,
    content_type: &'static str,
    body: &T,
) -> Response<Body> {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as json");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// An answer without a body: what Argo Rollouts reads best when no verdict can be given.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
