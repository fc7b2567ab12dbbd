//! Starts the write-back: one loop for each target.

use crate::{
    cli::run::Stop,
    config::write_back::WriteBackSettings,
    domain::VerdictStore,
    telemetry::Metrics,
    writeback::{Pace, Pump, Tally, targets},
};
use std::sync::Arc;

/// Counts on the metrics page.
struct Counted(Arc<Metrics>);

impl Tally for Counted {
    fn written(&self, target: &'static str, count: u64) {
        self.0.write_back(target, "written", count);
    }

    fn dropped(&self, target: &'static str) {
        self.0.write_back(target, "dropped", 1);
    }

    fn failed(&self, target: &'static str) {
        self.0.write_back(target, "failed", 1);
    }
}

/// Starts what the settings name, on the present runtime; links in annotations begin with `public_url`.
pub(super) fn start(
    settings: &WriteBackSettings,
    public_url: &str,
    store: &Arc<dyn VerdictStore>,
    metrics: &Arc<Metrics>,
) -> Result<(), Stop> {
    let targets = targets(settings, public_url).map_err(|error| Stop::usage(error.to_string()))?;
    for target in targets {
        let tally = Arc::new(Counted(Arc::clone(metrics)));
        let pump = Pump::new(Arc::clone(store), target, tally, Pace::default());
        tokio::spawn(pump.run());
    }
    Ok(())
}
