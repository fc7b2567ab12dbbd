//! Where the canary starts and how often it is scraped. Two small queries on the first question about a rollout.

use super::read::ReadError;
use crate::{
    domain::{
        Labels, MetricSource, Millis, NativeHistogram, PlannedQuery, Question, SampleSink,
        SourceKind, Track, Window,
    },
    policy::{Indicator, Policy},
    query::{Arms, Planner, QueryError},
};
use std::{collections::BTreeSet, time::Instant};

/// Distance of the points at which the canary's presence is asked.
const MINUTE: Millis = 60_000;
/// How far before the start the scrape interval is learnt, from stable.
const SCRAPE_WINDOW: Millis = 300_000;
/// Scrape interval where neither stable nor the source tells one.
const SCRAPE_DEFAULT: Millis = 15_000;
/// Shortest block that is learnt.
const MIN_BLOCK: Millis = 30_000;
/// Ingestion delay that is added to the scrape interval.
const INGESTION: Millis = 15_000;
/// The same where we scrape ourselves: a scrape ends before the next begins.
const OWN_INGESTION: Millis = 1000;

/// What was found about a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Start of the canary's exposure; also the anchor of the grid.
    pub start: Millis,
    /// Anchor of the grid: the start, or later where the exposure is longer than the horizon.
    pub anchor: Millis,
    /// Length of a block.
    pub block: Millis,
    /// A block is closed this long after its end.
    pub lag: Millis,
}

/// The anchor of a window that would be older than the horizon: it moves in eighths, so that most polls share it.
pub fn anchor(start: Millis, at: Millis, horizon: Millis, block: Millis) -> Millis {
    let oldest = at - horizon;
    if start >= oldest {
        return start;
    }
    let stride = (horizon / 8 / block.max(1)).max(1) * block.max(1);
    oldest.div_euclid(stride) * stride + stride
}

/// Two scrapes, to the nearest five seconds: scrapes come some milliseconds early or late.
fn learnt_block(scrape: Millis) -> Millis {
    MIN_BLOCK.max((2 * scrape + 2500).div_euclid(5000) * 5000)
}

/// What the search for the canary came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// No sample of it.
    Nothing,
    /// Samples in a minute that is not over: its start would not be the same for who asks later.
    Sighted,
    /// Its start is known.
    Found(Found),
}

/// Finds the start and the rhythm, with what the source `said` about it.
pub async fn discover(
    policy: &Policy,
    planner: &Planner<'_>,
    source: &dyn MetricSource,
    question: &Question,
    deadline: Instant,
    said: &mut Vec<String>,
) -> Result<Search, ReadError> {
    let start = match question.since {
        Some(since) => since,
        None => match first_sample(policy, planner, source, question.at, deadline, said).await? {
            Some(start) => start,
            None if sighted(policy, planner, source, question.at, deadline).await? => {
                return Ok(Search::Sighted);
            }
            None => return Ok(Search::Nothing),
        },
    };
    let scrape = scrape_interval(policy, planner, source, start, deadline).await?;
    let block = policy.block.unwrap_or_else(|| learnt_block(scrape));
    let delay = match source.kind() {
        SourceKind::Scrape => OWN_INGESTION,
        SourceKind::Prometheus | SourceKind::VictoriaMetrics => INGESTION,
    };
    let anchor = anchor(start, question.at, policy.horizon, block);
    Ok(Search::Found(Found {
        start,
        anchor,
        block,
        lag: policy.lag.max(scrape + delay),
    }))
}

