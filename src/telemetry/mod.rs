//! Logs, traces and the list of exported metrics.

pub mod logs;
pub mod measured;
pub mod metrics;
pub mod sources;
mod table;
pub mod traces;

pub use logs::{LogFormat, LogOptions};
pub use measured::Measured;
pub use metrics::{Metrics, Scraped};
pub use sources::{SourceLog, SourceRecord};
pub use traces::OtlpOptions;

/// Starts logs, and traces where they are asked for. Call it once, outside of any async runtime.
pub fn start(logs: &LogOptions, otlp: Option<&OtlpOptions>) -> Result<Guard, StartError> {
    let provider = otlp.map(traces::provider).transpose()?;
    logs::install(logs, provider.as_ref())?;
    Ok(Guard(provider))
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `telemetry.log.filter` cannot be read.
    #[error(
        "`telemetry.log.filter` is not a filter: {0}; give a level like `info` or `warn,rollout_judge=debug`"
    )]
    Filter(String),
    /// The OTLP exporter cannot be built.
    #[error("`telemetry.otlp` cannot be used: {0}")]
    Otlp(String),
    /// The file for log lines cannot be written.
    #[error("log file `{path}`: {error}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Somebody else has installed a subscriber.
    #[error("logs were started twice")]
    Twice,
}

/// Sends what is left when it is dropped. Drop it outside of any async runtime.
pub struct Guard(Option<opentelemetry_sdk::trace::SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
