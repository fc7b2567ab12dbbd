//! The verdict for one metric from its numbers.

/// What the numbers say about one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Harm beyond the margin.
    Fail,
    /// No harm of the size that matters.
    Pass,
    /// Neither yet.
    Inconclusive,
}

/// The numbers that decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Error level of FAIL.
    pub alpha: f64,
    /// Error level of PASS.
    pub beta: f64,
    /// Largest log evidence of harm over closed blocks.
    pub max_log_e_fail: f64,
    /// Present log evidence against harm beyond the pass margin.
    pub log_e_pass: f64,
    /// Blocks in which the canary had at least one event.
    pub event_blocks: u32,
    /// Event blocks that FAIL needs.
    pub min_event_blocks: u32,
    /// Closed blocks.
    pub blocks: u32,
    /// Closed blocks that anything but FAIL needs.
    pub min_blocks: u32,
    /// Canary trials.
    pub canary_trials: f64,
    /// Canary trials that anything but FAIL needs.
    pub min_canary_trials: f64,
    /// True when the planned time is over.
    pub horizon_reached: bool,
    /// Minimum detectable ratio.
    pub mde: f64,
    /// Ratio that must be detectable for a pass at the horizon.
    pub design_effect: f64,
}

/// The log evidence at which a decision with this error level is made.
pub fn boundary(level: f64) -> f64 {
    (1.0 / level).ln()
}

/// Applies the rules in order: FAIL on evidence and gate; INCONCLUSIVE on too little data; PASS on evidence; PASS at the
/// horizon with adequate power; else INCONCLUSIVE. NaN never decides.
pub fn decide(s: &Standing) -> Decision {
    if s.max_log_e_fail >= boundary(s.alpha) && s.event_blocks >= s.min_event_blocks {
        return Decision::Fail;
    }
    let enough = s.canary_trials >= s.min_canary_trials && s.blocks >= s.min_blocks;
    if !enough {
        return Decision::Inconclusive;
    }
    let powered = s.horizon_reached && s.mde <= s.design_effect;
    if s.log_e_pass >= boundary(s.beta) || powered {
        return Decision::Pass;
    }
    Decision::Inconclusive
}
