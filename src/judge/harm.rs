//! What counts as harm for one objective: a direction with signed margins.

use crate::{
    policy::{Direction, Margin, Objective},
    stats::Side,
};

/// A margin whose sign says the direction of harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedMargin {
    /// Share of the reference.
    pub relative: f64,
    /// In the objective's unit.
    pub absolute: f64,
}

impl SignedMargin {
    /// The boundary for a mean or a level: as a log ratio, or as a difference where values may be zero or negative. A
    /// share of a reference of 0 is no margin.
    pub fn on_scale(self, reference: f64, log: bool) -> Option<f64> {
        let size = reference.abs();
        if log {
            let absolute = if self.absolute == 0.0 {
                0.0
            } else {
                self.absolute / size
            };
            return Some((1.0 + self.relative + absolute).max(1e-3).ln());
        }
        let margin = self.relative * size + self.absolute;
        (size > 0.0 || self.absolute != 0.0 || self.relative == 0.0).then_some(margin)
    }
}

/// One direction of harm: what to show for a fail, what to rule out for a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harm {
    /// Is the higher value the worse one?
    pub higher_is_worse: bool,
    /// Boundary of FAIL.
    pub fail: SignedMargin,
    /// Boundary of PASS.
    pub pass: SignedMargin,
}

impl Harm {
    /// The directions that an objective watches: one, or both for `either`.
    pub fn of(objective: &Objective) -> Vec<Self> {
        let up = Self::new(true, objective.margin, objective.pass_margin);
        let down = Self::new(false, objective.margin, objective.pass_margin);
        match objective.harm {
            Direction::Increase => vec![up],
            Direction::Decrease => vec![down],
            Direction::Either => vec![up, down],
        }
    }

    /// Upwards, with one margin for both sides.
    pub fn upwards(margin: Margin) -> Self {
        Self::new(true, margin, margin)
    }

    fn new(higher_is_worse: bool, fail: Margin, pass: Margin) -> Self {
        let sign = if higher_is_worse { 1.0 } else { -1.0 };
        let signed = |m: Margin| SignedMargin {
            relative: sign * m.relative,
            absolute: sign * m.absolute,
        };
        Self {
            higher_is_worse,
            fail: signed(fail),
            pass: signed(pass),
        }
    }

    /// The same harm seen on `1 - p`, for proportions near 1: a loss of successes is a gain of failures.
    #[must_use]
    pub fn on_complement(&self, p: f64) -> Self {
        let turn = |m: SignedMargin| SignedMargin {
            relative: 0.0,
            absolute: -(m.relative * p + m.absolute),
        };
        Self {
            higher_is_worse: !self.higher_is_worse,
            fail: turn(self.fail),
            pass: turn(self.pass),
        }
    }

    /// Boundaries of FAIL and PASS on a scale. Below a reference of 0 there is nothing to lose by shares: whoever is shown
    /// to be no lower than that passes.
    pub fn bounds(&self, reference: f64, log: bool) -> (Option<f64>, Option<f64>) {
        let fail = self.fail.on_scale(reference, log);
        let pass = self.pass.on_scale(reference, log);
        let bottom = !log && !self.higher_is_worse && reference == 0.0;
        (fail, if bottom { pass.or(Some(0.0)) } else { pass })
    }

    /// Side of the FAIL process.
    pub fn fail_side(&self) -> Side {
        if self.higher_is_worse {
            Side::Greater
        } else {
            Side::Less
        }
    }

    /// Side of the PASS process.
    pub fn pass_side(&self) -> Side {
        if self.higher_is_worse {
            Side::Less
        } else {
            Side::Greater
        }
    }

    /// Widens a boundary ratio by the spread between pods: one canary pod may simply sit on a slow node.
    pub fn widen(&self, ratio: f64, pod_spread: f64, canary_pods: usize) -> f64 {
        let spread = (2.0 * pod_spread / (canary_pods.max(1) as f64).sqrt()).exp();
        if self.higher_is_worse {
            ratio.max(spread)
        } else {
            ratio.min(1.0 / spread)
        }
    }
}
