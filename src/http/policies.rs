//! Loaded policies, and the check of one that is not loaded.

use super::{
    auth::Caller,
    catalog::{CheckAnswer, PolicyList, PolicySummary},
    hint::did_you_mean,
    loose,
    policy_answer::PolicyAnswer,
    problem::{Problem, json},
    state::App,
    verdicts::read,
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use std::sync::Arc;

/// `GET /v1/policies`
#[utoipa::path(get, path = "/v1/policies", tag = "policies", summary = "All loaded policies, and what is wrong with files that are not",
    responses((status = 200, description = "In order of name", body = PolicyList),
              (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json")))]
pub async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Response {
    let policies = app
        .catalog
        .all()
        .iter()
        .map(|p| PolicySummary::from(&**p))
        .collect();
    let problems = app.catalog.problems().into_iter();
    let problems = problems.map(|one| one.seen_by(&caller)).collect();
    let warnings = app.catalog.warnings().into_iter();
    let list = PolicyList {
        policies,
        problems,
        warnings: warnings.map(|one| one.seen_by(&caller)).collect(),
    };
    json(StatusCode::OK, "application/json", &list)
}

/// `GET /v1/policies/{name}`
#[utoipa::path(get, path = "/v1/policies/{name}", tag = "policies", summary = "One loaded policy, every default filled in",
    params(("name" = String, Path, description = "`metadata.name` of the policy")),
    responses((status = 200, description = "The policy", body = PolicyAnswer),
              (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
              (status = 404, description = "Unknown policy", body = Problem, content_type = "application/problem+json")))]
pub async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    if let Some(policy) = app.catalog.get(&name) {
        let answer = PolicyAnswer::from(&*policy);
        return Ok(json(StatusCode::OK, "application/json", &answer));
    }
    let all = app.catalog.all();
    let known: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
    let (shown, hint) = (loose::cut(&name), did_you_mean(&name, &known));
    Err(Problem::new(
        "unknown-policy",
        format!("no policy `{shown}` is loaded{hint}"),
    ))
}

/// `POST /v1/policies/check`
#[utoipa::path(post, path = "/v1/policies/check", tag = "policies", summary = "Check a policy document without loading it",
    request_body(content = String, content_type = "application/yaml", description = "One or more YAML documents"),
    responses((status = 200, description = "Valid", body = CheckAnswer),
              (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
              (status = 413, description = "Body over `server.bodyLimit`", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "Not valid", body = CheckAnswer)))]
pub async fn check(State(app): State<Arc<App>>, body: Body) -> Result<Response, Problem> {
    let body = read(body, app.limits.body_limit).await?;
    let Ok(text) = std::str::from_utf8(&body) else {
        return Err(Problem::new(
            "invalid-policy",
            "the body is not UTF-8; send YAML as text",
        ));
    };
    let answer = app.catalog.check(text);
    let status = if answer.valid {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(json(status, "application/json", &answer))
}
