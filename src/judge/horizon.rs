//! The report at the end of a step: classical tests, made once. Their p values are fixed-horizon and never polled.

use super::{
    counts::{CountBlock, CountState},
    levels::LevelState,
    reading::{Reading, Scale},
    state::ObjectiveState,
};
use crate::{
    domain::FixedHorizon,
    policy::{Direction, Indicator, Objective},
    stats::{
        interval::tail_of,
        proportions::{
            miettinen_nurminen_difference, miettinen_nurminen_ratio, score_difference, score_ratio,
        },
        rank::{Shift, mann_whitney},
        rate_ratio::{rate_ratio_interval, rate_ratio_test},
        special::{student_quantile, student_sf},
    },
};

const LEVEL: f64 = 0.95;

/// The classical test that fits the objective, against its FAIL margin. p value and interval are of the same quantity.
pub fn report(
    objective: &Objective,
    state: &ObjectiveState,
    reading: &Reading,
) -> Option<FixedHorizon> {
    let one_sided = one_sided(objective, state, reading)?;
    Some(if objective.harm == Direction::Either {
        two_sided(one_sided)
    } else {
        one_sided
    })
}

/// The direction was chosen by the data: the other one could have been.
fn two_sided(report: FixedHorizon) -> FixedHorizon {
    FixedHorizon {
        method: format!("{}, two-sided", report.method),
        p_value: report.p_value.map(|p| (2.0 * p).min(1.0)),
        ..report
    }
}

fn one_sided(
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
            differences(counts)
        }
        ObjectiveState::Counts(counts) => Some(rates(
            total(counts.blocks()),
            boundary,
            decrease,
            if counts.complement() {
                "what is missing to one, canary over stable"
            } else {
                "rate of canary over rate of stable"
            },
        )),
        ObjectiveState::Quantile(quantile) => Some(exceedances(total(quantile.blocks()), boundary)),
        ObjectiveState::Means(_) => welch(reading, decrease),
        ObjectiveState::Levels(levels) => ranks(levels, reading, boundary, decrease),
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

/// Shares of errors: the margin as a difference, which also has a meaning where stable has no errors.
fn differences(state: &CountState) -> Option<FixedHorizon> {
    let turned = total(state.blocks());
    let margin = state.margin_at(turned.x_s / turned.n_s)?;
    // told of errors, whichever of both was counted
    let (counts, margin) = if state.complement() {
        let counts = CountBlock {
            x_c: turned.n_c - turned.x_c,
            x_s: turned.n_s - turned.x_s,
            ..turned
        };
        (counts, -margin)
    } else {
        (turned, margin)
    };
    let (lower, upper) = miettinen_nurminen_difference(counts, LEVEL);
    Some(FixedHorizon {
        method: "miettinen-nurminen-score".to_owned(),
        p_value: finite(score_difference(counts, margin).map(|test| test.p_greater)),
        lower: finite(Some(lower)),
        upper: finite(Some(upper)),
        interval_of: "share of canary minus share of stable".to_owned(),
    })
}

/// Shares above an edge: the margin is a ratio of them.
fn exceedances(counts: CountBlock, boundary: f64) -> FixedHorizon {
    let (lower, upper) = miettinen_nurminen_ratio(counts, LEVEL);
    FixedHorizon {
        method: "miettinen-nurminen-score".to_owned(),
        p_value: finite(score_ratio(counts, boundary).map(|test| test.p_greater)),
        lower: finite(Some(lower)),
        upper: finite(Some(upper)),
        interval_of: "share above the edge, canary over stable".to_owned(),
    }
}

fn rates(counts: CountBlock, boundary: f64, decrease: bool, interval_of: &str) -> FixedHorizon {
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
        interval_of: interval_of.to_owned(),
    }
}

fn welch(reading: &Reading, decrease: bool) -> Option<FixedHorizon> {
    let information = &reading.information;
    let (estimate, se) = (information.estimate?, information.se?);
    let t = (estimate - information.fail_at) / se;
    let df = (reading.blocks as f64 / 2.0 - 1.0).max(1.0);
    let side = if decrease { -t } else { t };
    let half = -student_quantile(tail_of(LEVEL), df) * se;
    let log = reading.scale == Scale::Ratio;
    let back = |v: f64| if log { v.exp() } else { v };
    Some(FixedHorizon {
        method: "welch-on-block-means".to_owned(),
        p_value: finite(Some(student_sf(side, df))),
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

fn ranks(
    levels: &LevelState,
    reading: &Reading,
    boundary: f64,
    decrease: bool,
) -> Option<FixedHorizon> {
    let (canary, stable) = levels.pairs();
    // the margin as a shift, as the interval is of one
    let margin = match reading.scale {
        Scale::Difference => boundary,
        Scale::Ratio | Scale::Complements => (boundary - 1.0) * reading.stable.value?,
    };
    let within: Vec<f64> = canary.iter().map(|v| v - margin).collect();
    let test = mann_whitney(&within, stable)?;
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
