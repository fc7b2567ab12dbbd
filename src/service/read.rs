//! Brings one objective's evidence up to date: asks for the blocks that are not closed yet, folds them, forgets the samples.

use super::discover::Found;
use crate::{
    domain::{
        Code, Labels, LabelsDigest, MetricSource, Millis, NativeHistogram, PlannedQuery,
        SampleSink, SourceError, Track, Window,
    },
    evidence::{Condenser, EvidenceError, Grid, Identity, Kind, LOOKBACK, Notes, Piece, Role},
    judge::ObjectiveState,
    policy::{Indicator, Objective, Policy},
    query::{Arms, Planner, QueryError},
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Instant};

/// Longest stretch that one query asks for.
const PIECE: Millis = 1_800_000;
/// Blocks in which nothing was seen of either arm are closed after this time. As long as baselines are looked for.
const SILENCE: Millis = LOOKBACK;

/// Why an objective could not be brought up to date.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The source gave no answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source says that data may be missing.
    #[error("the metric source answered in part: {}", warnings.join("; "))]
    Partial {
        /// In its words.
        warnings: Vec<String>,
    },
    /// The samples cannot be what the objective means.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The query cannot be planned for this question.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Not before the deadline.
    #[error("not read before the deadline of the answer")]
    Deadline,
}

impl ReadError {
    /// The reason code that the verdict shows.
    pub fn code(&self) -> Code {
        match self {
            Self::Source(SourceError::Malformed { .. }) | Self::Evidence(_) => {
                Code::SourceMalformed
            }
            Self::Source(SourceError::TooLarge { .. }) => Code::SourceLimit,
            Self::Partial { .. } => Code::PartialData,
            Self::Source(_) | Self::Query(_) | Self::Deadline => Code::SourceDown,
        }
    }
}

/// One objective's evidence so far.
#[derive(Debug, Clone)]
pub struct ObjectiveEvidence {
    condenser: Condenser,
    /// The folded blocks.
    pub state: ObjectiveState,
    next: i64,
    /// What was noticed while reading.
    pub notes: Notes,
    /// Warnings of the source.
    pub warnings: Vec<String>,
    /// Why the latest blocks are missing.
    pub problem: Option<ReadError>,
}

impl ObjectiveEvidence {
    /// Nothing read yet.
    pub fn new(policy: &Policy, objective: &Objective, found: &Found, identity: Identity) -> Self {
        let grid = Grid {
            anchor: found.anchor,
            length: found.block,
        };
        let kind = match &objective.indicator {
            Indicator::ErrorRatio { .. } => Kind::Counts { proportion: true },
            Indicator::Ratio { .. } => Kind::Counts { proportion: false },
            Indicator::LatencyQuantile { .. } => Kind::Histogram {
                warm_up: policy.warm_up,
            },
            Indicator::Mean { .. } => Kind::Means,
            Indicator::Gauge { .. } | Indicator::Query { .. } => Kind::Gauge,
        };
        // means and levels take nothing from before the canary
        let looks_back = matches!(kind, Kind::Counts { .. } | Kind::Histogram { .. });
        Self {
            condenser: Condenser::new(kind, grid, identity),
            state: ObjectiveState::new(objective, found.block, policy.horizon),
            next: if looks_back {
                -(policy.look_back / found.block)
            } else {
                0
            },
            notes: Notes::default(),
            warnings: Vec::new(),
            problem: None,
        }
    }

    /// Number of the last block that is folded in.
    pub fn folded(&self) -> i64 {
        self.next - 1
    }

    /// The next stretch up to block `last`: what to ask, and where each answer goes.
    fn plan(&self, job: &Job<'_>, last: i64) -> Result<Stretch, QueryError> {
        let first = self.next;
        let last = last.min(first + (PIECE / job.grid.length).max(1) - 1);
        let fresh = self.state.trail().is_empty() && self.notes == Notes::default();
        let reach = if fresh { LOOKBACK } else { 0 };
        let window = Window {
            start: job.grid.start_of(first) - reach,
            end: job.grid.end_of(last),
        };
        let ask = |(role, arm, query)| (query, self.condenser.piece(role, arm, first, last));
        let asks = job.queries(window)?.into_iter().map(ask).collect();
        Ok(Stretch { last, asks })
    }

