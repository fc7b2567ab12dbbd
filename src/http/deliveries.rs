//! Alerts on their way, arrived, and given up; a call puts a dead one back.

use super::{
    auth::Caller,
    history::{
        EventAnswer, cursor,
        params::{Params, invalid},
    },
    loose,
    problem::{Problem, json},
    state::App,
};
use crate::domain::{Millis, Posted, Progress, Wait, time::rfc3339};
use axum::{
    Extension,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

const MOST: u32 = 500;
const DEFAULT: u32 = 50;
/// A caller with namespaces finds its own among so many.
const SEARCHED: u32 = 5000;

/// A page of alerts, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DeliveriesAnswer {
    /// The alerts.
    pub deliveries: Vec<DeliveryAnswer>,
    /// The `cursor` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// One alert for one receiver.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAnswer {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Name of the receiver.
    pub receiver: String,
    /// `pending`, `delivered` or `dead`.
    #[schema(example = "dead")]
    pub state: &'static str,
    /// Tries so far; since it was put back, where it was. To wait or to be held is no try.
    pub tries: u32,
    /// When it was queued.
    #[schema(format = "date-time")]
    pub queued_at: String,
    /// Why it is not tried although it is pending: `waiting`, behind an earlier message of its receiver about the same rollout,
    /// or `held`, because the rollout was told of often enough (`alerts.maxMessages`). Absent where it is tried when it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "waiting")]
    pub wait: Option<&'static str>,
    /// Not tried before this moment; only while it is pending and not `waiting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "date-time")]
    pub due: Option<String>,
    /// When the last try ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "date-time")]
    pub tried_at: Option<String>,
    /// How long the last try took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 0.12)]
    pub took_seconds: Option<f64>,
    /// What the last try said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// What is told.
    pub event: EventAnswer,
}

/// A delivery was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RetryAnswer {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// `pending` from now on.
    #[schema(example = "pending")]
    pub state: &'static str,
}

impl DeliveryAnswer {
    fn new(posted: &Posted, now: Millis) -> Self {
        let wait = posted.wait(now);
        let due = posted.progress == Progress::Pending && wait != Some(Wait::Behind);
        Self {
            id: posted.delivery.id.to_string(),
            receiver: posted.delivery.receiver.clone(),
            state: posted.progress.as_str(),
            tries: posted.tries,
            queued_at: rfc3339(posted.queued_at),
            wait: wait.map(Wait::as_str),
            due: due.then(|| rfc3339(posted.delivery.due)),
            tried_at: posted.tried_at.map(rfc3339),
            took_seconds: posted.took.map(|took| took as f64 / 1000.0),
            error: posted.error.clone(),
            event: EventAnswer::from(&posted.event),
        }
    }
}

/// `GET /v1/deliveries`
#[utoipa::path(get, path = "/v1/deliveries", tag = "alerts", summary = "Alerts by state, the newest first",
    description = "For a token with `namespaces` a page may be short where alerts of others lie between: `next` tells whether more follow.",
    params(("state" = Option<String>, Query, description = "`dead` (given up), `pending` or `delivered`; all where it is absent"),
           ("receiver" = Option<String>, Query, description = "Name of a receiver"),
           ("limit" = Option<u32>, Query, description = "Rows of a page, 1 to 500; 50 where it is absent", minimum = 1, maximum = 500),
           ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses(
        (status = 200, description = "Of the namespaces that the token is for", body = DeliveriesAnswer),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["state", "receiver", "limit", "cursor"])?;
    let limit = params.limit_up_to(DEFAULT, MOST)?;
    let state = params.text("state")?.map(|word| {
        Progress::parse(&word).ok_or_else(|| {
            let shown = loose::cut(&word);
            invalid(format!(
                "`state`: `{shown}` is no state; give `dead`, `pending` or `delivered`"
            ))
            .at("state")
        })
    });
    let (state, receiver) = (state.transpose()?, params.text("receiver")?);
    let cursor = params.text("cursor")?;
    let before = cursor.as_deref().map(cursor::delivery).transpose()?;
    let narrowed = (state, receiver.as_deref());
    let (found, next) = visible_before(&app, &caller, narrowed, before, limit).await?;
    let now = app.clock.now();
    let page = DeliveriesAnswer {
        deliveries: found
            .iter()
            .map(|posted| DeliveryAnswer::new(posted, now))
            .collect(),
        next: next.map(cursor::of_delivery),
    };
    Ok(json(StatusCode::OK, "application/json", &page))
}

