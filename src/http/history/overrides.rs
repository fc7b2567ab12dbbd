//! Overrides: made, listed, taken back.

use super::{
    answers::OverrideAnswer, params::Params, rollouts::never_judged, ruling::OverrideRequest,
};
use crate::{
    http::{
        auth::Caller,
        problem::{Problem, json},
        request::check_names,
        state::App,
        verdicts::read,
    },
    service::OverruleError,
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Overrides of a rollout, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OverrideList {
    /// The overrides.
    pub overrides: Vec<OverrideAnswer>,
}

/// `GET /v1/rollouts/{namespace}/{name}/override`
#[utoipa::path(get, path = "/v1/rollouts/{namespace}/{name}/override", tag = "history", summary = "Overrides of a rollout, newest first",
    params(("namespace" = String, Path, description = "Kubernetes namespace"),
           ("name" = String, Path, description = "Name of the Rollout"),
           ("limit" = Option<u32>, Query, description = "1 to 500; 50 where it is absent", minimum = 1, maximum = 500)),
    responses(
        (status = 200, description = "Also those that are over or were taken back", body = OverrideList),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Never judged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit"])?;
    check_names(&namespace, &name)?;
    caller.may_see(&namespace)?;
    let all = app
        .store
        .overrides(&namespace, &name, params.limit()?)
        .await;
    let all = all.map_err(Problem::store)?;
    if all.is_empty() {
        let state = app.store.rollout(&namespace, &name).await;
        state
            .map_err(Problem::store)?
            .ok_or_else(|| never_judged(&namespace, &name))?;
    }
    let list = OverrideList {
        overrides: OverrideAnswer::list(&all, app.clock.now()),
    };
    Ok(json(StatusCode::OK, "application/json", &list))
}

/// `POST /v1/rollouts/{namespace}/{name}/override`
#[utoipa::path(post, path = "/v1/rollouts/{namespace}/{name}/override", tag = "history", summary = "Overrule the judge for a time",
    description = "Every answer about this canary says so until it expires or is taken back. Needs a token with `mayOverride: true`, whose name \
        is kept as the author; without any tokens it is open to callers on the same machine.",
    params(("namespace" = String, Path, description = "Kubernetes namespace"),
           ("name" = String, Path, description = "Name of the Rollout")),
    request_body(content = OverrideRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "In force from now on", body = OverrideAnswer),
        (status = 400, description = "Malformed request", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace, or not for overrides", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Never judged", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No such canary was judged, or the state changed at the same time", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body over `server.bodyLimit`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `Content-Type: application/json`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn make(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    may(&caller, &namespace, &name)?;
    declared_json(&headers)?;
    let body = read(body, app.limits.body_limit).await?;
    let (now, longest) = (app.clock.now(), app.limits.max_override);
    let rollout = (namespace.clone(), name.clone());
    let ruling = OverrideRequest::read(&body)?.ruling(rollout, &caller.name, now, longest)?;
    let made = app.overrule.rule(ruling).await;
    let made = made.map_err(|error| refusal(error, &namespace, &name))?;
    tracing::warn!(
        id = %made.id, namespace, rollout = name, canary = made.canary_hash, author = made.author,
        verdict = made.outcome.as_str(), reason = made.reason, "overridden"
    );
    let answer = OverrideAnswer::new(&made, true);
    Ok(json(StatusCode::CREATED, "application/json", &answer))
}

/// `DELETE /v1/rollouts/{namespace}/{name}/override`
#[utoipa::path(delete, path = "/v1/rollouts/{namespace}/{name}/override", tag = "history", summary = "Take the newest override in force back",
    description = "It stays in the history, with who took it back. Needs what making one needs.",
    params(("namespace" = String, Path, description = "Kubernetes namespace"),
           ("name" = String, Path, description = "Name of the Rollout")),
    responses(
        (status = 200, description = "Taken back", body = OverrideAnswer),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace, or not for overrides", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None is in force, or never judged", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The state changed at the same time", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn take_back(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    may(&caller, &namespace, &name)?;
    let taken = app
        .overrule
        .take_back(&namespace, &name, &caller.name)
        .await;
    let taken = taken.map_err(|error| refusal(error, &namespace, &name))?;
    tracing::warn!(id = %taken.id, namespace, rollout = name, author = caller.name, "override taken back");
    let answer = OverrideAnswer::new(&taken, false);
    Ok(json(StatusCode::OK, "application/json", &answer))
}

/// Refuses a caller who may not overrule the judge about this rollout.
pub fn may(caller: &Caller, namespace: &str, name: &str) -> Result<(), Problem> {
    check_names(namespace, name)?;
    caller.may_see(namespace)?;
    caller.may_override()
}

/// A page in a browser can send a body of another type to any address without being asked.
fn declared_json(headers: &HeaderMap) -> Result<(), Problem> {
    let declared = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"));
    if declared {
        return Ok(());
    }
    Err(Problem::new(
        "unsupported-media-type",
        "the body is not declared as JSON; send the header `Content-Type: application/json`",
    ))
}

/// What the caller is told of it.
pub fn refusal(error: OverruleError, namespace: &str, name: &str) -> Problem {
    match error {
        OverruleError::NeverJudged => never_judged(namespace, name),
        OverruleError::UnknownCanary { .. } => {
            let text = format!("{error}; leave `canaryHash` out to mean that one");
            Problem::new("unknown-canary", text).at("canaryHash")
        }
        OverruleError::NothingInForce => Problem::new(
            "no-override",
            format!("no override of `{namespace}/{name}` is in force; see `GET` of the same path"),
        ),
        OverruleError::Busy => Problem::new("conflict", format!("{error}; try again")),
        OverruleError::Store(error) => Problem::store(error),
    }
}
