//! The sentence of one objective. Prints what was recorded and decides nothing.

use super::{
    explain::{clean, digits, missing, noun, value},
    frozen::{Frozen, Moved},
    reading::{Alone, Gate, Points, Reading, Scale},
};
use crate::{
    domain::{ArmSummary, Code, Effect, Millis, Needs, Outcome, time::rfc3339},
    policy::{Indicator, Margin, Objective, Unit},
};

/// What was decided about an objective, to be said.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The outcome.
    pub outcome: Outcome,
    /// Why.
    pub code: Code,
    /// What is missing.
    pub needs: &'a Needs,
    /// That is more than the horizon has.
    pub too_near: bool,
    /// The edge at which requests of a quantile are counted.
    pub edge: Option<f64>,
    /// Of canary and stable the largest finite edge, where the quantile lies above it.
    pub above_largest: [Option<f64>; 2],
    /// ln E at which it fails.
    pub fails_at: f64,
    /// Why the source gave nothing, in its words.
    pub cause: Option<&'a str>,
    /// Stable has been silent since this moment.
    pub frozen: Option<(Millis, Frozen)>,
    /// The canary is there, but gets no requests.
    pub without_requests: bool,
}

/// The sentence of one objective.
pub fn sentence(objective: &Objective, reading: &Reading, said: &Said<'_>) -> String {
    let name = &objective.name;
    let both = both(objective, reading, said);
    let code = said.code;
    let text = match code {
        Code::WorseThanStable => format!("{name}: {}", worse(objective, reading, said)),
        Code::LimitExceeded => format!("{name}: {}", exceeded(objective, reading, said)),
        Code::OverLimit => {
            let need = if said.too_near {
                Some("too near to it to tell within the horizon".to_owned())
            } else {
                missing(said.needs, noun(objective))
            };
            format!(
                "{name}: {both}; the canary{} is beyond the limit {}, not yet for certain{}",
                alone(objective, reading),
                limit(objective, reading),
                need.map(|need| format!("; {need}")).unwrap_or_default()
            )
        }
        Code::NoHarm if reading.at_bottom => format!(
            "{name}{}: {both}; nothing can fall below 0, and the canary is not lower",
            until(said)
        ),
        Code::NoHarm => format!(
            "{name}{}: {both}{}; harm beyond the pass margin {} {} ruled out{}",
            until(said),
            interval(objective, reading, said.edge),
            pass_margin(objective, reading),
            if said.frozen.is_some() { "was" } else { "is" },
            now(objective, said),
        ),
        Code::AdequatePower => format!(
            "{name}{}: {both}{}; no harm found, and harm of the design size would have shown{}",
            until(said),
            interval(objective, reading, said.edge),
            now(objective, said),
        ),
        Code::NeedsMoreData if lacks_events(objective, reading) => format!(
            "{name}: {both}; neither arm has an event of the numerator yet: is its selector right?"
        ),
        Code::StableAtZero => format!(
            "{name}: {both}; nothing can fall below 0, so this cannot be judged: is the selector of the numerator right?"
        ),
        Code::NeedsMoreData if reading.unmeasured => {
            format!("{name}: {both}; a share of 0 is no margin: give `margin` an `absolute` part")
        }
        Code::NeedsMoreData if reading.at_bottom => {
            let need =
                missing(said.needs, noun(objective)).unwrap_or_else(|| "undecided".to_owned());
            format!("{name}: {both}; nothing can fall below 0, to tell that it has not {need}")
        }
        Code::NeedsMoreData => {
            let need = missing(said.needs, noun(objective))
                .unwrap_or_else(|| "the evidence is between the margins".to_owned());
            format!(
                "{name}: {both}{}, margin {}; {need}",
                interval(objective, reading, said.edge),
                boundary(objective, reading)
            )
        }
        Code::TooEarly => {
            let need = missing(said.needs, noun(objective))
                .unwrap_or_else(|| "needs more blocks".to_owned());
            // what is missing comes first: the end may be cut
            let values = [reading.canary.value, reading.stable.value];
            let mut seen = values.into_iter().chain(said.above_largest);
            let both = Some(both).filter(|_| seen.any(|value| value.is_some()));
            let both = both.map(|both| format!("; {both}")).unwrap_or_default();
            format!("{name}: too early to tell, {need}{both}")
        }
        Code::Waiting => {
            let warming = match objective.indicator {
                Indicator::LatencyQuantile { .. } => " (warm-up left out)",
                _ => "",
            };
            format!("{name}: waiting for the first closed block of the canary{warming}")
        }
        Code::NoCanaryData => {
            let ruled = match said.outcome {
                Outcome::Inconclusive => String::new(),
                ruled => format!(" (onNoData: {})", ruled.as_str()),
            };
            format!("{name}: no canary data, the selectors find no series of the canary{ruled}")
        }
        Code::CanaryVanished | Code::NoStableData if said.cause.is_some() => {
            let cause = said.cause.unwrap_or_default();
            format!("{name}: {cause}; the evidence is frozen")
        }
        Code::NoStableData if reading.apart => format!(
            "{name}: canary and stable never have data in the same block: traffic comes in turns, or `block` is shorter than two scrapes"
        ),
        Code::NoStableData => format!("{name}: no stable data to compare with"),
        Code::CanaryVanished => {
            format!("{name}: the canary's samples stopped; the evidence is frozen")
        }
        Code::TrafficSplit if said.without_requests => {
            format!("{name}: the canary has had no requests for three blocks while stable has")
        }
        Code::TrafficSplit => {
            format!("{name}: the traffic split is far from the weight, the comparison is doubtful")
        }
        Code::AboveLargestBucket => {
            format!(
                "{name}: {both}{}; above the largest bucket nothing can be seen: add buckets",
                interval(objective, reading, said.edge)
            )
        }
        Code::NoComparison => format!("{name}: {}", alone_since(objective, reading, said)),
        Code::MinDuration => {
            format!("{name}: harmless so far, the step has not lasted its minDuration")
        }
        Code::StepTimeout => format!("{name}: undecided at the step's maxDuration"),
        Code::SourceDown | Code::SourceMalformed | Code::SourceLimit | Code::PartialData => {
            format!("{name}: {}", said.cause.unwrap_or(code.meaning()))
        }
    };
    let held = reading.held_at.filter(|_| said.outcome == Outcome::Pass);
    let held = held.map(|edge| format!("; its limit is held at {}", value(edge, objective.unit)));
    clean(&(text + &held.unwrap_or_default()))
}

