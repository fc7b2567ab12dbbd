//! Kept verdicts: the list, and one of them.

use super::{cursor, export, params::Params};
use crate::{
    domain::{Line, Record, time::rfc3339},
    http::{
        answer::{OutcomeWord, PolicyId, RolloutId, VerdictAnswer, bounded, plain},
        auth::Caller,
        loose,
        problem::{Problem, json},
        state::App,
    },
};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use uuid::Uuid;

/// The parameters that the list takes.
const KNOWN: &[&str] = &[
    "namespace",
    "rollout",
    "policy",
    "verdict",
    "canaryHash",
    "since",
    "until",
    "label.",
    "limit",
    "cursor",
    "format",
    "full",
];

/// A verdict in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VerdictLine {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Moment of the question.
    #[schema(format = "date-time")]
    pub at: String,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = OutcomeWord)]
    pub verdict: &'static str,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: f64,
    /// One sentence.
    pub reason: String,
    /// Traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub weight: f64,
    /// The policy that judged.
    pub policy: PolicyId,
    /// Who was judged.
    pub rollout: RolloutId,
    /// Its page.
    #[schema(format = "uri")]
    pub url: String,
}

/// A page of history, the newest question first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VerdictPage {
    /// The verdicts.
    pub verdicts: Vec<VerdictLine>,
    /// The `cursor` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A kept verdict: the answer as it was given, and the question.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecordAnswer {
    #[serde(flatten)]
    answer: VerdictAnswer,
    /// What was asked, and when it was kept.
    record: RecordDetail,
}

/// The question of a kept verdict. What was not given is left out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordDetail {
    /// Moment of the question.
    #[schema(format = "date-time")]
    pub at: String,
    /// When it was kept, by the service's clock.
    #[schema(format = "date-time")]
    pub kept_at: String,
    /// Digest of the policy document.
    pub revision: String,
    /// Traffic percent, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 100)]
    pub weight: Option<f64>,
    /// Index of the step, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub step: Option<u32>,
    /// Start of the step, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "date-time")]
    pub step_since: Option<String>,
    /// Start of the exposure, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "date-time")]
    pub since: Option<String>,
    /// Values of the policy's variables.
    pub params: BTreeMap<String, String>,
    /// What the caller wanted to find again.
    pub labels: BTreeMap<String, String>,
    /// The AnalysisRun that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub analysis_run: Option<String>,
}

impl VerdictLine {
    /// The wire form of a line; links begin with `public_url`.
    pub fn new(line: &Line, public_url: &str) -> Self {
        Self {
            id: line.id.to_string(),
            at: rfc3339(line.at),
            verdict: line.outcome.as_str(),
            score: bounded(line.score),
            reason: plain(&line.reason),
            weight: bounded(line.weight),
            policy: PolicyId {
                name: line.policy.clone(),
                revision: line.revision.clone(),
            },
            rollout: (&line.rollout).into(),
            url: format!("{}/verdicts/{}", public_url.trim_end_matches('/'), line.id),
        }
    }
}

impl RecordAnswer {
    /// The wire form of a record; links begin with `public_url`.
    pub fn new(record: &Record, public_url: &str) -> Self {
        let question = &record.question;
        Self {
            answer: VerdictAnswer::new(&record.verdict, public_url),
            record: RecordDetail {
                at: rfc3339(question.at),
                kept_at: rfc3339(record.kept_at),
                revision: record.verdict.revision.clone(),
                weight: question.weight.map(bounded),
                step: question.step,
                step_since: question.step_since.map(rfc3339),
                since: question.since.map(rfc3339),
                params: question.params.clone(),
                labels: question.labels.clone(),
                analysis_run: question.analysis_run.clone(),
            },
        }
    }
}

/// `GET /v1/verdicts`
#[utoipa::path(get, path = "/v1/verdicts", tag = "history", summary = "Kept verdicts, the newest question first",
    description = "Everything given must hold. `label.NAME=VALUE` (or `param.NAME=VALUE`) narrows to versions (canaries) that were asked about with this value among `params` and `labels`, with all their verdicts. \
        With `Accept: application/x-ndjson` or `format=ndjson` all matching verdicts come, one JSON object a line, without pages. \
        A token with `namespaces` sees only these.",
    params(("namespace" = Option<String>, Query, description = "Kubernetes namespace"),
           ("rollout" = Option<String>, Query, description = "Name of the Rollout"),
           ("policy" = Option<String>, Query, description = "Name of the policy"),
           ("verdict" = Option<String>, Query, description = "`pass`, `fail` or `inconclusive`"),
           ("canaryHash" = Option<String>, Query, description = "Pod-template hash of the canary"),
           ("since" = Option<String>, Query, description = "Questions at or after this moment: RFC 3339 or Unix seconds"),
           ("until" = Option<String>, Query, description = "Questions before this moment"),
           ("limit" = Option<u32>, Query, description = "Rows of a page, 1 to 500; 50 where it is absent", minimum = 1, maximum = 500),
           ("cursor" = Option<String>, Query, description = "`next` of the page before"),
           ("format" = Option<String>, Query, description = "`json` or `ndjson`"),
           ("full" = Option<bool>, Query, description = "Only with `ndjson`: each line is the whole verdict, as `GET /v1/verdicts/{id}` has it")),
    responses(
        (status = 200, description = "A page", content((VerdictPage = "application/json"), (String = "application/x-ndjson"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Exports: over `server.maxStreams`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, KNOWN)?;
    let filter = params.filter(&caller)?;
    if export::wanted(&params, &headers)? {
        return export::answer(app, filter, params.flag("full", false)?).await;
    }
    let limit = params.limit()?;
    let cursor = params.text("cursor")?;
    let before = cursor.as_deref().map(cursor::verdict).transpose()?;
    let history = app.store.history(&filter, before, limit + 1).await;
    let mut lines = history.map_err(Problem::store)?;
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let last = lines.last().filter(|_| more);
    let page = VerdictPage {
        next: last.map(|line| cursor::of_verdict(line.id)),
        verdicts: lines
            .iter()
            .map(|line| VerdictLine::new(line, &app.limits.public_url))
            .collect(),
    };
    Ok(json(StatusCode::OK, "application/json", &page))
}

/// `GET /v1/verdicts/{id}`
#[utoipa::path(get, path = "/v1/verdicts/{id}", tag = "history", summary = "One kept verdict with its question",
    params(("id" = String, Path, description = "`id` of the answer")),
    responses(
        (status = 200, description = "The verdict", body = RecordAnswer),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not kept, or the token is not for its namespace", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let record = find(&app, &caller, &id).await?;
    let answer = RecordAnswer::new(&record, &app.limits.public_url);
    Ok(json(StatusCode::OK, "application/json", &answer))
}

/// The kept verdict of an id in a path, if the caller may see it.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<Record, Problem> {
    let unknown = || {
        let shown = loose::cut(id);
        Problem::new(
            "unknown-verdict",
            format!(
                "no verdict `{shown}` is kept, or this token is not for its namespace; see `GET /v1/verdicts`"
            ),
        )
    };
    let uuid: Uuid = id.parse().map_err(|_| unknown())?;
    let record = app.store.record(uuid).await.map_err(Problem::store)?;
    record
        .filter(|r| caller.sees(&r.verdict.rollout.namespace))
        .ok_or_else(unknown)
}
