//! One POST: no redirect is followed, little of the answer is read, and no error holds an address or a secret.

use crate::{
    config::{
        receivers::{Address, ReceiverSettings},
        secrets::Secret,
        source::HeaderValue,
    },
    domain::{Millis, NotifyError},
    net::{self, ClientError, Trust, causes, scrub},
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue as Value, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A receiver that asks for more patience than this is asked again anyway.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Parts of an address that are shorter than this are words, not secrets.
const SECRET_LENGTH: usize = 8;
/// A word of a path that is as long as this is no word.
const LONGEST_WORD: usize = 16;

/// Sends to one receiver.
pub struct Caller {
    client: Client,
    timeout: Duration,
    max_response: usize,
}

/// Where to, with what must never be repeated.
pub struct Target {
    /// The address.
    pub url: Url,
    /// The parts of it that may be secret.
    pub secrets: Vec<SecretString>,
}

impl Caller {
    /// A caller with a receiver's limits; `plain` where TLS is never spoken.
    pub fn new(settings: &ReceiverSettings, plain: bool) -> Result<Self, ClientError> {
        let trust = Trust {
            ca: settings.ca.as_deref(),
            certificate: None,
            plain,
        };
        let client = net::client(settings.connect_timeout.0, trust)?
            .no_gzip()
            .build()
            .map_err(|e| ClientError {
                setting: "ca",
                detail: causes(e),
            })?;
        Ok(Self {
            client,
            timeout: settings.timeout.0,
            max_response: usize::try_from(settings.max_response.0).unwrap_or(64 << 10),
        })
    }

    /// Posts once, inside the timeout.
    pub async fn post(
        &self,
        target: Target,
        headers: HeaderMap,
        body: Vec<u8>,
        now: Millis,
    ) -> Result<(), NotifyError> {
        let until = Instant::now() + self.timeout;
        let request = self.client.post(target.url).headers(headers).body(body);
        let response = match timeout_at(until, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(later(scrub(&causes(error), &target.secrets))),
            Err(_) => return Err(later(format!("no answer within {:?}", self.timeout))),
        };
        let status = response.status();
        if status.is_success() {
            // what it says does not matter any more, but an answer that is read to its end keeps the connection
            let soon = until.min(Instant::now() + Duration::from_secs(1));
            let _ = timeout_at(soon, self.words(response)).await;
            return Ok(());
        }
        let after = patience(response.headers(), now);
        let words = timeout_at(until, self.words(response)).await;
        let words = scrub(&words.unwrap_or_default(), &target.secrets);
        Err(refusal(status, after, &words))
    }

    /// The beginning of an answer.
    async fn words(&self, mut response: Response) -> String {
        let mut text = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = self.max_response.saturating_sub(text.len());
            text.extend(chunk.iter().take(room));
            if text.len() >= self.max_response {
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn refusal(status: StatusCode, after: Option<Duration>, words: &str) -> NotifyError {
    let said = if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    };
    if status.is_redirection() {
        return later(format!(
            "answered {status}, and redirects are not followed; give the final address as `url`"
        ));
    }
    let detail = format!("answered {status}{said}");
    let again = status.is_server_error()
        || matches!(status.as_u16(), 408 | 425 | 429)
        || status.is_informational();
    if again {
        NotifyError::Later { detail, after }
    } else {
        NotifyError::Refused { detail }
    }
}

/// `Retry-After`, in seconds or as a date.
fn patience(headers: &HeaderMap, now: Millis) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
            Duration::from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64()))
        }
        Ok(_) => return None,
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new()
                .parse_timestamp(text)
                .ok()?;
            let wait = date.as_millisecond().saturating_sub(now).max(0);
            Duration::from_millis(wait.unsigned_abs())
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Another try may help.
pub fn later(detail: String) -> NotifyError {
    NotifyError::Later {
        detail,
        after: None,
    }
}

/// Is it plain HTTP, as far as that is known now?
pub fn is_plain(address: &Address) -> bool {
    match address {
        Address::Plain(url) => url.starts_with("http://"),
        Address::Secret(secret) => secret
            .read()
            .is_ok_and(|url| url.expose_secret().starts_with("http://")),
    }
}

/// Text that is no address. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`url` is not an address; it begins with `http://` or `https://`")]
pub struct AddressError;

