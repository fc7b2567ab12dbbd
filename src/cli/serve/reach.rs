//! What `check --source` reads: the series of one selector on each arm.

use crate::{
    cli::probe::{Part, Series},
    domain::{
        Labels, MetricSource, Millis, NativeHistogram, PlannedQuery, Question, SampleSink,
        SourceError, Track, Window,
    },
    policy::{Indicator, Policy},
    query::{Arms, Binding, Planner, QueryError, Scope},
};
use std::time::{Duration, Instant};

/// What is read of a database.
pub const SPAN: Millis = 300_000;
/// A block is at least so long where the policy does not say.
const LEAST_BLOCK: Millis = 30_000;
/// For one query.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why one selector or expression shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The source gave no answer to it.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// The selectors of an indicator, or its expression, as written.
pub fn parts(indicator: &Indicator) -> Vec<(&str, Part)> {
    match indicator {
        Indicator::ErrorRatio { errors, total } => {
            vec![(errors, Part::Errors), (total, Part::Needed)]
        }
        Indicator::Query { expression, opaque } => {
            vec![(expression, Part::Query { opaque: *opaque })]
        }
        other => other
            .texts()
            .into_iter()
            .map(|text| (text, Part::Needed))
            .collect(),
    }
}

/// Labels that must differ between the arms.
pub fn ignored(policy: &Policy) -> Vec<String> {
    let mut out = policy.tracks.labels();
    out.push(policy.pod_label.clone());
    out
}

/// Reads `span` of one selector or expression on each arm; with the warnings of the source.
pub async fn read(
    policy: &Policy,
    question: &Question,
    (text, part): (&str, Part),
    source: &dyn MetricSource,
    span: Millis,
) -> Result<(Series, Series, Vec<String>), Unread> {
    let scope = Scope::parse(&policy.tracks, policy.match_text.as_deref())?;
    let binding = Binding {
        rollout: &question.rollout,
        params: &question.params,
    };
    let planner = Planner::new(&scope, binding, source.kind());
    let queries = planned(&planner, (text, part), policy, question.at, span)?;
    let (mut canary, mut stable) = (Series::default(), Series::default());
    let mut warnings: Vec<String> = Vec::new();
    for (arms, query) in queries {
        let mut sink = match arms {
            Arms::Both => Split::by(planner.track_label(), &question.rollout.canary_hash),
            Arms::Only(track) => Split::only(track),
        };
        let deadline = Instant::now() + PATIENCE;
        let report = source.read(&query, deadline, &mut sink).await?;
        let new = |warning: &String| !warnings.contains(warning);
        let new: Vec<String> = report.warnings.into_iter().filter(new).collect();
        warnings.extend(new);
        canary.join(sink.canary);
        stable.join(sink.stable);
    }
    Ok((canary, stable, warnings))
}

/// The queries of one selector or expression, as a verdict would ask them.
fn planned(
    planner: &Planner<'_>,
    (text, part): (&str, Part),
    policy: &Policy,
    at: Millis,
    span: Millis,
) -> Result<Vec<(Arms, PlannedQuery)>, QueryError> {
    let start = at - span;
    let Part::Query { opaque } = part else {
        return planner.raw(text, Window { start, end: at });
    };
    let step = policy.block.unwrap_or(LEAST_BLOCK);
    [Track::Canary, Track::Stable]
        .into_iter()
        .map(|track| {
            let query = planner.expression(text, opaque, track, start, at, step)?;
            Ok((Arms::Only(track), query))
        })
        .collect()
}

/// Sends each series to its arm.
struct Split {
    label: Option<String>,
    hash: String,
    track: Track,
    canary: Series,
    stable: Series,
}

impl Split {
    fn by(label: Option<&str>, hash: &str) -> Self {
        Self {
            label: label.map(str::to_owned),
            hash: hash.to_owned(),
            ..Self::only(Track::Stable)
        }
    }

    fn only(track: Track) -> Self {
        Self {
            label: None,
            hash: String::new(),
            track,
            canary: Series::default(),
            stable: Series::default(),
        }
    }

    fn arm(&mut self) -> &mut Series {
        match self.track {
            Track::Canary => &mut self.canary,
            Track::Stable => &mut self.stable,
        }
    }
}

impl SampleSink for Split {
    fn restart(&mut self) {
        self.canary.restart();
        self.stable.restart();
    }

    fn series(&mut self, labels: Labels) {
        if let Some(label) = &self.label {
            let canary = labels.get(label) == Some(&self.hash);
            self.track = if canary { Track::Canary } else { Track::Stable };
        }
        self.arm().series(labels);
    }

    fn sample(&mut self, at: Millis, value: f64) {
        self.arm().sample(at, value);
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        self.arm().histogram(at, value);
    }
}
