//! A quantile compared through the share of observations above a bucket edge.
//!
//! If the canary distribution is at most a stretch of the stable one by `1 + margin`, then at any edge `b`
//! `P(canary > b) <= P(stable > b / (1 + margin))`. Edges and boundary come from the reference (the past) only.

use super::histogram::{quantile, repaired, total};
use super::two_arm::RATIO_FLOOR;

pub use super::histogram::count_above;

/// The edges at which a quantile is tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edges {
    /// The interpolated quantile of the reference.
    pub quantile: f64,
    /// Largest finite edge not above `quantile * (1 + margin)`; the first edge if there is none.
    pub edge1: f64,
    /// The next finite edge, or the same where there is none.
    pub edge2: f64,
}

/// Picks the edges from the reference; nothing when it is empty or has no finite edge.
pub fn choose_edges(
    le: &[f64],
    reference_cumulative: &[f64],
    q: f64,
    margin: f64,
) -> Option<Edges> {
    let quantile = quantile(le, reference_cumulative, q).filter(|v| v.is_finite())?;
    let target = quantile * (1.0 + margin);
    let finite = || le.iter().copied().filter(|edge| edge.is_finite());
    let first = finite().next()?;
    let edge1 = finite()
        .take_while(|edge| *edge <= target)
        .last()
        .unwrap_or(first);
    let edge2 = finite().find(|edge| *edge > edge1).unwrap_or(edge1);
    Some(Edges {
        quantile,
        edge1,
        edge2,
    })
}

/// Smoothed share of the observations above `y`: `(total - cumulative + 0.5) / (total + 1)` at edges, linear in
/// `ln share` against `ln y` between them, linear from 1 below the first edge, constant above the last finite one.
pub fn share_above(le: &[f64], cumulative: &[f64], y: f64) -> f64 {
    let observations = total(cumulative);
    let share = |count: f64| (observations - count + 0.5) / (observations + 1.0);
    let mut below: Option<(f64, f64)> = None;
    for (&edge, count) in le.iter().zip(repaired(cumulative)) {
        if !edge.is_finite() {
            break;
        }
        let here = share(count);
        if edge == y {
            return here;
        }
        if edge > y {
            return match below {
                Some((start, before)) if start > 0.0 => {
                    let way = (y / start).ln() / (edge / start).ln();
                    (before.ln() + way * (here / before).ln()).exp()
                }
                Some((start, before)) => before + (here - before) * (y - start) / (edge - start),
                None if edge > 0.0 && y > 0.0 => 1.0 - (1.0 - here) * y / edge,
                None => 1.0,
            };
        }
        below = Some((edge, here));
    }
    below.map_or(1.0, |(_, share)| share)
}

/// The margin on the quantile as a margin on the share above `edge`: `share(edge / (1 + margin)) / share(edge)`, at least
/// 1 for a margin upwards, and for a negative one (lower is worse) at most 1.
pub fn exceedance_ratio(le: &[f64], reference_cumulative: &[f64], edge: f64, margin: f64) -> f64 {
    if margin.is_nan() || margin <= -1.0 {
        return RATIO_FLOOR;
    }
    let ratio = share_above(le, reference_cumulative, edge / (1.0 + margin))
        / share_above(le, reference_cumulative, edge);
    if margin < 0.0 {
        ratio.clamp(RATIO_FLOOR, 1.0)
    } else {
        ratio.max(1.0)
    }
}
