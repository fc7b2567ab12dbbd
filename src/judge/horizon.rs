//! The report at the end of a step: classical tests, made once. Their p values are fixed-horizon and never polled.

use super::{
    counts::CountBlock,
    levels::LevelState,
    reading::{Reading, Scale},
    state::ObjectiveState,
};
use crate::{
    domain::FixedHorizon,
    policy::{Indicator, Objective},
    stats::{
        interval::newcombe,
        proportions::score_ratio,
        rank::{Shift, mann_whitney},
        rate_ratio::{rate_ratio_interval, rate_ratio_test},
    },
};

const LEVEL: f64 = 0.95;

/// The classical test that fits the objective, against its FAIL margin.
pub fn report(
    objective: &Objective,
    state: &ObjectiveState,
    reading: &Reading,
) -> Option<FixedHorizon> {
    let boundary = reading.boundary?;
    // of two directions the one that the boundary belongs to
    let decrease = !reading.upwards;
    match state {
        ObjectiveState::Counts(counts)
            if matches!(objective.indicator, Indicator::ErrorRatio { .. }) =>
        {
            Some(proportions(
                total(counts.blocks()),
                boundary,
                decrease,
                "share of canary minus share of stable",
            ))
        }
        ObjectiveState::Counts(counts) => Some(rates(total(counts.blocks()), boundary, decrease)),
        ObjectiveState::Quantile(quantile) => Some(proportions(
            total(quantile.blocks()),
            boundary,
            false,
            "share above the edge, canary minus stable",
        )),
        ObjectiveState::Means(_) => welch(reading, decrease),
        ObjectiveState::Levels(levels) => ranks(levels, decrease),
    }
}

fn total(blocks: &[CountBlock]) -> CountBlock {
    blocks
        .iter()
        .filter(|b| b.n_c > 0.0 && b.n_s > 0.0)
        .fold(CountBlock::default(), |a, b| CountBlock {
            x_c: a.x_c + b.x_c,
            n_c: a.n_c + b.n_c,
            x_s: a.x_s + b.x_s,
            n_s: a.n_s + b.n_s,
        })
}

fn proportions(
    counts: CountBlock,
    boundary: f64,
    decrease: bool,
    interval_of: &str,
) -> FixedHorizon {
    let p = score_ratio(counts, boundary).map(|test| {
        if decrease {
            1.0 - test.p_greater
        } else {
            test.p_greater
        }
    });
    let (lower, upper) = newcombe(counts.x_c, counts.n_c, counts.x_s, counts.n_s, LEVEL);
    FixedHorizon {
        method: "miettinen-nurminen-score".to_owned(),
        p_value: finite(p),
        lower: finite(Some(lower)),
        upper: finite(Some(upper)),
        interval_of: interval_of.to_owned(),
    }
}

fn rates(counts: CountBlock, boundary: f64, decrease: bool) -> FixedHorizon {
    let test = rate_ratio_test(counts, boundary);
    let (lower, upper) = rate_ratio_interval(counts, LEVEL);
    FixedHorizon {
        method: "conditional-exact-binomial".to_owned(),
        p_value: finite(Some(if decrease {
            test.mid_p_less
        } else {
            test.mid_p_greater
        })),
        lower: finite(Some(lower)),
        upper: finite(Some(upper)),
        interval_of: "rate of canary over rate of stable".to_owned(),
    }
}

fn welch(reading: &Reading, decrease: bool) -> Option<FixedHorizon> {
    let information = &reading.information;
    let (estimate, se) = (information.estimate?, information.se?);
    let t = (estimate - information.fail_at) / se;
    let df = (reading.blocks as f64 / 2.0 - 1.0).max(1.0);
    let side = if decrease { -t } else { t };
    let half = crate::stats::interval::two_sided_z(LEVEL) * se;
    let log = reading.scale == Scale::Ratio;
    let back = |v: f64| if log { v.exp() } else { v };
    Some(FixedHorizon {
        method: "welch-on-block-means".to_owned(),
        p_value: finite(Some(crate::stats::special::student_sf(side, df))),
        lower: finite(Some(back(estimate - half))),
        upper: finite(Some(back(estimate + half))),
        interval_of: if log {
            "mean of canary over mean of stable"
        } else {
            "mean of canary minus mean of stable"
        }
        .to_owned(),
    })
}

fn ranks(levels: &LevelState, decrease: bool) -> Option<FixedHorizon> {
    let (canary, stable) = levels.pairs();
    let test = mann_whitney(canary, stable)?;
    let shifts = Shift::new(canary, stable)?;
    let (lower, upper) = shifts.interval_95();
    let p = test
        .exact
        .or(test.normal)
        .map(|p| if decrease { p.less } else { p.greater });
    Some(FixedHorizon {
        method: "mann-whitney".to_owned(),
        p_value: finite(p),
        lower: finite(Some(lower)),
        upper: finite(Some(upper)),
        interval_of: "shift of canary against stable (Hodges-Lehmann)".to_owned(),
    })
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}
