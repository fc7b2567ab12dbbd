//! Spans to an OpenTelemetry collector: OTLP over HTTP with protobuf.
//!
//! The exporter has its own thread with a blocking client, so it needs no async runtime.

use super::StartError;
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, Tracer},
};
use std::{collections::HashMap, time::Duration};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::LevelFilter, registry::LookupSpan};

/// `telemetry.otlp`
#[derive(Debug, Clone)]
pub struct OtlpOptions {
    /// Base URL of the collector; spans go to `/v1/traces` below it.
    pub endpoint: String,
    /// Extra headers, for example a token.
    pub headers: HashMap<String, String>,
    /// Time for one export.
    pub timeout: Duration,
    /// Share of requests that are traced.
    pub sample: f64,
    /// `service.name`
    pub service_name: String,
}

/// Builds the exporter and its thread.
pub fn provider(options: &OtlpOptions) -> Result<SdkTracerProvider, StartError> {
    let base = options.endpoint.trim_end_matches('/');
    let endpoint = if base.ends_with("/v1/traces") {
        base.to_owned()
    } else {
        format!("{base}/v1/traces")
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(options.timeout)
        .with_headers(options.headers.clone())
        .build()
        .map_err(|error| StartError::Otlp(error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name(options.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.sample)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build())
}

/// The layer that hands spans to the exporter.
pub fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let tracer: Tracer = provider.tracer("rollout-judge");
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_filter(LevelFilter::INFO)
}

/// Makes the span of a caller the parent of ours, as its headers `traceparent` and `tracestate` say. Not after ours was entered.
pub fn follow(span: &Span, parent: Option<&str>, state: Option<&str>) {
    let Some(parent) = parent else { return };
    let named = [
        ("traceparent", parent),
        ("tracestate", state.unwrap_or_default()),
    ];
    let headers: HashMap<String, String> = named
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let context = TraceContextPropagator::new().extract(&headers);
    if context.span().span_context().is_valid() {
        // fails where no traces are sent
        let _ = span.set_parent(context);
    }
}
