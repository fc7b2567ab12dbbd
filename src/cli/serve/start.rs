//! From settings to a running service, and to its end.

use super::{
    heap,
    memory::Memory,
    policies::Shelf,
    scrape,
    wiring::{self, Bounds, Engine, Sources},
    writeback,
};
use crate::{
    cli::{
        args::ServeArgs,
        run::{Stop, print},
    },
    config::{
        self, Settings,
        receivers::ReceiverSettings,
        settings::{Format, OtlpSettings},
        source::{AnySource, Auth as SourceAuth, HeaderValue, SourceSettings},
    },
    domain::{Clock, MetricSource, SourceKind, SystemClock},
    http::{self, About, App, Auth, Health, Limits, Parts, ReceiverAbout, SourceAbout, Token},
    service::Overrule,
    telemetry::{self, LogFormat, LogOptions, Metrics, OtlpOptions},
};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// After the signal to stop, `/readyz` says 503 for this long before connections are refused.
const DRAIN: Duration = Duration::from_secs(1);

/// "File size limit exceeded" on Linux.
const SIGXFSZ: i32 = 25;

/// Runs the service until it is told to stop.
pub fn run(args: &ServeArgs) -> Result<u8, Stop> {
    let settings =
        config::load(args.config.as_deref()).map_err(|error| Stop::usage(error.to_string()))?;
    if args.print_config {
        return print(&config::show(&settings));
    }
    heap::give_back();
    crate::source::tls::install_provider();
    let log = &settings.telemetry.log;
    let format = match log.format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    let otlp = settings.telemetry.otlp.as_ref().map(otlp).transpose()?;
    let guard = telemetry::start(
        &LogOptions {
            format,
            filter: log.filter.clone(),
            file: None,
        },
        otlp.as_ref(),
    )
    .map_err(|error| Stop::usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::failed(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(async { serve(&settings, None, signals()?).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(guard);
    outcome.map(|()| 0)
}

/// The service of these settings until it is told to stop, and then its end. Without a listener it opens that of the settings.
pub(in crate::cli) async fn serve(
    settings: &Settings,
    listener: Option<TcpListener>,
    told: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Arc::new(Metrics::new(settings.telemetry.metrics.max_rollouts));
    let sources = wiring::sources(&settings.sources, &clock, &metrics).map_err(Stop::usage)?;
    for (name, source) in &settings.sources {
        for error in unreadable_secrets(source) {
            tracing::warn!(
                "sources.{name}: {error}; no query of it can be sent until this is mended"
            );
        }
    }
    scrape::warn(settings);
    let kinds = sources
        .iter()
        .map(|(name, source)| (name.clone(), source.kind()))
        .collect();
    let shelf = Shelf::new(settings.policies.paths.clone(), kinds);
    let shelf = Arc::new(shelf.telling(settings.receivers.keys().cloned()));
    shelf.reload(&*clock, &metrics);
    let bounds = Bounds {
        deadline: settings.server.deadline.0,
        rollouts: settings.evidence_cache.max_rollouts,
        keep_samples: settings.store.keep_samples,
    };
    let health = Arc::new(Health::default());
    let memory = Memory::open(settings, &clock, &metrics).await?;
    let engine = Engine::new(
        shelf.clone(),
        sources.clone(),
        Some(memory.keeper.clone()),
        bounds,
    );
    let overrule = Overrule::new(memory.keeper.clone(), shelf.clone(), Arc::clone(&clock));
    let app = App::new(Parts {
        judge: engine.port(),
        store: Arc::clone(&memory.keeper.store),
        overrule: Arc::new(overrule),
        pulse: Arc::clone(&memory.pulse),
        catalog: shelf.clone(),
        clock: Arc::clone(&clock),
        auth: auth(settings)?,
        metrics: Arc::clone(&metrics),
        health: Arc::clone(&health),
        limits: limits(settings),
        about: about(settings),
    });
    let listener = match listener {
        Some(listener) => listener,
        None => listen(&settings.server.listen).await?,
    };
    let stop = drained(told, Arc::clone(&health));
    beside(&sources, &health, &clock, &metrics);
    memory.tend(settings, shelf.clone(), (&clock, &metrics))?;
    let (store, url) = (&memory.keeper.store, settings.server.public_url());
    writeback::start(&settings.write_back, &url, store, &metrics)?;
    tokio::spawn(shelf.watch(settings.policies.reload.0, clock, metrics));
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    }
    let grace = settings.server.deadline.0 + http::limits::BACKSTOP;
    let outcome = http::serve(listener, http::router(Arc::new(app)), stop, grace).await;
    memory.stop().await;
    tracing::info!("stopped");
    outcome.map_err(|error| Stop::failed(format!("the server broke down: {error}")))
}

/// Secrets of a source that cannot be read now. A file may still appear, so that this is no reason to stop.
fn unreadable_secrets(source: &AnySource) -> Vec<String> {
    let (headers, auth) = source.shown();
    let headers = headers.values().filter_map(HeaderValue::secret);
    let auth = auth.into_iter().map(|auth| match auth {
        SourceAuth::Bearer(secret) => secret,
        SourceAuth::Basic(basic) => &basic.password,
    });
    headers
        .chain(auth)
        .filter_map(|secret| secret.read().err())
        .map(|error| error.to_string())
        .collect()
}

/// The loops that need nobody's answer.
fn beside(sources: &Sources, health: &Arc<Health>, clock: &Arc<dyn Clock>, metrics: &Arc<Metrics>) {
    let asked: Vec<Arc<dyn MetricSource>> = sources.values().cloned().collect();
    let (health, clock) = (Arc::clone(health), Arc::clone(clock));
    tokio::spawn(async move { health.watch(&asked, &*clock).await });
    let metrics = Arc::clone(metrics);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            metrics.upkeep();
        }
    });
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        public_url: settings.server.public_url(),
        deadline: settings.server.deadline.0,
        max_concurrent: settings.server.max_concurrent,
        body_limit: usize::try_from(settings.server.body_limit.0).unwrap_or(usize::MAX),
        max_streams: settings.server.max_streams,
        max_override: settings.server.max_override.0,
        heartbeat: http::limits::HEARTBEAT,
    }
}

