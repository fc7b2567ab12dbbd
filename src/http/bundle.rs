//! Everything that a kept verdict was made of, as one file.

use super::{
    auth::Caller,
    history::verdicts::find,
    problem::{Problem, empty},
    schema::Binary,
    state::App,
};
use crate::{
    domain::{Chunk, Record, Revision},
    service::bundle::{Bundle, assemble},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use std::sync::Arc;

/// `GET /v1/verdicts/{id}/bundle`
#[utoipa::path(get, path = "/v1/verdicts/{id}/bundle", tag = "history", summary = "Everything that a kept verdict was made of",
    description = "One gzip file of JSON for `rollout-judge replay`: policy, question, inputs, blocks, raw samples where `store.keepSamples` is set, \
        the verdict, and a digest over all of it, which is also the `ETag`.",
    params(("id" = String, Path, description = "`id` of the answer")),
    responses(
        (status = 200, description = "The bundle", body = inline(Binary), content_type = "application/gzip"),
        (status = 304, description = "`If-None-Match` names this bundle"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not kept, or the token is not for its namespace", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The verdict is kept, its blocks are not", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn bundle(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = find(&app, &caller, &id).await?;
    let store = &app.store;
    let revision = store.policy(&record.verdict.revision).await;
    let revision = revision.map_err(Problem::store)?.ok_or_else(|| {
        Problem::new(
            "bundle-gone",
            "the policy document of this verdict is not kept any more",
        )
    })?;
    let chunks = match record.run {
        Some(run) => store.chunks(run).await.map_err(Problem::store)?,
        None => Vec::new(),
    };
    // unpacking and packing may take a moment; other calls go on meanwhile
    let made = tokio::task::spawn_blocking(move || make(&record, &revision, &chunks)).await;
    let (id, digest, bytes) = made.map_err(|error| {
        tracing::error!(%error, "a bundle could not be made");
        Problem::new(
            "internal",
            "the bundle could not be made; the log has the reason",
        )
    })??;
    let tag = format!("\"{digest}\"");
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*");
    let mut response = if known {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(Body::from(bytes))
    };
    let name = format!("attachment; filename=\"rollout-judge-{id}.json.gz\"");
    for (header, text) in [
        (header::CONTENT_TYPE, "application/gzip"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::ETAG, tag.as_str()),
    ] {
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(header, value);
        }
    }
    Ok(response)
}

/// Id of the verdict, digest and file.
fn make(
    record: &Record,
    revision: &Revision,
    chunks: &[Chunk],
) -> Result<(uuid::Uuid, String, Vec<u8>), Problem> {
    let bundle: Bundle = assemble(record, revision, chunks)
        .map_err(|error| Problem::new("bundle-gone", error.to_string()))?;
    let bytes = bundle.to_bytes();
    Ok((record.verdict.id, bundle.digest, bytes))
}