/// `POST /v1/deliveries/{id}/retry`
#[utoipa::path(post, path = "/v1/deliveries/{id}/retry", tag = "alerts", summary = "Try a dead alert again",
    description = "It is tried within seconds, at least three times. What was put back already is not found as dead. Where there are tokens, it \
        needs one with `mayOverride: true`.",
    params(("id" = String, Path, description = "Id of the delivery", format = "uuid")),
    responses(
        (status = 200, description = "It is pending again", body = RetryAnswer),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No dead delivery with this id in the token's namespaces", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn retry(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    put_back(&app, &caller, &id).await?;
    let answer = RetryAnswer {
        id,
        state: Progress::Pending.as_str(),
    };
    Ok(json(StatusCode::OK, "application/json", &answer))
}

/// Puts a dead delivery back, if the caller may.
pub async fn put_back(app: &App, caller: &Caller, id: &str) -> Result<(), Problem> {
    caller.may_retry()?;
    let unknown = || {
        let shown = loose::cut(id);
        Problem::new(
            "not-found",
            format!("no dead delivery `{shown}`; list them with `GET /v1/deliveries?state=dead`"),
        )
    };
    let uuid: Uuid = id.parse().map_err(|_| unknown())?;
    if caller.visible().is_some() {
        let dead = app
            .store
            .deliveries(Some(Progress::Dead), None, None, SEARCHED);
        let dead = dead.await.map_err(Problem::store)?;
        let own =
            |posted: &&Posted| posted.delivery.id == uuid && caller.sees(&posted.event.namespace);
        if dead.iter().find(own).is_none() {
            return Err(unknown());
        }
    }
    let back = app.store.retry(uuid, app.clock.now());
    if !back.await.map_err(Problem::store)? {
        return Err(unknown());
    }
    tracing::info!(id = %uuid, caller = caller.name, "a dead alert was put back");
    Ok(())
}

/// Puts back what the caller sees of it, the oldest first: it is in a list that is the newest first.
pub async fn put_all_back(app: &App, caller: &Caller, dead: &[Posted]) -> Result<(), Problem> {
    caller.may_retry()?;
    for posted in dead.iter().rev() {
        let back = app.store.retry(posted.delivery.id, app.clock.now());
        // one that is not dead any more came back with an earlier one
        back.await.map_err(Problem::store)?;
    }
    tracing::info!(
        count = dead.len(),
        caller = caller.name,
        "dead alerts were put back"
    );
    Ok(())
}

/// A page of the alerts that a caller may see, the newest first, before a place in the outbox; and the place before which the
/// next page begins.
pub async fn visible_before(
    app: &App,
    caller: &Caller,
    (state, receiver): (Option<Progress>, Option<&str>),
    mut before: Option<i64>,
    limit: u32,
) -> Result<(Vec<Posted>, Option<i64>), Problem> {
    let all = caller.visible().is_none();
    let read = if all { limit + 1 } else { MOST };
    let (mut found, mut left) = (Vec::new(), SEARCHED);
    loop {
        let rows = app.store.deliveries_before(state, receiver, before, read);
        let rows = rows.await.map_err(Problem::store)?;
        let last = rows.len() < read as usize;
        for (place, posted) in rows {
            if found.len() == limit as usize {
                return Ok((found, before));
            }
            before = Some(place);
            if caller.sees(&posted.event.namespace) {
                found.push(posted);
            }
        }
        left = left.saturating_sub(read);
        if last {
            return Ok((found, None));
        }
        // a page may be short where others' alerts lie between: the next one goes on from here
        if left == 0 {
            return Ok((found, before));
        }
    }
}
