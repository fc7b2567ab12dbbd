//! What one objective asks its source about a window.

use crate::{
    domain::{MetricSource, Millis, PlannedQuery, Track, Window},
    evidence::{Grid, Kind, LOOKBACK, Role},
    policy::{Indicator, Objective, Policy},
    query::{Arms, Planner, QueryError},
};
use std::time::Instant;

/// Longest stretch that one query asks for.
const PIECE: Millis = 1_800_000;
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
pub fn first_block(policy: &Policy, objective: &Objective, block: Millis) -> i64 {
    match kind(policy, objective) {
        Kind::Counts { .. } | Kind::Histogram { .. } => -(policy.look_back / block.max(1)),
        Kind::Means | Kind::Gauge => 0,
    }
}

/// The stretch that is asked for next, up to block `last`, and the window of its queries. The first reading begins earlier,
/// so that counters have a sample to start from.
pub fn stretch(grid: Grid, first: i64, last: i64, fresh: bool) -> (i64, Window) {
    let last = last.min(first + (PIECE / grid.length.max(1)).max(1) - 1);
    let reach = if fresh { LOOKBACK } else { 0 };
    let window = Window {
        start: grid.start_of(first) - reach,
        end: grid.end_of(last),
    };
    (last, window)
}

/// What one objective asks about a window, and what each answer stands for.
pub fn queries(
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
