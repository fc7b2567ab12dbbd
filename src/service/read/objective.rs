//! One objective's evidence: what it asks next, and the folding of what came.

use super::{
    error::ReadError,
    questions::{Job, first_block, kind, queries, stretch},
};
use crate::{
    domain::{PlannedQuery, ReadReport, SourceError, Track},
    evidence::{Condenser, Grid, Identity, Notes, Piece, Role},
    judge::{ObjectiveState, objective},
    policy::{Objective, Policy},
    query::QueryError,
    service::{bundle::Recorder, discover::Found},
};

/// Blocks without anything but pods that were left out, after which an arm counts as not seen.
const BLIND_BLOCKS: u32 = 3;

/// One objective's evidence so far.
#[derive(Debug, Clone)]
pub struct ObjectiveEvidence {
    condenser: Condenser,
    /// The folded blocks.
    pub state: ObjectiveState,
    pub(super) next: i64,
    /// What was noticed while reading.
    pub notes: Notes,
    /// Warnings of the source.
    pub warnings: Vec<String>,
    /// Why the latest blocks are missing.
    pub problem: Option<ReadError>,
    /// What the store does not have yet.
    pub recorder: Recorder,
    pub(super) identity: Identity,
    first: i64,
    alpha: f64,
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
            alpha: objective::alpha(policy, objective),
        }
    }

    /// Everything that is closed from now on is recorded.
    #[must_use]
    pub fn recorded(mut self, recorder: Recorder) -> Self {
        self.recorder = recorder;
        self
    }

    /// Why nothing is known of an arm that has samples.
    pub fn hidden(&self) -> Option<ReadError> {
        let (canary, stable) = self.state.seen();
        let spoilt = (self.notes.canary_spoilt > 0, self.notes.stable_spoilt > 0);
        // an arm without a value that can be is not an arm without data
        if (spoilt.0 && !canary) || (spoilt.1 && !stable) {
            return Some(ReadError::Hidden);
        }
        let arms = [(Track::Canary, canary), (Track::Stable, stable)];
        arms.into_iter().find_map(|(track, seen)| {
            let blocks = self.condenser.blind(track);
            let least = if seen { BLIND_BLOCKS } else { 1 };
            (blocks >= least).then_some(ReadError::Blind { track, blocks })
        })
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
    pub(super) fn plan(&self, job: &Job<'_>, last: i64) -> Result<Stretch, QueryError> {
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
    pub(super) fn settle(&mut self, mut whole: Waiting) {
        whole.answers.sort_by_key(|(order, ..)| *order);
        let mut pieces = Vec::with_capacity(whole.answers.len());
        for (_, piece, read) in whole.answers {
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

    /// What judging takes longest for, while other objectives are still on their way.
    pub(super) fn prepare(&self) {
        self.state.prepare(self.alpha);
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
pub(super) struct Until {
    /// Its last block.
    pub(super) stretch: i64,
    /// Silent blocks up to this one are closed too.
    pub(super) patience: i64,
}

/// One taker's part of an answer: the place of its query among all, what was decoded, and how the reading ended.
pub(super) type Answer = (u32, Piece, Result<ReadReport, SourceError>);

/// An objective whose answers are on their way.
pub(super) struct Waiting {
    pub(super) until: Until,
    wanted: usize,
    answers: Vec<Answer>,
}

impl Waiting {
    pub(super) fn new(until: Until, wanted: usize) -> Self {
        Self {
            until,
            wanted,
            answers: Vec::with_capacity(wanted),
        }
    }

    /// Takes an answer in. Was it the last one?
    pub(super) fn take(&mut self, answer: Answer) -> bool {
        self.answers.push(answer);
        self.answers.len() >= self.wanted
    }
}

/// A stretch of one objective that is about to be read.
pub(super) struct Stretch {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) asks: Vec<Ask>,
}

/// One query of a stretch, and where its answer goes.
pub(super) struct Ask {
    pub(super) query: PlannedQuery,
    pub(super) role: Role,
    pub(super) arm: Option<Track>,
    pub(super) piece: Piece,
}