    /// Closes a stretch whose answers are all there and folds its blocks. The blocks since the last sample of either arm stay
    /// open for a while: a database that was briefly empty may still get their samples.
    fn close(&mut self, until: Until, mut pieces: Vec<Piece>) -> Result<(), ReadError> {
        let heard = pieces.iter().filter_map(Piece::last_block).max();
        let last = until
            .stretch
            .min(until.patience.max(heard.unwrap_or(i64::MIN)));
        if last < self.next {
            return Ok(());
        }
        pieces.iter_mut().for_each(|piece| piece.end_with(last));
        let closed = self.condenser.close(pieces)?;
        for (index, block) in &closed.blocks {
            self.state.fold(*index, block);
        }
        self.notes += closed.notes;
        self.next = last + 1;
        Ok(())
    }

    fn warn(&mut self, warnings: &[String]) {
        for warning in warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }
}

/// How far a stretch is closed.
#[derive(Clone, Copy)]
struct Until {
    /// Its last block.
    stretch: i64,
    /// Silent blocks up to this one are closed too.
    patience: i64,
}

/// A stretch of one objective that is about to be read.
struct Stretch {
    last: i64,
    asks: Vec<(PlannedQuery, Piece)>,
}

/// Reads and folds everything up to block `last`, all objectives side by side. Whatever an objective folded before its
/// error stays; a query that several objectives need is sent once.
pub async fn advance(evidence: &mut [ObjectiveEvidence], jobs: &[Job<'_>], last: i64) {
    for one in evidence.iter_mut() {
        one.problem = None;
    }
    let mut open = vec![true; evidence.len()];
    loop {
        let mut stretches = Vec::new();
        let mut shared: BTreeMap<PlannedQuery, Vec<(usize, Piece)>> = BTreeMap::new();
        for (at, (one, job)) in evidence.iter_mut().zip(jobs).enumerate() {
            if one.next > last || one.problem.is_some() || !open.get(at).is_some_and(|o| *o) {
                continue;
            }
            match one.plan(job, last) {
                Err(error) => one.problem = Some(error.into()),
                Ok(stretch) => {
                    let until = Until {
                        stretch: stretch.last,
                        patience: last - SILENCE / job.grid.length.max(1),
                    };
                    stretches.push((at, until));
                    for (query, piece) in stretch.asks {
                        shared.entry(query).or_default().push((at, piece));
                    }
                }
            }
        }
        let Some(job) = jobs.first().filter(|_| !stretches.is_empty()) else {
            return;
        };
        let reads = shared.into_iter().map(|(query, pieces)| async move {
            let (takers, pieces): (Vec<usize>, Vec<Piece>) = pieces.into_iter().unzip();
            let mut all = All {
                takers: pieces,
                strangers: None,
            };
            let read = job.source.read(&query, job.deadline, &mut all).await;
            (takers, all.takers, read)
        });
        let mut answers: Vec<Vec<Piece>> = evidence.iter().map(|_| Vec::new()).collect();
        for (takers, pieces, read) in join_all(reads).await {
            for (at, piece) in takers.into_iter().zip(pieces) {
                let Some(one) = evidence.get_mut(at) else {
                    continue;
                };
                match &read {
                    Err(error) => one.problem = Some(error.clone().into()),
                    Ok(report) if report.partial => {
                        one.problem = Some(ReadError::Partial {
                            warnings: report.warnings.clone(),
                        });
                    }
                    Ok(report) => {
                        one.warn(&report.warnings);
                        if let Some(answers) = answers.get_mut(at) {
                            answers.push(piece);
                        }
                    }
                }
            }
        }
        for (at, until) in stretches {
            let Some((one, pieces)) = evidence.get_mut(at).zip(answers.get_mut(at)) else {
                continue;
            };
            if let Some(open) = open.get_mut(at) {
                *open = until.stretch < last;
            }
            if one.problem.is_none()
                && let Err(error) = one.close(until, std::mem::take(pieces))
            {
                one.problem = Some(error);
            }
        }
    }
}

/// One answer for several takers.
struct All {
    takers: Vec<Piece>,
    /// Takers that do not know the series that begins; `None`: nobody has asked.
    strangers: Option<Vec<usize>>,
}

impl SampleSink for All {
    fn restart(&mut self) {
        self.takers.iter_mut().for_each(SampleSink::restart);
    }

    fn recall(&mut self, digest: LabelsDigest) -> bool {
        let strangers: Vec<usize> = self
            .takers
            .iter_mut()
            .enumerate()
            .filter_map(|(i, taker)| (!taker.recall(digest)).then_some(i))
            .collect();
        let known = strangers.is_empty();
        self.strangers = (!known).then_some(strangers);
        known
    }

    fn series(&mut self, labels: Labels) {
        let strangers = self.strangers.take();
        for (i, taker) in self.takers.iter_mut().enumerate() {
            if strangers.as_ref().is_none_or(|s| s.contains(&i)) {
                taker.series(labels.clone());
            }
        }
    }

    fn sample(&mut self, at: Millis, value: f64) {
        for taker in &mut self.takers {
            taker.sample(at, value);
        }
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        if let Some((last, others)) = self.takers.split_last_mut() {
            for taker in others {
                taker.histogram(at, value.clone());
            }
            last.histogram(at, value);
        }
    }
}

/// What reading needs besides the evidence itself.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The objective.
    pub objective: &'a Objective,
    /// Plans its queries.
    pub planner: &'a Planner<'a>,
    /// Whom to ask.
    pub source: &'a dyn MetricSource,
    /// The grid of blocks.
    pub grid: Grid,
    /// When the reading must be over.
    pub deadline: Instant,
}

