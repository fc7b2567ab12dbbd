//! One HTTP call: address, credentials, and what its answer means.

use super::SendError;
use crate::{
    config::{
        secrets::{Secret, SecretError},
        source::{Auth, HeaderValue},
    },
    net::{self, ClientError, Trust, causes, scrub},
};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{HeaderName, HeaderValue as Value, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Bytes of an answer that are read at most.
const ANSWER: usize = 64 << 10;

/// Why a target cannot be made from its settings. `Display` never holds credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("writeBack.{target}: `{setting}` {detail}")]
pub struct BuildError {
    /// The key under `writeBack`.
    pub target: &'static str,
    /// The setting.
    pub setting: String,
    /// What is wrong.
    pub detail: String,
}

/// A client of one target.
pub(super) struct Http {
    client: Client,
    pub url: Url,
    auth: Option<Auth>,
    headers: BTreeMap<String, HeaderValue>,
}

impl Http {
    pub fn new(
        target: &'static str,
        url: &str,
        auth: Option<Auth>,
        headers: BTreeMap<String, HeaderValue>,
        (ca, timeout): (Option<&PathBuf>, Duration),
    ) -> Result<Self, BuildError> {
        let wrong = |setting: &str, detail: String| BuildError {
            target,
            setting: setting.to_owned(),
            detail,
        };
        let url = Url::parse(url).map_err(|e| wrong("url", format!("is not an address: {e}")))?;
        let trust = Trust {
            ca: ca.map(PathBuf::as_path),
            certificate: None,
            plain: url.scheme() == "http",
        };
        let client = net::client(timeout, trust)
            .map_err(|ClientError { setting, detail }| {
                wrong(setting, format!("cannot be used: {detail}"))
            })?
            .timeout(timeout);
        for (name, value) in &headers {
            let sound = HeaderName::try_from(name.as_str()).is_ok()
                && match value {
                    HeaderValue::Literal(text) => Value::try_from(text.as_str()).is_ok(),
                    HeaderValue::Secret(_) => true,
                };
            if !sound {
                let setting = format!("headers.{name}");
                return Err(wrong(&setting, "can never be sent".to_owned()));
            }
        }
        let client = client
            .build()
            .map_err(|e| wrong("url", format!("cannot be used: {}", causes(e))))?;
        Ok(Self {
            client,
            url,
            auth,
            headers,
        })
    }

    /// Sends a request and reads the answer, at most 64 KiB of it.
    pub async fn call(
        &self,
        method: Method,
        url: Url,
        shape: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Vec<u8>, SendError> {
        let request = shape(self.client.request(method, url));
        let (request, secrets) =
            authorize(request, self.auth.as_ref(), &self.headers).map_err(|error| later(&error))?;
        let later = |detail: String| SendError::Later {
            detail: scrub(&detail, &secrets),
            after: None,
        };
        let mut answer = request.send().await.map_err(|e| later(causes(e)))?;
        let status = answer.status();
        let after = patience(&answer);
        let mut body = Vec::new();
        while let Some(bytes) = answer.chunk().await.map_err(|e| later(causes(e)))? {
            body.extend_from_slice(&bytes);
            if body.len() > ANSWER {
                body.truncate(ANSWER);
                break;
            }
        }
        if status.is_success() {
            return Ok(body);
        }
        let said = scrub(&String::from_utf8_lossy(&body), &secrets);
        let detail = format!("it answered {status}: {said}");
        Err(match status {
            StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY => SendError::Refused { detail },
            _ => SendError::Later { detail, after },
        })
    }
}

fn later(error: &SecretError) -> SendError {
    SendError::Later {
        detail: error.to_string(),
        after: None,
    }
}

fn patience(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Adds headers and credentials, read now; returns the secrets, so that no error repeats them.
fn authorize(
    mut request: RequestBuilder,
    auth: Option<&Auth>,
    headers: &BTreeMap<String, HeaderValue>,
) -> Result<(RequestBuilder, Vec<SecretString>), SecretError> {
    let mut secrets = Vec::new();
    let mut read = |secret: &Secret| -> Result<SecretString, SecretError> {
        let secret = secret.read()?;
        secrets.push(secret.clone());
        Ok(secret)
    };
    for (header, value) in headers {
        request = match value {
            HeaderValue::Literal(text) => request.header(header, text),
            HeaderValue::Secret(secret) => {
                let mut value = Value::try_from(read(secret)?.expose_secret())
                    .map_err(|_| SecretError::Empty(format!("of header `{header}`")))?;
                value.set_sensitive(true);
                request.header(header, value)
            }
        };
    }
    request = match auth {
        None => request,
        Some(Auth::Bearer(secret)) => request.bearer_auth(read(secret)?.expose_secret()),
        Some(Auth::Basic(basic)) => {
            let password = read(&basic.password)?;
            request.basic_auth(&basic.username, Some(password.expose_secret()))
        }
    };
    Ok((request, secrets))
}
