//! One request: address, form, headers, credentials.

use super::{error::BuildError, prometheus, victoriametrics};
use crate::{
    config::{
        secrets::SecretError,
        source::{Auth, HeaderValue},
    },
    domain::{Millis, PlannedQuery, Shape, SourceKind},
};
use reqwest::{
    RequestBuilder, Url,
    header::{HeaderName, HeaderValue as Value},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, time::Duration};

/// Checks the address and takes the slash off its end.
pub(super) fn base(name: &str, text: &str) -> Result<Url, BuildError> {
    let refuse = |detail: &str| BuildError::Url {
        name: name.to_owned(),
        detail: detail.to_owned(),
    };
    let mut url = Url::parse(text).map_err(|e| refuse(&format!("is not an address: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("must begin with `http://` or `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold credentials: use `auth.basic`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must end with a path"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The address of a query.
pub(super) fn endpoint(base: &Url, shape: Shape) -> Url {
    let call = match shape {
        Shape::Raw { .. } => "query",
        Shape::Range { .. } => "query_range",
    };
    let mut url = base.clone();
    let path = format!("{}/api/v1/{call}", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The form of a query, or why this kind of source cannot be asked.
pub(super) fn form(
    kind: SourceKind,
    query: &PlannedQuery,
    left: Duration,
) -> Result<Vec<(&'static str, String)>, &'static str> {
    let mut form = vec![("query", query.text.clone())];
    match query.shape {
        Shape::Raw { at } => form.push(("time", seconds(at))),
        Shape::Range { start, end, step } => form.extend([
            ("start", seconds(start)),
            ("end", seconds(end)),
            ("step", seconds(step)),
        ]),
    }
    form.push(("timeout", format!("{}ms", left.as_millis().max(1))));
    match kind {
        SourceKind::Scrape => Err("a source of kind `scrape` has no address"),
        SourceKind::Prometheus => match prometheus::refusal(query) {
            Some(why) => Err(why),
            None => Ok(form),
        },
        SourceKind::VictoriaMetrics => {
            form.extend(victoriametrics::parameters(query));
            Ok(form)
        }
    }
}

/// Seconds with exact milliseconds.
fn seconds(at: Millis) -> String {
    let sign = if at < 0 { "-" } else { "" };
    let at = at.unsigned_abs();
    format!("{sign}{}.{:03}", at / 1000, at % 1000)
}

/// Refuses headers that can never be sent.
pub(super) fn check_headers(
    name: &str,
    headers: &BTreeMap<String, HeaderValue>,
) -> Result<(), BuildError> {
    for (header, value) in headers {
        let refuse = |detail: &str| BuildError::Setting {
            name: name.to_owned(),
            setting: format!("headers.{header}"),
            detail: detail.to_owned(),
        };
        HeaderName::try_from(header.as_str()).map_err(|_| refuse("is not a header's name"))?;
        if let HeaderValue::Literal(text) = value {
            Value::try_from(text.as_str())
                .map_err(|_| refuse("has characters no header can have"))?;
        }
    }
    Ok(())
}

/// Adds headers and credentials, read now; returns the secrets, so that no error repeats them.
pub(super) fn authorize(
    mut request: RequestBuilder,
    headers: &BTreeMap<String, HeaderValue>,
    auth: Option<&Auth>,
) -> Result<(RequestBuilder, Vec<SecretString>), SecretError> {
    let mut secrets = Vec::new();
    for (header, value) in headers {
        request = match value {
            HeaderValue::Literal(text) => request.header(header, text),
            HeaderValue::Secret(secret) => {
                let secret = secret.read()?;
                let mut value = Value::try_from(secret.expose_secret())
                    .map_err(|_| SecretError::Empty(format!("of header `{header}`")))?;
                value.set_sensitive(true);
                secrets.push(secret);
                request.header(header, value)
            }
        };
    }
    match auth {
        None => {}
        Some(Auth::Bearer(secret)) => {
            let secret = secret.read()?;
            request = request.bearer_auth(secret.expose_secret());
            secrets.push(secret);
        }
        Some(Auth::Basic(basic)) => {
            let secret = basic.password.read()?;
            request = request.basic_auth(&basic.username, Some(secret.expose_secret()));
            secrets.push(secret);
        }
    }
    Ok((request, secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, end) in [
            ("http://a:1", Some("http://a:1/api/v1/query")),
            ("http://a:1/", Some("http://a:1/api/v1/query")),
            (
                "https://a/select/0/prometheus/",
                Some("https://a/select/0/prometheus/api/v1/query"),
            ),
            ("ftp://a", None),
            ("a:8428", None),
            ("http://user:pass@a", None),
            ("http://a/?x=1", None),
            ("", None),
        ] {
            let found = base("default", text);
            if let Err(error) = &found {
                assert!(!error.to_string().contains("pass@"), "{error}");
            }
            let found = found
                .ok()
                .map(|b| endpoint(&b, Shape::Raw { at: 0 }).to_string());
            assert_eq!(found.as_deref(), end, "{text}");
        }
    }

    #[test]
    fn moments() {
        for (at, text) in [
            (1_767_225_600_123, "1767225600.123"),
            (5, "0.005"),
            (-1500, "-1.500"),
        ] {
            assert_eq!(seconds(at), text);
        }
    }
}