impl Job<'_> {
    fn queries(
        &self,
        window: Window,
    ) -> Result<Vec<(Role, Option<Track>, PlannedQuery)>, QueryError> {
        let mut queries = Vec::new();
        let mut raw = |role, text: &str| -> Result<(), QueryError> {
            for (arms, query) in self.planner.raw(text, window)? {
                let arm = match arms {
                    Arms::Both => None,
                    Arms::Only(track) => Some(track),
                };
                queries.push((role, arm, query));
            }
            Ok(())
        };
        match &self.objective.indicator {
            Indicator::ErrorRatio { errors, total } => {
                raw(Role::Events, errors)?;
                raw(Role::Trials, total)?;
            }
            Indicator::Ratio {
                numerator,
                denominator,
            } => {
                raw(Role::Events, numerator)?;
                raw(Role::Trials, denominator)?;
            }
            Indicator::LatencyQuantile { histogram, .. } => raw(Role::Histogram, histogram)?,
            Indicator::Mean {
                sum,
                count,
                sum_of_squares,
            } => {
                raw(Role::Sum, sum)?;
                raw(Role::Count, count)?;
                if let Some(squares) = sum_of_squares {
                    raw(Role::Squares, squares)?;
                }
            }
            Indicator::Gauge { selector } => raw(Role::Level, selector)?,
            Indicator::Query { expression, opaque } => {
                // evaluated at the end of each block
                let first = self.grid.end_of(self.grid.index_of(window.start + 1));
                for track in [Track::Canary, Track::Stable] {
                    let query = self.planner.expression(
                        expression,
                        *opaque,
                        track,
                        first,
                        window.end,
                        self.grid.length,
                    )?;
                    queries.push((Role::Level, Some(track), query));
                }
            }
        }
        Ok(queries)
    }
}
