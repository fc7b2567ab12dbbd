//! The log as server-sent events. Each client reads pages of the log by place as fast as it takes them, so nothing is
//! queued for anybody; a poke of this replica or a look at the log from time to time (other replicas write too) wakes it.
//!
//! ```text
//! id: 42                the place in the log: come back with `Last-Event-ID: 42`
//! event: fail           the kind
//! data: {"seq":42,...}  one JSON object
//! ```

use super::{
    answers::EventAnswer,
    export::stream_permit,
    params::{Params, invalid},
};
use crate::{
    domain::{Event, EventKind, Filter, StoreError},
    http::{auth::Caller, loose, problem::Problem, state::App},
    service::pulse::Listener,
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};
use futures_util::stream;
use serde::Serialize;
use std::{convert::Infallible, fmt::Write, sync::Arc, time::Duration};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use utoipa::ToSchema;

/// Events read at once.
const PAGE: u32 = 200;
/// The log is looked at this often although nobody poked.
const LOOK: Duration = Duration::from_millis(500);
/// Browsers come back after this many milliseconds.
const HELLO: &str = "retry: 1000\n\n";

/// What is told where events are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GapAnswer {
    /// The place that was asked for.
    pub after: i64,
    /// The stream goes on after this place.
    pub resumed_after: i64,
    /// Why.
    pub reason: String,
}

/// One client.
struct Live {
    app: Arc<App>,
    caller: Caller,
    filter: Filter,
    kinds: Option<Vec<EventKind>>,
    after: i64,
    /// Said before anything else.
    first: Option<String>,
    heard: Instant,
    pulse: Listener,
    _permit: OwnedSemaphorePermit,
}

/// `GET /v1/events`
#[utoipa::path(get, path = "/v1/events", tag = "history", summary = "What happens, as server-sent events",
    description = "From now on, or after the place of `Last-Event-ID`. The event's name is its kind, `data` is one `EventAnswer`. Where events after \
        that place are no longer kept, an event `gap` (`GapAnswer`) says so first. A comment comes at least every 15 seconds.",
    params(("namespace" = Option<String>, Query, description = "Kubernetes namespace"),
           ("rollout" = Option<String>, Query, description = "Name of the Rollout"),
           ("kinds" = Option<String>, Query, description = "Kinds with commas between: `fail,override`; all where it is absent"),
           ("lastEventId" = Option<i64>, Query, description = "As `Last-Event-ID`, for clients that cannot set headers; 0: all that is kept"),
           ("Last-Event-ID" = Option<i64>, Header, description = "`id` of the last event that was received")),
    responses(
        (status = 200, description = "Events, until the client or the service goes", content_type = "text/event-stream", body = EventAnswer),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Token missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Token not for this namespace", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Over `server.maxStreams`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = ["namespace", "rollout", "kinds", "lastEventId"];
    let params = Params::read(&uri, &known)?;
    let (filter, kinds) = (params.filter(&caller)?, params.kinds()?);
    let asked = place(&headers, &params)?;
    let permit = stream_permit(&app)?;
    let pulse = app.pulse.listen(); // before the log is read, so that no poke is missed
    let (after, gap) = start(&app, asked).await.map_err(Problem::store)?;
    let mut first = HELLO.to_owned();
    if let Some(gap) = gap {
        frame(&mut first, gap.resumed_after, "gap", &gap);
    }
    let live = Live {
        app,
        caller,
        filter,
        kinds,
        after,
        first: Some(first),
        heard: Instant::now(),
        pulse,
        _permit: permit,
    };
    let pages = stream::unfold(live, Live::next);
    let mut response = Response::new(Body::from_stream(pages));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The place after which the client wants to go on. A browser that comes back says it in the header.
fn place(headers: &HeaderMap, params: &Params) -> Result<Option<i64>, Problem> {
    let text = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().unwrap_or("?").trim().to_owned()),
        None => params.text("lastEventId")?,
    };
    let Some(text) = text.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|seq: &i64| *seq >= 0);
    number.map(Some).ok_or_else(|| {
        let shown = loose::cut(&text);
        invalid(format!(
            "`lastEventId`: `{shown}` is not the `id` of an event; leave it out to begin now, or give 0 for all that is kept"
        ))
        .at("lastEventId")
    })
}

/// Where to begin, and what is missing before it.
async fn start(app: &App, asked: Option<i64>) -> Result<(i64, Option<GapAnswer>), StoreError> {
    let last = app.store.last_event().await?;
    let Some(after) = asked else {
        return Ok((last, None));
    };
    let gap = |resumed_after: i64, reason: &str| {
        let reason = reason.to_owned();
        Some(GapAnswer {
            after,
            resumed_after,
            reason,
        })
    };
    if after > last {
        let reason = "the log does not go that far: it is another store's place";
        return Ok((last, gap(last, reason)));
    }
    if after == 0 {
        return Ok((0, None));
    }
    let next = app.store.events(after - 1, 1).await?;
    let missing = "events after that place are no longer kept; read the history instead";
    Ok(match next.first().map(|event| event.seq) {
        // the client's own event is still there, or the one after it is the next: nothing can be missing
        Some(seq) if seq <= after.saturating_add(1) => (after, None),
        Some(seq) => (seq - 1, gap(seq - 1, missing)),
        None if after == last => (after, None),
        None => (last, gap(last, missing)),
    })
}

impl Live {
    /// What to send next, and the client after it; `None` ends the stream.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let text = match self.first.take() {
            Some(text) => text,
            None => self.wait().await?,
        };
        self.heard = Instant::now();
        Some((Ok(text.into()), self))
    }

    /// Waits for something to say; `None` once the service stops.
    async fn wait(&mut self) -> Option<String> {
        let heartbeat = self.app.limits.heartbeat;
        loop {
            if self.app.health.is_stopping() {
                return None;
            }
            let full = match self.app.store.events(self.after, PAGE).await {
                Ok(page) => {
                    let text = self.written(&page);
                    if !text.is_empty() {
                        return Some(text);
                    }
                    page.len() == PAGE as usize
                }
                Err(error) => {
                    // it comes back, or the client goes
                    tracing::warn!(%error, "the log of events cannot be read now");
                    false
                }
            };
            if self.heard.elapsed() >= heartbeat {
                return Some(": heartbeat\n\n".to_owned());
            }
            if !full {
                tokio::select! {
                    () = self.pulse.poked() => {}
                    () = tokio::time::sleep(LOOK.min(heartbeat)) => {}
                }
            }
        }
    }

    /// The events of a page that this client wants.
    fn written(&mut self, page: &[Event]) -> String {
        let mut text = String::new();
        for event in page {
            self.after = self.after.max(event.seq);
            if self.wants(event) {
                let answer = EventAnswer::from(event);
                frame(&mut text, event.seq, event.kind.as_str(), &answer);
            }
        }
        text
    }

    fn wants(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, word: &str| wanted.as_ref().is_none_or(|w| w == word);
        self.caller.sees(&event.namespace)
            && is(&self.filter.namespace, &event.namespace)
            && is(&self.filter.rollout, &event.rollout)
            && self.kinds.as_ref().is_none_or(|k| k.contains(&event.kind))
    }
}

/// One event on the wire. JSON text has no line breaks of its own.
fn frame<T: Serialize>(text: &mut String, id: i64, kind: &str, data: &T) {
    let data = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(text, "id: {id}\nevent: {kind}\ndata: {data}\n\n");
}
