//! `/api/v1/import` of VictoriaMetrics: one JSON object a line for each series.

use super::{
    BuildError, Item, SendError, Target,
    client::Http,
    series::{self, Batch},
};
use crate::{
    config::write_back::TargetSettings,
    domain::{Event, Millis, ports::BoxFuture},
};
use reqwest::Method;
use serde::Serialize;
use std::collections::BTreeMap;

/// Verdicts of one request.
const MOST: usize = 100;

/// A VictoriaMetrics.
pub struct Import {
    http: Http,
    labels: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Line {
    metric: BTreeMap<String, String>,
    values: Vec<f64>,
    timestamps: Vec<Millis>,
}

impl Import {
    /// A VictoriaMetrics; `labels` go to each series.
    pub fn new(
        settings: &TargetSettings,
        labels: &BTreeMap<String, String>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            http: Http::new(
                "import",
                &settings.url,
                settings.auth.clone(),
                settings.headers.clone(),
                (settings.ca.as_ref(), settings.timeout.0),
            )?,
            labels: labels.clone(),
        })
    }
}

fn lines(batch: Batch) -> Vec<u8> {
    let mut out = Vec::new();
    for (labels, samples) in batch {
        let line = Line {
            metric: labels.into_iter().collect(),
            timestamps: samples.keys().copied().collect(),
            values: samples.into_values().collect(),
        };
        // writing to memory does not fail
        let _ = serde_json::to_writer(&mut out, &line);
        out.push(b'\n');
    }
    out
}

impl Target for Import {
    fn name(&self) -> &'static str {
        "import"
    }

    fn wants(&self, event: &Event) -> bool {
        series::wanted(event)
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send<'a>(&'a self, items: &'a [Item]) -> BoxFuture<'a, Result<u64, SendError>> {
        Box::pin(async move {
            let batch = series::batch(items, &self.labels);
            let count = series::count(&batch);
            if count == 0 {
                return Ok(0);
            }
            let body = lines(batch);
            self.http
                .call(Method::POST, self.http.url.clone(), |request| {
                    request
                        .header("content-type", "application/json")
                        .body(body)
                })
                .await?;
            Ok(count)
        })
    }
}
