//! A blocking HTTP client for tests.

use reqwest::{Client, Method, redirect, retry};
use serde_json::Value;
use std::{fmt::Write, sync::LazyLock, time::Duration};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    rollout_judge::source::tls::install_provider();
    // as Argo Rollouts calls: no tries of its own, gzip decoded, up to ten redirects
    Client::builder()
        .user_agent("Go-http-client/1.1")
        .no_proxy()
        .retry(retry::never())
        .redirect(redirect::Policy::limited(10))
        .http1_only()
        .build()
        .unwrap()
});

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let pair = self.headers.iter().find(|(n, _)| n == name)?;
        Some(&pair.1)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the answer where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("status {}, not JSON ({e}): {}", self.status, self.text()))
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [(String, String)],
    pub body: Vec<u8>,
    pub timeout: Duration,
}

impl Call<'_> {
    /// Sends it and reads the whole answer, all within `timeout`; the error is the client's text.
    pub fn send(self) -> Result<Answer, String> {
        RUNTIME.block_on(async {
            let method = Method::from_bytes(self.method.as_bytes()).map_err(|e| e.to_string())?;
            let mut request = CLIENT.request(method, self.url).timeout(self.timeout);
            for (name, value) in self.headers {
                request = request.header(name, value);
            }
            let answer = request.body(self.body).send().await.map_err(causes)?;
            let headers = answer.headers().iter();
            let headers = headers
                .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into()))
                .collect();
            let status = answer.status().as_u16();
            let body = answer.bytes().await.map_err(causes)?.to_vec();
            Ok(Answer {
                status,
                headers,
                body,
            })
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn causes(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub fn get(url: &str) -> Result<Answer, String> {
    Call {
        method: "GET",
        url,
        headers: &[],
        body: Vec::new(),
        timeout: PATIENCE,
    }
    .send()
}

pub fn post(url: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Result<Answer, String> {
    Call {
        method: "POST",
        url,
        headers: &[("content-type".to_owned(), content_type.to_owned())],
        body: body.into(),
        timeout: PATIENCE,
    }
    .send()
}

/// Percent-encodes a form value.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}
