//! Anytime-valid confidence limits for the ratio of two rates, by inverting procedure A (single start).
//!
//! With `a = n_c / n_s` a block at ratio `r` has `ln(1 + pi (e^u - 1)) = ln(1 + a r e^u) - ln(1 + a r)`, so everything
//! hangs on the one function `S(l) = sum m ln(1 + a e^l)`:
//! `ln E(r) = ln sum_j w_j exp([+-u_j X - S(ln r +- u_j) + S(ln r)] / phi)`.

use super::mixture::{GRID, Side};
use super::special::{Table, expand, find_root, log_sum_exp};
use super::two_arm::Counts;

/// Limits of the search on the scale of ln r.
const REACH: (f64, f64) = (-60.0, 60.0);

/// With more blocks than this, `S` is taken from a table.
const FEW: usize = 12;
/// How far a limit may be from the first guess and still lie in the table.
const ROUND: f64 = 0.5;

/// What the inversion needs to know: one row (total events, ln of the exposure ratio) per block.
struct Evidence {
    rows: Vec<(f64, f64)>,
    canary: f64,
    total: f64,
    scale: f64,
    /// `S` near the limit that is sought.
    table: Option<Table>,
}

impl Evidence {
    fn new(counts: &[Counts], phi: f64) -> Self {
        let mut this = Self {
            rows: Vec::with_capacity(counts.len()),
            canary: 0.0,
            total: 0.0,
            scale: if phi > 0.0 { 1.0 / phi } else { 1.0 },
            table: None,
        };
        for block in counts.iter().filter(|b| b.usable()) {
            let m = block.x_c + block.x_s;
            if m > 0.0 {
                this.rows.push((m, block.n_c / block.n_s));
                this.canary += block.x_c;
                this.total += m;
            }
        }
        this
    }

    /// All blocks in one, at the average exposure ratio: a cheap first guess.
    fn pooled(&self) -> Self {
        let weighted: f64 = self.rows.iter().map(|(m, a)| m * a.ln()).sum();
        Self {
            rows: vec![(self.total, (weighted / self.total).exp())],
            table: None,
            ..*self
        }
    }

    /// `S` at several points.
    fn softplus_sums<const N: usize>(&self, ln_factors: [f64; N]) -> [f64; N] {
        match &self.table {
            Some(table) if ln_factors.iter().all(|l| table.holds(*l)) => table.at(ln_factors),
            _ => ln_factors.map(|l| self.softplus_sum(l)),
        }
    }

    /// `S`, block by block.
    fn softplus_sum(&self, ln_factor: f64) -> f64 {
        let factor = ln_factor.exp();
        self.rows
            .iter()
            .map(|(m, a)| m * (1.0 + a * factor).ln())
            .sum()
    }

    /// The same evidence, quick near a ratio: `S` is analytic within pi of the real line, so that the table is exact to rounding.
    fn near(&self, side: Side, ln_ratio: f64) -> Self {
        let reach = GRID.shift.last().map_or(0.0, |u| side.sign() * u);
        let (low, high) = (ln_ratio + reach.min(0.0), ln_ratio + reach.max(0.0));
        let table = (self.rows.len() > FEW)
            .then(|| Table::new(low - ROUND, high + ROUND, |l| self.softplus_sum(l)));
        Self {
            rows: self.rows.clone(),
            table,
            ..*self
        }
    }

    fn log_e(&self, side: Side, ln_ratio: f64) -> f64 {
        let [here] = self.softplus_sums([ln_ratio]);
        let sign = side.sign();
        let grid = &*GRID;
        let mut terms = grid.ln_weight;
        let moved = self.softplus_sums(grid.shift.map(|shift| ln_ratio + sign * shift));
        for ((term, shift), moved) in terms.iter_mut().zip(&grid.shift).zip(moved) {
            *term += self.scale * (sign * shift * self.canary - moved + here);
        }
        log_sum_exp(terms)
    }

    /// The value that `log_e` tends to as the ratio goes to zero (greater) or to infinity (less).
    fn limit(&self, side: Side) -> f64 {
        let events = match side {
            Side::Greater => self.canary,
            Side::Less => self.total - self.canary,
        };
        let grid = &*GRID;
        let mut terms = grid.ln_weight;
        for (term, shift) in terms.iter_mut().zip(&grid.shift) {
            *term += self.scale * shift * events;
        }
        log_sum_exp(terms)
    }

    /// Where the evidence crosses the threshold, or nothing if it stays below.
    fn crossing(&self, side: Side, threshold: f64, tolerance: f64) -> Option<f64> {
        if self.rows.is_empty() || self.limit(side) <= threshold {
            return None;
        }
        let sign = side.sign();
        // rising in ln r for both sides: the greater process falls with r, the less process rises
        let rising =
            |evidence: &Self, ln_ratio: f64| sign * (threshold - evidence.log_e(side, ln_ratio));
        let pooled = self.pooled();
        let (low, high) = expand(|l| rising(&pooled, l), 0.0, 1.0, REACH);
        let guess = find_root(|l| rising(&pooled, l), low, high, 1e-6);
        let step = (10.0 * tolerance).clamp(1e-4, 2e-3);
        let quick = self.near(side, guess);
        let (low, high) = expand(|l| rising(&quick, l), guess, step, REACH);
        Some(find_root(|l| rising(&quick, l), low, high, tolerance))
    }
}

/// Two-sided limits with coverage `1 - alpha` at any time: the lower one is the smallest `r0` at which the greater process
/// is below `2/alpha`, the upper one the largest at which the less process is. `(0, inf)` where nothing is excluded.
///
/// `tolerance` is in ln r (`1e-4` for a report, `1e-10` to compare numbers). Blocks without trials in an arm add nothing.
pub fn ratio_confidence_sequence(
    blocks: &[Counts],
    phi: f64,
    alpha: f64,
    tolerance: f64,
) -> (f64, f64) {
    if !(alpha > 0.0 && alpha < 1.0) {
        return (0.0, f64::INFINITY);
    }
    let evidence = Evidence::new(blocks, phi);
    let threshold = (2.0 / alpha).ln();
    let lower = evidence
        .crossing(Side::Greater, threshold, tolerance)
        .map_or(0.0, f64::exp);
    let upper = evidence
        .crossing(Side::Less, threshold, tolerance)
        .map_or(f64::INFINITY, f64::exp);
    // with very many events the limits may be closer together than the tolerance
    (lower.min(upper), upper.max(lower))
}
