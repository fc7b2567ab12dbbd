//! Targets from an address, as Prometheus' `http_sd` asks for them.

use super::{LONGEST, PATIENCE, group::Group};
use crate::{
    config::scrape::ScrapeSettings,
    net::{self, Trust, causes, scrub},
};
use reqwest::{RequestBuilder, header};

/// Asks it anew.
pub(super) async fn look(url: &str, settings: &ScrapeSettings) -> Result<Vec<Group>, String> {
    let trust = Trust {
        ca: settings.ca.as_deref(),
        certificate: None,
        plain: url.starts_with("http://"),
    };
    let client = net::client(PATIENCE, trust)
        .map_err(|error| error.to_string())?
        .gzip(true)
        .build()
        .map_err(causes)?;
    let request = client
        .get(url)
        .header(header::ACCEPT, "application/json")
        .header(
            "X-Prometheus-Refresh-Interval-Seconds",
            settings
                .discovery
                .refresh_interval
                .0
                .as_secs_f64()
                .to_string(),
        );
    let body = body(request).await?;
    serde_json::from_slice(&body).map_err(|error| format!("not a list of targets: {error}"))
}

/// The body of an answer with status 200.
pub(super) async fn body(request: RequestBuilder) -> Result<Vec<u8>, String> {
    let mut response = request.send().await.map_err(causes)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(causes)? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > LONGEST || (status != 200 && body.len() > 2000) {
            break;
        }
    }
    if status != 200 {
        let said = scrub(&String::from_utf8_lossy(&body), &[]);
        return Err(format!("{status}: {said}"));
    }
    if body.len() as u64 > LONGEST {
        return Err(format!("the answer has more than {LONGEST} bytes"));
    }
    Ok(body)
}