/// The sentence of an objective whose fail only waits for more blocks.
pub fn held(objective: &Objective, gate: &Gate) -> String {
    let name = &objective.name;
    clean(&format!("{name}: harm shows, but {}", gate.words()))
}

/// A fail against stable: what shows it now, or that it was shown.
fn worse(objective: &Objective, reading: &Reading, said: &Said<'_>) -> String {
    let both = both(objective, reading, said);
    let interval = interval(objective, reading, said.edge);
    let margin = boundary(objective, reading);
    let shown = reading.running.comparison >= said.fails_at;
    if beyond(reading) {
        return format!("{both}{interval} is beyond the margin {margin}");
    }
    // what is harmless over the whole run has begun to do harm late in it
    if shown && within_margin(reading) {
        return format!("lately harm beyond the margin {margin} shows; in all {both}{interval}");
    }
    if shown {
        return format!("{both}{interval}; the evidence shows harm beyond the margin {margin}");
    }
    format!(
        "harm beyond the margin was shown earlier and stays a fail; now {both}{interval}, margin {margin}"
    )
}

/// A fail by the limit: what shows it now, or that it was shown.
fn exceeded(objective: &Objective, reading: &Reading, said: &Said<'_>) -> String {
    let both = both(objective, reading, said);
    let limit = limit(objective, reading);
    let alone = alone(objective, reading);
    let running = &reading.running;
    let shown = running.limit.filter(|log_e| *log_e >= said.fails_at);
    match (shown, reading.over_limit) {
        (Some(_), true) if clear_of_limit(objective, reading) => {
            format!("{both}; the canary{alone} is shown to be beyond the limit {limit}")
        }
        // the evidence may show what the interval, which spends on both sides, does not yet
        (Some(log_e), true) if log_e >= still(running.max_limit) => {
            format!("{both}; the evidence shows the canary beyond the limit {limit}")
        }
        // over the whole run the limit is held, so the whole run's interval would only confuse
        (Some(_), false) => {
            format!("lately the canary is shown to be beyond the limit {limit}; in all {both}")
        }
        (_, _) => format!(
            "{both}; the canary{alone} was shown earlier to be beyond the limit {limit} and stays a fail"
        ),
    }
}

/// Evidence that has fallen so far below its maximum, or by so much of it, is one of earlier: a block or two are chance.
const SETBACK: f64 = 2.0;
const FALLEN: f64 = 0.1;

/// The evidence down to which the present still shows what its maximum has shown.
fn still(most: f64) -> f64 {
    most - SETBACK.max(FALLEN * most)
}

/// Does the canary's own interval, where it is told, leave the limit out?
fn clear_of_limit(objective: &Objective, reading: &Reading) -> bool {
    let Some(alone) = reading.alone else {
        return true;
    };
    let allowed = alone.above.map(|(_, allowed)| allowed).or(objective.limit);
    allowed.is_none_or(|allowed| allowed < alone.lower || allowed > alone.upper)
}

