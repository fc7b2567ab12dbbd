//! Values in the unit of an objective: `limit` and absolute margins.

use super::{
    diagnostic::{Mistake, Sink},
    model::{Direction, Unit},
    scalar,
    tree::{Entry, Node, Value},
};
use crate::domain::units;

/// `limit`: positive, and below 1 for a share; events of a `ratio` can be more than those of its denominator.
pub(super) fn limit(
    entry: &Entry,
    kind: &str,
    harm: Direction,
    unit: Unit,
    sink: &mut Sink<'_>,
) -> Option<f64> {
    let node = &entry.value;
    let value = quantity(node, "limit", unit, sink)?;
    if harm == Direction::Either {
        sink.report(
            Mistake::Contradiction,
            &entry.key_span,
            "`limit` with `harm: either`: it could be a ceiling or a floor",
            "ambiguous",
            "write `harm: increase` or `harm: decrease`, or a second objective",
        );
        return None;
    }
    let refusal = if value <= 0.0 {
        Some((
            "must be above 0",
            "write a positive value, or remove `limit`".to_owned(),
        ))
    } else if unit == Unit::Share && value >= 1.0 && is_rate(kind, node) {
        per_event(node, value, sink);
        return Some(value);
    } else if unit == Unit::Share && value >= 1.0 {
        Some((
            "must be a share below 1",
            format!("write {} or {}", units::percent(value), value / 100.0),
        ))
    } else {
        None
    };
    match refusal {
        None => Some(value),
        Some((rule, help)) => {
            sink.report(
                Mistake::OutOfRange,
                &node.span,
                format!("`limit` is {value}, but {rule}"),
                "out of range",
                help,
            );
            None
        }
    }
}

/// May it be above 1? Events of a `ratio` can be more than those of its denominator, but not in percent.
pub(super) fn is_rate(kind: &str, node: &Node) -> bool {
    let percent = matches!(&node.value, Value::Text(words) if words.trim_end().ends_with('%'));
    kind == "ratio" && !percent
}

/// More events than those of the denominator: meant, or a percent sign is missing.
pub(super) fn per_event(node: &Node, value: f64, sink: &mut Sink<'_>) {
    let percent = units::percent(value);
    sink.note(
        &node.span,
        format!("{value} is {value} events of the numerator for each of the denominator; write {percent} if a share is meant"),
    );
}

/// A value in the unit of the objective.
pub(super) fn quantity(node: &Node, key: &str, unit: Unit, sink: &mut Sink<'_>) -> Option<f64> {
    let raw = match &node.value {
        Value::Number(value) if unit != Unit::Seconds || *value == 0.0 => return Some(*value),
        Value::Number(_) => sink.text.slice(&node.span).to_owned(),
        Value::Text(words) => words.clone(),
        _ => {
            scalar::wrong_type(
                node,
                key,
                "a value",
                &format!("write {}", example(unit)),
                sink,
            );
            return None;
        }
    };
    let read = match unit {
        Unit::Share => return scalar::share(node, key, sink),
        Unit::Seconds => units::seconds(&raw),
        Unit::Bytes => units::bytes(&raw),
        Unit::None => Err(units::UnitError {
            message: format!("`{raw}` is not a plain number, and this objective has no unit"),
            suggestion: None,
        }),
    };
    read.map_err(|error| {
        let number =
            matches!(node.value, Value::Number(_)) || raw.bytes().all(|b| b.is_ascii_digit());
        let help = match error.suggestion {
            Some(cure) if number && unit == Unit::Seconds => format!("write {cure} or {raw}s"),
            Some(cure) => format!("write {cure}"),
            None if raw.ends_with('%') && key == "absolute" => {
                format!("write {}; a percentage is `relative: {raw}`", example(unit))
            }
            None if unit == Unit::None
                && (units::seconds(&raw).is_ok() || units::bytes(&raw).is_ok()) =>
            {
                let word = if units::seconds(&raw).is_ok() {
                    "seconds"
                } else {
                    "bytes"
                };
                format!("add `unit: {word}` to the objective, or write a plain number")
            }
            None => format!("write {}", example(unit)),
        };
        sink.report(
            Mistake::WrongUnit,
            &node.span,
            format!("`{key}` is in {}: {}", in_words(unit), error.message),
            "wrong unit",
            help,
        );
    })
    .ok()
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "a share like 0.02 or 2%",
        Unit::Seconds => "a duration like 500ms",
        Unit::Bytes => "a size like 64MiB",
        Unit::None => "a plain number like 20",
    }
}

fn in_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "shares",
        Unit::Seconds => "units of time",
        Unit::Bytes => "units of size",
        Unit::None => "plain numbers",
    }
}
