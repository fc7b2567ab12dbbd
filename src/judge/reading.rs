//! What the evidence of one objective says after the latest closed block. Numbers only; `objective` decides.

use super::{projection::Projection, running::Running};
use crate::domain::{ArmSummary, Effect};

pub use crate::domain::Scale;

/// One point of an objective's history, for charts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailPoint {
    /// Number of the block.
    pub index: i64,
    /// The canary's value in the block.
    pub canary: Option<f64>,
    /// Stable's value in the block.
    pub stable: Option<f64>,
    /// ln E of the FAIL side.
    pub log_e_fail: f64,
    /// ln E of the PASS side.
    pub log_e_pass: f64,
}

/// Everything that the decision and its sentence need.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each named"
)]
pub struct Reading {
    /// Name of the procedure.
    pub method: String,
    /// The e-processes.
    pub running: Running,
    /// The least that a fail needs beside its evidence.
    pub gate: Gate,
    /// The canary's numbers.
    pub canary: ArmSummary,
    /// Stable's numbers.
    pub stable: ArmSummary,
    /// The difference.
    pub effect: Effect,
    /// Boundary of FAIL at the present reference, on the scale of `effect`: of two directions of harm the one with the
    /// stronger evidence.
    pub boundary: Option<f64>,
    /// A margin is a share of stable alone, and stable is 0: nothing can be shown.
    pub unmeasured: bool,
    /// The same as a difference of rates, where stable is so near to zero that no ratio to it is a measure.
    pub points: Option<Points>,
    /// What `effect` and `boundary` are.
    pub scale: Scale,
    /// Do they lie above no difference where there is harm?
    pub upwards: bool,
    /// Over-dispersion.
    pub dispersion: Option<f64>,
    /// Spread between stable pods.
    pub pod_spread: Option<f64>,
    /// Blocks with canary data.
    pub blocks: u64,
    /// Canary trials (requests, observations, items); none for a level.
    pub trials: Option<f64>,
    /// Did stable ever have data beside the canary?
    pub compared: bool,
    /// Both arms have data, for some blocks already, but never in the same one.
    pub apart: bool,
    /// Stable is at 0, and only a decrease is harm: whoever is not lower passes.
    pub at_bottom: bool,
    /// The same of counts without a single event on either arm: nothing can be shown.
    pub nothing_to_lose: bool,
    /// Number of the last block with canary data.
    pub last_canary: Option<i64>,
    /// The canary's value is beyond the limit.
    pub over_limit: bool,
    /// The edge at which a quantile's limit is held, where its value lies between the two.
    pub held_at: Option<f64>,
    /// The canary's own interval, for the limit: at any time, without stable.
    pub alone: Option<Alone>,
    /// Neither arm has a single event of what is counted.
    pub eventless: bool,
    /// The quantile of an arm lies above the largest finite bucket.
    pub above_largest: bool,
    /// What planning needs.
    pub information: Information,
}

/// A difference of rates beside its margin, on the scale that `effect` is a ratio on. Harm is upwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    /// Canary minus stable.
    pub estimate: f64,
    /// Lower end, valid at any time.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The difference at which harm begins.
    pub margin: f64,
    /// Is that the policy's margin, not one that pods which differ have moved?
    pub as_written: bool,
}

/// The canary's own interval beside a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alone {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// A quantile has none of its own: then this is of the share of requests above this edge, of which so many may be.
    pub above: Option<(f64, f64)>,
}

/// The least that a fail needs: evidence from a block or two may be a hiccup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// How many there were.
    pub seen: u64,
    /// How many a fail needs.
    pub needed: u64,
    /// Of what.
    pub of: &'static str,
}

impl Gate {
    /// Is there enough?
    pub fn is_open(&self) -> bool {
        self.seen >= self.needed
    }

    /// What is needed and what was seen, in words.
    pub fn words(&self) -> String {
        let Self { seen, needed, of } = self;
        format!("a fail needs {needed} {of}, {seen} seen")
    }
}

/// What planning needs: how precise the estimate is and how far the boundaries are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// Standard error of the log ratio (or of the difference) so far.
    pub se: Option<f64>,
    /// The estimate on the same scale.
    pub estimate: Option<f64>,
    /// Boundary of FAIL on the same scale, signed.
    pub fail_at: f64,
    /// Boundary of PASS on the same scale, signed.
    pub pass_at: f64,
    /// Prior scale of the evidence.
    pub tau: f64,
    /// Seconds of data on both arms before the comparison counts at all.
    pub least_seconds: f64,
    /// Levels: how their evidence goes on, and that of their limit.
    pub ahead: [Option<Projection>; 2],
    /// Length of one of their pairs in seconds; 0 for everything else.
    pub pair_seconds: f64,
}
