//! The one place that names adapters: which source and which service stand behind the ports.

use super::scrape;
use crate::{
    config::secrets::Secret,
    config::source::{AnySource, Auth, Kind, SourceSettings},
    domain::{Clock, SystemClock},
    domain::{MetricSource, Question, SourceKind},
    service::{Analyze, Judge, Keeper, Limits, Policies},
    source,
    telemetry::{Measured, Metrics},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// Named metric sources.
pub type Sources = BTreeMap<String, Arc<dyn MetricSource>>;

/// Builds every source of the configuration; each keeps count of itself. Those that scrape begin at once, on the present
/// runtime.
pub fn sources(
    settings: &BTreeMap<String, AnySource>,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Sources, String> {
    settings
        .iter()
        .map(|(name, one)| {
            let built = match one {
                AnySource::Api(one) => source::build(name, one),
                AnySource::Scrape(one) => scrape::start(name, one, clock, metrics),
            };
            let built = built.map_err(|error| format!("sources.{name}: {error}"))?;
            let measured: Arc<dyn MetricSource> =
                Arc::new(Measured::new(built, Arc::clone(metrics)));
            Ok((name.clone(), measured))
        })
        .collect()
}

/// One source from flags, under the name that a policy asks for.
pub fn source_from_flags(
    name: &str,
    url: &str,
    kind: SourceKind,
    token: Option<PathBuf>,
) -> Result<Arc<dyn MetricSource>, String> {
    let kind = match kind {
        SourceKind::Prometheus => Kind::Prometheus,
        SourceKind::VictoriaMetrics => Kind::VictoriaMetrics,
        SourceKind::Scrape => {
            return Err(
                "--source-kind scrape: a scraper lives inside `serve` and cannot be asked from outside; use `POST /v1/verdicts`"
                    .to_owned(),
            );
        }
    };
    let mut settings = SourceSettings::new(kind, url);
    settings.auth = token.map(|path| Auth::Bearer(Secret::File(path)));
    source::build(name, &settings).map_err(|error| format!("--source: {error}"))
}

/// One block of an objective, for the lines of the terminal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The canary's value.
    pub canary: Option<f64>,
    /// Stable's value.
    pub stable: Option<f64>,
}

/// Numbers that bound the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Every verdict is answered inside this.
    pub deadline: Duration,
    /// Rollouts whose evidence is kept.
    pub rollouts: u64,
    /// Are raw samples kept with the verdicts?
    pub keep_samples: bool,
}

/// The service.
#[derive(Clone)]
pub struct Engine(Arc<Analyze>);

impl Engine {
    /// The service over these policies and sources.
    pub fn new(
        policies: Arc<dyn Policies>,
        sources: Sources,
        keeper: Option<Keeper>,
        bounds: Bounds,
    ) -> Self {
        let limits = Limits {
            deadline: bounds.deadline,
            rollouts: bounds.rollouts,
        };
        let clock = Arc::new(SystemClock);
        let analyze = Analyze::new(policies, clock, sources, keeper, limits);
        Self(Arc::new(analyze.keeping_samples(bounds.keep_samples)))
    }

    /// The port that the edge calls.
    pub fn port(&self) -> Arc<dyn Judge> {
        Arc::clone(&self.0) as Arc<dyn Judge>
    }

    /// The blocks of each objective, as far as they are kept.
    pub async fn trails(&self, question: &Question) -> Vec<Vec<Point>> {
        let trails = self.0.trails(question).await;
        trails
            .into_iter()
            .map(|trail| {
                let points = trail.into_iter().map(|point| Point {
                    canary: point.canary,
                    stable: point.stable,
                });
                points.collect()
            })
            .collect()
    }
}
