//! Which version had a label, when it was judged, and on which data.

use super::params::{Params, invalid};
use crate::{
    domain::{Lineage, Record, time::rfc3339},
    http::{
        answer::{OutcomeWord, PolicyId, WindowAnswer, bounded, plain},
        auth::Caller,
        problem::{Problem, json},
        state::App,
    },
};
use axum::{
    Extension,
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// Each version's newest verdict is read too, so there are fewer than elsewhere.
const MOST: u32 = 100;
const DEFAULT: u32 = 20;

/// Versions with a label, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineageAnswer {
    /// The versions.
    pub versions: Vec<VersionAnswer>,
}

/// A version and when it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionAnswer {
    /// Name of the label or param.
    pub label: String,
    /// Its value.
    pub value: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub rollout: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// First question with it.
    #[schema(format = "date-time")]
    pub first: String,
    /// Last question with it.
    #[schema(format = "date-time")]
    pub last: String,
    /// The newest verdict with it; absent once it is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub newest: Option<JudgedAnswer>,
}

/// What was decided, and on which data.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JudgedAnswer {
    /// Id of the verdict.
    #[schema(format = "uuid")]
    pub id: String,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = OutcomeWord)]
    pub verdict: &'static str,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: f64,
    /// One sentence.
    pub reason: String,
    /// Pod-template hash of the version that it was compared with.
    pub stable_hash: String,
    /// Traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub weight: f64,
    /// The policy that judged.
    pub policy: PolicyId,
    /// The data: samples of this stretch of time.
    pub window: WindowAnswer,
    /// All that was kept with it, and the labels that were asked for.
    pub labels: BTreeMap<String, String>,
    /// Its page.
    #[schema(format = "uri")]
    pub url: String,
}

impl JudgedAnswer {
    /// `asked` are the labels that the version has, also where the question that was kept gave another value.
    fn new(record: &Record, asked: &BTreeMap<String, String>, public_url: &str) -> Self {
        let verdict = &record.verdict;
        let mut labels = record.question.params.clone();
        labels.extend(record.question.labels.clone());
        labels.extend(asked.clone());
        Self {
            id: verdict.id.to_string(),
            verdict: verdict.outcome.as_str(),
            score: bounded(verdict.score),
            reason: plain(&verdict.reason),
            stable_hash: verdict.rollout.stable_hash.clone(),
            weight: bounded(verdict.weight),
            policy: PolicyId {
                name: verdict.policy.clone(),
                revision: verdict.revision.clone(),
            },
            window: verdict.window.into(),
            labels,
            url: format!(
                "{}/verdicts/{}",
                public_url.trim_end_matches('/'),
                verdict.id
            ),
        }
    }
}

fn version(row: Lineage, newest: Option<JudgedAnswer>) -> VersionAnswer {
    VersionAnswer {
        label: row.key,
        value: row.value,
        namespace: row.namespace,
        rollout: row.rollout,
        canary_hash: row.canary_hash,
        first: rfc3339(row.first),
        last: rfc3339(row.last),
        newest,
    }
}

/// `GET /v1/lineage`
#[utoipa::path(get, path = "/v1/lineage", tag = "history", summary = "Which version had a label, when, and judged on which data",
    description = "At least one `label.NAME=VALUE` (or `param.NAME=VALUE`): an image, a model version, a Git revision, as the questions gave them.",
    params(("namespace" = Option<String>, Query, description = "Kubernetes namespace"),
           ("rollout" = Option<String>, Query, description = "Name of the Rollout"),
           ("since" = Option<String>, Query, description = "Questions at or after this moment: RFC 3339 or Unix seconds"),
           ("until" = Option<String>, Query, description = "Questions before this moment"),
           ("limit" = Option<u32>, Query, description = "1 to 100; 20 where it is absent", minimum = 1, maximum = 100)),
    responses(
        (status = 200, description = "The newest first", body = LineageAnswer),
        (status = 400, description = "Malformed query, or no label", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn lineage(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let known = ["namespace", "rollout", "since", "until", "label.", "limit"];
    let params = Params::read(&uri, &known)?;
    let filter = params.filter(&caller)?;
    if !params.has_labels() {
        return Err(invalid(
            "no label is given; give at least one, such as `label.modelVersion=7`",
        )
        .at("label"));
    }
    let limit = params.limit_up_to(DEFAULT, MOST)?;
    let rows = app.store.lineage(&filter, limit).await;
    let mut versions = Vec::new();
    for row in rows.map_err(Problem::store)? {
        let record = app.store.record(row.verdict).await;
        let record = record.map_err(Problem::store)?;
        let public_url = &app.limits.public_url;
        let newest = record.map(|r| JudgedAnswer::new(&r, &filter.labels, public_url));
        versions.push(version(row, newest));
    }
    let answer = LineageAnswer { versions };
    Ok(json(StatusCode::OK, "application/json", &answer))
}
