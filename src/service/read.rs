//! Brings one objective's evidence up to date: asks for the blocks that are not closed yet, folds them, forgets the samples.

use super::{
    bundle::{Recorder, Taker, Tape},
    discover::Found,
};
use crate::{
    domain::{
        Code, Labels, LabelsDigest, MetricSource, Millis, NativeHistogram, PlannedQuery,
        ReadReport, SampleSink, SourceError, Track, Window,
    },
    evidence::{Condenser, EvidenceError, Grid, Identity, Kind, LOOKBACK, Notes, Piece, Role},
    judge::ObjectiveState,
    policy::{Indicator, Objective, Policy},
    query::{Arms, Planner, QueryError},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

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
    #[error(
        "not all was read before the deadline of the answer; the next question goes on from there"
    )]
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
    /// What the store does not have yet.
    pub recorder: Recorder,
    identity: Identity,
    first: i64,
}

/// Which kind of block an objective gives.
pub fn kind(policy: &Policy, objective: &Objective) -> Kind {
    match &objective.indicator {
        Indicator::ErrorRatio { .. } => Kind::Counts { proportion: true },
        Indicator::Ratio { .. } => Kind::Counts { proportion: false },
        Indicator::LatencyQuantile { .. } => Kind::Histogram {
            warm_up: policy.warm_up,
        },
        Indicator::Mean { .. } => Kind::Means,
        Indicator::Gauge { .. } | Indicator::Query { .. } => Kind::Gauge,
    }
}

/// Where the reading of an objective begins: means and levels take nothing from before the canary.
pub(super) fn first_block(policy: &Policy, objective: &Objective, block: Millis) -> i64 {
    match kind(policy, objective) {
        Kind::Counts { .. } | Kind::Histogram { .. } => -(policy.look_back / block.max(1)),
        Kind::Means | Kind::Gauge => 0,
    }
}

/// The stretch that is asked for next, up to block `last`, and the window of its queries. The first reading begins earlier,
/// so that counters have a sample to start from.
pub(super) fn stretch(grid: Grid, first: i64, last: i64, fresh: bool) -> (i64, Window) {
    let last = last.min(first + (PIECE / grid.length.max(1)).max(1) - 1);
    let reach = if fresh { LOOKBACK } else { 0 };
    let window = Window {
        start: grid.start_of(first) - reach,
        end: grid.end_of(last),
    };
    (last, window)
}

impl ObjectiveEvidence {
    /// Nothing read yet.
    pub fn new(policy: &Policy, objective: &Objective, found: &Found, identity: Identity) -> Self {
        let grid = Grid {
            anchor: found.anchor,
            length: found.block,
        };
        let kind = kind(policy, objective);
        let first = first_block(policy, objective, found.block);
        Self {
            condenser: Condenser::new(kind, grid, identity.clone()),
            state: ObjectiveState::new(objective, found.block, policy.horizon),
            next: first,
            notes: Notes::default(),
            warnings: Vec::new(),
            problem: None,
            recorder: Recorder::default(),
            identity,
            first,
        }
    }

    /// Everything that is closed from now on is recorded.
    #[must_use]
    pub fn recorded(mut self, recorder: Recorder) -> Self {
        self.recorder = recorder;
        self
    }

    /// First and last folded block.
    pub fn blocks(&self) -> Option<(i64, i64)> {
        (self.first < self.next).then_some((self.first, self.next - 1))
    }

    /// Number of the last block that is folded in.
    pub fn folded(&self) -> i64 {
        self.next - 1
    }

    /// The next stretch up to block `last`: what to ask, and where each answer goes.
    fn plan(&self, job: &Job<'_>, last: i64) -> Result<Stretch, QueryError> {
        let first = self.next;
        let fresh = self.state.trail().is_empty() && self.notes == Notes::default();
        let (last, window) = stretch(job.grid, first, last, fresh);
        let ask = |(role, arm, query)| Ask {
            query,
            role,
            arm,
            piece: self.condenser.piece(role, arm, first, last),
        };
        let asks = queries(job.objective, job.planner, job.grid, window)?
            .into_iter()
            .map(ask)
            .collect();
        Ok(Stretch { first, last, asks })
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
        for piece in &mut pieces {
            piece.end_with(last);
        }
        let met = self.condenser.next_pod();
        let closed = self.condenser.close(pieces)?;
        for (index, block) in &closed.blocks {
            self.state.fold(*index, block);
        }
        let new = self.condenser.pods().filter(|(number, _)| *number >= met);
        self.recorder.blocks(&closed.blocks, new);
        self.notes += closed.notes;
        self.next = last + 1;
        Ok(())
    }