/// The canary's first sample after its newest gap longer than the look-back: a hash that was deployed last week must not
/// bring last week's data along.
async fn first_sample(
    policy: &Policy,
    planner: &Planner<'_>,
    source: &dyn MetricSource,
    at: Millis,
    deadline: Instant,
    said: &mut Vec<String>,
) -> Result<Option<Millis>, ReadError> {
    let mut seen = BTreeSet::new();
    for by in By::ALL {
        let queries = presence(policy, planner, at, by)?;
        let sinks = gather(source, queries, deadline, Presence::default, said).await?;
        seen = sinks.into_iter().flat_map(|sink| sink.minutes).collect();
        if !seen.is_empty() {
            break;
        }
    }
    let Some(minute) = segment_start(&seen, policy.look_back) else {
        return Ok(None);
    };
    let queries = first_samples(policy, planner, minute)?;
    let sinks = gather(
        source,
        queries,
        deadline,
        || FirstSample::new(planner),
        said,
    )
    .await?;
    let first = sinks.into_iter().filter_map(|sink| sink.first).min();
    // one second before, so that the first sample lies inside the first block
    Ok(Some(first.unwrap_or(minute).div_euclid(1000) * 1000 - 1000))
}

/// Was there a sample of the canary in the minute before this moment?
async fn sighted(
    policy: &Policy,
    planner: &Planner<'_>,
    source: &dyn MetricSource,
    at: Millis,
    deadline: Instant,
) -> Result<bool, ReadError> {
    for by in By::ALL {
        let queries = sighting(policy, planner, at, by)?;
        let said = &mut Vec::new();
        let sinks = gather(source, queries, deadline, Presence::default, said).await?;
        if sinks.iter().any(|sink| !sink.minutes.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// By what the canary is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Selectors; expressions only where there are no selectors.
    Traffic,
    /// Expressions beside selectors: asked where no selector finds anything.
    Rest,
}

impl By {
    /// In the order in which they are asked.
    pub(super) const ALL: [Self; 2] = [Self::Traffic, Self::Rest];
}

/// A query, and whose samples it asks for.
pub(super) type Planned = (Arms, PlannedQuery);

/// In which minutes was something of the canary there?
pub(super) fn presence(
    policy: &Policy,
    planner: &Planner<'_>,
    at: Millis,
    by: By,
) -> Result<Vec<Planned>, QueryError> {
    let end = at.div_euclid(MINUTE) * MINUTE;
    let begin = (at - policy.horizon - policy.look_back).div_euclid(MINUTE) * MINUTE;
    present(policy, planner, (begin, end), by)
}

/// Is something of the canary there at this very moment? Asked where no full minute has anything.
pub(super) fn sighting(
    policy: &Policy,
    planner: &Planner<'_>,
    at: Millis,
    by: By,
) -> Result<Vec<Planned>, QueryError> {
    present(policy, planner, (at, at), by)
}

fn present(
    policy: &Policy,
    planner: &Planner<'_>,
    (begin, end): (Millis, Millis),
    by: By,
) -> Result<Vec<Planned>, QueryError> {
    let plan = |exposure| match exposure {
        Exposure::Selector(text) => planner.presence(text, Track::Canary, begin, end, MINUTE),
        Exposure::Expression { text, opaque } => {
            planner.expression(text, opaque, Track::Canary, begin, end, MINUTE)
        }
    };
    let canary = |query| (Arms::Only(Track::Canary), query);
    let queries = exposures(policy, by).into_iter().map(plan);
    queries.map(|query| query.map(canary)).collect()
}

/// The samples of the canary in the minute that ends here.
pub(super) fn first_samples(
    policy: &Policy,
    planner: &Planner<'_>,
    minute: Millis,
) -> Result<Vec<Planned>, QueryError> {
    let window = Window {
        start: minute - MINUTE,
        end: minute,
    };
    let mut queries = Vec::new();
    for exposure in exposures(policy, By::Traffic) {
        if let Exposure::Selector(text) = exposure {
            let raw = planner.raw(text, window)?.into_iter();
            let canary = raw.filter(|(arms, _)| *arms != Arms::Only(Track::Stable));
            queries.extend(canary);
        }
    }
    Ok(queries)
}

/// The minute in which a start was found: the second after it holds the first sample.
pub(super) fn minute_of(start: Millis) -> Millis {
    -(-(start + 1000)).div_euclid(MINUTE) * MINUTE
}

/// The samples just before the start, which tell how often is scraped: of each selector, the next one for where those before
/// find nothing. None where there are only expressions.
pub(super) fn spacings(
    policy: &Policy,
    planner: &Planner<'_>,
    start: Millis,
) -> Result<Vec<Vec<Planned>>, QueryError> {
    let window = Window {
        start: start - SCRAPE_WINDOW,
        end: start,
    };
    let text = |exposure| match exposure {
        Exposure::Selector(text) => Some(text),
        Exposure::Expression { .. } => None,
    };
    let selectors = exposures(policy, By::Traffic).into_iter().filter_map(text);
    selectors.map(|text| planner.raw(text, window)).collect()
}

/// First minute of the newest unbroken stretch.
fn segment_start(minutes: &BTreeSet<Millis>, longest_gap: Millis) -> Option<Millis> {
    let mut start = *minutes.last()?;
    for &minute in minutes.iter().rev() {
        if start - minute > longest_gap {
            break;
        }
        start = minute;
    }
    Some(start)
}

async fn scrape_interval(
    policy: &Policy,
    planner: &Planner<'_>,
    source: &dyn MetricSource,
    start: Millis,
    deadline: Instant,
) -> Result<Millis, ReadError> {
    let otherwise = source.scrape_interval().unwrap_or(SCRAPE_DEFAULT);
    for queries in spacings(policy, planner, start)? {
        let said = &mut Vec::new();
        let sinks = gather(source, queries, deadline, Spacing::default, said).await?;
        let spacing = Spacing {
            gaps: sinks.into_iter().flat_map(|sink| sink.gaps).collect(),
            last: None,
        };
        if let Some(median) = spacing.median() {
            return Ok(median);
        }
    }
    Ok(otherwise)
}

/// Sends queries side by side; each has a sink of its own.
async fn gather<S: SampleSink>(
    source: &dyn MetricSource,
    queries: Vec<Planned>,
    deadline: Instant,
    sink: impl Fn() -> S,
    said: &mut Vec<String>,
) -> Result<Vec<S>, ReadError> {
    let reads = queries.into_iter().map(|(_, query)| {
        let mut sink = sink();
        async move {
            let report = source.read(&query, deadline, &mut sink).await?;
            if report.partial {
                return Err(ReadError::Partial {
                    warnings: report.warnings,
                });
            }
            Ok((sink, report.warnings))
        }
    });
    let mut sinks = Vec::new();
    for read in futures_util::future::join_all(reads).await {
        let (sink, warnings) = read?;
        sinks.push(sink);
        for warning in warnings {
            if !said.contains(&warning) {
                said.push(warning);
            }
        }
    }
    Ok(sinks)
}

enum Exposure<'a> {
    Selector(&'a str),
    Expression { text: &'a str, opaque: bool },
}

/// What shows that the canary is there: traffic rather than errors. Expressions only where there is nothing else.
fn exposures(policy: &Policy, by: By) -> Vec<Exposure<'_>> {
    let mut selectors = BTreeSet::new();
    let mut expressions = Vec::new();
    for objective in &policy.objectives {
        match &objective.indicator {
            Indicator::ErrorRatio { total: text, .. }
            | Indicator::Ratio {
                denominator: text, ..
            }
            | Indicator::LatencyQuantile {
                histogram: text, ..
            }
            | Indicator::Mean { count: text, .. }
            | Indicator::Gauge { selector: text } => {
                selectors.insert(text.as_str());
            }
            Indicator::Query { expression, opaque } => expressions.push(Exposure::Expression {
                text: expression,
                opaque: *opaque,
            }),
        }
    }
    match by {
        By::Traffic if selectors.is_empty() => expressions,
        By::Traffic => selectors.into_iter().map(Exposure::Selector).collect(),
        By::Rest if selectors.is_empty() => Vec::new(),
        By::Rest => expressions,
    }
}

/// Minutes in which something was there.
#[derive(Default)]
struct Presence {
    minutes: BTreeSet<Millis>,
}

impl SampleSink for Presence {
    fn restart(&mut self) {
        self.minutes.clear();
    }
    fn series(&mut self, _: Labels) {}
    fn sample(&mut self, at: Millis, value: f64) {
        if value.is_finite() {
            self.minutes.insert(at);
        }
    }
    fn histogram(&mut self, at: Millis, _: NativeHistogram) {
        self.minutes.insert(at);
    }
}

/// The earliest sample of the canary.
struct FirstSample {
    label: Option<String>,
    canary_hash: String,
    present: bool,
    first: Option<Millis>,
}

impl FirstSample {
    fn new(planner: &Planner<'_>) -> Self {
        Self {
            label: planner.track_label().map(str::to_owned),
            canary_hash: planner.rollout().canary_hash.clone(),
            present: true,
            first: None,
        }
    }

    fn see(&mut self, at: Millis) {
        if self.present {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
        }
    }
}

impl SampleSink for FirstSample {
    fn restart(&mut self) {
        self.first = None;
    }
    fn series(&mut self, labels: Labels) {
        self.present = self
            .label
            .as_ref()
            .is_none_or(|label| labels.get(label) == Some(&self.canary_hash));
    }
    fn sample(&mut self, at: Millis, value: f64) {
        if value.is_finite() {
            self.see(at);
        }
    }
    fn histogram(&mut self, at: Millis, _: NativeHistogram) {
        self.see(at);
    }
}

/// Distances between neighbouring samples.
#[derive(Default)]
struct Spacing {
    last: Option<Millis>,
    gaps: Vec<Millis>,
}

impl Spacing {
    fn see(&mut self, at: Millis) {
        if let Some(last) = self.last.replace(at)
            && at > last
        {
            self.gaps.push(at - last);
        }
    }

    fn median(mut self) -> Option<Millis> {
        let middle = self.gaps.len() / 2;
        self.gaps.sort_unstable();
        self.gaps.get(middle).copied()
    }
}

impl SampleSink for Spacing {
    fn restart(&mut self) {
        *self = Self::default();
    }
    fn series(&mut self, _: Labels) {
        self.last = None;
    }
    fn sample(&mut self, at: Millis, _: f64) {
        self.see(at);
    }
    fn histogram(&mut self, at: Millis, _: NativeHistogram) {
        self.see(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_weeks_deployment_of_the_same_hash_is_left_out() {
        let rows: [(&[Millis], Option<Millis>); 4] = [
            (&[], None),
            (&[10, 11, 12], Some(10)),
            (&[10, 11, 50, 51], Some(50)),
            (&[10, 30, 50], Some(10)),
        ];
        for (minutes, expected) in rows {
            let minutes = minutes.iter().map(|m| m * MINUTE).collect();
            assert_eq!(
                segment_start(&minutes, 30 * MINUTE),
                expected.map(|m| m * MINUTE)
            );
        }
    }

    #[test]
    fn the_minute_of_a_start_is_found_again() {
        for first in [60_001_i64, 61_234, 90_000, 119_001, 119_999, 120_000] {
            let start = first.div_euclid(1000) * 1000 - 1000;
            let expected = if first < 61_000 { 60_000 } else { 120_000 };
            // samples of the first second of a minute may be of the minute before
            assert_eq!(minute_of(start), expected, "{first}");
        }
    }

    #[test]
    fn a_learnt_block_holds_two_scrapes_that_come_a_little_early() {
        for (scrape, block) in [
            (5_000, 30_000),
            (14_998, 30_000),
            (15_001, 30_000),
            (29_999, 60_000),
            (59_990, 120_000),
            (60_010, 120_000),
        ] {
            assert_eq!(learnt_block(scrape), block, "{scrape}");
        }
    }

    #[test]
    fn an_exposure_longer_than_the_horizon_is_cut_in_eighths() {
        let hour = 3_600_000;
        assert_eq!(anchor(0, hour, 2 * hour, 30_000), 0);
        let cut = anchor(0, 5 * hour, 2 * hour, 30_000);
        assert!(cut > 3 * hour && cut <= 3 * hour + hour / 4, "{cut}");
        assert_eq!(cut, anchor(0, 5 * hour + 60_000, 2 * hour, 30_000));
    }
}
