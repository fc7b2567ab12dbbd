//! The query API that both databases speak: one request, its tries, its limits.

use super::{
    error::BuildError,
    request, tls, victoriametrics,
    wire::{Decoder, Limits, WireError},
};
use crate::{
    config::source::SourceSettings,
    domain::{
        Labels, MetricSource, Millis, NativeHistogram, PlannedQuery, ReadReport, SampleSink, Shape,
        SourceError, SourceKind, Window, ports::BoxFuture,
    },
    net::{causes, scrub},
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
};
use secrecy::SecretString;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time};

/// The first pause before another try; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// Answers that are read at the same time: each takes up to 800 KiB of buffers. Waiting for one to begin takes none.
const BODIES: usize = 8;
/// So much of an error's body is read.
const ERROR_BODY: u64 = 64 << 10;

/// A source behind the Prometheus query API.
pub struct HttpApi {
    name: String,
    kind: SourceKind,
    base: Url,
    settings: SourceSettings,
    client: Client,
    permits: Semaphore,
    bodies: Semaphore,
}

/// Makes a source from its settings.
pub fn build(name: &str, settings: &SourceSettings) -> Result<Arc<dyn MetricSource>, BuildError> {
    HttpApi::new(name, settings).map(|api| Arc::new(api) as Arc<dyn MetricSource>)
}

/// Asks for one constant: does the source answer at all?
pub async fn probe(
    source: &dyn MetricSource,
    now: Millis,
    deadline: Instant,
) -> Result<(), SourceError> {
    let query = PlannedQuery {
        text: "vector(1)".to_owned(),
        extra_filters: Vec::new(),
        shape: Shape::Raw { at: now },
        window: Window {
            start: Millis::MIN,
            end: Millis::MAX,
        },
    };
    source.read(&query, deadline, &mut Nowhere).await?;
    Ok(())
}

/// A failed try, and whether another may help.
struct Failure {
    error: SourceError,
    again: bool,
    /// Not before this time is over.
    after: Duration,
}

impl Failure {
    fn new(error: SourceError, again: bool) -> Self {
        Self {
            error,
            again,
            after: Duration::ZERO,
        }
    }
}

impl HttpApi {
    /// Makes a source from its settings.
    pub fn new(name: &str, settings: &SourceSettings) -> Result<Self, BuildError> {
        let base = request::base(name, &settings.url)?;
        request::check_headers(name, &settings.headers)?;
        if settings.max_concurrent == 0 || settings.max_concurrent > Semaphore::MAX_PERMITS {
            return Err(BuildError::Setting {
                name: name.to_owned(),
                setting: "maxConcurrent".to_owned(),
                detail: "must be at least 1".to_owned(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            kind: settings.kind.into(),
            client: tls::client(name, &base, settings)?,
            base,
            settings: settings.clone(),
            permits: Semaphore::new(settings.max_concurrent),
            bodies: Semaphore::new(BODIES),
        })
    }

    async fn tries(
        &self,
        query: &PlannedQuery,
        deadline: Instant,
        sink: &mut dyn SampleSink,
    ) -> Result<ReadReport, SourceError> {
        let mut pause = PAUSE;
        let mut left = self.settings.retries;
        loop {
            let (error, after) = match self.one(query, deadline, sink).await {
                Ok(report) => return Ok(report),
                Err(failure) if failure.again && left > 0 => (failure.error, failure.after),
                Err(failure) => return Err(failure.error),
            };
            let wait = after.max(pause);
            if wait >= deadline.saturating_duration_since(Instant::now()) {
                return Err(error);
            }
            tracing::debug!(source = %self.name, error = %error, "asking the metric source again");
            time::sleep(wait).await;
            pause *= 2;
            left -= 1;
            sink.restart();
        }
    }

    /// One try, inside its time.
    async fn one(
        &self,
        query: &PlannedQuery,
        deadline: Instant,
        sink: &mut dyn SampleSink,
    ) -> Result<ReadReport, Failure> {
        let waiting = time::timeout_at(deadline.into(), self.permits.acquire()).await;
        let Ok(Ok(_permit)) = waiting else {
            let limit = self.settings.max_concurrent;
            let detail = format!("{limit} queries are in flight (`maxConcurrent`)");
            return Err(self.overloaded(detail, false));
        };
        let until = deadline.min(Instant::now() + self.settings.timeout.0);
        let answer = time::timeout_at(until.into(), self.ask(query, until, sink)).await;
        answer.unwrap_or_else(|_| {
            let name = self.name.clone();
            Err(Failure::new(SourceError::Timeout { name }, false))
        })
    }

    async fn ask(
        &self,
        query: &PlannedQuery,
        until: Instant,
        sink: &mut dyn SampleSink,
    ) -> Result<ReadReport, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        let form =
            request::form(self.kind, query, left).map_err(|why| self.rejected(why.to_owned()))?;
        let request = self
            .client
            .post(request::endpoint(&self.base, query.shape))
            .form(&form);
        let (request, secrets) =
            request::authorize(request, &self.settings.headers, self.settings.auth.as_ref())
                .map_err(|e| self.unreachable(e.to_string(), false))?;
        let response = request.send().await.map_err(|e| self.broken(e))?;
        if !response.status().is_success() {
            return Err(self.refusal(response, query, &secrets).await);
        }
        self.decode(response, query, &secrets, sink).await
    }

    async fn decode(
        &self,
        mut response: Response,
        query: &PlannedQuery,
        secrets: &[SecretString],
        sink: &mut dyn SampleSink,
    ) -> Result<ReadReport, Failure> {
        let mut decoder = Decoder::new(Limits {
            bytes: self.settings.max_bytes.0,
            series: self.settings.max_series,
            window: query.window,
        })
        .answering(query);
        let _turn = self.bodies.acquire().await;
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(e))? {
            decoder
                .feed(&chunk, sink)
                .map_err(|e| self.unreadable(&e, secrets))?;
        }
        decoder
            .finish(sink)
            .map_err(|e| self.unreadable(&e, secrets))
    }

