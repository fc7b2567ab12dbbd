//! `margin` and `passMargin`: what counts as harm.

use super::{
    diagnostic::{Mistake, Sink},
    fields::Fields,
    keys::{MARGIN, PASS_MARGIN, Table},
    model::{Direction, Margin, Unit},
    quantity::{is_rate, per_event, quantity},
    scalar,
    tree::{Entry, Node, Value},
};
use crate::domain::units;

/// A relative margin above this is a slip of the pen: 20 for 20%.
const MOST_RELATIVE: f64 = 10.0;

/// The margins of a kind of indicator when the policy says nothing: FAIL and PASS.
pub(super) fn defaults(kind: &str) -> (Margin, Margin) {
    let margin = |relative, absolute| Margin { relative, absolute };
    match kind {
        "errorRatio" => (margin(0.1, 0.0005), margin(0.5, 0.001)),
        "latencyQuantile" => (margin(0.15, 0.0), margin(0.5, 0.0)),
        "ratio" => (margin(0.05, 0.0), margin(0.2, 0.0)),
        "mean" => (margin(0.05, 0.0), margin(0.15, 0.0)),
        _ => (margin(0.1, 0.0), margin(0.5, 0.0)),
    }
}

/// Reads both margins of an objective and fills in what is not written.
pub(super) fn read(
    fields: &Fields<'_>,
    kind: &str,
    harm: Direction,
    unit: Unit,
    sink: &mut Sink<'_>,
) -> (Margin, Margin) {
    let (default, default_pass) = defaults(kind);
    let before = sink.count();
    let entry = fields.get("margin");
    let pass_entry = fields.get("passMargin");
    let measure = Measure { kind, harm, unit };
    let margin = entry.and_then(|entry| one(entry, &MARGIN, measure, sink));
    let pass = pass_entry.and_then(|entry| one(entry, &PASS_MARGIN, measure, sink));
    if sink.count() > before {
        return (default, default_pass);
    }
    match (margin, pass) {
        (Some(margin), Some(pass)) => {
            order(pass_entry, margin, pass, sink);
            (margin, pass)
        }
        (Some(margin), None) => (margin, each(margin, default_pass, f64::max)),
        (None, Some(pass)) => (each(default, pass, f64::min), pass),
        (None, None) => (default, default_pass),
    }
}

fn each(a: Margin, b: Margin, pick: fn(f64, f64) -> f64) -> Margin {
    Margin {
        relative: pick(a.relative, b.relative),
        absolute: pick(a.absolute, b.absolute),
    }
}

/// What a margin is of.
#[derive(Clone, Copy)]
struct Measure<'a> {
    kind: &'a str,
    harm: Direction,
    unit: Unit,
}

fn one(
    entry: &Entry,
    table: &'static Table,
    measure: Measure<'_>,
    sink: &mut Sink<'_>,
) -> Option<Margin> {
    if matches!(entry.value.value, Value::Number(_) | Value::Text(_)) {
        let raw = sink.text.slice(&entry.value.span).to_owned();
        let key = if units::share(&raw).is_ok() {
            "relative"
        } else {
            "absolute"
        };
        let help = format!("write {{ {key}: {raw} }}");
        scalar::wrong_type(
            &entry.value,
            &entry.key,
            "`relative` or `absolute`, or both",
            &help,
            sink,
        );
        return None;
    }
    let fields = Fields::of(entry, table, sink)?;
    let mut part = |key: &str| {
        fields
            .get(key)
            .map(|written| (written, value(written, key, measure, sink)))
    };
    let (relative, absolute) = (part("relative"), part("absolute"));
    if relative.is_none() && absolute.is_none() {
        sink.report(
            Mistake::MissingKey,
            &entry.key_span,
            format!("`{}` is empty", entry.key),
            "no margin",
            "add `relative: 10%` or `absolute: ...`, or remove it for the default",
        );
        return None;
    }
    let number = |part: Option<(&Entry, Option<f64>)>| part.map_or(Some(0.0), |(_, value)| value);
    let margin = Margin {
        relative: number(relative)?,
        absolute: number(absolute)?,
    };
    if table.path == "passMargin" && margin.relative == 0.0 && margin.absolute == 0.0 {
        sink.report(
            Mistake::BadMargin,
            &entry.key_span,
            "a passMargin of nothing: no harm is small enough to pass",
            "nothing can ever pass",
            "write the harm that must be ruled out, for example { relative: 50% }",
        );
        return None;
    }
    Some(margin)
}

