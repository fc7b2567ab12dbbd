//! One scrape of one target, from the request to staged samples. Never holds more of an answer than a line.

use super::{
    exposition::{Format, Parser},
    stage::Stage,
    target::Target,
};
use crate::{
    config::scrape::ScrapeSettings,
    net::{self, Trust, causes, scrub},
    source::{error::BuildError, request},
};
use reqwest::{Client, Response, Version, header};
use std::{sync::OnceLock, time::Duration};

/// As Prometheus asks, without its binary format.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/// A connection must be there after this long.
const CONNECT: Duration = Duration::from_secs(2);
/// Connections kept for the next scrape, for each target.
const IDLE: usize = 1;

/// Why a scrape came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `unreachable`, `timeout`, `status`, `malformed` or `refused`.
    pub kind: &'static str,
    /// For people.
    pub detail: String,
}

impl Failure {
    pub(super) fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }
}

/// Asks targets.
pub struct Fetch {
    settings: ScrapeSettings,
    clear: Client,
    tls: OnceLock<Result<Client, String>>,
}

impl Fetch {
    /// Checks what can be checked before the first scrape.
    pub fn new(name: &str, settings: &ScrapeSettings) -> Result<Self, BuildError> {
        request::check_headers(name, &settings.headers)?;
        let clear = client(settings, true).map_err(|detail| BuildError::Setting {
            name: name.to_owned(),
            setting: "ca".to_owned(),
            detail,
        })?;
        let fetch = Self {
            settings: settings.clone(),
            clear,
            tls: OnceLock::new(),
        };
        let https = settings.scheme == crate::config::scrape::Scheme::Https
            || settings.ca.is_some()
            || settings.client_certificate.is_some();
        if https && let Err(failure) = fetch.client("https") {
            return Err(BuildError::Setting {
                name: name.to_owned(),
                setting: "ca".to_owned(),
                detail: failure.detail,
            });
        }
        Ok(fetch)
    }

    /// The system's authorities are only read once somebody is asked over TLS.
    fn client(&self, scheme: &str) -> Result<&Client, Failure> {
        if scheme == "http" {
            return Ok(&self.clear);
        }
        self.tls
            .get_or_init(|| client(&self.settings, false))
            .as_ref()
            .map_err(|detail| Failure::new("unreachable", detail.clone()))
    }

    /// Scrapes within the time of the settings.
    pub async fn scrape(&self, target: &Target, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let time = self.settings.timeout();
        match tokio::time::timeout(time, self.ask(target, stage)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::new(
                "timeout",
                format!(
                    "no whole answer within {} ms (`scrapeTimeout`)",
                    time.as_millis()
                ),
            )),
        }
    }

    async fn ask(&self, target: &Target, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let request = self
            .client(target.url().scheme())?
            .get(target.url().clone())
            .header(header::ACCEPT, ACCEPT)
            .header(
                "X-Prometheus-Scrape-Timeout-Seconds",
                self.settings.timeout().as_secs_f64().to_string(),
            );
        let (request, secrets) =
            request::authorize(request, &self.settings.headers, self.settings.auth.as_ref())
                .map_err(|error| Failure::new("unreachable", error.to_string()))?;
        let broken =
            |error: reqwest::Error| Failure::new("unreachable", scrub(&causes(error), &secrets));
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        if status.is_redirection() {
            let detail = format!("{status}: redirects are not followed, give the final address");
            return Err(Failure::new("status", detail));
        }
        if status != 200 {
            return Err(Failure::new("status", status.to_string()));
        }
        let mut parser = Parser::new(format(&response)?);
        let framed = framed(&response);
        let mut row = |row: super::exposition::Row<'_>| stage.row(row);
        let (mut bytes, limit) = (0_u64, self.settings.body_size_limit.0);
        let outcome = loop {
            let Some(chunk) = response.chunk().await.map_err(broken)? else {
                break parser.finish(framed, &mut row);
            };
            bytes += chunk.len() as u64;
            if bytes > limit {
                let detail = format!("more than {limit} bytes (`bodySizeLimit`)");
                return Err(Failure::new("refused", detail));
            }
            if let Err(error) = parser.feed(&chunk, &mut row) {
                break Err(error);
            }
        };
        outcome.map_err(|error| {
            if stage.over {
                let limit = self.settings.sample_limit;
                return Failure::new(
                    "refused",
                    format!("more than {limit} samples (`sampleLimit`)"),
                );
            }
            Failure::new("malformed", error.to_string())
        })
    }
}

fn client(settings: &ScrapeSettings, plain: bool) -> Result<Client, String> {
    let trust = Trust {
        ca: settings.ca.as_deref().filter(|_| !plain),
        certificate: settings
            .client_certificate
            .as_ref()
            .filter(|_| !plain)
            .map(|pair| (pair.cert.as_path(), pair.key.as_path())),
        plain,
    };
    net::client(CONNECT, trust)
        .map_err(|error| error.to_string())?
        .gzip(true)
        .pool_max_idle_per_host(IDLE)
        .build()
        .map_err(causes)
}

fn format(response: &Response) -> Result<Format, Failure> {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind.contains("protobuf") {
        let detail = "the answer is protobuf, which was not asked for";
        return Err(Failure::new("malformed", detail));
    }
    Ok(Format::of(kind))
}

/// Does HTTP, or gzip, tell a whole answer from one that was cut?
fn framed(response: &Response) -> bool {
    let headers = response.headers();
    response.version() >= Version::HTTP_2
        || [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
            .iter()
            .any(|name| headers.contains_key(name))
}
