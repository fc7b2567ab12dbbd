//! Averages of a level, over time and then over the series of an arm.

use super::{Gauges, gain::Gain};
use crate::domain::Track;

/// `gains`: the chosen series of one block.
pub(super) fn gauges(gains: &[Gain<'_>]) -> Gauges {
    let average = |track| {
        let of_arm = gains.iter().filter(|g| g.track == track);
        let (sum, series) = of_arm.fold((0.0, 0_u32), |(sum, n), g| (sum + g.average(), n + 1));
        (series > 0).then(|| sum / f64::from(series))
    };
    Gauges {
        canary: average(Track::Canary),
        stable: average(Track::Stable),
    }
}
