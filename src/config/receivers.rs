//! `receivers` and `routes`: who can be told, and of what.

use super::{
    secrets::Secret,
    source::{Basic, HeaderValue},
    units::{HumanBytes, HumanDuration},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// One entry of `receivers`: exactly one of the eight kinds, and the numbers that every kind has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReceiverSettings {
    /// Signed JSON (Standard Webhooks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookSettings>,
    /// Slack incoming webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<ChatSettings>,
    /// Microsoft Teams, the webhook of a workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams: Option<ChatSettings>,
    /// Discord webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discord: Option<ChatSettings>,
    /// `PagerDuty` Events API v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagerduty: Option<PagerDutySettings>,
    /// Alertmanager API v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<AlertmanagerSettings>,
    /// `CloudEvents` 1.0 over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloudevents: Option<CloudEventsSettings>,
    /// Email by SMTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailSettings>,
    /// A minijinja template in place of our title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A minijinja template in place of our text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Certificate authorities (PEM) to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// One try may take this long.
    pub timeout: HumanDuration,
    /// A connection must be there after this long.
    pub connect_timeout: HumanDuration,
    /// Messages on their way at once.
    pub max_concurrent: usize,
    /// Messages in any minute.
    pub per_minute: u32,
    /// Tried for this long, then a dead letter.
    pub max_age: HumanDuration,
    /// Pause after the first failed try; it doubles.
    pub min_backoff: HumanDuration,
    /// Longest pause between tries.
    pub max_backoff: HumanDuration,
    /// So much of an answer is read.
    pub max_response: HumanBytes,
}

impl Default for ReceiverSettings {
    fn default() -> Self {
        Self {
            webhook: None,
            slack: None,
            teams: None,
            discord: None,
            pagerduty: None,
            alertmanager: None,
            cloudevents: None,
            email: None,
            title: None,
            body: None,
            ca: None,
            timeout: seconds(5),
            connect_timeout: seconds(2),
            max_concurrent: 2,
            per_minute: 60,
            max_age: seconds(86_400),
            min_backoff: seconds(1),
            max_backoff: seconds(300),
            max_response: HumanBytes(64 << 10),
        }
    }
}

/// The kinds, in the order of the documentation.
pub const KINDS: [&str; 8] = [
    "webhook",
    "slack",
    "teams",
    "discord",
    "pagerduty",
    "alertmanager",
    "cloudevents",
    "email",
];

impl ReceiverSettings {
    /// Which kinds are written.
    pub fn kinds(&self) -> Vec<&'static str> {
        let written = [
            self.webhook.is_some(),
            self.slack.is_some(),
            self.teams.is_some(),
            self.discord.is_some(),
            self.pagerduty.is_some(),
            self.alertmanager.is_some(),
            self.cloudevents.is_some(),
            self.email.is_some(),
        ];
        let pairs = KINDS.into_iter().zip(written);
        pairs
            .filter_map(|(kind, there)| there.then_some(kind))
            .collect()
    }

    /// Everything that must be read before it can be told, with the setting that names it.
    pub fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let mut all = Vec::new();
        let address = match self.address() {
            Some(Address::Secret(secret)) => Some(secret),
            _ => None,
        };
        let chat = self.slack.as_ref().or(self.teams.as_ref());
        let chat = chat.or(self.discord.as_ref()).map(|chat| &chat.url);
        all.extend(address.or(chat).map(|secret| ("url", secret)));
        if let Some(webhook) = &self.webhook {
            all.extend(webhook.secrets.iter().map(|key| ("secrets", key)));
        }
        let routing = self.pagerduty.as_ref().map(|p| &p.routing_key);
        all.extend(routing.map(|key| ("routingKey", key)));
        let mail = self.email.as_ref().and_then(|email| email.auth.as_ref());
        all.extend(mail.map(|auth| ("auth.password", &auth.password)));
        let headers = [
            self.webhook.as_ref().map(|w| &w.headers),
            self.alertmanager.as_ref().map(|a| &a.headers),
            self.cloudevents.as_ref().map(|c| &c.headers),
        ];
        let values = headers.into_iter().flatten().flat_map(BTreeMap::values);
        all.extend(values.filter_map(|value| Some(("headers", value.secret()?))));
        all
    }

    /// The address that may be written in clear, where the kind has one.
    pub fn address(&self) -> Option<&Address> {
        let webhook = self.webhook.as_ref().map(|w| &w.url);
        let alertmanager = self.alertmanager.as_ref().map(|a| &a.url);
        let cloudevents = self.cloudevents.as_ref().map(|c| &c.url);
        webhook.or(alertmanager).or(cloudevents)
    }
}