    /// What a status other than 2xx means.
    async fn refusal(
        &self,
        mut response: Response,
        query: &PlannedQuery,
        secrets: &[SecretString],
    ) -> Failure {
        let status = response.status();
        let after = patience(response.headers());
        let mut decoder = Decoder::new(Limits {
            bytes: ERROR_BODY,
            series: 0,
            window: Window { start: 0, end: 0 },
        });
        let mut text = Vec::new();
        let mut readable = true;
        while let Ok(Some(chunk)) = response.chunk().await {
            readable = readable && decoder.feed(&chunk, &mut Nowhere).is_ok();
            text.extend_from_slice(&chunk);
            if text.len() as u64 > ERROR_BODY {
                break;
            }
        }
        let words = match decoder.refusal() {
            Some(words) => words.to_owned(),
            None => String::from_utf8_lossy(&text).into_owned(),
        };
        let words = scrub(victoriametrics::cause(&words, &query.text), secrets);
        let detail = match words.as_str() {
            "" => status.to_string(),
            words => format!("{status}: {words}"),
        };
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Failure {
                after,
                ..self.overloaded(detail, true)
            },
            s if s.is_server_error() => self.unreachable(detail, true),
            s if s.is_redirection() => self.rejected(format!(
                "{status}: redirects are not followed, `url` must be the final address"
            )),
            _ => self.rejected(detail),
        }
    }

    fn unreadable(&self, error: &WireError, secrets: &[SecretString]) -> Failure {
        let name = self.name.clone();
        let detail = scrub(&error.to_string(), secrets);
        let error = match error {
            WireError::Malformed { .. } => SourceError::Malformed { name, detail },
            WireError::TooLarge(_) => SourceError::TooLarge { name, detail },
            WireError::Refused(_) => SourceError::Rejected { name, detail },
        };
        Failure::new(error, false)
    }

    /// The connection, or the body on its way.
    fn broken(&self, error: reqwest::Error) -> Failure {
        let again = !error.is_builder();
        self.unreachable(causes(error), again)
    }

    fn unreachable(&self, detail: String, again: bool) -> Failure {
        let name = self.name.clone();
        Failure::new(SourceError::Unreachable { name, detail }, again)
    }

    fn overloaded(&self, detail: String, again: bool) -> Failure {
        let name = self.name.clone();
        Failure::new(SourceError::Overloaded { name, detail }, again)
    }

    fn rejected(&self, detail: String) -> Failure {
        let name = self.name.clone();
        Failure::new(SourceError::Rejected { name, detail }, false)
    }
}

impl MetricSource for HttpApi {
    fn kind(&self) -> SourceKind {
        self.kind
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn replica_labels(&self) -> &[String] {
        &self.settings.replica_labels
    }

    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        deadline: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        Box::pin(self.tries(query, deadline, sink))
    }
}

/// `Retry-After` where it is in seconds: no metric source says it as a date.
fn patience(headers: &HeaderMap) -> Duration {
    let text = headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok());
    let seconds = text.and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

/// A sink for answers that nobody reads.
struct Nowhere;

impl SampleSink for Nowhere {
    fn restart(&mut self) {}
    fn series(&mut self, _: Labels) {}
    fn sample(&mut self, _: Millis, _: f64) {}
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {}
}
