//! `CloudEvents` 1.0 over HTTP: one JSON document, or attributes as headers.

use super::{
    caller::{self, Caller},
    webhook::data,
    wording::Wording,
};
use crate::{
    config::receivers::{CloudEventsSettings, Mode},
    domain::{Clock, Message, Notifier, NotifyError, ports::BoxFuture, text::percent},
};
use serde_json::json;
use std::sync::Arc;

/// One sink.
pub struct CloudEvents {
    pub(super) name: String,
    pub(super) settings: CloudEventsSettings,
    pub(super) caller: Caller,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
}

impl CloudEvents {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let told = self.wording.tell(message);
        let facts = &told.facts;
        let subject = format!("{}/{}", facts.namespace, facts.rollout);
        let kind = format!("rollout-judge.{}", facts.event);
        let mut target = caller::target(&self.settings.url)?;
        let mut headers = caller::headers(&self.settings.headers, &mut target.secrets)?;
        let body = match self.settings.mode {
            Mode::Structured => {
                caller::set(
                    &mut headers,
                    "content-type",
                    "application/cloudevents+json; charset=utf-8",
                );
                json!({
                    "specversion": "1.0", "id": facts.id, "source": self.settings.source, "type": kind,
                    "subject": subject, "time": facts.at, "datacontenttype": "application/json",
                    "severity": facts.severity, "data": data(&told),
                })
            }
            Mode::Binary => {
                caller::set(&mut headers, "content-type", "application/json");
                for (name, value) in [
                    ("ce-specversion", "1.0"),
                    ("ce-id", &facts.id),
                    ("ce-source", &self.settings.source),
                    ("ce-type", &kind),
                    ("ce-subject", &subject),
                    ("ce-time", &facts.at),
                    ("ce-severity", facts.severity),
                ] {
                    caller::set(&mut headers, name, &header(value));
                }
                data(&told)
            }
        };
        let body = body.to_string().into_bytes();
        self.caller
            .post(target, headers, body, self.clock.now())
            .await
    }
}

/// Characters that a header of the binding encodes: all but printable ASCII, and space, `"` and `%`.
fn header(text: &str) -> String {
    percent(text, |b| b.is_ascii_graphic() && b != b'"' && b != b'%')
}

impl Notifier for CloudEvents {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
