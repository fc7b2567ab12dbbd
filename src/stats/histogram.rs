//! Histograms as cumulative counts over rising upper edges, `+Inf` last where it exists.

use super::interval::clopper_pearson;

/// A limit that differs from a share by less (relative) is equal to it.
const ROUNDING: f64 = 1e-12;

/// Cumulative counts with every fall repaired by carrying the larger count forward; missing and negative counts are 0.
pub fn repaired(cumulative: &[f64]) -> impl Iterator<Item = f64> + Clone + '_ {
    cumulative.iter().scan(0.0_f64, |largest, &count| {
        if count > *largest && count.is_finite() {
            *largest = count;
        }
        Some(*largest)
    })
}

/// Total of the histogram.
pub fn total(cumulative: &[f64]) -> f64 {
    repaired(cumulative).last().unwrap_or(0.0)
}

/// The `q` quantile by linear interpolation inside its bucket, as PromQL's `histogram_quantile` does it.
///
/// The first bucket starts at 0 if its edge is positive, else its edge is the answer; a rank above the last finite edge
/// returns that edge. Below 0 and above 1 minus and plus infinity; nothing for an empty histogram or one without a
/// finite edge. Where the last edge is finite, nothing lies above it.
pub fn quantile(le: &[f64], cumulative: &[f64], q: f64) -> Option<f64> {
    if q.is_nan() {
        return None;
    }
    let observations = total(cumulative);
    if observations <= 0.0 || !le.first().is_some_and(|edge| edge.is_finite()) {
        return None;
    }
    if q < 0.0 {
        return Some(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return Some(f64::INFINITY);
    }
    let rank = q * observations;
    let mut below: Option<(f64, f64)> = None;
    for (&edge, count) in le.iter().zip(repaired(cumulative)) {
        if count >= rank {
            let Some((start, before)) = below else {
                if edge <= 0.0 {
                    return Some(edge);
                }
                return Some(interpolate(0.0, edge, rank, count));
            };
            if edge == f64::INFINITY {
                return Some(start);
            }
            return Some(interpolate(start, edge, rank - before, count - before));
        }
        below = Some((edge, count));
    }
    below.map(|(edge, _)| edge)
}

fn interpolate(start: f64, end: f64, rank: f64, count: f64) -> f64 {
    if count > 0.0 {
        start + (end - start) * (rank / count)
    } else {
        start
    }
}

/// Cumulative form of ranges that each hold their own count (`vmrange` of VictoriaMetrics): every start and end becomes
/// an edge. Ranges with numbers that make no sense are left out.
pub fn from_ranges(ranges: &[(f64, f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    let sound = || {
        ranges
            .iter()
            .filter(|(low, high, count)| low < high && count.is_finite() && *count >= 0.0)
    };
    let mut le: Vec<f64> = sound().flat_map(|(low, high, _)| [*low, *high]).collect();
    le.sort_by(f64::total_cmp);
    le.dedup();
    let mut ends: Vec<(f64, f64)> = sound().map(|(_, high, count)| (*high, *count)).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ends = ends.into_iter().peekable();
    let mut running = 0.0;
    let cumulative = le
        .iter()
        .map(|edge| {
            while let Some((_, count)) = ends.next_if(|(end, _)| end <= edge) {
                running += count;
            }
            running
        })
        .collect();
    (le, cumulative)
}

/// Cumulative counts of one histogram at the edges of another: the count at the largest own edge that is not above.
pub fn at_edges(le: &[f64], cumulative: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut own = le.iter().copied().zip(repaired(cumulative)).peekable();
    let mut count = 0.0;
    edges
        .iter()
        .map(|edge| {
            while let Some((_, reached)) = own.next_if(|(own_edge, _)| own_edge <= edge) {
                count = reached;
            }
            count
        })
        .collect()
}

/// Observations above an edge; between edges the next lower edge counts (nothing is interpolated).
pub fn count_above(le: &[f64], cumulative: &[f64], edge: f64) -> f64 {
    let below = le
        .iter()
        .zip(repaired(cumulative))
        .take_while(|(own, _)| **own <= edge)
        .last()
        .map_or(0.0, |(_, count)| count);
    total(cumulative) - below
}

/// Share of the observations above an edge; nothing for an empty histogram.
pub fn raw_share_above(le: &[f64], cumulative: &[f64], edge: f64) -> Option<f64> {
    let observations = total(cumulative);
    (observations > 0.0).then(|| count_above(le, cumulative, edge) / observations)
}

/// Distribution-free interval for a quantile from buckets: the largest edge whose share below is surely under `q` and the
/// smallest edge whose share is surely over it (Clopper-Pearson at each edge), infinite where there is none.
pub fn quantile_interval(le: &[f64], cumulative: &[f64], q: f64, level: f64) -> (f64, f64) {
    let observations = total(cumulative);
    let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
    if observations <= 0.0 {
        return (lower, upper);
    }
    for (&edge, count) in le.iter().zip(repaired(cumulative)) {
        if !edge.is_finite() {
            break;
        }
        let (low, high) = clopper_pearson(count, observations, level);
        if high < q * (1.0 - ROUNDING) {
            lower = edge;
        }
        if low > q * (1.0 + ROUNDING) {
            upper = edge;
            break;
        }
    }
    (lower, upper)
}
