//! `spec.steps`: the walk of the traffic weight.

use super::{
    diagnostic::{Mistake, Sink},
    fields::Fields,
    keys::{STEP, TIMEOUTS},
    model::{OnTimeout, Step},
    scalar,
    spec::{DAY, WEEK},
    tree::{Entry, Node},
};
use crate::domain::{Millis, units::duration_text};

/// What the advice follows when the policy says nothing.
pub(super) fn defaults() -> Vec<Step> {
    [5.0, 25.0, 50.0, 100.0]
        .map(|weight| Step {
            weight,
            min_duration: 0,
            max_duration: None,
            on_timeout: OnTimeout::Hold,
        })
        .to_vec()
}

/// Reads the steps; `horizon` is absent where it is wrong itself.
pub(super) fn read(entry: &Entry, horizon: Option<Millis>, sink: &mut Sink<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for node in scalar::list(entry, 1, sink).unwrap_or_default() {
        let before = steps.last().map(|step| step.weight);
        if let Some(step) = step(node, before, horizon, sink) {
            steps.push(step);
        }
    }
    steps
}

fn step(
    node: &Node,
    before: Option<f64>,
    horizon: Option<Millis>,
    sink: &mut Sink<'_>,
) -> Option<Step> {
    let fields = Fields::open(node, &node.span, &STEP, sink)?;
    let written = fields.get("weight")?;
    let weight = scalar::number(&written.value, "weight", &(0.0..=100.0), sink)?;
    if let Some(before) = before.filter(|before| *before >= weight) {
        let message = if before == weight {
            "occurs twice"
        } else {
            "comes after a larger one"
        };
        sink.report(
            Mistake::BadOrder,
            &written.value.span,
            format!("weight {weight} {message}: weights ascend"),
            "not ascending",
            format!("write a weight above {before}, or sort the steps"),
        );
    }
    let mut length = |key| {
        fields
            .get(key)
            .and_then(|entry| Some((entry, scalar::span(entry, 0..=WEEK, "2m", sink)?)))
    };
    let (min, max) = (length("minDuration"), length("maxDuration"));
    let min_duration = min.map_or(0, |(_, min)| min);
    if let Some((entry, max)) = max.filter(|(_, max)| *max < min_duration || *max == 0) {
        sink.report(
            Mistake::BadOrder,
            &entry.value.span,
            format!(
                "the step ends after {}, before its minDuration of {} is over",
                duration_text(max),
                duration_text(min_duration)
            ),
            "too short",
            format!("write more than {}", duration_text(min_duration)),
        );
    }
    for (entry, length) in [min, max].into_iter().flatten() {
        within_horizon(entry, length, horizon, sink);
    }
    let on_timeout = match fields.get("onTimeout") {
        None => OnTimeout::Hold,
        Some(entry) => {
            if fields.get("maxDuration").is_none() {
                sink.report(
                    Mistake::Contradiction,
                    &entry.key_span,
                    "`onTimeout` without `maxDuration`: the step never times out",
                    "has no effect",
                    "add `maxDuration: 15m` to the step, or remove `onTimeout`",
                );
            }
            match scalar::word(&entry.value, "onTimeout", TIMEOUTS, sink) {
                Some("advance") => OnTimeout::Advance,
                Some("abort") => OnTimeout::Abort,
                _ => OnTimeout::Hold,
            }
        }
    };
    Some(Step {
        weight,
        min_duration,
        max_duration: max.map(|(_, max)| max),
        on_timeout,
    })
}

/// What a step showed in its beginning is forgotten before a step longer than the horizon ends. Nothing is forgotten later
/// than after the longest horizon, so a step may be longer than that one.
fn within_horizon(entry: &Entry, length: Millis, horizon: Option<Millis>, sink: &mut Sink<'_>) {
    let Some(horizon) = horizon.filter(|horizon| *horizon < length.min(DAY) && !sink.kept) else {
        return;
    };
    let key = &entry.key;
    let wanted = duration_text(length.min(DAY));
    sink.report(
        Mistake::Contradiction,
        &entry.value.span,
        format!(
            "`{key}` is {}, but older data than the horizon of {} is never judged: the step forgets its own beginning",
            duration_text(length),
            duration_text(horizon)
        ),
        "longer than the horizon",
        format!("write `horizon: {wanted}` under `spec`, or a `{key}` of at most {}", duration_text(horizon)),
    );
}