/// Where a receiver is: in clear where that holds no secret, else `{ file: PATH }` or `{ env: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "an address is a URL without credentials, `{ file: PATH }` or `{ env: NAME }`"
)]
pub enum Address {
    /// As written.
    Plain(String),
    /// Read when it is used.
    Secret(Secret),
}

/// `webhook`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where it is.
    pub url: Address,
    /// Signing keys, each `whsec_` and base64. Every one signs, so that a key can be rotated.
    pub secrets: Vec<Secret>,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
}

/// `slack`, `teams`, `discord`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChatSettings {
    /// The webhook's URL is itself a secret.
    pub url: Secret,
}

/// `pagerduty`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagerDutySettings {
    /// The integration's key.
    pub routing_key: Secret,
    /// Where the API is; `https://events.eu.pagerduty.com` in the EU region.
    #[serde(default = "pagerduty_url")]
    pub url: String,
}

/// `alertmanager`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertmanagerSettings {
    /// Where it is; `/api/v2/alerts` is appended.
    pub url: Address,
    /// An alert that nobody resolves ends after this long.
    #[serde(default = "a_day")]
    pub lasts: HumanDuration,
    /// What still lasts is told again this often, because Alertmanager forgets it with a restart; 0s: never.
    #[serde(default = "five_minutes")]
    pub repeat: HumanDuration,
    /// Further labels of every alert.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
}

/// `cloudevents`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudEventsSettings {
    /// Where it is.
    pub url: Address,
    /// Attributes in the body or in headers.
    #[serde(default)]
    pub mode: Mode,
    /// The attribute `source`.
    #[serde(default = "source")]
    pub source: String,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
}

/// How a `CloudEvents` message is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One JSON document.
    #[default]
    Structured,
    /// Attributes as headers, data as the body.
    Binary,
}

/// `email`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailSettings {
    /// The SMTP server.
    pub host: String,
    /// Its port: 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// How we show who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Basic>,
    /// The sender.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// Begins in clear and must be upgraded.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// Not at all; never with a password.
    None,
}

impl MailTls {
    /// The port where none is written.
    pub fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// One entry of `routes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteSettings {
    /// Which events. Everything given must hold.
    #[serde(rename = "match", default)]
    pub matching: MatchSettings,
    /// Names of receivers.
    pub to: Vec<String>,
}

/// `routes[].match`; an empty list holds for all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MatchSettings {
    /// Names of policies.
    pub policies: Vec<String>,
    /// Kubernetes namespaces.
    pub namespaces: Vec<String>,
    /// Kinds of events.
    pub events: Vec<String>,
    /// At least this urgent: `info`, `warning` or `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
}

/// `alerts`: numbers of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AlertSettings {
    /// How often each receiver looks for messages that another replica queued.
    pub poll: HumanDuration,
    /// After so many messages about one rollout ...
    pub max_messages: u32,
    /// ... within this time, the next ones are held until it is over and told as one. A fail is never held.
    pub within: HumanDuration,
    /// A canary that is undecided for so long is an `inconclusive` event.
    pub inconclusive_after: HumanDuration,
    /// An undecided rollout that nobody asks about for so long has `vanished`.
    pub vanished_after: HumanDuration,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            poll: seconds(1),
            max_messages: 3,
            within: seconds(300),
            inconclusive_after: seconds(900),
            vanished_after: seconds(900),
        }
    }
}

fn seconds(n: u64) -> HumanDuration {
    HumanDuration(Duration::from_secs(n))
}

fn a_day() -> HumanDuration {
    seconds(86_400)
}

fn five_minutes() -> HumanDuration {
    seconds(300)
}

fn pagerduty_url() -> String {
    "https://events.pagerduty.com".to_owned()
}

fn source() -> String {
    "rollout-judge".to_owned()
}
