//! Starts the sources that scrape.

use crate::{
    config::{Settings, scrape::ScrapeSettings},
    domain::{Clock, MetricSource},
    source::{
        BuildError,
        scrape::{Scraper, Standing, Tally},
    },
    telemetry::{Metrics, Scraped},
};
use std::{sync::Arc, time::Duration};

/// Counts on the metrics page.
struct Counted(Arc<Metrics>);

impl Tally for Counted {
    fn scraped(&self, source: &str, result: &'static str, took: Duration) {
        self.0.scraped(source, result, took);
    }

    fn dropped(&self, source: &str, reason: &'static str, count: u64) {
        self.0.scrape_dropped(source, reason, count);
    }

    fn discovered(&self, source: &str, by: &'static str, ok: bool) {
        self.0.scrape_discovered(source, by, ok);
    }

    fn standing(&self, source: &str, now: Standing) {
        let Standing {
            up,
            down,
            samples,
            series,
            bytes,
        } = now;
        self.0.scrape_standing(
            source,
            Scraped {
                up,
                down,
                samples,
                series,
                bytes,
            },
        );
    }
}

/// Starts one.
pub(super) fn start(
    name: &str,
    settings: &ScrapeSettings,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<dyn MetricSource>, BuildError> {
    let tally = Arc::new(Counted(Arc::clone(metrics)));
    Scraper::start(name, settings, Arc::clone(clock), tally)
        .map(|scraper| Arc::new(scraper) as Arc<dyn MetricSource>)
}

/// What an operator of several replicas must know.
pub(super) fn warn(settings: &Settings) {
    let shared = settings
        .store
        .url
        .as_deref()
        .is_some_and(|url| url.starts_with("postgres"));
    for (name, source) in &settings.sources {
        if shared && source.scrape().is_some() {
            tracing::warn!(
                "sources.{name}: kind `scrape` keeps its samples in this process, and the store is shared: replicas scrape for themselves and may judge differently; run one replica, or use a database"
            );
        }
    }
}
