//! The store, and the loops that tend it.

use crate::{
    cli::run::Stop,
    config::Settings,
    domain::{Clock, Retention},
    service::{Keeper, Patience, Pulse, retention, watch},
    store,
};
use std::sync::Arc;

/// Rows that one transaction removes.
const BATCH: u32 = 500;

/// Memory, and how news of it spreads.
pub struct Memory {
    /// The way from verdicts to the store.
    pub keeper: Keeper,
    /// Wakes those who wait for news.
    pub pulse: Arc<Pulse>,
}

impl Memory {
    /// Opens the store of the configuration.
    pub async fn open(settings: &Settings) -> Result<Self, Stop> {
        let store = store::open(&settings.store)
            .await
            .map_err(|error| Stop::failed(error.to_string()))?;
        let pulse = Arc::new(Pulse::default());
        let poked = Arc::clone(&pulse);
        Ok(Self {
            keeper: Keeper {
                store,
                patience: Patience::default(),
                addressees: Arc::new(|_, _| Vec::new()),
                poke: Arc::new(move || poked.poke()),
            },
            pulse,
        })
    }

    /// Starts the loops that need nobody's answer.
    pub fn tend(&self, settings: &Settings, clock: &Arc<dyn Clock>) {
        let store = &settings.store;
        let retention = Retention {
            max_age: i64::try_from(store.max_age.0.as_millis()).unwrap_or(i64::MAX),
            max_bytes: store.max_bytes.0,
            batch: BATCH,
        };
        let kept = Arc::clone(&self.keeper.store);
        tokio::spawn(retention::keep_small(kept, retention, Arc::clone(clock)));
        tokio::spawn(watch::watch(self.keeper.clone(), Arc::clone(clock)));
    }
}
