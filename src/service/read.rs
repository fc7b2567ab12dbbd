//! Brings one objective's evidence up to date: asks for the blocks that are not closed yet, folds them, forgets the samples.

use super::discover::Found;
use crate::{
    domain::{Code, MetricSource, Millis, PlannedQuery, SourceError, Track, Window},
    evidence::{Condenser, EvidenceError, Grid, Identity, Kind, LOOKBACK, Notes, Role},
    judge::ObjectiveState,
    policy::{Indicator, Objective, Policy},
    query::{Arms, Planner, QueryError},
};
use std::time::Instant;

/// Longest stretch that one query asks for.
const PIECE: Millis = 1_800_000;

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
            state: ObjectiveState::new(objective, found.block),
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

    /// Reads and folds everything up to block `last`. Whatever was folded before an error stays.
    pub async fn advance(&mut self, job: &Job<'_>, last: i64) {
        self.problem = None;
        while self.next <= last {
            if let Err(error) = self.piece(job, last).await {
                self.problem = Some(error);
                return;
            }
        }
    }

    async fn piece(&mut self, job: &Job<'_>, last: i64) -> Result<(), ReadError> {
        let grid = job.grid;
        let first = self.next;
        let last = last.min(first + (PIECE / grid.length).max(1) - 1);
        let fresh = self.notes == Notes::default() && self.state.trail().is_empty();
        let reach = if fresh { LOOKBACK } else { 0 };
        let window = Window {
            start: grid.start_of(first) - reach,
            end: grid.end_of(last),
        };
        let mut asks = Vec::new();
        for (role, arm, query) in job.queries(window, grid)? {
            asks.push((query, self.condenser.piece(role, arm, first, last)));
        }
        let reads = asks.into_iter().map(|(query, mut piece)| async move {
            let report = job.source.read(&query, job.deadline, &mut piece).await?;
            Ok::<_, ReadError>((piece, report))
        });
        let mut pieces = Vec::new();
        for read in futures_join(reads).await {
            let (piece, report) = read?;
            if report.partial {
                return Err(ReadError::Partial {
                    warnings: report.warnings,
                });
            }
            for warning in report.warnings {
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
            }
            pieces.push(piece);
        }
        let closed = self.condenser.close(pieces)?;
        for (index, block) in &closed.blocks {
            self.state.fold(*index, block);
        }
        self.notes += closed.notes;
        self.next = last + 1;
        Ok(())
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
        grid: Grid,
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
                let first = grid.end_of(grid.index_of(window.start + 1));
                for track in [Track::Canary, Track::Stable] {
                    let query = self.planner.expression(
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
}

/// Runs futures side by side and keeps their order.
async fn futures_join<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(futures).await
}