/// One part of a margin.
fn value(
    entry: &Entry,
    key: &str,
    Measure { kind, harm, unit }: Measure<'_>,
    sink: &mut Sink<'_>,
) -> Option<f64> {
    let relative = key == "relative";
    let node = &entry.value;
    if let Value::Text(words) = &node.value {
        let bare = words
            .trim_start_matches(['-', '+', '.'])
            .to_ascii_lowercase();
        if bare == "nan" || bare == "inf" {
            let help = "write a number, for example 0.1";
            sink.report(
                Mistake::BadMargin,
                &node.span,
                format!("`{key}` is {words}, which nothing can be compared with"),
                "not a number",
                help,
            );
            return None;
        }
        if words.starts_with('-') {
            return negative(node, key, sink);
        }
    }
    let value = if relative {
        scalar::share(node, key, sink)?
    } else {
        quantity(node, key, unit, sink)?
    };
    if value < 0.0 {
        return negative(node, key, sink);
    }
    let percent = units::percent(value);
    let refusal = if relative && harm != Direction::Increase && value >= 1.0 {
        Some((
            "a decrease of 100% or more cannot happen".to_owned(),
            format!(
                "write a share below 1, for example {}",
                if value > 1.0 && value < 100.0 {
                    percent
                } else {
                    "5%".to_owned()
                }
            ),
        ))
    } else if relative && value > MOST_RELATIVE {
        Some((
            format!("a relative margin of {value} is {}%", value * 100.0),
            format!("write {percent} or {}", value / 100.0),
        ))
    } else if !relative && unit == Unit::Share && value >= 1.0 && is_rate(kind, node) {
        per_event(node, value, sink);
        None
    } else if !relative && unit == Unit::Share && value >= 1.0 {
        Some((
            format!("a share cannot grow by {value}, that is {}%", value * 100.0),
            format!("write {percent} or {}", value / 100.0),
        ))
    } else {
        None
    };
    match refusal {
        None => Some(value),
        Some((message, help)) => {
            sink.report(
                Mistake::BadMargin,
                &node.span,
                message,
                "impossible margin",
                help,
            );
            None
        }
    }
}

fn negative(node: &Node, key: &str, sink: &mut Sink<'_>) -> Option<f64> {
    let raw = sink
        .text
        .slice(&node.span)
        .trim_matches(['\'', '"', '-'])
        .to_owned();
    sink.report(
        Mistake::BadMargin,
        &node.span,
        format!("`{key}` is negative"),
        "impossible margin",
        format!("write {raw}: a margin is a size; `harm` says which direction is bad"),
    );
    None
}

/// What passes must at least be what fails.
fn order(entry: Option<&Entry>, margin: Margin, pass: Margin, sink: &mut Sink<'_>) {
    let Some(entry) = entry else { return };
    for (key, pass, fail) in [
        ("relative", pass.relative, margin.relative),
        ("absolute", pass.absolute, margin.absolute),
    ] {
        if pass < fail {
            let part = match &entry.value.value {
                Value::Map(parts) => parts
                    .iter()
                    .find(|part| part.key == key)
                    .map(|part| &part.value.span),
                _ => None,
            };
            sink.report(
                Mistake::BadMargin,
                part.unwrap_or(&entry.key_span),
                format!("passMargin.{key} is {pass}, smaller than margin.{key} of {fail}: the same harm would fail and pass"),
                "smaller than `margin`",
                format!("write `{key}: {fail}` or more, or remove `passMargin` for the default"),
            );
        }
    }
}