/// Since when nothing is compared any more, and what the canary does since.
fn alone_since(objective: &Objective, reading: &Reading, said: &Said<'_>) -> String {
    let Some((at, frozen)) = said.frozen else {
        return "no stable traffic is left to compare with".to_owned();
    };
    let gone = frozen.words(at, noun(objective));
    match frozen.moved {
        Some(Moved { change, above }) => {
            let unit = above.map_or(objective.unit, |_| Unit::Share);
            let of = above.map_or_else(String::new, |edge| {
                format!(" of requests above {}", value(edge, Unit::Seconds))
            });
            format!(
                "{gone}; the canary has become worse than it was: {}{of} in {} blocks, before {}",
                value(change.now, unit),
                change.blocks,
                value(change.before, unit)
            )
        }
        None => format!(
            "{gone}{}; until then {}",
            if frozen.left.is_none() {
                ", the evidence is frozen"
            } else {
                ""
            },
            both(objective, reading, said)
        ),
    }
}

/// A pass of frozen evidence is told as one of that time; `warnings` say why.
fn until(said: &Said<'_>) -> String {
    said.frozen.map_or_else(String::new, |(at, _)| {
        format!(" (compared until {})", rfc3339(at))
    })
}

/// The canary's present value beside a comparison of the past.
fn now(objective: &Objective, said: &Said<'_>) -> String {
    let newest = said.frozen.and_then(|(_, frozen)| frozen.now);
    newest.map_or_else(String::new, |now| {
        format!("; now canary {}", value(now, objective.unit))
    })
}

/// Is the canary on the good side of the boundary over the whole run?
fn within_margin(reading: &Reading) -> bool {
    if let Some(points) = reading.points {
        return points.estimate <= points.margin;
    }
    let both = reading.effect.estimate.zip(reading.boundary);
    both.is_some_and(|(estimate, boundary)| {
        if reading.upwards {
            estimate <= boundary
        } else {
            estimate >= boundary
        }
    })
}

/// Does the whole interval lie beyond the boundary?
fn beyond(reading: &Reading) -> bool {
    if let Some(points) = reading.points {
        return points.lower > points.margin;
    }
    let effect = &reading.effect;
    reading.boundary.is_some_and(|boundary| {
        if reading.upwards {
            effect.lower.is_some_and(|lower| lower > boundary)
        } else {
            effect.upper.is_some_and(|upper| upper < boundary)
        }
    })
}

/// A typo in the selector of a numerator finds nothing for ever.
/// Has neither arm of a ratio an event of its numerator?
pub fn lacks_events(objective: &Objective, reading: &Reading) -> bool {
    reading.eventless && matches!(objective.indicator, Indicator::Ratio { .. })
}

fn both(objective: &Objective, reading: &Reading, said: &Said<'_>) -> String {
    let shown = |arm: &ArmSummary, above: Option<f64>| {
        let above = || above.map(|edge| format!("above {}", value(edge, objective.unit)));
        let told = arm.value.map(|v| value(v, objective.unit));
        told.or_else(above)
    };
    let [canary_above, stable_above] = said.above_largest;
    let canary = shown(&reading.canary, canary_above).unwrap_or_else(|| "no value".to_owned());
    match shown(&reading.stable, stable_above) {
        Some(stable) => format!("canary {canary} against {stable} on stable"),
        None => format!("canary {canary}, stable without data"),
    }
}

/// The limit; that of a quantile is held at an edge of its buckets.
fn limit(objective: &Objective, reading: &Reading) -> String {
    let Some(limit) = objective.limit else {
        return String::new();
    };
    let said = value(limit, objective.unit);
    let edge = reading.alone.and_then(|alone| alone.above);
    match edge.map(|(edge, _)| value(edge, objective.unit)) {
        Some(edge) if edge != said => format!("{said} (edge {edge})"),
        _ => said,
    }
}

/// The canary's own interval, in brackets.
fn alone(objective: &Objective, reading: &Reading) -> String {
    let Some(Alone {
        lower,
        upper,
        above,
    }) = reading.alone
    else {
        return String::new();
    };
    let unit = above.map_or(objective.unit, |_| Unit::Share);
    let range = format!("{} to {}", value(lower, unit), value(upper, unit));
    match above {
        None => format!(" ({range})"),
        Some((edge, allowed)) => format!(
            " ({range} of requests above {}, {} may be)",
            value(edge, Unit::Seconds),
            value(allowed, Unit::Share)
        ),
    }
}