    /// Closes a stretch whose answers are all there, whichever came first.
    fn settle(&mut self, whole: &mut Waiting) {
        whole.answers.sort_by_key(|(order, ..)| *order);
        let mut pieces = Vec::with_capacity(whole.answers.len());
        for (_, piece, read) in whole.answers.drain(..) {
            match read {
                Err(error) => self.problem = Some(error.into()),
                Ok(report) if report.partial => {
                    self.problem = Some(ReadError::Partial {
                        warnings: report.warnings,
                    });
                }
                Ok(report) => {
                    self.warn(&report.warnings);
                    pieces.push(piece);
                }
            }
        }
        if self.problem.is_none()
            && let Err(error) = self.close(whole.until, pieces)
        {
            self.problem = Some(error);
        }
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

/// One taker's part of an answer: the place of its query among all, what was decoded, and how the reading ended.
type Answer = (u32, Piece, Result<ReadReport, SourceError>);

/// An objective whose answers are on their way.
struct Waiting {
    until: Until,
    wanted: usize,
    answers: Vec<Answer>,
}

impl Waiting {
    fn new(until: Until, wanted: usize) -> Self {
        Self {
            until,
            wanted,
            answers: Vec::with_capacity(wanted),
        }
    }
}

/// Takes an answer in; gives the objective once it has them all.
fn whole(waiting: &mut BTreeMap<usize, Waiting>, at: usize, answer: Answer) -> Option<Waiting> {
    let one = waiting.get_mut(&at)?;
    one.answers.push(answer);
    if one.answers.len() < one.wanted {
        return None;
    }
    waiting.remove(&at)
}

/// A stretch of one objective that is about to be read.
struct Stretch {
    first: i64,
    last: i64,
    asks: Vec<Ask>,
}

/// One query of a stretch, and where its answer goes.
struct Ask {
    query: PlannedQuery,
    role: Role,
    arm: Option<Track>,
    piece: Piece,
}

/// One of those who take a query's answer.
struct Place {
    /// Which objective.
    at: usize,
    /// Which of its queries.
    answer: u32,
    taker: Taker,
}

/// An answer on tape, and for whom it was read.
struct Taped {
    query: String,
    order: u32,
    tape: Tape,
    places: Vec<Place>,
}

/// Reads and folds everything up to block `last`, all objectives side by side. Whatever an objective folded before its
/// error stays; a query that several objectives need is sent once.
pub async fn advance(evidence: &mut [ObjectiveEvidence], jobs: &[Job<'_>], last: i64) {
    for one in evidence.iter_mut() {
        one.problem = None;
    }
    let record = evidence.iter().any(|one| one.recorder.wants_samples());
    let mut open = vec![true; evidence.len()];
    let mut slowest = Duration::ZERO;
    loop {
        let begun = Instant::now();
        // decoding and folding are not stopped in their midst: what will not be done in time is left for the next question
        if slowest > Duration::ZERO && jobs.iter().any(|job| begun + slowest > job.deadline) {
            for (one, open) in evidence.iter_mut().zip(&open) {
                if *open && one.next <= last {
                    one.problem.get_or_insert(ReadError::Deadline);
                }
            }
            return;
        }
        let mut stretches = Vec::new();
        let mut shared: BTreeMap<PlannedQuery, Vec<(Place, Piece)>> = BTreeMap::new();
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
                    stretches.push((at, until, stretch.asks.len()));
                    let blocks = (stretch.first, stretch.last);
                    for (answer, ask) in (0_u32..).zip(stretch.asks) {
                        let taker = Taker::new(at as u32, ask.role, ask.arm, blocks);
                        let place = Place { at, answer, taker };
                        let takers = shared.entry(ask.query).or_default();
                        takers.push((place, ask.piece));
                    }
                }
            }
        }
        let Some(job) = jobs.first().filter(|_| !stretches.is_empty()) else {
            return;
        };
        let reads = (0_u32..)
            .zip(shared)
            .map(|(order, (query, takers))| async move {
                let (places, pieces): (Vec<Place>, Vec<Piece>) = takers.into_iter().unzip();
                let mut all = All {
                    pieces,
                    tape: record.then(Tape::new),
                    strangers: None,
                };
                let read = job.source.read(&query, job.deadline, &mut all).await;
                (order, query.text, places, all, read)
            });
        let mut waiting: BTreeMap<usize, Waiting> = stretches
            .into_iter()
            .map(|(at, until, wanted)| (at, Waiting::new(until, wanted)))
            .collect();
        let mut tapes = Vec::new();
        let mut reads: FuturesUnordered<_> = reads.collect();
        while let Some((order, query, places, all, read)) = reads.next().await {
            for (place, piece) in places.iter().zip(all.pieces) {
                let Some(mut whole) = whole(&mut waiting, place.at, (order, piece, read.clone()))
                else {
                    continue;
                };
                // while the others are still on their way
                if let Some(one) = evidence.get_mut(place.at) {
                    one.settle(&mut whole);
                }
                if let Some(open) = open.get_mut(place.at) {
                    *open = whole.until.stretch < last;
                }
            }
            tapes.extend(all.tape.map(|tape| Taped {
                query,
                order,
                tape,
                places,
            }));
        }
        tapes.sort_by_key(|taped| taped.order);
        keep_tapes(evidence, tapes);
        slowest = slowest.max(begun.elapsed());
    }
}

