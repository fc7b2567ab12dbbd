//! Asks the service over HTTP, as the controller of Argo Rollouts does.

use super::rollout::Answer;
use crate::net::{Trust, client};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};

/// As the `web` metric: connection, redirects and body together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A caller of one service.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    base: String,
}

impl Caller {
    /// For the service at this address.
    pub fn new(service: SocketAddr) -> Result<Self, String> {
        let trust = Trust {
            plain: true,
            ..Trust::default()
        };
        let client = client(TIMEOUT, trust)
            .map_err(|error| error.to_string())?
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| error.to_string())?;
        let base = format!("http://{service}");
        Ok(Self { client, base })
    }

    /// How addresses of the service begin.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Is the service ready?
    pub async fn ready(&self) -> bool {
        let answer = self.client.get(format!("{}/readyz", self.base)).send();
        answer
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// One question, one answer; anything but a verdict is what Argo calls an error.
    pub async fn ask(&self, question: &Value) -> Result<Answer, String> {
        let call = self
            .client
            .post(format!("{}/v1/verdicts", self.base))
            .header("content-type", "application/json")
            .body(question.to_string());
        let answer = call.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| error.to_string())?;
        if status != StatusCode::OK {
            return Err(format!("{status} {}", String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| format!("answer of another shape: {error}"))
    }
}
