//! The generic webhook: JSON, signed as Standard Webhooks.

use super::{
    caller::{self, Caller, later},
    sign,
    wording::{Told, Wording},
};
use crate::{
    config::receivers::WebhookSettings,
    domain::{Clock, Message, Notifier, NotifyError, ports::BoxFuture},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// One webhook.
pub struct Webhook {
    pub(super) name: String,
    pub(super) settings: WebhookSettings,
    pub(super) caller: Caller,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
}

/// The data of a message: every fact, with title and text.
pub fn data(told: &Told) -> Value {
    let mut data = json!(told.facts);
    if let Value::Object(map) = &mut data {
        map.insert("title".to_owned(), json!(told.title));
        map.insert("text".to_owned(), json!(told.text()));
    }
    data
}

impl Webhook {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let told = self.wording.tell(message);
        let body = json!({
            "type": format!("rollout-judge.{}", told.facts.event),
            "timestamp": told.facts.at,
            "data": data(&told),
        })
        .to_string()
        .into_bytes();
        let mut target = caller::target(&self.settings.url)?;
        let mut headers = caller::headers(&self.settings.headers, &mut target.secrets)?;
        let keys = self
            .settings
            .secrets
            .iter()
            .map(caller::read)
            .collect::<Result<Vec<_>, _>>()?;
        let (id, now) = (message.id.to_string(), self.clock.now());
        let seconds = now.div_euclid(1000);
        let signature =
            sign::signature(&keys, &id, seconds, &body).map_err(|e| later(e.to_string()))?;
        caller::set(&mut headers, "content-type", "application/json");
        caller::set(&mut headers, "webhook-id", &id);
        caller::set(&mut headers, "webhook-timestamp", &seconds.to_string());
        caller::set(&mut headers, "webhook-signature", &signature);
        target.secrets.extend(keys);
        self.caller.post(target, headers, body, now).await
    }
}

impl Notifier for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
