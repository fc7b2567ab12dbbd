//! A receiver from its settings.

use super::{
    alertmanager::Alertmanager,
    caller::{Caller, is_plain},
    chat::Chat,
    cloudevents::CloudEvents,
    discord,
    email::Email,
    escape,
    pagerduty::PagerDuty,
    slack, teams,
    webhook::Webhook,
    wording::{Told, Wording},
};
use crate::{
    config::{
        receivers::{Address, ChatSettings, EmailSettings, ReceiverSettings},
        template::Escape,
    },
    domain::{Clock, Notifier},
    net::ClientError,
};
use lettre::{
    message::Mailbox,
    transport::smtp::client::{Certificate, TlsParameters},
};
use serde_json::Value;
use std::sync::Arc;

/// Why a receiver cannot be made from its settings. `Display` never holds secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("receivers.{name}.{setting}: {detail}")]
pub struct BuildError {
    /// Name in the configuration.
    pub name: String,
    /// The setting at fault.
    pub setting: String,
    /// What is wrong, and the cure.
    pub detail: String,
}

/// Makes a receiver from its settings.
pub fn build(
    name: &str,
    settings: &ReceiverSettings,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Notifier>, BuildError> {
    let make = Make {
        name,
        settings,
        clock,
    };
    if let Some(webhook) = &settings.webhook {
        return Ok(Arc::new(Webhook {
            name: name.to_owned(),
            caller: make.caller(is_plain(&webhook.url))?,
            settings: webhook.clone(),
            wording: make.wording(escape::none)?,
            clock: Arc::clone(clock),
        }));
    }
    if let Some(chat) = &settings.slack {
        return make.chat(chat, escape::slack, slack::layout);
    }
    if let Some(chat) = &settings.teams {
        return make.chat(chat, escape::teams, teams::layout);
    }
    if let Some(chat) = &settings.discord {
        return make.chat(chat, escape::discord, discord::layout);
    }
    if let Some(pagerduty) = &settings.pagerduty {
        return Ok(Arc::new(PagerDuty {
            name: name.to_owned(),
            caller: make.caller(pagerduty.url.starts_with("http://"))?,
            settings: pagerduty.clone(),
            wording: make.wording(escape::none)?,
            clock: Arc::clone(clock),
        }));
    }
    if let Some(alertmanager) = &settings.alertmanager {
        return Ok(Arc::new(Alertmanager {
            name: name.to_owned(),
            caller: make.caller(is_plain(&alertmanager.url))?,
            settings: alertmanager.clone(),
            wording: make.wording(escape::none)?,
            clock: Arc::clone(clock),
        }));
    }
    if let Some(cloudevents) = &settings.cloudevents {
        return Ok(Arc::new(CloudEvents {
            name: name.to_owned(),
            caller: make.caller(is_plain(&cloudevents.url))?,
            settings: cloudevents.clone(),
            wording: make.wording(escape::none)?,
            clock: Arc::clone(clock),
        }));
    }
    match &settings.email {
        Some(email) => make.email(email),
        None => Err(make.wrong(
            "webhook",
            "no kind is given; add one of the eight".to_owned(),
        )),
    }
}

struct Make<'a> {
    name: &'a str,
    settings: &'a ReceiverSettings,
    clock: &'a Arc<dyn Clock>,
}

impl Make<'_> {
    fn wrong(&self, setting: &str, detail: String) -> BuildError {
        BuildError {
            name: self.name.to_owned(),
            setting: setting.to_owned(),
            detail,
        }
    }

    fn caller(&self, plain: bool) -> Result<Caller, BuildError> {
        Caller::new(self.settings, plain)
            .map_err(|ClientError { setting, detail }| self.wrong(setting, detail))
    }

    fn wording(&self, escape: Escape) -> Result<Wording, BuildError> {
        Wording::new(self.name, self.settings, escape)
            .map_err(|(setting, words)| self.wrong(setting, words))
    }

    fn chat(
        &self,
        chat: &ChatSettings,
        escape: Escape,
        layout: fn(&Told) -> Value,
    ) -> Result<Arc<dyn Notifier>, BuildError> {
        Ok(Arc::new(Chat {
            name: self.name.to_owned(),
            settings: chat.clone(),
            caller: self.caller(is_plain(&Address::Secret(chat.url.clone())))?,
            wording: self.wording(escape)?,
            clock: Arc::clone(self.clock),
            layout,
        }))
    }

    fn email(&self, email: &EmailSettings) -> Result<Arc<dyn Notifier>, BuildError> {
        // its TLS is made of the process's cryptography too
        crate::net::install_provider();
        let address = |setting: &str, text: &str| {
            text.parse::<Mailbox>()
                .map_err(|e| self.wrong(setting, format!("`{text}` is not an address: {e}")))
        };
        let to = email
            .to
            .iter()
            .enumerate()
            .map(|(i, to)| address(&format!("email.to[{i}]"), to))
            .collect::<Result<_, _>>()?;
        let mut tls = TlsParameters::builder(email.host.clone());
        if let Some(path) = &self.settings.ca {
            let pem = std::fs::read(path)
                .map_err(|e| self.wrong("ca", format!("`{}`: {e}", path.display())))?;
            let authority =
                Certificate::from_pem(&pem).map_err(|e| self.wrong("ca", e.to_string()))?;
            tls = tls.add_root_certificate(authority);
        }
        Ok(Arc::new(Email {
            name: self.name.to_owned(),
            settings: email.clone(),
            tls: tls
                .build()
                .map_err(|e| self.wrong("email.host", e.to_string()))?,
            timeout: self.settings.timeout.0,
            from: address("email.from", &email.from)?,
            to,
            wording: self.wording(escape::none)?,
            clock: Arc::clone(self.clock),
        }))
    }
}
