//! The source as the service sees it, and how it is started.

use super::{
    discovery::{Discovery, known},
    fetch::Fetch,
    pool::Pool,
    tally::Tally,
    target::Target,
};
use crate::{
    config::scrape::ScrapeSettings,
    domain::{
        Clock, MetricSource, Millis, PlannedQuery, ReadReport, SampleSink, SourceError, SourceKind,
        TargetSeen, ports::BoxFuture,
    },
    source::error::BuildError,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::AbortHandle;

/// How things stand is told this often.
const TIDY: Duration = Duration::from_secs(5);

/// A metric source that scrapes. Dropping it ends its loops.
pub struct Scraper {
    pool: Arc<Pool>,
    beside: Vec<AbortHandle>,
}

impl Scraper {
    /// Starts scraping on the present runtime.
    pub fn start(
        name: &str,
        settings: &ScrapeSettings,
        clock: Arc<dyn Clock>,
        tally: Arc<dyn Tally>,
    ) -> Result<Self, BuildError> {
        let fetch = Fetch::new(name, settings)?;
        let pool = Arc::new(Pool::new(name, settings.clone(), fetch, clock, tally));
        let wrong = |detail: String| BuildError::Setting {
            name: name.to_owned(),
            setting: "static".to_owned(),
            detail,
        };
        let known = known(name, settings).map_err(|error| wrong(error.to_string()))?;
        if known.len() > settings.target_limit {
            let limit = settings.target_limit;
            return Err(wrong(format!(
                "has more than {limit} targets (`targetLimit`)"
            )));
        }
        pool.set(known);
        let tidied = Arc::downgrade(&pool);
        let tidy = tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIDY).await;
                let Some(pool) = tidied.upgrade() else { return };
                pool.tidy();
            }
        });
        let mut beside = vec![tidy.abort_handle()];
        let discovery = Discovery::new(settings);
        if !discovery.is_empty() {
            let looking = tokio::spawn(discovery.run(Arc::downgrade(&pool)));
            beside.push(looking.abort_handle());
        }
        Ok(Self { pool, beside })
    }

    /// When the first scrape was kept.
    pub fn since(&self) -> Option<Millis> {
        self.pool.since()
    }

    /// Why nothing, or not everything, is scraped.
    pub fn problem(&self) -> Option<String> {
        self.pool.problem().map(|error| error.to_string())
    }

    /// From now on exactly these targets are scraped: for programs that know their targets better than any file.
    pub fn set_targets(&self, targets: Vec<Target>) {
        self.pool.set(targets);
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.beside.iter().for_each(AbortHandle::abort);
        self.pool.stop();
    }
}

impl MetricSource for Scraper {
    fn kind(&self) -> SourceKind {
        SourceKind::Scrape
    }

    fn name(&self) -> &str {
        &self.pool.name
    }

    fn replica_labels(&self) -> &[String] {
        &[]
    }

    fn scrape_interval(&self) -> Option<Millis> {
        Some(self.pool.settings.scrape_interval.0.as_millis() as Millis)
    }

    fn targets(&self) -> Option<Vec<TargetSeen>> {
        Some(self.pool.seen())
    }

    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        deadline: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        Box::pin(async move {
            let answer = self.pool.answer(query, sink);
            match tokio::time::timeout_at(deadline.into(), answer).await {
                Ok(answer) => answer,
                Err(_) => Err(SourceError::Timeout {
                    name: self.pool.name.clone(),
                }),
            }
        })
    }
}
