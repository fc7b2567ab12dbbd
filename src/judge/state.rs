//! One objective's evidence through time, whatever its kind.

use super::{
    counts::{CountBlock, CountState},
    levels::LevelState,
    means::MeanState,
    noticed::Blur,
    onset::Onset,
    quantile::QuantileState,
    reading::{Reading, TrailPoint},
    sane::sane,
};
use crate::{
    domain::{ArmSummary, Millis},
    evidence::Block,
    policy::{Indicator, Objective},
};

/// A fold over closed blocks. The same blocks in the same order give the same state, however they were cut into polls.
#[derive(Debug, Clone)]
pub enum ObjectiveState {
    /// Error ratios and ratios.
    Counts(Box<CountState>),
    /// Quantiles.
    Quantile(Box<QuantileState>),
    /// Means.
    Means(Box<MeanState>),
    /// Gauges and queries.
    Levels(Box<LevelState>),
}

impl ObjectiveState {
    /// An empty state for blocks of this length, judged over a horizon.
    pub fn new(objective: &Objective, block: Millis, horizon: Millis) -> Self {
        let onset = || Onset::new(block, horizon);
        match &objective.indicator {
            Indicator::ErrorRatio { .. } | Indicator::Ratio { .. } => {
                Self::Counts(Box::new(CountState::new(objective, onset())))
            }
            Indicator::LatencyQuantile { quantile, .. } => {
                Self::Quantile(Box::new(QuantileState::new(objective, *quantile, onset())))
            }
            Indicator::Mean { .. } => Self::Means(Box::new(MeanState::new(objective, block))),
            Indicator::Gauge { .. } | Indicator::Query { .. } => {
                Self::Levels(Box::new(LevelState::new(objective, block)))
            }
        }
    }

    /// Takes in the next closed block. Blocks come in ascending order; look-back blocks are negative.
    pub fn fold(&mut self, index: i64, block: &Block) {
        match (self, sane(block).as_ref()) {
            (Self::Counts(state), Block::Counts(block)) => state.fold(index, block),
            (Self::Quantile(state), Block::Histograms(block)) => state.fold(index, block),
            (Self::Means(state), Block::Means(block)) => state.fold(index, block),
            (Self::Levels(state), Block::Gauges(block)) => state.fold(index, block),
            // the reader is made from the same objective, so the kinds always meet
            _ => {}
        }
    }

    /// Computes what a reading at this coverage takes longest for, and remembers it until the next block.
    pub fn prepare(&self, alpha: f64) {
        match self {
            Self::Counts(state) => drop(state.limits(alpha)),
            Self::Quantile(state) => drop(state.limits(alpha)),
            Self::Means(_) | Self::Levels(_) => {}
        }
    }

    /// What the evidence says now; intervals have coverage `1 - alpha`.
    pub fn reading(&self, alpha: f64) -> Reading {
        match self {
            Self::Counts(state) => state.reading(alpha),
            Self::Quantile(state) => state.reading(alpha),
            Self::Means(state) => state.reading(alpha),
            Self::Levels(state) => state.reading(alpha),
        }
    }

    /// The history for charts.
    pub fn trail(&self) -> &[TrailPoint] {
        match self {
            Self::Counts(state) => state.trail(),
            Self::Quantile(state) => state.trail(),
            Self::Means(state) => state.trail(),
            Self::Levels(state) => state.trail(),
        }
    }

    /// Had the arms values in any block: canary, stable?
    pub fn seen(&self) -> (bool, bool) {
        let trail = self.trail();
        let canary = trail.iter().any(|point| point.canary.is_some());
        (canary, trail.iter().any(|point| point.stable.is_some()))
    }

    /// All of the canary, compared or not, where that is told apart: what a limit is about.
    pub fn whole_canary(&self) -> Option<ArmSummary> {
        match self {
            Self::Counts(state) => Some(state.whole()),
            Self::Quantile(state) => Some(state.whole()),
            Self::Means(_) | Self::Levels(_) => None,
        }
    }

    /// The boundary of FAIL, where differences between pods have moved it.
    pub fn blur(&self) -> Option<Blur> {
        match self {
            Self::Counts(state) => state.blur(),
            Self::Quantile(state) => state.blur(),
            Self::Means(_) | Self::Levels(_) => None,
        }
    }

    /// Number of the last block with canary data.
    pub fn last_canary(&self) -> Option<i64> {
        match self {
            Self::Counts(state) => state.last_canary(),
            Self::Quantile(state) => state.last_canary(),
            Self::Means(state) => state.last_canary(),
            Self::Levels(state) => state.last_canary(),
        }
    }

    /// Requests of both arms per block, where the objective counts requests.
    pub fn traffic(&self) -> Option<&[CountBlock]> {
        match self {
            Self::Counts(state) if state.counts_requests() => Some(state.blocks()),
            Self::Quantile(state) => Some(state.blocks()),
            _ => None,
        }
    }
}
