//! A store with what happens, and the workers that tell it.

use crate::alerts::{
    Secrets,
    endpoint::{Seen, until},
    message, settings,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rollout_judge::{
    cli::serve::alerts,
    config::store::StoreSettings,
    domain::{Change, Clock, Delivery, Event, EventKind, Posted, Progress, VerdictStore},
    service::{
        identity::{delivery_id, event_id},
        outbox::Workers,
    },
    store,
    telemetry::Metrics,
};
use std::{fmt::Write, sync::Arc};
use tempfile::TempDir;

/// A store, a clock, and secrets of receivers.
pub struct World {
    pub folder: TempDir,
    pub store: Arc<dyn VerdictStore>,
    pub secrets: Secrets,
    pub metrics: Arc<Metrics>,
}

impl World {
    pub async fn new() -> Self {
        let folder = TempDir::with_prefix("outbox").unwrap();
        let settings = StoreSettings {
            url: Some(format!(
                "sqlite://{}",
                folder.path().join("judge.db").display()
            )),
            ..StoreSettings::default()
        };
        Self {
            store: store::open(&settings).await.unwrap(),
            folder,
            secrets: Secrets::new(),
            metrics: Arc::new(Metrics::default()),
        }
    }

    /// The settings of webhooks at these addresses; `more` are the numbers of all of them.
    pub fn webhooks(&self, places: &[(&str, String)], more: &str) -> String {
        let key = self
            .secrets
            .keep("key", &format!("whsec_{}", STANDARD.encode([7; 32])));
        let mut text = "receivers:\n".to_owned();
        for (name, url) in places {
            writeln!(
                text,
                "  {name}: {{ webhook: {{ url: '{url}', secrets: [{key}] }}, {more} }}"
            )
            .unwrap();
        }
        text
    }

    pub fn start(&self, text: &str, clock: Arc<dyn Clock>) -> Workers {
        let store = Arc::clone(&self.store);
        let metrics = Arc::clone(&self.metrics);
        let settings = settings(text);
        let wrote = Arc::new(|| {});
        let (_, workers) = alerts::start(
            &settings,
            store,
            clock,
            metrics,
            "https://judge.example.org",
            wrote,
        )
        .unwrap();
        workers
    }

    /// Something happens to a rollout; these are told.
    pub async fn happens(&self, kind: EventKind, rollout: &str, at: i64, to: &[&str]) -> Event {
        let about = format!("{rollout} {at}");
        let event = Event {
            seq: 0,
            id: event_id(kind, at, &about),
            at,
            rollout: rollout.to_owned(),
            reason: about,
            verdict: None,
            ..message::event(kind)
        };
        let deliveries = to
            .iter()
            .map(|receiver| Delivery {
                id: delivery_id(event.id, at, receiver),
                event: event.id,
                receiver: (*receiver).to_owned(),
                order: format!("shop/{rollout}"),
                due: at,
            })
            .collect();
        let change = Change {
            events: vec![event.clone()],
            deliveries,
            ..Change::default()
        };
        self.store.change(change).await.unwrap();
        event
    }

    pub async fn are(&self, progress: Progress) -> Vec<Posted> {
        self.store
            .deliveries(Some(progress), None, None, 1000)
            .await
            .unwrap()
    }

    pub async fn all_delivered(&self, count: usize) {
        until("everything is delivered", async || {
            self.are(Progress::Delivered).await.len() == count
        })
        .await;
    }
}

/// What a webhook was told about a rollout, in order: the earlier ones of each message, then its own.
pub fn told(seen: &[Seen], rollout: &str) -> Vec<String> {
    let mut all = Vec::new();
    for seen in seen {
        let data = &seen.json()["data"];
        if data["rollout"] == rollout {
            let earlier = data["earlier"].as_array().unwrap().iter();
            all.extend(earlier.map(|e| e["reason"].as_str().unwrap().to_owned()));
            all.push(data["reason"].as_str().unwrap().to_owned());
        }
    }
    all
}

/// Numbers of a receiver that is tried again soon.
pub const QUICK: &str = "timeout: 300ms, minBackoff: 100ms, maxBackoff: 200ms, perMinute: 6000";
/// Nothing is held.
pub const FREE: &str = "alerts: { poll: 100ms, maxMessages: 1000, within: 1s }\n";