/// Raw answers go with the first objective whose blocks were made of them.
fn keep_tapes(evidence: &mut [ObjectiveEvidence], tapes: Vec<Taped>) {
    for taped in tapes {
        let closed = |mut place: Place| {
            let one = evidence.get(place.at)?;
            // silent blocks at the end may still be open
            place.taker.last = place.taker.last.min(one.folded());
            let closed = one.problem.is_none() && place.taker.first <= place.taker.last;
            (closed && one.recorder.wants_samples()).then_some(place)
        };
        let places: Vec<Place> = taped.places.into_iter().filter_map(closed).collect();
        let Some(owner) = places.first() else {
            continue;
        };
        let (at, answer) = (owner.at, owner.answer);
        let (first, last) = (owner.taker.first, owner.taker.last);
        let takers: Vec<Taker> = places.into_iter().map(|place| place.taker).collect();
        if let Some(one) = evidence.get_mut(at) {
            let payload = taped
                .tape
                .finish(&taped.query, taped.order, &one.identity, &takers);
            one.recorder.samples(answer, first, last, payload);
        }
    }
}

/// One answer for several takers.
struct All {
    pieces: Vec<Piece>,
    tape: Option<Tape>,
    /// Takers that do not know the series that begins; `None`: nobody has asked.
    strangers: Option<Vec<usize>>,
}

impl SampleSink for All {
    fn restart(&mut self) {
        self.pieces.iter_mut().for_each(SampleSink::restart);
        self.tape.iter_mut().for_each(SampleSink::restart);
    }

    fn recall(&mut self, digest: LabelsDigest) -> bool {
        let strangers: Vec<usize> = self
            .pieces
            .iter_mut()
            .enumerate()
            .filter_map(|(i, piece)| (!piece.recall(digest)).then_some(i))
            .collect();
        // a tape wants every series in full
        let known = strangers.is_empty() && self.tape.is_none();
        self.strangers = (!known).then_some(strangers);
        known
    }

    fn series(&mut self, labels: Labels) {
        let strangers = self.strangers.take();
        for (i, piece) in self.pieces.iter_mut().enumerate() {
            if strangers.as_ref().is_none_or(|s| s.contains(&i)) {
                piece.series(labels.clone());
            }
        }
        if let Some(tape) = &mut self.tape {
            tape.series(labels);
        }
    }

    fn sample(&mut self, at: Millis, value: f64) {
        if let Some(tape) = &mut self.tape {
            tape.sample(at, value);
        }
        for piece in &mut self.pieces {
            piece.sample(at, value);
        }
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        if let Some(tape) = &mut self.tape {
            tape.histogram(at, value.clone());
        }
        if let Some((last, others)) = self.pieces.split_last_mut() {
            for piece in others {
                piece.histogram(at, value.clone());
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

/// What one objective asks about a window, and what each answer stands for.
pub(super) fn queries(
    objective: &Objective,
    planner: &Planner<'_>,
    grid: Grid,
    window: Window,
) -> Result<Vec<(Role, Option<Track>, PlannedQuery)>, QueryError> {
    let mut queries = Vec::new();
    let mut raw = |role, text: &str| -> Result<(), QueryError> {
        for (arms, query) in planner.raw(text, window)? {
            let arm = match arms {
                Arms::Both => None,
                Arms::Only(track) => Some(track),
            };
            queries.push((role, arm, query));
        }
        Ok(())
    };
    match &objective.indicator {
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
            let first = grid.end_of(grid.index_of(window.start + 1));
            for track in [Track::Canary, Track::Stable] {
                let query = planner.expression(
                    expression,
                    *opaque,
                    track,
                    first,
                    window.end,
                    grid.length,
                )?;
                queries.push((Role::Level, Some(track), query));
            }
        }
    }
    Ok(queries)
}
