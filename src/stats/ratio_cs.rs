//! Anytime-valid confidence limits for the ratio of two rates, by inverting procedure A (single start).
//!
//! With `a = n_c / n_s` a block at ratio `r` has `ln(1 + pi (e^u - 1)) = ln(1 + a r e^u) - ln(1 + a r)`, so everything
//! hangs on the one function `S(l) = sum m ln(1 + a e^l)`:
//! `ln E(r) = ln sum_j w_j exp([+-u_j X - S(ln r +- u_j) + S(ln r)] / phi)`.

use super::mixture::{GRID, Side};
use super::special::{NOTHING, POINTS, Table, expand, find_root, log_sum_exp};
use super::two_arm::Counts;
use std::{cell::OnceCell, sync::LazyLock};

/// Limits of the search on the scale of ln r.
const REACH: (f64, f64) = (-60.0, 60.0);

/// So many shifts are looked at together.
const PART: usize = 12;

/// Tolerance of the estimate in ln r.
const ROOT_TOLERANCE: f64 = 1e-10;

/// `S` is kept in tables side by side, from this `l` on; it is analytic within pi of the real line, so that these are exact to
/// rounding.
const LOWEST: f64 = -9.0;
const WIDTH: f64 = 1.5;
const TABLES: usize = 12;

/// `e^l` at the points of all tables.
static FACTORS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let tables = (0..TABLES).map(bounds);
    let points = tables.flat_map(|(low, high)| Table::points(low, high));
    points.map(f64::exp).collect()
});

/// Where a table begins and ends.
fn bounds(table: usize) -> (f64, f64) {
    let low = LOWEST + WIDTH * table as f64;
    (low, low + WIDTH)
}

/// Which table holds this point.
fn table_of(l: f64) -> Option<usize> {
    let place = ((l - LOWEST) / WIDTH).floor();
    (place >= 0.0 && place < TABLES as f64).then_some(place as usize)
}

/// What the limits need to know of all blocks so far. It grows by one block at the cost of that block.
#[derive(Debug, Clone, Default)]
pub struct RatioSums {
    canary: f64,
    total: f64,
    /// `sum m ln a`.
    weighted: f64,
    /// `S` at the points of all tables.
    softplus: Vec<f64>,
}

/// One block's total of events and ratio of exposures, where it has something to say.
fn row(block: &Counts) -> Option<(f64, f64)> {
    let m = block.x_c + block.x_s;
    (block.usable() && m > 0.0).then(|| (m, block.n_c / block.n_s))
}

impl RatioSums {
    /// Takes the next block. Without trials in an arm it adds nothing.
    pub fn push(&mut self, block: &Counts) {
        let Some((m, a)) = row(block) else { return };
        self.canary += block.x_c;
        self.total += m;
        self.weighted += m * a.ln();
        self.softplus.resize(TABLES * POINTS, 0.0);
        for (sum, factor) in self.softplus.iter_mut().zip(&*FACTORS) {
            *sum += m * (1.0 + a * factor).ln();
        }
    }

    /// Two-sided limits with coverage `1 - alpha` at any time, as [`ratio_confidence_sequence`] gives them. `blocks` are those
    /// that were pushed.
    pub fn limits(&self, blocks: &[Counts], phi: f64, alpha: f64, tolerance: f64) -> (f64, f64) {
        if !(alpha > 0.0 && alpha < 1.0) {
            return (0.0, f64::INFINITY);
        }
        let scale = if phi > 0.0 { 1.0 / phi } else { 1.0 };
        let pooled = (self.weighted / self.total).exp();
        let pooled = self.evidence(scale, Softplus::Pooled(self.total, pooled));
        let exact = self.evidence(scale, Softplus::Exact(self, blocks, Box::default()));
        let (centre, spread) = self.about(scale);
        let crossing = |side: Side| {
            let about = (centre - side.sign() * 3.0 * spread, spread);
            crossing(
                [&pooled, &exact],
                side,
                (2.0 / alpha).ln(),
                tolerance,
                about,
            )
        };
        let lower = crossing(Side::Greater).map_or(0.0, f64::exp);
        let upper = crossing(Side::Less).map_or(f64::INFINITY, f64::exp);
        // with very many events the limits may be closer together than the tolerance
        (lower.min(upper), upper.max(lower))
    }

    /// The most likely common ratio: the root of `sum (x - m pi(r)) = 0`. No evidence speaks against it, so it lies between the
    /// limits; 0 or infinite where an arm has no events, nothing where neither has.
    pub fn estimate(&self, blocks: &[Counts]) -> Option<f64> {
        let stable = self.total - self.canary;
        if self.canary <= 0.0 || stable <= 0.0 {
            return (self.total > 0.0).then_some(if self.canary > 0.0 {
                f64::INFINITY
            } else {
                0.0
            });
        }
        let excess = |ln_ratio: f64| {
            let factor = ln_ratio.exp();
            let rows = blocks.iter().filter_map(row);
            rows.map(|(m, a)| m - m / (1.0 + a * factor)).sum::<f64>() - self.canary
        };
        let (centre, spread) = self.about(1.0);
        let (low, high) = expand(excess, centre, spread, REACH);
        Some(find_root(excess, low, high, ROOT_TOLERANCE).exp()).filter(|ratio| ratio.is_finite())
    }

