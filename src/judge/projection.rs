//! When levels are likely to be decided: their evidence computed ahead, with what is known of their scatter and memory.

use crate::stats::{Side, paired_gauge::PairedEstimate, precision::shrunk};

/// No promise reaches further than so many times what was seen.
const FURTHEST: f64 = 100.0;
/// Each try is longer than the one before by this share.
const STRIDE: f64 = 0.03;
/// The scatter of fewer pairs is no guide.
pub const MIN_PAIRS: usize = 3;

/// What there is to decide in one direction: boundaries on the scale of the estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The side of FAIL.
    pub side: Side,
    /// Beyond this on `side` it fails.
    pub fail: Option<f64>,
    /// On the other side of this it passes; a limit passes nothing.
    pub pass: Option<f64>,
}

/// The estimate of now and everything that its evidence depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// From the pairs so far, as they are.
    pub estimate: PairedEstimate,
    /// The least standard error.
    pub floor: f64,
    /// Prior scale.
    pub tau: f64,
    /// The directions of harm.
    pub bounds: [Option<Bounds>; 2],
    /// Nats that one direction needs beyond the threshold of a fail, because its evidence is averaged with others.
    pub shared: f64,
    /// Pairs before the evidence counts.
    pub least: usize,
}

impl Projection {
    /// Pairs still missing until the evidence reaches one of the thresholds, if the truth is what the estimate says
    /// beyond its scatter, and the scatter and its memory stay as they are.
    pub fn missing(&self, fail: f64, pass: f64) -> f64 {
        let now = self.estimate.pairs as f64;
        let truth = self.truth();
        let furthest = now * FURTHEST;
        let mut pairs = (now + 1.0).max(self.least as f64);
        while pairs < furthest && !self.decided(pairs, truth, fail, pass) {
            pairs = (pairs * (1.0 + STRIDE)).max(pairs + 1.0).floor();
        }
        pairs - now
    }

    /// The estimate, drawn towards no difference by as much as may be chance.
    fn truth(&self) -> f64 {
        let PairedEstimate { mean, se, .. } = self.estimate.at_least(self.floor);
        shrunk(mean, se)
    }

    fn decided(&self, pairs: f64, truth: f64, fail: f64, pass: f64) -> bool {
        let now = self.estimate.pairs as f64;
        let ahead = PairedEstimate {
            mean: (self.estimate.mean * now + truth * (pairs - now)) / pairs,
            ..self.estimate.after(pairs as usize)
        };
        let ahead = ahead.at_least(self.floor);
        let bounds = || self.bounds.iter().flatten();
        let log_e = |side, at| ahead.log_e(side, at, self.tau);
        let fails = |b: &Bounds| {
            b.fail
                .is_some_and(|at| log_e(b.side, at) - self.shared >= fail)
        };
        let passes = |b: &Bounds| {
            b.pass
                .is_some_and(|at| log_e(b.side.opposite(), at) >= pass)
        };
        bounds().any(fails) || (bounds().next().is_some() && bounds().all(passes))
    }
}
