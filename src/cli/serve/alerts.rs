//! Receivers and routes of the settings, and the workers that tell.

use crate::{
    config::{
        Settings, alerts,
        receivers::{ReceiverSettings, RouteSettings},
    },
    domain::{Clock, EventKind, Millis, VerdictStore},
    notify,
    service::{
        Poke,
        outbox::{Came, Links, Outbox, Pace, Receiver, Tally, Workers},
        routes::{Route, Routes},
    },
    telemetry::Metrics,
};
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
