//! What a type cannot say about `receivers`, `routes` and `alerts`.

use super::{
    error::{Mistakes, SettingsError, mistake, nearest},
    receivers::{Address, KINDS, MailTls, ReceiverSettings, RouteSettings},
    settings::Settings,
    source::HeaderValue,
    template::Template,
    units::HumanDuration,
    url::plain,
};
use crate::domain::{EventKind, Severity};
use std::time::Duration;

const MAX_NAME: usize = 63;

const SECRET: &str = "may hold a secret; keep the whole URL in a file and give `url: { file: PATH }`, or in the environment, `url: { env: NAME }`";

/// Finds receivers and routes that cannot work.
pub fn check(settings: &Settings, found: &mut Mistakes<'_>) {
    let places = found.places();
    for (name, receiver) in &settings.receivers {
        let wrong = |key: &str, message: String| {
            let key = if key.is_empty() {
                format!("receivers.{name}")
            } else {
                format!("receivers.{name}.{key}")
            };
            mistake(places, &key, message)
        };
        if let Err(error) = one(name, receiver, &wrong) {
            found.note(Err(error));
            continue;
        }
        found.note(numbers(receiver, &wrong));
        found.note(kind(receiver, &wrong));
        for (key, text) in [("title", &receiver.title), ("body", &receiver.body)] {
            found.note(template(key, text.as_deref(), &wrong));
        }
    }
    let names: Vec<String> = settings.receivers.keys().cloned().collect();
    for (i, route) in settings.routes.iter().enumerate() {
        let wrong =
            |key: &str, message: String| mistake(places, &format!("routes[{i}].{key}"), message);
        found.note(check_route(route, &names, &wrong));
    }
    let alerts = &settings.alerts;
    if !between(alerts.poll, 100, 60_000) {
        found.add("alerts.poll", "is out of range; give 100ms to 1m");
    }
    if alerts.max_messages == 0 || alerts.max_messages > 1000 {
        found.add("alerts.maxMessages", "is out of range; give 1 to 1000");
    }
    if !between(alerts.within, 1000, 86_400_000) {
        found.add("alerts.within", "is out of range; give 1s to 24h");
    }
    for (key, span) in [
        ("alerts.inconclusiveAfter", alerts.inconclusive_after),
        ("alerts.vanishedAfter", alerts.vanished_after),
    ] {
        if !between(span, 1000, 7 * 86_400_000) {
            found.add(key, "is out of range; give 1s to 7d");
        }
    }
}

type Wrong<'a> = dyn Fn(&str, String) -> SettingsError + 'a;

fn one(name: &str, receiver: &ReceiverSettings, wrong: &Wrong<'_>) -> Result<(), SettingsError> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(sound) {
        let message =
            format!("is no name; give letters, digits, `-`, `_` and `.`, at most {MAX_NAME}");
        return Err(wrong("", message));
    }
    let kinds = receiver.kinds();
    match kinds.as_slice() {
        [_] => {}
        [] => {
            let message = format!("says not how to tell it; add one of: {}", KINDS.join(", "));
            return Err(wrong("", message));
        }
        [_, second, ..] => {
            let message = format!(
                "is of {} kinds; make a receiver for each of: {}",
                kinds.len(),
                kinds.join(", ")
            );
            return Err(wrong(second, message));
        }
    }
    Ok(())
}

fn template(key: &str, text: Option<&str>, wrong: &Wrong<'_>) -> Result<(), SettingsError> {
    let Some(text) = text else { return Ok(()) };
    let read = Template::parse(text, str::to_owned);
    read.map(drop).map_err(|words| {
        wrong(
            key,
            format!("is not a template that works: {words}; mend it or remove the key"),
        )
    })
}

fn numbers(receiver: &ReceiverSettings, wrong: &Wrong<'_>) -> Result<(), SettingsError> {
    let spans = [
        ("timeout", receiver.timeout, 100, 60_000, "100ms to 1m"),
        (
            "connectTimeout",
            receiver.connect_timeout,
            10,
            60_000,
            "10ms to 1m",
        ),
        (
            "maxAge",
            receiver.max_age,
            1000,
            30 * 86_400_000,
            "1s to 30d",
        ),
        (
            "minBackoff",
            receiver.min_backoff,
            100,
            3_600_000,
            "100ms to 1h",
        ),
        (
            "maxBackoff",
            receiver.max_backoff,
            100,
            86_400_000,
            "100ms to 24h",
        ),
    ];
    for (key, span, least, most, words) in spans {
        if !between(span, least, most) {
            return Err(wrong(key, format!("is out of range; give {words}")));
        }
    }
    if receiver.min_backoff.0 > receiver.max_backoff.0 {
        return Err(wrong(
            "minBackoff",
            "is longer than `maxBackoff`; make it shorter".to_owned(),
        ));
    }
    if !(1..=100).contains(&receiver.max_concurrent) {
        return Err(wrong(
            "maxConcurrent",
            "is out of range; give 1 to 100".to_owned(),
        ));
    }
    if !(1..=6000).contains(&receiver.per_minute) {
        return Err(wrong(
            "perMinute",
            "is out of range; give 1 to 6000".to_owned(),
        ));
    }
    if !(1024..=1 << 20).contains(&receiver.max_response.0) {
        return Err(wrong(
            "maxResponse",
            "is out of range; give 1KiB to 1MiB".to_owned(),
        ));
    }
    Ok(())
}

