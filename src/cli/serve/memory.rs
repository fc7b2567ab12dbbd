//! The store, and the loops that tend it.

use super::alerts;
use crate::{
    cli::run::Stop,
    config::Settings,
    domain::{Clock, Millis, Retention},
    service::{Keeper, Patience, Policies, Pulse, outbox::Workers, retention, watch},
    store,
    telemetry::Metrics,
};
use std::{sync::Arc, time::Duration};

/// Rows that one transaction removes.
const BATCH: u32 = 500;

/// Memory, and how news of it spreads.
pub struct Memory {
    /// The way from verdicts to the store.
    pub keeper: Keeper,
    /// Wakes those who wait for news.
    pub pulse: Arc<Pulse>,
    /// Those who tell.
    workers: Workers,
}

impl Memory {
    /// Opens the store of the configuration, and starts those who tell what is queued there.
    pub async fn open(
        settings: &Settings,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, Stop> {
        let store = store::open(&settings.store).await.map_err(|error| {
            Stop::failed(format!("store.url `{}`: {error}", settings.store.shown()))
        })?;
        let pulse = Arc::new(Pulse::default());
        let (poked, wrote) = (Arc::clone(&pulse), Arc::clone(&pulse));
        let (routes, workers) = alerts::start(
            settings,
            Arc::clone(&store),
            Arc::clone(clock),
            Arc::clone(metrics),
            &settings.server.public_url(),
            Arc::new(move || wrote.poke()),
        )
        .map_err(Stop::usage)?;
        let woken = workers.clone();
        Ok(Self {
            keeper: Keeper {
                store,
                patience: Patience {
                    inconclusive: millis(settings.alerts.inconclusive_after.0),
                    vanished: millis(settings.alerts.vanished_after.0),
                },
                addressees: Arc::new(move |event, policy| {
                    let own = policy.map(|p| (p.alerts_on.as_slice(), p.alerts_to.as_slice()));
                    let (on, to) = own.unwrap_or_default();
                    routes.receivers_for(event, on, to)
                }),
                poke: Arc::new(move || {
                    poked.poke();
                    woken.poke();
                }),
            },
            pulse,
            workers,
        })
    }

    /// Lets those who tell finish what is on its way.
    pub async fn stop(&self) {
        self.workers.stop().await;
    }

    /// Starts the loops that need nobody's answer.
    pub fn tend(
        &self,
        settings: &Settings,
        policies: Arc<dyn Policies>,
        (clock, metrics): (&Arc<dyn Clock>, &Arc<Metrics>),
    ) -> Result<(), Stop> {
        let repeats = alerts::repeats(settings, &self.keeper, &policies, clock);
        for repeat in repeats.map_err(Stop::usage)? {
            tokio::spawn(repeat.run());
        }
        let store = &settings.store;
        let retention = Retention {
            max_age: millis(store.max_age.0),
            max_bytes: store.max_bytes.0,
            batch: BATCH,
        };
        let kept = Arc::clone(&self.keeper.store);
        let metrics = Arc::clone(metrics);
        tokio::spawn(retention::keep_small(
            kept,
            retention,
            Arc::clone(clock),
            Arc::new(move |what, why, count| metrics.removed(what, why, count)),
        ));
        tokio::spawn(watch::watch(
            self.keeper.clone(),
            policies,
            Arc::clone(clock),
        ));
        Ok(())
    }
}

fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}