fn interval(objective: &Objective, reading: &Reading, edge: Option<f64>) -> String {
    if let Some(points) = &reading.points {
        return apart(objective, reading, points);
    }
    let what = match (reading.scale, edge) {
        (Scale::Difference, _) => "difference".to_owned(),
        (Scale::Complements, _) => "ratio of the complements".to_owned(),
        (Scale::Ratio, None) if unlike_totals(objective, reading) => {
            "ratio block by block".to_owned()
        }
        (Scale::Ratio, None) => "ratio".to_owned(),
        (Scale::Ratio, Some(edge)) => {
            format!("ratio of requests above {}", value(edge, Unit::Seconds))
        }
    };
    let shown = |v| on_scale(objective, reading, v);
    let most = match reading.scale {
        Scale::Difference => f64::INFINITY,
        Scale::Ratio | Scale::Complements => MOST,
    };
    let Effect {
        estimate,
        lower,
        upper,
        ..
    } = reading.effect;
    let range = match (lower, upper.filter(|upper| *upper <= most)) {
        (Some(lower), _) if lower > most => {
            return format!(", {what} more than {} times", shown(most));
        }
        (Some(lower), Some(upper)) => Some(format!("{} to {}", shown(lower), shown(upper))),
        (Some(lower), None) => Some(format!("at least {}", shown(lower))),
        (None, Some(upper)) => Some(format!("at most {}", shown(upper))),
        (None, None) => None,
    };
    let Some(estimate) = estimate else {
        return range.map_or_else(String::new, |range| format!(", {what} {range}"));
    };
    let range = range.unwrap_or_else(|| "interval not known yet".to_owned());
    if estimate > most {
        return format!(", {what} more than {} times ({range})", shown(most));
    }
    format!(", {what} {} ({range})", shown(estimate))
}

/// Does the ratio, weighed block by block, rule out that of the two numbers beside it? Traffic shifted while rates changed.
fn unlike_totals(objective: &Objective, reading: &Reading) -> bool {
    let counts = matches!(
        objective.indicator,
        Indicator::ErrorRatio { .. } | Indicator::Ratio { .. }
    );
    let Effect { lower, upper, .. } = reading.effect;
    let totals = reading.canary.change_from(&reading.stable);
    totals.map(|change| 1.0 + change).is_some_and(|totals| {
        counts && (lower.is_some_and(|l| totals < l) || upper.is_some_and(|u| totals > u))
    })
}

/// The difference of rates with its interval, as the values of the arms have it.
fn apart(objective: &Objective, reading: &Reading, points: &Points) -> String {
    let Points {
        estimate,
        lower,
        upper,
        ..
    } = *points;
    let (estimate, lower, upper) = match reading.scale {
        Scale::Complements => (-estimate, -upper, -lower),
        Scale::Ratio | Scale::Difference => (estimate, lower, upper),
    };
    let shown = |v| difference(objective, v);
    format!(
        ", difference {} ({} to {})",
        shown(estimate),
        shown(lower),
        shown(upper)
    )
}

/// A ratio beyond this is no measure: stable has next to nothing.
const MOST: f64 = 1000.0;

fn boundary(objective: &Objective, reading: &Reading) -> String {
    match reading.points {
        Some(points) if points.as_written => return in_words(objective, objective.margin),
        Some(points) => return difference(objective, points.margin),
        None => {}
    }
    reading.boundary.map_or_else(
        || "unknown".to_owned(),
        |boundary| on_scale(objective, reading, boundary),
    )
}

/// Beyond this ratio the absolute part of a margin rules, and no rate of stable is there to measure it by.
const LARGE: f64 = 3.0;

/// The pass margin beside the numbers of the comparison; in the policy's words where it is not on their scale: that of a
/// quantile is one on time, and a share of nearly nothing is no measure.
fn pass_margin(objective: &Objective, reading: &Reading) -> String {
    let at = reading.information.pass_at;
    let quantile = matches!(objective.indicator, Indicator::LatencyQuantile { .. });
    match reading.scale {
        _ if quantile => in_words(objective, objective.pass_margin),
        Scale::Difference => on_scale(objective, reading, at),
        _ if at.abs() > LARGE.ln() => in_words(objective, objective.pass_margin),
        Scale::Ratio | Scale::Complements => digits(at.exp()),
    }
}

/// A margin as the policy has it.
fn in_words(objective: &Objective, margin: Margin) -> String {
    let relative = value(margin.relative, Unit::Share);
    let absolute = match objective.unit {
        Unit::Share => format!("{} points", digits(margin.absolute * 100.0)),
        unit => value(margin.absolute, unit),
    };
    match (margin.relative > 0.0, margin.absolute > 0.0) {
        (true, true) => format!("{relative} + {absolute}"),
        (false, true) => absolute,
        _ => relative,
    }
}

/// A number of the comparison. A difference of shares is in points: percent would read as a share of stable.
fn on_scale(objective: &Objective, reading: &Reading, v: f64) -> String {
    match reading.scale {
        Scale::Ratio | Scale::Complements => digits(v),
        Scale::Difference => difference(objective, v),
    }
}

fn difference(objective: &Objective, v: f64) -> String {
    match objective.unit {
        Unit::Share => format!("{} points", digits(v * 100.0)),
        unit => value(v, unit),
    }
}
