//! Judged rollouts: where each stands, and the way of one.

use super::{
    answers::{EventAnswer, OverrideAnswer, RolloutAnswer, StepAnswer},
    cursor,
    params::Params,
};
use crate::{
    domain::{Filter, RolloutState},
    http::{
        auth::Caller,
        problem::{Problem, json},
        request::check_names,
        state::App,
    },
};
use axum::{
    Extension,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Overrides shown with a rollout; `GET .../override` has more.
const OVERRIDES: u32 = 20;

/// A page of rollouts, in order of namespace and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RolloutPage {
    /// The rollouts.
    pub rollouts: Vec<RolloutAnswer>,
    /// The `cursor` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// One rollout: where it stands, and how it came there.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RolloutDetail {
    #[serde(flatten)]
    state: RolloutAnswer,
    /// The weights of the present canary, in the order in which they were first asked about.
    steps: Vec<StepAnswer>,
    /// The newest overrides, newest first.
    overrides: Vec<OverrideAnswer>,
    /// What happened, newest first.
    timeline: Vec<EventAnswer>,
    /// The `cursor` of the next page of the timeline; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// `GET /v1/rollouts`
#[utoipa::path(get, path = "/v1/rollouts", tag = "history", summary = "Judged rollouts and where each stands",
    description = "In order of namespace and name.",
    params(("namespace" = Option<String>, Query, description = "Kubernetes namespace"),
           ("policy" = Option<String>, Query, description = "Name of a policy that judges the rollout"),
           ("verdict" = Option<String>, Query, description = "The present verdict, of several policies the worst: `pass`, `fail` or `inconclusive`"),
           ("q" = Option<String>, Query, description = "Part of the name, whatever the case"),
           ("limit" = Option<u32>, Query, description = "Rows of a page, 1 to 500; 50 where it is absent", minimum = 1, maximum = 500),
           ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses(
        (status = 200, description = "A page", body = RolloutPage),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let known = ["namespace", "policy", "verdict", "q", "limit", "cursor"];
    let params = Params::read(&uri, &known)?;
    let filter = params.filter(&caller)?;
    let limit = params.limit()? as usize;
    let cursor = params.text("cursor")?;
    let after = cursor.as_deref().map(cursor::rollout).transpose()?;
    let (found, next) = page(&app, &filter, after, limit).await?;
    let url = &app.limits.public_url;
    let answer = RolloutPage {
        rollouts: found.iter().map(|s| RolloutAnswer::new(s, url)).collect(),
        next,
    };
    Ok(json(StatusCode::OK, "application/json", &answer))
}

/// A page, and the cursor of the next.
pub async fn page(
    app: &App,
    filter: &Filter,
    after: Option<(String, String)>,
    limit: usize,
) -> Result<(Vec<RolloutState>, Option<String>), Problem> {
    let place = after
        .as_ref()
        .map(|(namespace, name)| (namespace.as_str(), name.as_str()));
    let read = app.store.rollouts(filter, place, limit as u32 + 1).await;
    let mut found = read.map_err(Problem::store)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|state| cursor::of_rollout(&state.namespace, &state.name));
    Ok((found, next))
}

/// `GET /v1/rollouts/{namespace}/{name}`
#[utoipa::path(get, path = "/v1/rollouts/{namespace}/{name}", tag = "history", summary = "Where a rollout stands, and how it came there",
    params(("namespace" = String, Path, description = "Kubernetes namespace"),
           ("name" = String, Path, description = "Name of the Rollout"),
           ("changes" = Option<bool>, Query, description = "`false`: every single verdict and every message that arrived is in the timeline too; `true` where it is absent"),
           ("limit" = Option<u32>, Query, description = "Events of a page, 1 to 500; 50 where it is absent", minimum = 1, maximum = 500),
           ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses(
        (status = 200, description = "The rollout", body = RolloutDetail),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Never judged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["changes", "limit", "cursor"])?;
    check_names(&namespace, &name)?;
    caller.may_see(&namespace)?;
    let limit = params.limit()? as usize;
    let changes = params.flag("changes", true)?;
    let cursor = params.text("cursor")?;
    let before = cursor.as_deref().map(cursor::place).transpose()?;
    let (store, most) = (&app.store, limit as u32 + 1);
    let found = store.rollout(&namespace, &name).await;
    let (_, state) = found
        .map_err(Problem::store)?
        .ok_or_else(|| never_judged(&namespace, &name))?;
    let overrides = store.overrides(&namespace, &name, OVERRIDES).await;
    let events = store
        .timeline(&namespace, &name, before, changes, most)
        .await;
    let (overrides, mut events) = (
        overrides.map_err(Problem::store)?,
        events.map_err(Problem::store)?,
    );
    let more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().filter(|_| more);
    let answer = RolloutDetail {
        state: RolloutAnswer::new(&state, &app.limits.public_url),
        steps: state.steps.iter().map(StepAnswer::from).collect(),
        overrides: OverrideAnswer::list(&overrides, app.clock.now()),
        next: last.map(|event| cursor::of_place(event.seq)),
        timeline: events.iter().map(EventAnswer::from).collect(),
    };
    Ok(json(StatusCode::OK, "application/json", &answer))
}

/// No verdict of this rollout is kept.
pub fn never_judged(namespace: &str, name: &str) -> Problem {
    Problem::new(
        "no-verdict",
        format!(
            "`{namespace}/{name}` was never judged, or is no longer kept; ask with `POST /v1/verdicts`"
        ),
    )
}