fn about(settings: &Settings) -> About {
    let source = |(name, source): (&String, &AnySource)| SourceAbout {
        name: name.clone(),
        kind: source
            .api()
            .map_or(SourceKind::Scrape, |api| api.kind.into()),
        address: source.api().map(SourceSettings::address),
        link: source.api().map(SourceSettings::link),
    };
    let receiver = |(name, receiver): (&String, &ReceiverSettings)| ReceiverAbout {
        name: name.clone(),
        kind: receiver.kinds().join(", "),
    };
    About {
        sources: settings.sources.iter().map(source).collect(),
        receivers: settings.receivers.iter().map(receiver).collect(),
    }
}

fn auth(settings: &Settings) -> Result<Auth, Stop> {
    let mut tokens = Vec::new();
    for token in &settings.auth.tokens {
        let secret = token.token.read().map_err(|error| {
            Stop::usage(format!("auth.tokens: token `{}`: {error}", token.name))
        })?;
        let secret = secret.expose_secret();
        let token = Token::new(&token.name, secret, token.namespaces.clone())
            .may_override(token.may_override);
        tokens.push(token);
    }
    if tokens.is_empty() {
        tracing::warn!(
            "no token is configured: everybody who reaches `{}` may call",
            settings.server.listen
        );
    }
    // who reaches loopback is on this machine; elsewhere an override needs a name
    let local = settings.server.on_loopback();
    let auth = Auth::tokens(tokens).anybody_overrides(local);
    Ok(auth.session_ttl(settings.auth.session_ttl.0))
}

fn otlp(settings: &OtlpSettings) -> Result<OtlpOptions, Stop> {
    let mut headers = std::collections::HashMap::new();
    for (name, value) in &settings.headers {
        let text = match value {
            HeaderValue::Literal(text) => text.clone(),
            HeaderValue::Secret(secret) => secret
                .read()
                .map_err(|error| Stop::usage(format!("telemetry.otlp.headers.{name}: {error}")))?
                .expose_secret()
                .to_owned(),
        };
        headers.insert(name.clone(), text);
    }
    Ok(OtlpOptions {
        endpoint: settings.endpoint.clone(),
        headers,
        timeout: settings.timeout.0,
        sample: settings.sample,
        service_name: settings.service_name.clone(),
    })
}

/// Listens on an address, or says why that cannot be.
pub(in crate::cli) async fn listen(address: &str) -> Result<TcpListener, Stop> {
    let failed = |error| Stop::failed(format!("cannot listen on `{address}`: {error}"));
    http::listen(address).await.map_err(failed)
}

/// Resolves after SIGTERM, SIGINT or SIGHUP, which does not read the configuration again.
fn signals() -> Result<impl Future<Output = ()> + Send + 'static, Stop> {
    let failed = |error: std::io::Error| Stop::failed(format!("no signals: {error}"));
    // a file over the size limit of the process is an error of the write, not its end
    let _ = signal(SignalKind::from_raw(SIGXFSZ)).map_err(failed)?;
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    Ok(async move {
        let signal = tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => "SIGHUP",
        };
        tracing::info!(signal, "told to stop");
    })
}

/// Resolves once it is told, and after the drain.
async fn drained(told: impl Future<Output = ()>, health: Arc<Health>) {
    told.await;
    tracing::info!(
        drain_seconds = DRAIN.as_secs(),
        "stopping: not ready from now on"
    );
    health.stop();
    tokio::time::sleep(DRAIN).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::SourceSettings;

    #[test]
    fn a_source_whose_secret_is_missing_is_told_at_the_start() {
        let mut source: SourceSettings = serde_json::from_value(serde_json::json!({
            "kind": "prometheus", "url": "http://127.0.0.1:1",
            "auth": { "bearer": { "env": "NO_SUCH_VARIABLE_HERE" } },
        }))
        .unwrap();
        let told = unreadable_secrets(&AnySource::Api(Box::new(source.clone())));
        assert_eq!(
            told,
            ["environment variable `NO_SUCH_VARIABLE_HERE` is not set"]
        );
        source.auth = None;
        assert!(unreadable_secrets(&AnySource::Api(Box::new(source))).is_empty());
    }
}
