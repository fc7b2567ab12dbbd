//! Receivers and routes of the settings, and the workers that tell.

use crate::{
    config::{
        Settings, alerts,
        receivers::{ReceiverSettings, RouteSettings},
        secrets::Secret,
    },
    domain::{Clock, EventKind, Millis, VerdictStore},
    notify,
    service::{
        Keeper, Poke, Policies,
        outbox::{Came, Links, Outbox, Pace, Receiver, Repeat, Tally, Workers},
        routes::{Route, Routes},
    },
    telemetry::Metrics,
};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};

/// Builds every receiver and starts its worker on the present runtime; the error names the setting.
/// `wrote` is called after the log got a line about a delivery.
pub fn start(
    settings: &Settings,
    store: Arc<dyn VerdictStore>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    public_url: &str,
    wrote: Poke,
) -> Result<(Arc<Routes>, Workers), String> {
    let mut receivers = Vec::new();
    for (name, receiver) in &settings.receivers {
        for wrong in unusable_secrets(receiver) {
            tracing::warn!(
                "receivers.{name}.{wrong}; nobody can be told by it until this is mended"
            );
        }
        let notifier = notify::build(name, receiver, &clock).map_err(|error| error.to_string())?;
        let pace = pace(receiver);
        receivers.push(Receiver { notifier, pace });
    }
    let rows = settings.routes.iter().map(route).collect();
    let routes = Arc::new(Routes::new(rows, settings.receivers.keys().cloned()));
    let outbox = Outbox {
        store,
        clock,
        routes: Arc::clone(&routes),
        links: Links::new(public_url),
        poll: settings.alerts.poll.0,
        max_messages: settings.alerts.max_messages as usize,
        within: millis(settings.alerts.within.0),
        tally: Arc::new(Counted(metrics)),
        wrote,
    };
    Ok((routes, outbox.start(receivers)))
}

/// Those that are told again what still lasts. The notifiers are their own: a hanging one holds up nobody else.
pub fn repeats(
    settings: &Settings,
    keeper: &Keeper,
    policies: &Arc<dyn Policies>,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Repeat>, String> {
    let mut all = Vec::new();
    for (name, receiver) in &settings.receivers {
        let Some(alertmanager) = receiver.alertmanager.as_ref() else {
            continue;
        };
        if alertmanager.repeat.0.is_zero() {
            continue;
        }
        all.push(Repeat {
            keeper: keeper.clone(),
            policies: Arc::clone(policies),
            clock: Arc::clone(clock),
            links: Links::new(&settings.server.public_url()),
            notifier: notify::build(name, receiver, clock).map_err(|error| error.to_string())?,
            every: alertmanager.repeat.0,
            lasts: millis(alertmanager.lasts.0),
        });
    }
    Ok(all)
}

/// Secrets of a receiver that cannot be used now. A file may still appear, so that this is no reason to stop.
fn unusable_secrets(receiver: &ReceiverSettings) -> Vec<String> {
    let check = |(setting, secret): (&str, &Secret)| {
        let wrong = match secret.read() {
            Err(error) => error.to_string(),
            Ok(key) if setting == "secrets" => {
                notify::signature(&[key], "", 0, b"").err()?.to_string()
            }
            Ok(url) if setting == "url" => notify::address(url.expose_secret()).err()?.to_string(),
            Ok(_) => return None,
        };
        Some(format!("{setting}: {wrong}"))
    };
    receiver.secrets().into_iter().filter_map(check).collect()
}

fn pace(receiver: &ReceiverSettings) -> Pace {
    Pace {
        max_concurrent: receiver.max_concurrent,
        per_minute: receiver.per_minute,
        max_age: millis(receiver.max_age.0),
        min_backoff: millis(receiver.min_backoff.0),
        max_backoff: millis(receiver.max_backoff.0),
        timeout: millis(receiver.timeout.0),
    }
}

/// Words were checked when the settings were read.
fn route(settings: &RouteSettings) -> Route {
    let matching = &settings.matching;
    Route {
        policies: matching.policies.clone(),
        namespaces: matching.namespaces.clone(),
        events: matching
            .events
            .iter()
            .filter_map(|word| EventKind::parse(word))
            .collect(),
        severity: matching.severity.as_deref().and_then(alerts::severity),
        to: settings.to.clone(),
    }
}

fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

struct Counted(Arc<Metrics>);

impl Tally for Counted {
    fn came(&self, receiver: &str, came: Came, deliveries: u64) {
        self.0.deliveries(receiver, came.as_str(), deliveries);
    }

    fn waiting(&self, receiver: &str, deliveries: u64, oldest: Duration) {
        self.0.pending(receiver, deliveries, oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_cannot_tell_is_told_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            serde_json::json!({ "file": path })
        };
        let missing = serde_json::json!({ "env": "NO_SUCH_VARIABLE_HERE" });
        let good = keep("key", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
        let bad = keep("bad", "whsec_short");
        let text = keep("text", "no address");
        for (settings, expected) in [
            (
                serde_json::json!({"webhook": {"url": "https://x", "secrets": [good, missing, bad]}}),
                &["secrets: environment variable", "secrets: a signing key"][..],
            ),
            (
                serde_json::json!({"slack": {"url": text}}),
                &["url: `url` is not an address"],
            ),
            (
                serde_json::json!({"pagerduty": {"routingKey": missing}}),
                &["routingKey: environment"],
            ),
            (
                serde_json::json!({"cloudevents": {"url": "https://x", "headers": {"X-Key": missing, "X-Kind": "a"}}}),
                &["headers: environment"],
            ),
            (
                serde_json::json!({"email": {"host": "x", "from": "a@x", "to": ["b@x"], "auth": {"username": "u", "password": missing}}}),
                &["auth.password: environment"],
            ),
            (
                serde_json::json!({"webhook": {"url": "https://x", "secrets": [good]}}),
                &[],
            ),
        ] {
            let settings: ReceiverSettings = serde_json::from_value(settings).unwrap();
            let told = unusable_secrets(&settings);
            assert_eq!(told.len(), expected.len(), "{told:?}");
            for (told, expected) in told.iter().zip(expected) {
                assert!(told.starts_with(expected), "{told}");
            }
        }
    }
}
