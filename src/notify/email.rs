//! Email by SMTP: plain text, one message for all recipients.

use super::{
    caller::{later, read},
    escape::{cut, filled, line},
    wording::Wording,
};
use crate::{
    config::receivers::{EmailSettings, MailTls},
    domain::{Clock, Message, Notifier, NotifyError, ports::BoxFuture},
    net::scrub,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

const SUBJECT: usize = 200;
const TEXT: usize = 20_000;

/// One list of recipients.
pub struct Email {
    pub(super) name: String,
    pub(super) settings: EmailSettings,
    pub(super) tls: TlsParameters,
    pub(super) timeout: Duration,
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) wording: Wording,
    pub(super) clock: Arc<dyn Clock>,
}

impl Email {
    async fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let mail = self.mail(message)?;
        let password = match &self.settings.auth {
            Some(auth) => Some((auth.username.clone(), read(&auth.password)?)),
            None => None,
        };
        let tls = match self.settings.tls {
            MailTls::Starttls => Tls::Required(self.tls.clone()),
            MailTls::Tls => Tls::Wrapper(self.tls.clone()),
            MailTls::None => Tls::None,
        };
        let host = self.settings.host.as_str();
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(
                self.settings
                    .port
                    .unwrap_or_else(|| self.settings.tls.port()),
            )
            .hello_name(ClientId::default())
            .timeout(Some(self.timeout))
            .tls(tls);
        let mut secrets: Vec<SecretString> = Vec::new();
        if let Some((user, password)) = password {
            let words = password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(user, words));
            secrets.push(password);
        }
        let transport = transport.build();
        match tokio::time::timeout(self.timeout, transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let mut words = error.to_string();
                if let Some(cause) = error.source() {
                    words = format!("{words}: {cause}");
                }
                let detail = scrub(&words, &secrets);
                if error.is_permanent() {
                    Err(NotifyError::Refused { detail })
                } else {
                    Err(later(detail))
                }
            }
            Err(_) => Err(later(format!("no answer within {:?}", self.timeout))),
        }
    }

    fn mail(&self, message: &Message) -> Result<Mail, NotifyError> {
        let told = self.wording.tell(message);
        let facts = &told.facts;
        let mut text = cut(&told.text(), TEXT);
        if !facts.url.is_empty() {
            text = format!("{text}\n\n{}", facts.url);
        }
        let small = [facts.severity, &facts.at, &facts.policy, &facts.canary_hash];
        let small: Vec<&str> = small.into_iter().filter(|s| !s.is_empty()).collect();
        let text = format!("{text}\n\n-- \nrollout-judge: {}\n", small.join(", "));
        let sent = Duration::from_millis(self.clock.now().max(0).unsigned_abs());
        let mut mail = Mail::builder()
            .message_id(Some(format!(
                "<{}@{}>",
                message.id,
                self.from.email.domain()
            )))
            .date(SystemTime::UNIX_EPOCH + sent)
            .from(self.from.clone())
            // a header line never holds a line break of somebody else's
            .subject(cut(&filled(line(&told.title)), SUBJECT))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mut mail = mail.body(text).map_err(|error| NotifyError::Refused {
            detail: format!("the mail cannot be written: {error}"),
        })?;
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Rollout-Judge-Event", facts.event),
            ("X-Rollout-Judge-Severity", facts.severity),
        ] {
            if let Ok(name) = HeaderName::new_from_ascii(name.to_owned()) {
                mail.headers_mut()
                    .insert_raw(HeaderValue::new(name, value.to_owned()));
            }
        }
        Ok(mail)
    }
}

impl Notifier for Email {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(self.post(message))
    }
}
