//! Liveness, readiness and the metrics page.

use super::{problem::json, state::App};
use crate::domain::{
    Clock, Labels, MetricSource, Millis, NativeHistogram, PlannedQuery, SampleSink, Shape,
    TargetSeen, VerdictStore, Window, time::rfc3339,
};
use arc_swap::ArcSwap;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// Each source is asked at most this often.
pub const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBE_DEADLINE: Duration = Duration::from_secs(2);
/// The store is asked at most this often.
const PING_EVERY: Duration = Duration::from_secs(1);

/// What the service knows about itself.
#[derive(Default)]
pub struct Health {
    stopping: AtomicBool,
    sources: ArcSwap<BTreeMap<String, SourceHealth>>,
    /// Those that were asked: they know their targets.
    asked: ArcSwap<Vec<Arc<dyn MetricSource>>>,
    store: Mutex<Option<(Instant, StoreHealth)>>,
}

/// The last probe of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceHealth {
    /// It answered. One that scrapes for itself is up while any of its targets gives samples.
    pub up: bool,
    /// What is wrong with it; empty when nothing is. Of one that scrapes, how many targets give no samples, by what fails.
    pub detail: String,
    /// When it was asked, RFC 3339.
    #[schema(format = "date-time")]
    pub checked_at: String,
}

/// The last look at the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoreHealth {
    /// It answers, and can be written to.
    pub up: bool,
    /// Why not; empty when it is.
    pub detail: String,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// Verdicts can be given. A source that is down does not change this: the policies say what it means.
    pub ready: bool,
    /// Why not; empty when ready.
    pub detail: String,
    /// Loaded policies.
    pub policies: usize,
    /// The store; without it no verdict can be given.
    pub store: StoreHealth,
    /// The last probe of each metric source.
    pub sources: BTreeMap<String, SourceHealth>,
}

impl Health {
    /// From now on `/readyz` says 503.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Is the service on its way out?
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Asks every source once, at the same time, and keeps the answers.
    pub async fn probe(&self, sources: &[Arc<dyn MetricSource>], clock: &dyn Clock) {
        self.asked.store(Arc::new(sources.to_vec()));
        let mut tasks = Vec::new();
        for source in sources {
            let source = Arc::clone(source);
            let now = clock.now();
            tasks.push(tokio::spawn(async move { ask(&*source, now).await }));
        }
        let mut seen = BTreeMap::new();
        for task in tasks {
            if let Ok((name, health)) = task.await {
                seen.insert(name, health);
            }
        }
        self.sources.store(Arc::new(seen));
    }

    /// Probes for ever.
    pub async fn watch(&self, sources: &[Arc<dyn MetricSource>], clock: &dyn Clock) {
        let mut ticks = tokio::time::interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.probe(sources, clock).await;
        }
    }

    /// Asks the store, unless it was asked a moment ago; who comes at the same time waits for the one answer.
    pub async fn store(&self, store: &dyn VerdictStore) -> StoreHealth {
        let mut last = self.store.lock().await;
        if let Some((_, health)) = last.as_ref().filter(|(at, _)| at.elapsed() < PING_EVERY) {
            return health.clone();
        }
        let detail = match tokio::time::timeout(PROBE_DEADLINE, store.ping()).await {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the store does not answer".to_owned(),
        };
        let up = detail.is_empty();
        if last.as_ref().is_some_and(|(_, health)| health.up != up) {
            tracing::warn!(up, detail, "the store went or came back");
        }
        let health = StoreHealth { up, detail };
        *last = Some((Instant::now(), health.clone()));
        health
    }

    /// The last probe of each source.
    pub fn sources(&self) -> BTreeMap<String, SourceHealth> {
        (**self.sources.load()).clone()
    }

    /// The targets of a source as they stand now, where it scrapes for itself and was probed.
    pub fn targets(&self, source: &str) -> Option<Vec<TargetSeen>> {
        let asked = self.asked.load();
        let found = asked.iter().find(|one| one.name() == source);
        found.and_then(|one| one.targets())
    }

    async fn readiness(&self, policies: usize, store: &dyn VerdictStore) -> Readiness {
        let store = self.store(store).await;
        let detail = if self.is_stopping() {
            "the service is shutting down"
        } else if policies == 0 {
            "no policy is loaded; see `policies.paths` and the log"
        } else {
            &store.detail
        };
        Readiness {
            ready: detail.is_empty(),
            detail: detail.to_owned(),
            policies,
            store: store.clone(),
            sources: self.sources(),
        }
    }
}

async fn ask(source: &dyn MetricSource, now: Millis) -> (String, SourceHealth) {
    let query = PlannedQuery {
        text: "vector(1)".to_owned(),
        extra_filters: Vec::new(),
        shape: Shape::Range {
            start: now,
            end: now,
            step: 1_000,
        },
        window: Window {
            start: now.saturating_sub(1_000),
            end: now,
        },
    };
    let outcome = source
        .read(&query, Instant::now() + PROBE_DEADLINE, &mut Nothing)
        .await;
    let wrong = outcome.err().map(|error| error.to_string());
    let seen = source.targets().unwrap_or_default();
    let health = SourceHealth {
        // a source that scrapes is as many sources as it has targets
        up: wrong.is_none() || answering(&seen).0 > 0,
        detail: wrong.or_else(|| failures(&seen)).unwrap_or_default(),
        checked_at: rfc3339(now),
    };
    (source.name().to_owned(), health)
}

/// How many targets gave samples at their last scrape, and how many did not.
pub fn answering(seen: &[TargetSeen]) -> (usize, usize) {
    let count = |up: bool| seen.iter().filter(|one| one.up == Some(up)).count();
    (count(true), count(false))
}

/// What fails at how many targets; `None` where none does. Names no target: those have namespaces.
fn failures(seen: &[TargetSeen]) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.up == Some(false)) {
        *kinds
            .entry(one.error.as_ref().map_or("unknown", |(_, word, _)| word))
            .or_default() += 1;
    }
    let silent: usize = kinds.values().sum();
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    (silent > 0).then(|| {
        format!(
            "{silent} of {} targets give no samples: {}",
            seen.len(),
            kinds.join(", ")
        )
    })
}

struct Nothing;

impl SampleSink for Nothing {
    fn restart(&mut self) {}
    fn series(&mut self, _: Labels) {}
    fn sample(&mut self, _: Millis, _: f64) {}
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {}
}

/// `GET /healthz`
#[utoipa::path(get, path = "/healthz", tag = "operations", summary = "Is the process alive?", security(()),
    responses((status = 200, description = "Always, while the process can answer", content_type = "text/plain", body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`
#[utoipa::path(get, path = "/readyz", tag = "operations", summary = "Can verdicts be given?", security(()),
    responses((status = 200, description = "Policies are loaded and the store answers", body = Readiness),
              (status = 503, description = "No policies, no store, or shutting down", body = Readiness)))]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let readiness = app
        .health
        .readiness(app.catalog.all().len(), &*app.store)
        .await;
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(status, "application/json", &readiness)
}

/// `GET /metrics`
#[utoipa::path(get, path = "/metrics", tag = "operations", summary = "Metrics in the Prometheus text format", security(()),
    responses((status = 200, description = "Metrics", content_type = "text/plain", body = String)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.metrics.policies(app.catalog.all().len());
    let text = app.metrics.render(app.clock.now());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
