//! `PagerDuty` Events API v2: an incident for what is wrong with a rollout, one for its override; the rest are changes.

use super::{
    caller::{self, Caller},
    escape::{cut, line},
    facts::headline,
    incident::{self, Incident, Line, incidents},
    webhook::data,
    wording::{Told, Wording},
};
use crate::{
    config::receivers::{Address, PagerDutySettings},
    domain::{Clock, Event, Message, Notifier, NotifyError, ports::BoxFuture, time::rfc3339},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fmt::Write, sync::Arc};

const SUMMARY: usize = 1024;
const KEY: usize = 255;

/// One integration.
pub struct PagerDuty {
    pub(super) name: String,
    pub(super) settings: PagerDutySettings,
    pub(super) caller: Caller,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
}

impl PagerDuty {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let told = self.wording.tell(message);
        let key = caller::read(&self.settings.routing_key)?;
        let base = self.settings.url.trim_end_matches('/');
        // a try that ended between two of them tells the first again, under the same key
        for incident in incidents(message) {
            let (path, mut body) = match incident {
                Incident::Open(event) => ("v2/enqueue", trigger(&told, event)),
                Incident::Over(line, event) => {
                    let key = dedup_key(event, line);
                    let body = json!({"event_action": "resolve", "dedup_key": key});
                    ("v2/enqueue", body)
                }
                Incident::News(_) => ("v2/change/enqueue", change(&told)),
            };
            if let Some(map) = body.as_object_mut() {
                map.insert("routing_key".to_owned(), json!(key.expose_secret()));
            }
            let mut target = caller::target(&Address::Plain(format!("{base}/{path}")))?;
            target.secrets.push(key.clone());
            let mut headers = reqwest::header::HeaderMap::new();
            caller::set(&mut headers, "content-type", "application/json");
            let (body, now) = (body.to_string().into_bytes(), self.clock.now());
            self.caller.post(target, headers, body, now).await?;
        }
        Ok(())
    }
}

pub(super) fn trigger(told: &Told, event: &Event) -> Value {
    json!({
        "event_action": "trigger",
        "dedup_key": dedup_key(event, Line::of(event.kind)),
        "client": "rollout-judge",
        "client_url": told.facts.url,
        "links": links(told),
        "payload": {
            "summary": about(told, event),
            "source": cut(&source(told), 255),
            "severity": event.kind.severity().as_str(),
            "timestamp": rfc3339(event.at),
            "component": told.facts.rollout,
            "group": told.facts.namespace,
            "class": event.kind.as_str(),
            "custom_details": details(told),
        },
    })
}

fn change(told: &Told) -> Value {
    json!({
        "links": links(told),
        "payload": {
            "summary": summary(told), "source": cut(&source(told), 255), "timestamp": told.facts.at,
            "custom_details": details(told),
        },
    })
}

/// The API refuses a `summary` that is too long or empty.
fn summary(told: &Told) -> String {
    cut(&format!("{}: {}", told.title, told.facts.reason), SUMMARY)
}

/// Where the incident is not what the message is about: its own words.
fn about(told: &Told, event: &Event) -> String {
    if event.kind.as_str() == told.facts.event {
        return summary(told);
    }
    let text = format!("{}: {}", headline(event), line(&event.told()));
    cut(&text, SUMMARY)
}

fn source(told: &Told) -> String {
    format!("{}/{}", told.facts.namespace, told.facts.rollout)
}

fn links(told: &Told) -> Value {
    if told.facts.url.is_empty() {
        return json!([]);
    }
    json!([{"href": told.facts.url, "text": "Open"}])
}

/// Everything, long sentences cut: an event may have 512 KB.
fn details(told: &Told) -> Value {
    let mut details = data(told);
    shorten(&mut details);
    details
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = cut(text, 4000),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(map) => map.values_mut().for_each(shorten),
        _ => {}
    }
}

fn dedup_key(event: &Event, line: Line) -> String {
    let key = incident::key(event, line);
    if key.chars().count() <= KEY {
        return key;
    }
    let mut short = "rollout-judge/".to_owned();
    for byte in Sha256::digest(key.as_bytes()) {
        // writing to a string cannot fail
        let _ = write!(short, "{byte:02x}");
    }
    short
}

impl Notifier for PagerDuty {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
