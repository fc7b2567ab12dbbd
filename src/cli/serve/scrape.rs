//! Starts the sources that scrape.

use crate::{
    config::{self, Settings, scrape::ScrapeSettings, source::AnySource, store::Place},
    domain::{Clock, MetricSource, Millis, SystemClock},
    source::{
        BuildError,
        scrape::{Scraper, Silent, Standing, Tally},
    },
    telemetry::{Metrics, Scraped},
};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Scrapes that `check` waits for.
const SCRAPES: u32 = 4;
/// And so much longer, for targets to be found.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Scrapes for a while what the configuration file of `serve` names `name`; tells how much there is to read.
pub(in crate::cli) async fn scraped(
    name: &str,
    file: &Path,
) -> Result<(Arc<dyn MetricSource>, Millis), String> {
    let settings = config::load(Some(file)).map_err(|error| {
        format!(
            "--source: with --source-kind scrape it is the configuration file of `serve`: {error}"
        )
    })?;
    let shown = file.display();
    let settings = settings
        .sources
        .get(name)
        .and_then(AnySource::scrape)
        .ok_or_else(|| format!("--source: {shown} has no source `{name}` of kind `scrape`"))?;
    let clock = Arc::new(SystemClock);
    let scraper = Scraper::start(name, settings, clock.clone(), Arc::new(Silent))
        .map_err(|error| format!("--source: {error}"))?;
    let interval = Millis::try_from(settings.scrape_interval.0.as_millis()).unwrap_or(Millis::MAX);
    // targets must be found first, and each waits for its turn
    let patience = PATIENCE + settings.scrape_interval.0 * (2 * SCRAPES);
    let waited = Instant::now();
    loop {
        let first = scraper.since();
        let enough = interval * Millis::from(SCRAPES);
        if first.is_some_and(|first| clock.now() - first > enough) {
            return Ok((Arc::new(scraper), enough));
        }
        if waited.elapsed() > patience {
            let seconds = patience.as_secs();
            return Err(format!(
                "--source: no target of source `{name}` gave samples within {seconds} s{}",
                scraper
                    .problem()
                    .map_or_else(String::new, |why| format!(": {why}"))
            ));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What an operator of several replicas must know.
pub(super) fn warn(settings: &Settings) {
    for name in apart(settings) {
        tracing::warn!(
            "sources.{name}: kind `scrape` keeps its samples in this process, and the store is shared: replicas scrape for themselves and may judge differently; run one replica, or use a database"
        );
    }
}

/// Sources that every replica would scrape for itself.
fn apart(settings: &Settings) -> Vec<&str> {
    let shared = matches!(settings.store.place(), Some(Place::Postgres(_)));
    let scrapes = settings
        .sources
        .iter()
        .filter(|(_, source)| shared && source.scrape().is_some());
    scrapes.map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_warned_of() {
        let read = |store: &str| -> Settings {
            let text = format!(
                "policies: {{ paths: [p] }}\nstore: {{ url: '{store}' }}\nsources: {{ pods: {{ kind: scrape, static: [{{ targets: [a:1] }}] }}, vm: {{ kind: victoriametrics, url: 'http://a' }} }}\n"
            );
            config::load_from(Some(("c.yaml", &text)), &[]).unwrap()
        };
        assert_eq!(apart(&read("postgres://judge@db/judge")), ["pods"]);
        assert!(apart(&read("sqlite://judge.db")).is_empty());
    }
}
