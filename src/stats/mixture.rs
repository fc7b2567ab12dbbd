//! Procedure A: the conditional binomial mixture, folded block by block.
//!
//! One block with `x` events of `m` and an expected canary share `pi0` at the boundary changes the log likelihood by
//! `l(u) = u x - m ln(1 + pi0 (exp(u) - 1))` when the log ratio moves by `u`. The process averages `exp(sum l / phi)`
//! over a fixed grid of shifts (a half-normal prior in 60 points, so an exact mixture) and over the starts that the
//! caller has opened. At any time it exceeds `1/alpha` with probability at most `alpha` when the null holds.
//! Source: the conditional test of Lindon and Malek 2022 (arXiv 2011.03567) with a gridded prior, a margin and a
//! quasi-likelihood dispersion.

use std::sync::LazyLock;

/// Number of shifts in the prior.
pub(crate) const POINTS: usize = 60;

/// Terms this far below the largest one (in nats) cannot change a 64-bit sum of a few thousand terms.
const NEGLIGIBLE: f64 = 40.0;

/// Which side of the boundary the evidence speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Evidence that the canary is above the boundary.
    Greater,
    /// Evidence that the canary is below the boundary.
    Less,
}

impl Side {
    /// +1 for [`Side::Greater`], -1 for [`Side::Less`].
    pub fn sign(self) -> f64 {
        match self {
            Side::Greater => 1.0,
            Side::Less => -1.0,
        }
    }

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Side::Greater => Side::Less,
            Side::Less => Side::Greater,
        }
    }
}

/// The prior: shifts `u_j = 0.01 * 500^(j/59)` with weights proportional to `u_j exp(-u_j^2/2)`.
pub(crate) struct Grid {
    /// The shifts.
    pub shift: [f64; POINTS],
    /// Logarithms of the weights, which sum to 1.
    pub ln_weight: [f64; POINTS],
    up: [f64; POINTS],
    down: [f64; POINTS],
}

/// The one grid of the module.
pub(crate) static GRID: LazyLock<Grid> = LazyLock::new(|| {
    let shift: [f64; POINTS] = std::array::from_fn(|j| 0.01 * 500_f64.powf(j as f64 / 59.0));
    let total: f64 = shift.iter().map(|u| u * (-0.5 * u * u).exp()).sum();
    Grid {
        shift,
        ln_weight: shift.map(|u| u.ln() - 0.5 * u * u - total.ln()),
        up: shift.map(f64::exp_m1),
        down: shift.map(|u| (-u).exp_m1()),
    }
});

/// One block for procedure A.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinomialBlock {
    /// Canary events.
    pub x: f64,
    /// Events of both arms (conditional) or canary trials (one sample).
    pub m: f64,
    /// Share of `m` expected for the canary at the boundary of the null.
    pub pi0: f64,
}

/// A start of the onset mixture: its weight and the sums of the grid when it was opened.
#[derive(Clone, Debug)]
struct Start {
    ln_weight: f64,
    base: [f64; POINTS],
}

/// The incremental binomial mixture; see the module for the formula.
#[derive(Clone, Debug)]
pub struct BinomialProcess {
    side: Side,
    sums: [f64; POINTS],
    starts: Vec<Start>,
    opened: f64,
}

impl BinomialProcess {
    /// A process without data and without an open start: its value is 1.
    pub fn new(side: Side) -> Self {
        Self {
            side,
            sums: [0.0; POINTS],
            starts: Vec::new(),
            opened: 0.0,
        }
    }

    /// The side of the boundary that the evidence speaks for.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Sum of the weights opened so far.
    pub fn opened(&self) -> f64 {
        self.opened
    }

    /// Opens a start with a share of the total weight of 1; it bets from the next pushed block on.
    ///
    /// Weight beyond 1 is cut, a weight that is not positive is ignored.
    pub fn open(&mut self, weight: f64) {
        let weight = weight.min(1.0 - self.opened);
        if weight > 0.0 {
            self.opened += weight;
            self.starts.push(Start {
                ln_weight: weight.ln(),
                base: self.sums,
            });
        }
    }

    /// Adds a block. Nothing happens without trials or with numbers that are not finite; `x` is kept within `[0, m]`
    /// and `pi0` within `[0, 1]`.
    pub fn push(&mut self, block: BinomialBlock) {
        let BinomialBlock { x, m, pi0 } = block;
        if !(x.is_finite() && m.is_finite() && pi0.is_finite()) || m <= 0.0 {
            return;
        }
        let x = x.clamp(0.0, m);
        let pi0 = pi0.clamp(0.0, 1.0);
        let grid = &*GRID;
        let growth = match self.side {
            Side::Greater => &grid.up,
            Side::Less => &grid.down,
        };
        let events = self.side.sign() * x;
        for ((sum, shift), growth) in self.sums.iter_mut().zip(&grid.shift).zip(growth) {
            *sum += events * shift - m * (pi0 * growth).ln_1p();
        }
    }

    /// Natural logarithm of the evidence at the dispersion `phi` (values that are not positive count as 1).
    pub fn log_e(&self, phi: f64) -> f64 {
        let scale = if phi > 0.0 { 1.0 / phi } else { 1.0 };
        let grid = &*GRID;
        let waiting = 1.0 - self.opened;
        let ln_waiting = if waiting > 1e-12 {
            waiting.ln()
        } else {
            f64::NEG_INFINITY
        };
        let terms = |start: &Start, use_term: &mut dyn FnMut(f64)| {
            for ((sum, base), ln_weight) in self.sums.iter().zip(&start.base).zip(&grid.ln_weight) {
                use_term(start.ln_weight + ln_weight + (sum - base) * scale);
            }
        };
        let mut max = ln_waiting;
        for start in &self.starts {
            terms(start, &mut |term| max = max.max(term));
        }
        if max == f64::NEG_INFINITY {
            return 0.0;
        }
        let floor = max - NEGLIGIBLE;
        let mut sum = (ln_waiting - max).exp();
        for start in &self.starts {
            terms(start, &mut |term| {
                if term > floor {
                    sum += (term - max).exp();
                }
            });
        }
        max + sum.ln()
    }
}