/// An address that can be called.
pub fn parse(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError)?;
    let callable = matches!(url.scheme(), "http" | "https") && url.has_host();
    callable.then_some(url).ok_or(AddressError)
}

/// The address as of now.
pub fn target(address: &Address) -> Result<Target, NotifyError> {
    let parse = |text: &str| parse(text).map_err(|error| later(error.to_string()));
    let (url, whole) = match address {
        Address::Plain(text) => (parse(text)?, None),
        Address::Secret(secret) => {
            let text = read(secret)?;
            (parse(text.expose_secret())?, Some(text))
        }
    };
    let long = |part: &String| part.len() >= SECRET_LENGTH;
    let segments = url.path_segments().into_iter().flatten();
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let parts = [url.path(), url.query().unwrap_or_default()].map(str::to_owned);
    let secrets = segments
        .filter(|segment| is_token(segment))
        .map(str::to_owned)
        .chain(values.chain(url.password().map(str::to_owned)).filter(long))
        .chain(parts.into_iter().filter(long));
    // the longest first: what it holds is struck out with it
    let mut secrets: Vec<String> = secrets.collect();
    secrets.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let secrets = whole
        .into_iter()
        .chain(secrets.into_iter().map(SecretString::from))
        .collect();
    Ok(Target { url, secrets })
}

/// A segment of a path that may be a key: `refused` and `webhooks` are words that errors use too.
fn is_token(segment: &str) -> bool {
    let word = segment.chars().all(|c| c.is_ascii_lowercase());
    segment.len() >= if word { LONGEST_WORD } else { SECRET_LENGTH }
}

/// A secret as of now.
pub fn read(secret: &Secret) -> Result<SecretString, NotifyError> {
    secret.read().map_err(|error| later(error.to_string()))
}

/// Adds the configured headers; secret ones go to `secrets`.
pub fn headers(
    configured: &BTreeMap<String, HeaderValue>,
    secrets: &mut Vec<SecretString>,
) -> Result<HeaderMap, NotifyError> {
    let mut out = HeaderMap::new();
    for (name, value) in configured {
        let text = match value {
            HeaderValue::Literal(text) => SecretString::from(text.as_str()),
            HeaderValue::Secret(secret) => {
                let text = read(secret)?;
                secrets.push(text.clone());
                text
            }
        };
        let pair = HeaderName::try_from(name.as_str())
            .ok()
            .zip(Value::try_from(text.expose_secret()).ok());
        let Some((name, mut value)) = pair else {
            return Err(later(format!(
                "header `{name}` has characters no header can have; mend it"
            )));
        };
        value.set_sensitive(true);
        out.insert(name, value);
    }
    Ok(out)
}

/// Sets a header of ours; a value that cannot be one is left out.
pub fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = Value::try_from(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_read_in_both_forms_and_bounded() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, Value::from_static(text));
            patience(&headers, 1_767_366_245_000).map(|d| d.as_secs())
        };
        assert_eq!(of("7"), Some(7));
        assert_eq!(of("999999999"), Some(3600));
        assert_eq!(of("Fri, 02 Jan 2026 15:04:35 GMT"), Some(30));
        assert_eq!(of("Fri, 02 Jan 2015 15:04:35 GMT"), Some(0));
        for none in ["", "soon", "-1", "NaN"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn tokens_of_an_address_are_struck_out_and_words_stay() {
        let url =
            "http://u:hunter2!@h/refused/webhooks/T0AB12CD9/aaaabbbbccccdddd?key=s3cr3t-1&a=b";
        let target = target(&Address::Plain(url.to_owned())).unwrap();
        let said = scrub(
            "Connection refused (os error 111) webhooks T0AB12CD9 aaaabbbbccccdddd s3cr3t-1 hunter2! b",
            &target.secrets,
        );
        assert_eq!(
            said,
            "Connection refused (os error 111) webhooks *** *** *** *** b"
        );
    }

    #[test]
    fn which_answers_are_tried_again() {
        for (status, again) in [
            (500, true),
            (503, true),
            (408, true),
            (425, true),
            (429, true),
            (302, true),
            (400, false),
            (401, false),
            (404, false),
            (410, false),
            (413, false),
        ] {
            let found = refusal(StatusCode::from_u16(status).unwrap(), None, "");
            assert_eq!(
                matches!(found, NotifyError::Later { .. }),
                again,
                "{status}"
            );
        }
    }
}
