//! All matching verdicts as NDJSON: read page by page as the client takes them, so memory is bounded.

use super::{
    params::{Params, invalid},
    verdicts::{RecordAnswer, VerdictLine},
};
use crate::{
    domain::{Filter, Line, StoreError},
    http::{loose, problem::Problem, state::App},
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures_util::stream;
use serde::Serialize;
use std::{io, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

const KIND: &str = "application/x-ndjson";
/// Verdicts read at once.
const PAGE: u32 = 200;

/// Does the caller ask for an export?
pub fn wanted(params: &Params, headers: &HeaderMap) -> Result<bool, Problem> {
    let accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|v| v.contains(KIND));
    let wanted = match params.text("format")?.as_deref() {
        None => accepted,
        Some("json") => false,
        Some("ndjson") => true,
        Some(other) => {
            let shown = loose::cut(other);
            let text = format!("`format`: `{shown}` is not known; give `json` or `ndjson`");
            return Err(invalid(text).at("format"));
        }
    };
    for (name, wrong) in [("limit", wanted), ("cursor", wanted), ("full", !wanted)] {
        if wrong && params.text(name)?.is_some() {
            let text = if wanted {
                format!(
                    "`{name}` does not go with an export, which has no pages; narrow it by `since` and `until`"
                )
            } else {
                format!(
                    "`{name}` goes with `format=ndjson` only; read one verdict whole at `/v1/verdicts/{{id}}`"
                )
            };
            return Err(invalid(text).at(name));
        }
    }
    Ok(wanted)
}

struct Export {
    app: Arc<App>,
    filter: Filter,
    full: bool,
    page: Vec<Line>,
    _permit: OwnedSemaphorePermit,
}

/// The answer, its first page read already: a store that does not answer is still told as a problem.
pub async fn answer(app: Arc<App>, filter: Filter, full: bool) -> Result<Response, Problem> {
    let permit = stream_permit(&app)?;
    let first = app.store.history(&filter, None, PAGE).await;
    let export = Export {
        page: first.map_err(Problem::store)?,
        app,
        filter,
        full,
        _permit: permit,
    };
    let pages = stream::try_unfold(export, |export| async move {
        export.next().await.map_err(|error| {
            // the connection breaks off, so nobody takes half of it for all of it
            tracing::error!(%error, "an export broke off");
            io::Error::other(error)
        })
    });
    let mut response = Response::new(Body::from_stream(pages));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Export {
    /// The text of the page at hand, and the export after it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let Some(last) = self.page.last().map(|line| line.id) else {
            return Ok(None);
        };
        let mut text = Vec::new();
        let url = &self.app.limits.public_url;
        for line in &self.page {
            if !self.full {
                write(&mut text, &VerdictLine::new(line, url));
            } else if let Some(record) = self.app.store.record(line.id).await? {
                write(&mut text, &RecordAnswer::new(&record, url));
            }
        }
        self.page = self.read(last).await?;
        Ok(Some((text.into(), self)))
    }

    async fn read(&self, before: Uuid) -> Result<Vec<Line>, StoreError> {
        if self.page.len() < PAGE as usize {
            return Ok(Vec::new());
        }
        self.app
            .store
            .history(&self.filter, Some(before), PAGE)
            .await
    }
}

fn write<T: Serialize>(text: &mut Vec<u8>, line: &T) {
    if serde_json::to_writer(&mut *text, line).is_ok() {
        text.push(b'\n');
    }
}

/// The right to keep an answer open.
pub fn stream_permit(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = Arc::clone(&app.streams).try_acquire_owned();
    permit.map_err(|_| {
        let most = app.limits.max_streams;
        Problem::new(
            "too-many-streams",
            format!("{most} event streams and exports are open; try again later or raise `server.maxStreams`"),
        )
    })
}
