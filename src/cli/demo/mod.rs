//! `demo`: a simulated shop, the service itself, and a driver that acts as Argo Rollouts does, all in this process.
//!
//! ```text
//! Stage (shop, pods on loopback ports) <── scrapes ── serve (store, dashboard) <── POST /v1/verdicts ── Walk (asks, sets the weight)
//!        ^────────────────────────────────────── weight ──────────────────────────────────────────────────┘
//! ```

mod browser;
mod client;
mod folder;
mod news;
mod pace;
mod papers;
mod play;
mod rollout;
mod screen;
mod stage;
mod summary;
mod walk;

use super::{args::DemoArgs, run::Stop};
use crate::telemetry::{self, LogFormat, LogOptions};
use folder::Folder;
use std::time::Duration;

/// Exit 0 when every scene ended as it should, 1 when one did not.
pub fn run(args: &DemoArgs) -> Result<u8, Stop> {
    crate::source::tls::install_provider();
    let folder = Folder::open(args.data_dir.as_deref())?;
    let log = LogOptions {
        format: LogFormat::Text,
        filter: "info".to_owned(),
        file: Some(folder.path().join("rollout-judge.log")),
    };
    let guard = telemetry::start(&log, None).map_err(|error| Stop::failed(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::failed(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(play::play(args, &folder));
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(guard);
    outcome
}
