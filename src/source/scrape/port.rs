//! The source as the service sees it, and how it is started.

use super::{
    fetch::Fetch,
    pool::Pool,
    tally::Tally,
    target::{Target, TargetError},
};
use crate::{
    config::scrape::ScrapeSettings,
    domain::{
        Clock, MetricSource, PlannedQuery, ReadReport, SampleSink, SourceError, SourceKind,
        ports::BoxFuture,
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
        let known = known(&pool).map_err(|error| BuildError::Setting {
            name: name.to_owned(),
            setting: "static".to_owned(),
            detail: error.to_string(),
        })?;
        pool.set(known);
        let tidied = Arc::downgrade(&pool);
        let tidy = tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIDY).await;
                let Some(pool) = tidied.upgrade() else { return };
                pool.tidy();
            }
        });
        Ok(Self {
            pool,
            beside: vec![tidy.abort_handle()],
        })
    }

    /// From now on exactly these targets are scraped: for programs that know their targets better than any file.
    pub fn set_targets(&self, targets: Vec<Target>) {
        self.pool.set(targets);
    }
}

/// The targets of `static`.
fn known(pool: &Pool) -> Result<Vec<Target>, TargetError> {
    let settings = &pool.settings;
    let job = settings.job_name.as_deref().unwrap_or(&pool.name);
    let mut targets = Vec::new();
    for group in &settings.targets {
        for address in &group.targets {
            targets.push(Target::new(address, &group.labels, job, settings)?);
        }
    }
    Ok(targets)
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
