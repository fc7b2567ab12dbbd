//! Increase of a counter over a window, without extrapolation.

/// The increase of one series, by both readings of its first sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Increase {
    /// Without an earlier sample the first one inside the window is only a baseline.
    pub exact: f64,
    /// Without an earlier sample the series is taken to start at zero.
    pub from_zero: f64,
    /// True when an earlier sample served as baseline (then both readings are equal).
    pub has_baseline: bool,
}

/// Increase over `(start, end]` from samples `(time, value)` in time order.
///
/// The last sample at or before `start`, not older than `lookback`, is the baseline; each fall in value is a restart from
/// zero. Samples that are not finite are left out. Nothing without a sample inside: the increase is then unknown.
pub fn increase(samples: &[(f64, f64)], start: f64, end: f64, lookback: f64) -> Option<Increase> {
    let mut baseline = None;
    let mut previous = None;
    let mut exact = 0.0;
    let mut first = None;
    for &(time, value) in samples
        .iter()
        .filter(|(t, v)| t.is_finite() && v.is_finite())
    {
        if time > end {
            break;
        }
        if time <= start {
            if time >= start - lookback {
                baseline = Some(value);
                previous = Some(value);
            }
            continue;
        }
        first = first.or(Some(value));
        if let Some(before) = previous {
            exact += if value < before {
                value
            } else {
                value - before
            };
        }
        previous = Some(value);
    }
    let first = first?;
    let from_zero = if baseline.is_some() {
        exact
    } else {
        exact + first
    };
    Some(Increase {
        exact,
        from_zero,
        has_baseline: baseline.is_some(),
    })
}
