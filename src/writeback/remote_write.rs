//! Prometheus remote write 1.0: protobuf in a snappy block.

use super::{
    BuildError, Item, SendError, Target,
    client::Http,
    series::{self, Batch},
};
use crate::{
    config::write_back::TargetSettings,
    domain::{Event, ports::BoxFuture},
};
use prost::Message;
use reqwest::Method;
use std::collections::BTreeMap;

/// Verdicts of one request.
const MOST: usize = 100;

/// `prometheus.WriteRequest`
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`
#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

/// `prometheus.Label`
#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// `prometheus.Sample`
#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// A receiver of remote write.
pub struct RemoteWrite {
    http: Http,
    labels: BTreeMap<String, String>,
}

impl RemoteWrite {
    /// A receiver; `labels` go to each series.
    pub fn new(
        settings: &TargetSettings,
        labels: &BTreeMap<String, String>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            http: Http::new(
                "remoteWrite",
                &settings.url,
                settings.auth.clone(),
                settings.headers.clone(),
                (settings.ca.as_ref(), settings.timeout.0),
            )?,
            labels: labels.clone(),
        })
    }
}

fn encode(batch: Batch) -> Result<Vec<u8>, SendError> {
    let timeseries = batch.into_iter().map(|(labels, samples)| TimeSeries {
        labels: labels
            .into_iter()
            .map(|(name, value)| Label { name, value })
            .collect(),
        samples: samples
            .into_iter()
            .map(|(timestamp, value)| Sample { value, timestamp })
            .collect(),
    });
    let request = WriteRequest {
        timeseries: timeseries.collect(),
    };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .map_err(|error| SendError::Refused {
            detail: error.to_string(),
        })
}

impl Target for RemoteWrite {
    fn name(&self) -> &'static str {
        "remote-write"
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
            let body = encode(batch)?;
            self.http
                .call(Method::POST, self.http.url.clone(), |request| {
                    request
                        .header("content-type", "application/x-protobuf")
                        .header("content-encoding", "snappy")
                        .header("x-prometheus-remote-write-version", "0.1.0")
                        .body(body)
                })
                .await?;
            Ok(count)
        })
    }
}
