//! What the three chat services share: a secret address, and a JSON layout of the message.

use super::{
    caller::{self, Caller},
    wording::{Told, Wording},
};
use crate::{
    config::receivers::{Address, ChatSettings},
    domain::{Clock, Message, Notifier, NotifyError, ports::BoxFuture},
};
use serde_json::Value;
use std::sync::Arc;

/// One chat webhook.
pub struct Chat {
    pub(super) name: String,
    pub(super) settings: ChatSettings,
    pub(super) caller: Caller,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
    /// Makes the body that the service understands.
    pub(super) layout: fn(&Told) -> Value,
}

impl Chat {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let told = self.wording.tell(message);
        let body = (self.layout)(&told).to_string().into_bytes();
        let target = caller::target(&Address::Secret(self.settings.url.clone()))?;
        let mut headers = reqwest::header::HeaderMap::new();
        caller::set(&mut headers, "content-type", "application/json");
        // none of them knows a key of its own for webhooks; this is for gateways between us
        caller::set(&mut headers, "idempotency-key", &told.facts.id);
        self.caller
            .post(target, headers, body, self.clock.now())
            .await
    }
}

impl Notifier for Chat {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
