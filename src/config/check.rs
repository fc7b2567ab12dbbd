//! What a type cannot say about the settings.

use super::{
    alerts,
    error::{Mistakes, Places, SettingsError},
    scrape_check,
    settings::Settings,
    source::AnySource,
    source_check,
    store::{Place, StoreSettings},
    url, write_back,
};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

/// What is said of a URL that everybody sees.
pub const PEOPLE: &str =
    "must not hold credentials or a query, which everybody would see; remove them";
const NOBODY: &str = "must not hold credentials or a query, which may hold a secret; remove them";

/// Finds what cannot work.
pub fn check(settings: &Settings, places: &Places) -> Vec<SettingsError> {
    let mut found = Mistakes::new(places);
    off(settings, &mut found);
    write_back::check(&settings.write_back, &mut found);
    store(&settings.store, &mut found);
    server(settings, &mut found);
    sources(settings, &mut found);
    auth(settings, &mut found);
    alerts::check(settings, &mut found);
    found.all()
}

/// How the service is reached, and by which policies it judges.
fn server(settings: &Settings, found: &mut Mistakes<'_>) {
    let server = &settings.server;
    if loopback(&server.listen).is_none() {
        found.add(
            "server.listen",
            "is not an address with a port; give for example `127.0.0.1:8080` or `[::]:8080`",
        );
    }
    if let Some(url) = &server.public_url
        && let Err(words) = url::plain(url, PEOPLE)
    {
        found.add("server.publicUrl", words);
    }
    if server.deadline.0 < Duration::from_millis(500) || server.deadline.0 > Duration::from_secs(30)
    {
        found.add(
            "server.deadline",
            "is out of range; give 500ms to 30s, and less than the 10s of Argo Rollouts",
        );
    }
    if server.max_concurrent == 0 {
        found.add(
            "server.maxConcurrent",
            "is 0, so that no call could be answered; give at least 1",
        );
    }
    if server.body_limit.0 < 1024 || server.body_limit.0 > 16 << 20 {
        found.add("server.bodyLimit", "is out of range; give 1KiB to 16MiB");
    }
    if server.max_streams > 10_000 {
        found.add("server.maxStreams", "is out of range; give 0 to 10000");
    }
    if server.max_override.0 < Duration::from_mins(1)
        || server.max_override.0 > Duration::from_hours(90 * 24)
    {
        found.add("server.maxOverride", "is out of range; give 1m to 90d");
    }
    if settings.policies.paths.is_empty() {
        found.add(
            "policies.paths",
            "is missing or empty; give the files or folders of the policies",
        );
    }
    if settings.policies.reload.0 < Duration::from_millis(100) {
        found.add("policies.reload", "is too often; give at least 100ms");
    }
    if let Some(otlp) = &settings.telemetry.otlp {
        if let Err(words) = url::plain(&otlp.endpoint, NOBODY) {
            found.add("telemetry.otlp.endpoint", words);
        }
        if !(0.0..=1.0).contains(&otlp.sample) {
            found.add("telemetry.otlp.sample", "is not a share; give 0 to 1");
        }
    }
}

/// Where metrics are read.
fn sources(settings: &Settings, found: &mut Mistakes<'_>) {
    if settings.sources.is_empty() {
        found.add(
            "sources",
            "is missing or empty; add `default: { kind: victoriametrics, url: http://... }`",
        );
    }
    for (name, source) in &settings.sources {
        match source {
            AnySource::Api(source) => source_check::check(name, source, found),
            AnySource::Scrape(source) => scrape_check::check(name, source, found),
        }
    }
}

/// Who may call.
fn auth(settings: &Settings, found: &mut Mistakes<'_>) {
    let loopback = loopback(&settings.server.listen);
    let auth = &settings.auth;
    if auth.tokens.is_empty() && loopback == Some(false) && !auth.open {
        found.add(
            "auth.tokens",
            "is empty and the service does not listen on loopback; add a token, or say `auth: { open: true }` if everybody may call",
        );
    }
    if !auth.tokens.is_empty() && auth.open {
        found.add(
            "auth.open",
            "is true although there are tokens; remove one of the two",
        );
    }
    if auth.session_ttl.0 < Duration::from_mins(1)
        || auth.session_ttl.0 > Duration::from_hours(30 * 24)
    {
        found.add("auth.sessionTtl", "is out of range; give 1m to 30d");
    }
    let mut names = BTreeSet::new();
    for (i, token) in auth.tokens.iter().enumerate() {
        if token.name.trim().is_empty() || !names.insert(&token.name) {
            found.add(
                &format!("auth.tokens[{i}].name"),
                "is empty or used twice; give each token its own name",
            );
        }
    }
}

/// Where verdicts are kept, and for how long.
fn store(store: &StoreSettings, found: &mut Mistakes<'_>) {
    if store.password_in_url() {
        found.add(
            "store.url",
            "has a password, which is never written here; write `postgres://user@host/db` and `password: { file: PATH }` or `{ env: NAME }` beside it",
        );
    }
    let place = store.place();
    if place.is_none() {
        found.add(
            "store.url",
            "is not a URL of a store; give for example `sqlite://rollout-judge.db`, `sqlite:///var/lib/rollout-judge/judge.db` or `postgres://user@host/db`",
        );
    }
    if store.password.is_some() && matches!(place, Some(Place::File(_))) {
        found.add(
            "store.password",
            "is given although SQLite has none; remove it, or give a `url` that begins with `postgres://`",
        );
    }
    if store.url.is_some() && store.data_dir.is_some() {
        found.add(
            "store.dataDir",
            "is given beside `url`, which already says where the store is; remove one of the two",
        );
    }
    if store.max_age.0 < Duration::from_hours(1) || store.max_age.0 > Duration::from_hours(876_000)
    {
        found.add("store.maxAge", "is out of range; give 1h to 36500d");
    }
    if store.max_bytes.0 < 16 << 20 {
        found.add("store.maxBytes", "is too small; give at least 16MiB");
    }
    if store.max_connections == 0 || store.max_connections > 1000 {
        found.add("store.maxConnections", "is out of range; give 1 to 1000");
    }
    if store.timeout.0 < Duration::from_millis(50) || store.timeout.0 > Duration::from_secs(30) {
        found.add("store.timeout", "is out of range; give 50ms to 30s");
    }
}

/// Keys of what this version does not have are accepted only where they say "off".
fn off(settings: &Settings, found: &mut Mistakes<'_>) {
    if settings.kubernetes.enabled {
        found.add(
            "kubernetes.enabled",
            "the Kubernetes API is not read in this version; say `enabled: false` and let the AnalysisTemplate pass the arguments",
        );
    }
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
