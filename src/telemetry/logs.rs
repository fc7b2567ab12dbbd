//! Log lines, as text for people or JSON for machines, on standard error or in a file.

use super::{StartError, traces};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::{fs::File, io::IsTerminal, path::PathBuf, sync::Arc};
use tracing_subscriber::{
    EnvFilter, Layer, fmt::writer::BoxMakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `telemetry.log`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines: `info`, or `warn,rollout_judge=debug`.
    pub filter: String,
    /// Where lines go instead of standard error.
    pub file: Option<PathBuf>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
            file: None,
        }
    }
}

/// Installs the subscriber of the process.
pub fn install(
    options: &LogOptions,
    provider: Option<&SdkTracerProvider>,
) -> Result<(), StartError> {
    let filter =
        EnvFilter::try_new(&options.filter).map_err(|e| StartError::Filter(e.to_string()))?;
    let (writer, ansi) = match &options.file {
        None => {
            let ansi = std::io::stderr().is_terminal();
            (BoxMakeWriter::new(std::io::stderr), ansi)
        }
        Some(path) => {
            let file = File::create(path).map_err(|error| StartError::File {
                path: path.clone(),
                error,
            })?;
            (BoxMakeWriter::new(Arc::new(file)), false)
        }
    };
    let lines = match options.format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(ansi)
            .with_target(false)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    let spans = provider.map(traces::layer);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans)
        .try_init()
        .map_err(|_| StartError::Twice)
}
