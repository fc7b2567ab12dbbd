//! What a type cannot say about the settings.

use super::{
    alerts,
    error::{Places, SettingsError, mistake},
    scrape_check,
    settings::Settings,
    source::AnySource,
    store::{Place, StoreSettings},
    write_back,
};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

/// Refuses settings that cannot work.
pub fn check(settings: &Settings, places: &Places) -> Result<(), SettingsError> {
    let wrong = |key: &str, message: &str| Err(mistake(places, key, message));
    off(settings, places)?;
    write_back::check(&settings.write_back, places)?;
    store(&settings.store, places)?;
    let server = &settings.server;
    let Some(loopback) = loopback(&server.listen) else {
        return wrong(
            "server.listen",
            "is not an address with a port; give for example `127.0.0.1:8080` or `[::]:8080`",
        );
    };
    if let Some(url) = &server.public_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        return wrong(
            "server.publicUrl",
            "is not a URL; begin with `http://` or `https://`",
        );
    }
    if server.deadline.0 < Duration::from_millis(500) || server.deadline.0 > Duration::from_secs(30)
    {
        return wrong(
            "server.deadline",
            "is out of range; give 500ms to 30s, and less than the 10s of Argo Rollouts",
        );
    }
    if server.max_concurrent == 0 {
        return wrong(
            "server.maxConcurrent",
            "is 0, so that no call could be answered; give at least 1",
        );
    }
    if server.body_limit.0 < 1024 || server.body_limit.0 > 16 << 20 {
        return wrong("server.bodyLimit", "is out of range; give 1KiB to 16MiB");
    }
    if server.max_streams > 10_000 {
        return wrong("server.maxStreams", "is out of range; give 0 to 10000");
    }
    if server.max_override.0 < Duration::from_mins(1)
        || server.max_override.0 > Duration::from_hours(90 * 24)
    {
        return wrong("server.maxOverride", "is out of range; give 1m to 90d");
    }
    if settings.policies.paths.is_empty() {
        return wrong(
            "policies.paths",
            "is missing or empty; give the files or folders of the policies",
        );
    }
    if settings.policies.reload.0 < Duration::from_millis(100) {
        return wrong("policies.reload", "is too often; give at least 100ms");
    }
    if settings.sources.is_empty() {
        return wrong(
            "sources",
            "is missing or empty; add `default: { kind: victoriametrics, url: http://... }`",
        );
    }
    for (name, source) in &settings.sources {
        let source = match source {
            AnySource::Api(source) => source,
            AnySource::Scrape(source) => {
                scrape_check::check(name, source, places)?;
                continue;
            }
        };
        if !(source.url.starts_with("http://") || source.url.starts_with("https://")) {
            return wrong(
                &format!("sources.{name}.url"),
                "is not a URL; begin with `http://` or `https://`",
            );
        }
        if let Some(url) = &source.public_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return wrong(
                &format!("sources.{name}.publicUrl"),
                "is not a URL; begin with `http://` or `https://`",
            );
        }
    }
    let auth = &settings.auth;
    if auth.tokens.is_empty() && !loopback && !auth.open {
        return wrong(
            "auth.tokens",
            "is empty and the service does not listen on loopback; add a token, or say `auth: { open: true }` if everybody may call",
        );
    }
    if !auth.tokens.is_empty() && auth.open {
        return wrong(
            "auth.open",
            "is true although there are tokens; remove one of the two",
        );
    }
    if auth.session_ttl.0 < Duration::from_mins(1)
        || auth.session_ttl.0 > Duration::from_hours(30 * 24)
    {
        return wrong("auth.sessionTtl", "is out of range; give 1m to 30d");
    }
    let mut names = BTreeSet::new();
    for (i, token) in auth.tokens.iter().enumerate() {
        if token.name.trim().is_empty() || !names.insert(&token.name) {
            return wrong(
                &format!("auth.tokens[{i}].name"),
                "is empty or used twice; give each token its own name",
            );
        }
    }
    if let Some(otlp) = &settings.telemetry.otlp {
        if !(otlp.endpoint.starts_with("http://") || otlp.endpoint.starts_with("https://")) {
            return wrong(
                "telemetry.otlp.endpoint",
                "is not a URL; give for example `http://otel-collector:4318`",
            );
        }
        if !(0.0..=1.0).contains(&otlp.sample) {
            return wrong("telemetry.otlp.sample", "is not a share; give 0 to 1");
        }
    }
    alerts::check(settings, places)
}

/// Where verdicts are kept, and for how long.
fn store(store: &StoreSettings, places: &Places) -> Result<(), SettingsError> {
    let wrong = |key: &str, message: &str| Err(mistake(places, key, message));
    if store.password_in_url() {
        return wrong(
            "store.url",
            "has a password, which is never written here; write `postgres://user@host/db` and `password: { file: PATH }` or `{ env: NAME }` beside it",
        );
    }
    let Some(place) = store.place() else {
        return wrong(
            "store.url",
            "is not a URL of a store; give for example `sqlite://rollout-judge.db`, `sqlite:///var/lib/rollout-judge/judge.db` or `postgres://user@host/db`",
        );
    };
    if store.password.is_some() && matches!(place, Place::File(_)) {
        return wrong(
            "store.password",
            "is given although SQLite has none; remove it, or give a `url` that begins with `postgres://`",
        );
    }
    if store.url.is_some() && store.data_dir.is_some() {
        return wrong(
            "store.dataDir",
            "is given beside `url`, which already says where the store is; remove one of the two",
        );
    }
    if store.max_age.0 < Duration::from_hours(1) || store.max_age.0 > Duration::from_hours(876_000)
    {
        return wrong("store.maxAge", "is out of range; give 1h to 36500d");
    }
    if store.max_bytes.0 < 16 << 20 {
        return wrong("store.maxBytes", "is too small; give at least 16MiB");
    }
    if store.max_connections == 0 || store.max_connections > 1000 {
        return wrong("store.maxConnections", "is out of range; give 1 to 1000");
    }
    if store.timeout.0 < Duration::from_millis(50) || store.timeout.0 > Duration::from_secs(30) {
        return wrong("store.timeout", "is out of range; give 50ms to 30s");
    }
    Ok(())
}

/// Keys of what this version does not have are accepted only where they say "off".
fn off(settings: &Settings, places: &Places) -> Result<(), SettingsError> {
    let wrong = |key: &str, message: &str| Err(mistake(places, key, message));
    if settings.kubernetes.enabled {
        return wrong(
            "kubernetes.enabled",
            "the Kubernetes API is not read in this version; say `enabled: false` and let the AnalysisTemplate pass the arguments",
        );
    }
    Ok(())
}

/// Does this address listen on loopback only? `None` where it is no address.
pub fn loopback(listen: &str) -> Option<bool> {
    if let Some(port) = listen.strip_prefix("localhost:") {
        return port.parse::<u16>().ok().map(|_| true);
    }
    listen
        .parse::<SocketAddr>()
        .ok()
        .map(|address| address.ip().is_loopback())
}