fn kind(receiver: &ReceiverSettings, wrong: &Wrong<'_>) -> Result<(), SettingsError> {
    let kind = receiver.kinds().first().copied().unwrap_or_default();
    let at = |key: &str| format!("{kind}.{key}");
    if let Some(Address::Plain(url)) = receiver.address() {
        plain(url, SECRET).map_err(|words| wrong(&at("url"), words.to_owned()))?;
    }
    if let Some(pagerduty) = &receiver.pagerduty {
        plain(&pagerduty.url, SECRET).map_err(|words| wrong(&at("url"), words.to_owned()))?;
    }
    let headers = [
        receiver.webhook.as_ref().map(|w| &w.headers),
        receiver.alertmanager.as_ref().map(|a| &a.headers),
        receiver.cloudevents.as_ref().map(|c| &c.headers),
    ];
    for (name, value) in headers.into_iter().flatten().flatten() {
        if matches!(value, HeaderValue::Literal(_)) && name.eq_ignore_ascii_case("authorization") {
            let message = "is a secret; give `{ file: PATH }` or `{ env: NAME }`".to_owned();
            return Err(wrong(&at(&format!("headers.{name}")), message));
        }
    }
    if let Some(webhook) = &receiver.webhook
        && webhook.secrets.is_empty()
    {
        let message = "is empty, so that nobody could tell our messages from others; add `{ file: PATH }` of a `whsec_` key";
        return Err(wrong(&at("secrets"), message.to_owned()));
    }
    if let Some(alertmanager) = &receiver.alertmanager {
        for label in alertmanager.labels.keys() {
            if !is_label(label) {
                let message = "is no name of a label; give letters, digits and `_`, and none of ours: alertname, event, severity, namespace, rollout".to_owned();
                return Err(wrong(&at(&format!("labels.{label}")), message));
            }
        }
        if !between(alertmanager.lasts, 60_000, 30 * 86_400_000) {
            return Err(wrong(
                &at("lasts"),
                "is out of range; give 1m to 30d".to_owned(),
            ));
        }
        let repeat = alertmanager.repeat;
        if !repeat.0.is_zero() && !between(repeat, 1000, 86_400_000) {
            return Err(wrong(
                &at("repeat"),
                "is out of range; give 1s to 24h, or 0s for never".to_owned(),
            ));
        }
    }
    if let Some(events) = &receiver.cloudevents
        && (events.source.is_empty()
            || events
                .source
                .chars()
                .any(|c| c.is_control() || c.is_whitespace()))
    {
        return Err(wrong(
            &at("source"),
            "is not a URI reference; give for example `rollout-judge`".to_owned(),
        ));
    }
    if let Some(email) = &receiver.email {
        let host = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
        if email.host.is_empty() || !email.host.chars().all(host) {
            return Err(wrong(
                &at("host"),
                "is not a host; give its name, the port is `port`".to_owned(),
            ));
        }
        if email.auth.is_some() && email.tls == MailTls::None {
            let message =
                "is `none` although a password is sent; say `starttls` or `tls`".to_owned();
            return Err(wrong(&at("tls"), message));
        }
        if !is_mailbox(&email.from) {
            return Err(wrong(
                &at("from"),
                "is not an address; give for example `judge@example.org`".to_owned(),
            ));
        }
        if email.to.is_empty() {
            return Err(wrong(
                &at("to"),
                "is empty; give at least one address".to_owned(),
            ));
        }
        for (i, to) in email.to.iter().enumerate() {
            if !is_mailbox(to) {
                return Err(wrong(
                    &at(&format!("to[{i}]")),
                    "is not an address; give for example `sre@example.org`".to_owned(),
                ));
            }
        }
    }
    Ok(())
}

fn check_route(
    route: &RouteSettings,
    names: &[String],
    wrong: &Wrong<'_>,
) -> Result<(), SettingsError> {
    if route.to.is_empty() {
        return Err(wrong(
            "to",
            "is empty; give names of `receivers`".to_owned(),
        ));
    }
    for (i, to) in route.to.iter().enumerate() {
        if !names.contains(to) {
            let message = format!("`{to}` is not one of `receivers`; {}", hint(to, names));
            return Err(wrong(&format!("to[{i}]"), message));
        }
    }
    let kinds: Vec<String> = EventKind::ALL
        .iter()
        .filter(|kind| **kind != EventKind::Delivered)
        .map(|kind| kind.as_str().to_owned())
        .collect();
    for (i, event) in route.matching.events.iter().enumerate() {
        let key = format!("match.events[{i}]");
        if event == EventKind::Delivered.as_str() {
            let message =
                "would be told for ever, each message about the one before; remove it".to_owned();
            return Err(wrong(&key, message));
        }
        if !kinds.contains(event) {
            return Err(wrong(
                &key,
                format!("`{event}` is not an event; {}", hint(event, &kinds)),
            ));
        }
    }
    if let Some(word) = &route.matching.severity
        && severity(word).is_none()
    {
        let message = format!("`{word}` is not a severity; give `info`, `warning` or `critical`");
        return Err(wrong("match.severity", message));
    }
    Ok(())
}

/// The severity of a word.
pub fn severity(word: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == word)
}

fn hint(word: &str, known: &[String]) -> String {
    nearest(word, known).map_or_else(
        || format!("there is: {}", known.join(", ")),
        |best| format!("did you mean `{best}`?"),
    )
}

fn between(span: HumanDuration, least: u64, most: u64) -> bool {
    (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&span.0)
}

fn is_label(name: &str) -> bool {
    let ours = ["alertname", "event", "severity", "namespace", "rollout"];
    let first = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !ours.contains(&name)
}

/// `name@host`, or `Words <name@host>`; the mailer looks closer.
fn is_mailbox(text: &str) -> bool {
    let inner = text
        .rsplit_once('<')
        .map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    let sound = !text.chars().any(char::is_control);
    sound
        && inner.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !inner.contains(' ')
        })
}