    /// Where ln r is about, and its spread.
    fn about(&self, scale: f64) -> (f64, f64) {
        let (canary, stable) = (self.canary + 0.5, self.total - self.canary + 0.5);
        let centre = (canary / stable).ln() - self.weighted / self.total;
        let spread = ((1.0 / canary + 1.0 / stable) / scale).sqrt();
        (centre.clamp(-30.0, 30.0), spread.min(1.0))
    }

    fn evidence<'a>(&self, scale: f64, softplus: Softplus<'a>) -> Evidence<'a> {
        Evidence {
            canary: self.canary,
            total: self.total,
            scale,
            softplus,
        }
    }
}

/// The function `S`.
enum Softplus<'a> {
    /// All blocks in one, at the average exposure ratio: a cheap first guess.
    Pooled(f64, f64),
    /// From the tables, and block by block beside them.
    Exact(&'a RatioSums, &'a [Counts], Box<[OnceCell<Table>; TABLES]>),
}

impl Softplus<'_> {
    /// Puts its values in the place of these points.
    fn replace(&self, points: &mut [f64]) {
        match self {
            Self::Pooled(m, a) => {
                for point in points {
                    *point = m * (1.0 + a * point.exp()).ln();
                }
            }
            Self::Exact(sums, blocks, tables) => {
                for run in points.chunk_by_mut(|a, b| table_of(*a) == table_of(*b)) {
                    let place = run.first().and_then(|l| table_of(*l));
                    if let Some((place, table)) = place.and_then(|p| Some((p, tables.get(p)?))) {
                        table.get_or_init(|| sums.table(place)).replace(run);
                    } else {
                        for point in run {
                            *point = beside(blocks, *point);
                        }
                    }
                }
            }
        }
    }
}

impl RatioSums {
    fn table(&self, place: usize) -> Table {
        let (low, high) = bounds(place);
        let values = self.softplus.chunks(POINTS).nth(place);
        Table::new(low, high, values.unwrap_or_default())
    }
}

/// `S`, block by block.
fn beside(blocks: &[Counts], l: f64) -> f64 {
    let factor = l.exp();
    let rows = blocks.iter().filter_map(row);
    rows.map(|(m, a)| m * (1.0 + a * factor).ln()).sum()
}

/// The evidence against a ratio.
struct Evidence<'a> {
    canary: f64,
    total: f64,
    scale: f64,
    softplus: Softplus<'a>,
}

impl Evidence<'_> {
    fn log_e(&self, side: Side, ln_ratio: f64) -> f64 {
        let (sign, grid) = (side.sign(), &*GRID);
        let mut here = [ln_ratio];
        self.softplus.replace(&mut here);
        let mut terms = grid.shift.map(|shift| ln_ratio + sign * shift);
        let (mut known, mut best) = (0, f64::NEG_INFINITY);
        let parts = terms.chunks_mut(PART).zip(grid.shift.chunks(PART));
        for ((terms, shifts), weights) in parts.zip(grid.ln_weight.chunks(PART)) {
            self.softplus.replace(terms);
            for ((term, shift), weight) in terms.iter_mut().zip(shifts).zip(weights) {
                *term = weight + self.scale * (sign * shift * self.canary - *term + here[0]);
                best = best.max(*term);
            }
            known += terms.len();
            // concave in the shift: what has fallen behind stays there
            if terms.last().is_some_and(|term| *term < best - NOTHING) {
                break;
            }
        }
        log_sum_exp(terms.iter().take(known).copied())
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
}

/// Where the exact evidence crosses the threshold, or nothing if it stays below. It is looked for `about` there, first with the
/// pooled one.
fn crossing(
    [pooled, exact]: [&Evidence<'_>; 2],
    side: Side,
    threshold: f64,
    tolerance: f64,
    about: (f64, f64),
) -> Option<f64> {
    // without events there is none
    if exact.limit(side) <= threshold {
        return None;
    }
    // rising in ln r for both sides: the greater process falls with r, the less process rises
    let rising = |evidence: &Evidence<'_>, ln_ratio: f64| {
        side.sign() * (threshold - evidence.log_e(side, ln_ratio))
    };
    let step = (10.0 * tolerance).clamp(1e-4, 2e-3);
    let (low, high) = expand(|l| rising(pooled, l), about.0, about.1, REACH);
    let guess = find_root(|l| rising(pooled, l), low, high, 0.5 * step);
    let (low, high) = expand(|l| rising(exact, l), guess, step, REACH);
    Some(find_root(|l| rising(exact, l), low, high, tolerance))
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
    let mut sums = RatioSums::default();
    for block in blocks {
        sums.push(block);
    }
    sums.limits(blocks, phi, alpha, tolerance)
}
