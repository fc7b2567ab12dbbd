//! The absolute limit: one-sample evidence on the canary alone.

use crate::stats::{BinomialBlock, BinomialProcess, Side, rate_cs::rate_confidence_sequence};

/// Trials per unit of exposure when an unbounded rate is written as a binomial: large enough to be Poisson.
pub const FINE: f64 = 1000.0;

/// One-sample e-process against "the canary keeps the limit".
#[derive(Debug, Clone)]
pub struct LimitBet {
    process: BinomialProcess,
    pi0: f64,
    trials_per_unit: f64,
    events: f64,
    trials: f64,
}

impl LimitBet {
    /// For a rate: a ceiling where higher is worse, else a floor. A rate that is no proportion is taken as Poisson.
    pub fn on_rate(limit: f64, higher_is_worse: bool, proportion: bool) -> Self {
        let fine = if proportion {
            1.0
        } else {
            FINE * limit.max(1.0)
        };
        Self {
            process: BinomialProcess::new(if higher_is_worse {
                Side::Greater
            } else {
                Side::Less
            }),
            pi0: (limit / fine).clamp(1e-12, 1.0 - 1e-12),
            trials_per_unit: fine,
            events: 0.0,
            trials: 0.0,
        }
    }

    /// Opens a start of the onset mixture.
    pub fn open(&mut self, weight: f64) {
        self.process.open(weight);
    }

    /// Takes in one block.
    pub fn push(&mut self, events: f64, trials: f64) {
        let trials = trials * self.trials_per_unit;
        self.process.push(BinomialBlock {
            x: events,
            m: trials,
            pi0: self.pi0,
        });
        self.events += events.min(trials);
        self.trials += trials;
    }

    /// The canary's rate; nothing without trials.
    pub fn share(&self) -> Option<f64> {
        (self.trials > 0.0).then(|| self.events / self.trials * self.trials_per_unit)
    }

    /// The confidence sequence of the canary's rate; nothing without trials.
    pub fn interval(&self, phi: f64, alpha: f64) -> Option<(f64, f64)> {
        let (lower, upper) = rate_confidence_sequence(self.events, self.trials, phi, alpha)?;
        let unit = self.trials_per_unit;
        Some((lower * unit, upper * unit))
    }

    /// ln E at this dispersion.
    pub fn log_e(&self, phi: f64) -> f64 {
        self.process.log_e(phi)
    }
}
