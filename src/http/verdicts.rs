//! The one call, and the reading of the last answer.

use super::{
    answer::VerdictAnswer,
    auth::Caller,
    hint::did_you_mean,
    history::rollouts::never_judged,
    limits::BACKSTOP,
    loose,
    problem::{Problem, empty, json},
    request::{VerdictRequest, check_names},
    state::App,
};
use crate::service::{JudgeError, Judged, ruled};
use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Instant};

/// Overrides of a rollout that are looked at to find that of its canary.
const OVERRIDES: u32 = 100;

/// `POST /v1/verdicts`
#[utoipa::path(post, path = "/v1/verdicts", tag = "verdicts", summary = "Judge a rollout now",
    description = "The call of the `web` metric of Argo Rollouts. Every value may be a string. The answer comes inside `server.deadline`.",
    request_body(content = VerdictRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "A verdict", body = VerdictAnswer),
        (status = 400, description = "Malformed request", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown policy", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body over `server.bodyLimit`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The policy cannot be planned", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Over `server.maxConcurrent`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A defect", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No verdict can be given; empty body"),
    ))]
pub async fn judge(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Response {
    match tokio::time::timeout(app.limits.deadline + BACKSTOP, answer(&app, &caller, body)).await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => {
            tracing::error!(deadline = ?app.limits.deadline, "no verdict inside the deadline");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

async fn answer(app: &App, caller: &Caller, body: Body) -> Result<Response, Problem> {
    let body = read(body, app.limits.body_limit).await?;
    let question = VerdictRequest::read(&body)?.question(app.clock.now())?;
    caller.may_see(&question.rollout.namespace)?;
    let (policy, rollout) = (question.policy.clone(), question.rollout.clone());
    let begun = Instant::now();
    let outcome = app.judge.judge(question).await;
    if evaluated(&outcome) {
        app.metrics.evaluated(begun.elapsed());
    }
    match outcome {
        Ok(Judged { verdict, made }) => {
            app.metrics.verdict(&verdict, made, app.clock.now());
            tracing::info!(
                id = %verdict.id, policy, namespace = rollout.namespace, rollout = rollout.name, caller = caller.name,
                verdict = verdict.outcome.as_str(), score = verdict.score, reason = verdict.reason, "judged"
            );
            let answer = VerdictAnswer::new(&verdict, &app.limits.public_url);
            Ok(json(StatusCode::OK, "application/json", &answer))
        }
        Err(error) => {
            tracing::warn!(policy, namespace = rollout.namespace, rollout = rollout.name, %error, "no verdict");
            refusal(error)
        }
    }
}

/// Was the question evaluated for this call? A kept answer is found, a shared one is waited for, a refused one is not tried.
fn evaluated(outcome: &Result<Judged, JudgeError>) -> bool {
    match outcome {
        Ok(judged) => judged.made,
        Err(error) => matches!(
            error,
            JudgeError::SourceDown | JudgeError::StoreDown | JudgeError::TooSlow
        ),
    }
}

fn refusal(error: JudgeError) -> Result<Response, Problem> {
    match error {
        JudgeError::UnknownPolicy { name, known } => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let shown = loose::cut(&name);
            let hint = did_you_mean(&name, &known);
            Err(Problem::new(
                "unknown-policy",
                format!("no policy `{shown}` is loaded{hint}"),
            )
            .at("policy"))
        }
        JudgeError::CannotPlan { detail } => Err(Problem::new("cannot-plan", detail)),
        JudgeError::Overloaded => Err(Problem::new(
            "too-many-requests",
            "too many evaluations are under way; try again in a second",
        )),
        JudgeError::SourceDown
        | JudgeError::StoreDown
        | JudgeError::TooSlow
        | JudgeError::ShuttingDown => Ok(empty(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

/// `GET /v1/verdicts/latest`
#[utoipa::path(get, path = "/v1/verdicts/latest", tag = "verdicts", summary = "The newest verdict of a rollout, without judging",
    params(("namespace" = String, Query, description = "Kubernetes namespace", max_length = 63),
           ("rollout" = String, Query, description = "Name of the Rollout", max_length = 253)),
    responses(
        (status = 200, description = "The verdict", body = VerdictAnswer),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Never judged, or no longer kept", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn latest(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (namespace, rollout) = names(query.as_deref().unwrap_or_default())?;
    caller.may_see(&namespace)?;
    let state = app.store.rollout(&namespace, &rollout).await;
    let record = match state.map_err(Problem::store)? {
        Some((_, state)) => app
            .store
            .record(state.verdict)
            .await
            .map_err(Problem::store)?,
        None => None,
    };
    let mut record = record.ok_or_else(|| never_judged(&namespace, &rollout))?;
    let overrides = app.store.overrides(&namespace, &rollout, OVERRIDES).await;
    let overrides = overrides.map_err(Problem::store)?;
    let canary = &record.verdict.rollout.canary_hash;
    let ruling = overrides.iter().find(|o| o.canary_hash == *canary);
    ruled::told(&mut record.verdict, ruling, app.clock.now());
    let answer = VerdictAnswer::new(&record.verdict, &app.limits.public_url);
    Ok(json(StatusCode::OK, "application/json", &answer))
}

fn names(query: &str) -> Result<(String, String), Problem> {
    let (mut namespace, mut rollout) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Names of Kubernetes objects never need percent-encoding, so what is encoded cannot be one.
        let slot = match name {
            "namespace" => &mut namespace,
            "rollout" => &mut rollout,
            other => {
                let hint = did_you_mean(other, &["namespace", "rollout"]);
                return Err(Problem::new(
                    "invalid-query",
                    format!("unknown parameter `{}`{hint}", loose::cut(other)),
                ));
            }
        };
        if slot.replace(value.to_owned()).is_some() {
            return Err(Problem::new(
                "invalid-query",
                format!("`{name}` is given twice; give it once"),
            ));
        }
    }
    let need = |field: &str, value: Option<String>| {
        value
            .filter(|v| !v.is_empty())
            .ok_or_else(|| Problem::missing(field, "give `?namespace=NAMESPACE&rollout=NAME`"))
    };
    let (namespace, rollout) = (need("namespace", namespace)?, need("rollout", rollout)?);
    check_names(&namespace, &rollout)?;
    Ok((namespace, rollout))
}

/// Reads a body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    use std::error::Error as _;
    to_bytes(body, limit).await.map_err(|error| {
        let text = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        if text.contains("length limit") {
            too_large(limit)
        } else {
            Problem::new("malformed-json", "the body broke off; send it whole")
        }
    })
}

/// The answer to a body over the limit.
pub fn too_large(limit: usize) -> Problem {
    Problem::new(
        "body-too-large",
        format!("the body is larger than {limit} bytes; shorten it or raise `server.bodyLimit`"),
    )
}

/// Does the request announce more than `limit` bytes?
pub fn announces_more(headers: &axum::http::HeaderMap, limit: usize) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<u64>().ok())
        .is_some_and(|length| length > limit as u64)
}
