//! Verdicts and evidence on the metrics side, to be drawn beside the traffic.
//!
//! ```text
//!                      ┌─ remote write (protobuf, snappy) ─> Prometheus, VictoriaMetrics, ...
//! log of events ─ Pump ┼─ import (JSON lines) ─────────────> VictoriaMetrics
//!  (a cursor each)     └─ annotations ─────────────────────> Grafana
//! ```
//! Each target has its own place in the log, kept in the store: a dead one delays nobody, and nothing is lost over restarts.

mod client;
mod grafana;
mod import;
mod pump;
mod remote_write;
mod series;

#[cfg(test)]
mod tests;

use crate::{
    config::write_back::WriteBackSettings,
    domain::{Event, Record, ports::BoxFuture},
};
use std::{collections::BTreeMap, time::Duration};

pub use client::BuildError;
pub use grafana::Grafana;
pub use import::Import;
pub use pump::{Pace, Pump};
pub use remote_write::RemoteWrite;

/// An event with the verdict that goes with it, where that is still kept.
#[derive(Debug, Clone)]
pub struct Item {
    /// The event.
    pub event: Event,
    /// The verdict, for events of the kind `verdict`.
    pub record: Option<Record>,
}

/// Why a target did not take a batch. `Display` never holds credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try may help: no connection, 5xx, 429, or a mistake of the configuration such as 401 or 404.
    #[error("{detail}")]
    Later {
        /// What went wrong.
        detail: String,
        /// The target asks for this much patience.
        after: Option<Duration>,
    },
    /// The target refuses the data itself: too old, out of order, too large.
    #[error("{detail}")]
    Refused {
        /// What it said.
        detail: String,
    },
}

/// Where events go.
pub trait Target: Send + Sync {
    /// `remote-write`, `import` or `grafana`: the name of its place in the log, and in metrics.
    fn name(&self) -> &'static str;
    /// Is this event for it?
    fn wants(&self, event: &Event) -> bool;
    /// Items of one call.
    fn most(&self) -> usize;
    /// Sends a batch; gives the number of samples or annotations. Sending it again must do no harm.
    fn send<'a>(&'a self, batch: &'a [Item]) -> BoxFuture<'a, Result<u64, SendError>>;
}

/// Who counts.
pub trait Tally: Send + Sync {
    /// A target took so many samples or annotations.
    fn written(&self, target: &'static str, count: u64);
    /// A target refused an event's data for good.
    fn dropped(&self, target: &'static str);
    /// A try failed.
    fn failed(&self, target: &'static str);
}

/// The targets of the settings; `public_url` is how links begin.
pub fn targets(
    settings: &WriteBackSettings,
    public_url: &str,
) -> Result<Vec<Box<dyn Target>>, BuildError> {
    let labels: &BTreeMap<String, String> = &settings.labels;
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    if let Some(one) = &settings.remote_write {
        targets.push(Box::new(RemoteWrite::new(one, labels)?));
    }
    if let Some(one) = &settings.import {
        targets.push(Box::new(Import::new(one, labels)?));
    }
    if let Some(one) = &settings.grafana {
        targets.push(Box::new(Grafana::new(one, labels, public_url)?));
    }
    Ok(targets)
}
