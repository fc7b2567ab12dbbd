//! Alertmanager API v2: an alert for each kind of event of a rollout; what ends it resolves it.

use super::{
    caller::{self, Caller},
    escape::cut,
    wording::Wording,
};
use crate::{
    config::receivers::{Address, AlertmanagerSettings},
    domain::{
        Clock, Event, EventKind, Message, Millis, Notifier, NotifyError, ports::BoxFuture,
        time::rfc3339,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// News are shown for this long.
const NEWS: Millis = 300_000;
const LONGEST: usize = 4000;

/// One Alertmanager.
pub struct Alertmanager {
    pub(super) name: String,
    pub(super) settings: AlertmanagerSettings,
    pub(super) caller: Caller,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
}

/// Where the alert of a kind stands after a message.
#[derive(Debug, Clone, Copy)]
enum Standing<'a> {
    Firing(&'a Event),
    Resolved(Millis),
}

impl Alertmanager {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let told = self.wording.tell(message);
        let annotations = json!({
            "summary": cut(&told.title, LONGEST),
            "description": cut(&told.text(), LONGEST),
            "reason": cut(&told.facts.reason, LONGEST),
            "url": told.facts.url,
            "policy": told.facts.policy,
            "canaryHash": told.facts.canary_hash,
            "messageId": told.facts.id,
        });
        let lasts = i64::try_from(self.settings.lasts.0.as_millis()).unwrap_or(i64::MAX);
        let alerts: Vec<Value> = standings(message)
            .into_iter()
            .map(|(kind, standing)| {
                let (start, end) = match standing {
                    Standing::Firing(event) if EventKind::LASTING.contains(&kind) => {
                        (event.at, event.at.saturating_add(lasts))
                    }
                    Standing::Firing(event) => (event.at, event.at.saturating_add(NEWS)),
                    Standing::Resolved(at) => (at, at),
                };
                json!({
                    "labels": self.labels(&message.event, kind),
                    "annotations": annotations,
                    "startsAt": rfc3339(start),
                    "endsAt": rfc3339(end),
                    "generatorURL": told.facts.url,
                })
            })
            .collect();
        let mut target = self.target()?;
        let mut headers = caller::headers(&self.settings.headers, &mut target.secrets)?;
        caller::set(&mut headers, "content-type", "application/json");
        let body = json!(alerts).to_string().into_bytes();
        self.caller
            .post(target, headers, body, self.clock.now())
            .await
    }

    fn target(&self) -> Result<caller::Target, NotifyError> {
        let join = |base: &str| format!("{}/api/v2/alerts", base.trim_end_matches('/'));
        match &self.settings.url {
            Address::Plain(url) => caller::target(&Address::Plain(join(url))),
            Address::Secret(secret) => {
                let base = caller::read(secret)?;
                let mut target = caller::target(&Address::Plain(join(base.expose_secret())))?;
                target
                    .secrets
                    .push(SecretString::from(base.expose_secret()));
                Ok(target)
            }
        }
    }

    /// The identity of an alert: the same when it fires and when it is resolved.
    fn labels(&self, event: &Event, kind: EventKind) -> BTreeMap<String, String> {
        let mut labels = self.settings.labels.clone();
        for (name, value) in [
            ("alertname", "RolloutJudge"),
            ("event", kind.as_str()),
            ("severity", kind.severity().as_str()),
            ("namespace", &event.namespace),
            ("rollout", &event.rollout),
        ] {
            if !value.is_empty() {
                labels.insert(name.to_owned(), cut(value, LONGEST));
            }
        }
        labels
    }
}

/// Goes through the events in their order.
fn standings(message: &Message) -> BTreeMap<EventKind, Standing<'_>> {
    let mut standings = BTreeMap::new();
    for event in message.earlier.iter().chain([&message.event]) {
        for kind in EventKind::LASTING
            .into_iter()
            .filter(|kind| event.ends(*kind))
        {
            standings.insert(kind, Standing::Resolved(event.at));
        }
        // a recovery is told by what it resolves
        if !matches!(event.kind, EventKind::Recovered) {
            standings.insert(event.kind, Standing::Firing(event));
        }
    }
    standings
}

impl Notifier for Alertmanager {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
