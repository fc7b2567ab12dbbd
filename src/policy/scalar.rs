//! Reads one value: a text, a flag, a number, a share, a duration, a word of a closed set.

use super::{
    diagnostic::{Mistake, Sink},
    fields::nearest,
    tree::{Entry, Node, Value},
};
use crate::domain::{Millis, units};
use std::ops::RangeInclusive;

/// A text; a number or a flag must be quoted to be one.
pub(super) fn text<'a>(node: &'a Node, key: &str, sink: &mut Sink<'_>) -> Option<&'a str> {
    match &node.value {
        Value::Text(words) if !words.trim().is_empty() => return Some(words),
        Value::Text(_) => sink.report(
            Mistake::OutOfRange,
            &node.span,
            format!("`{key}` is empty"),
            "empty text",
            format!("write a value, or remove `{key}`"),
        ),
        Value::Flag(_) | Value::Number(_) => {
            let raw = sink.text.slice(&node.span).to_owned();
            let help = format!("put it in quotes if it is meant: '{raw}'");
            wrong_type(node, key, "a text", &help, sink);
        }
        Value::Map(_) if sink.text.slice(&node.span).starts_with('{') => {
            wrong_type(
                node,
                key,
                "a text",
                "put the whole value in single quotes: '{...}'",
                sink,
            );
        }
        _ => wrong_type(node, key, "a text", "write one text", sink),
    }
    None
}

/// `true` or `false`.
pub(super) fn flag(node: &Node, key: &str, sink: &mut Sink<'_>) -> Option<bool> {
    match &node.value {
        Value::Flag(flag) => Some(*flag),
        Value::Text(word) => {
            let help = match word.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" | "y" => "write true",
                "no" | "off" | "false" | "n" => "write false",
                _ => "write true or false, without quotes",
            };
            wrong_type(node, key, "true or false", help, sink);
            None
        }
        _ => {
            wrong_type(node, key, "true or false", "write true or false", sink);
            None
        }
    }
}

/// One word of a closed set.
pub(super) fn word(
    node: &Node,
    key: &str,
    set: &'static [&'static str],
    sink: &mut Sink<'_>,
) -> Option<&'static str> {
    let found = match &node.value {
        Value::Text(word) => word.clone(),
        Value::Null | Value::Flag(_) | Value::Number(_) => sink.text.slice(&node.span).to_owned(),
        _ => {
            wrong_type(
                node,
                key,
                "one word",
                &format!("write {}", one_of(set)),
                sink,
            );
            return None;
        }
    };
    if let (Some(word), Value::Text(_)) = (set.iter().find(|word| **word == found), &node.value) {
        return Some(word);
    }
    let help = match nearest(&found, set.iter().copied().filter(|word| !word.is_empty())) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("write {}", one_of(set)),
    };
    let message = if matches!(node.value, Value::Null) {
        format!("`{key}` is empty")
    } else {
        format!("`{found}` is not a value of `{key}`")
    };
    sink.report(
        Mistake::UnknownWord,
        &node.span,
        message,
        "unknown word",
        help,
    );
    None
}

/// A plain number inside limits.
pub(super) fn number(
    node: &Node,
    key: &str,
    limits: &RangeInclusive<f64>,
    sink: &mut Sink<'_>,
) -> Option<f64> {
    let value = match &node.value {
        Value::Number(value) => *value,
        Value::Text(words) => {
            let trimmed = words.trim().trim_end_matches('%').trim_end();
            let help = match units::share(trimmed) {
                Ok(value) => format!("write {value}"),
                Err(_) => format!("write a number {}", in_words(limits)),
            };
            wrong_type(node, key, "a plain number", &help, sink);
            return None;
        }
        _ => {
            wrong_type(
                node,
                key,
                "a number",
                &format!("write a number {}", in_words(limits)),
                sink,
            );
            return None;
        }
    };
    if limits.contains(&value) {
        return Some(value);
    }
    sink.report(
        Mistake::OutOfRange,
        &node.span,
        format!(
            "`{key}` is {value}, but must be a number {}",
            in_words(limits)
        ),
        "out of range",
        format!("write a number {}", in_words(limits)),
    );
    None
}

/// "between 0 and 100"; a limit that only keeps numbers finite is not told.
fn in_words(limits: &RangeInclusive<f64>) -> String {
    let (least, most) = (limits.start(), limits.end());
    if *most >= 1e6 {
        format!("of {least} or more")
    } else {
        format!("between {least} and {most}")
    }
}

/// A share, `0.1` or `10%`, of any size.
pub(super) fn share(node: &Node, key: &str, sink: &mut Sink<'_>) -> Option<f64> {
    match &node.value {
        Value::Number(value) => Some(*value),
        Value::Text(words) => match units::share(words) {
            Ok(value) => Some(value),
            Err(error) => {
                sink.report(
                    Mistake::WrongUnit,
                    &node.span,
                    format!("`{key}` is a share: {error}"),
                    "not a share",
                    "write a share like 0.1 or 10%",
                );
                None
            }
        },
        _ => {
            wrong_type(node, key, "a share", "write a share like 0.1 or 10%", sink);
            None
        }
    }
}

/// A chance: a share above 0 and below 1.
pub(super) fn chance(node: &Node, key: &str, example: &str, sink: &mut Sink<'_>) -> Option<f64> {
    let value = share(node, key, sink)?;
    if value > 0.0 && value < 1.0 {
        return Some(value);
    }
    // nobody asks for the quantile of 1 percent
    let help = if (1.0..100.0).contains(&value) && (value > 1.0 || key != "quantile") {
        format!(
            "write {}, if {value} percent is meant",
            units::percent(value)
        )
    } else {
        format!("write a share above 0 and below 1, for example {example}")
    };
    sink.report(
        Mistake::OutOfRange,
        &node.span,
        format!("`{key}` is {value}, but must be above 0 and below 1"),
        "out of range",
        help,
    );
    None
}

/// A duration between two limits.
pub(super) fn span(
    entry: &Entry,
    limits: RangeInclusive<Millis>,
    example: &str,
    sink: &mut Sink<'_>,
) -> Option<Millis> {
    let (node, key) = (&entry.value, entry.key.as_str());
    let raw = match &node.value {
        Value::Text(words) => words.clone(),
        Value::Number(_) => sink.text.slice(&node.span).to_owned(),
        _ => {
            wrong_type(
                node,
                key,
                "a duration",
                &format!("write a duration like {example}"),
                sink,
            );
            return None;
        }
    };
    match units::millis(&raw) {
        Ok(value) if limits.contains(&value) => Some(value),
        Ok(value) => {
            let (least, most) = (
                units::duration_text(*limits.start()),
                units::duration_text(*limits.end()),
            );
            let help = if value < *limits.start() {
                format!("write at least {least}")
            } else {
                format!("write at most {most}")
            };
            let message = format!(
                "`{key}` is {}, but must be between {least} and {most}",
                units::duration_text(value)
            );
            sink.report(
                Mistake::OutOfRange,
                &node.span,
                message,
                "out of range",
                help,
            );
            None
        }
        Err(error) => {
            let number =
                matches!(node.value, Value::Number(_)) || raw.bytes().all(|b| b.is_ascii_digit());
            let help = match error.suggestion {
                _ if number => format!("write the unit: {raw}s, {raw}ms or {raw}m"),
                Some(cure) => format!("write {cure}"),
                None => format!("write a duration like {example}, with the units d, h, m, s, ms"),
            };
            sink.report(
                Mistake::WrongUnit,
                &node.span,
                format!("`{key}` is a duration: {}", error.message),
                "not a duration",
                help,
            );
            None
        }
    }
}

/// The items of a list.
pub(super) fn list<'a>(entry: &'a Entry, least: usize, sink: &mut Sink<'_>) -> Option<&'a [Node]> {
    match &entry.value.value {
        Value::List(items) if items.len() >= least => Some(items),
        Value::List(_) => {
            sink.report(
                Mistake::OutOfRange,
                &entry.key_span,
                format!("`{}` is an empty list", entry.key),
                "empty",
                format!(
                    "write at least one item under `{}`, or remove the key if it is optional",
                    entry.key
                ),
            );
            None
        }
        _ => {
            wrong_type(
                &entry.value,
                &entry.key,
                "a list",
                "put a `-` before each item, or write [a, b]",
                sink,
            );
            None
        }
    }
}

/// "`a`, `b` or `c`".
pub(super) fn one_of(set: &[&str]) -> String {
    let quoted: Vec<_> = set
        .iter()
        .map(|word| {
            if word.is_empty() {
                "''".to_owned()
            } else {
                format!("`{word}`")
            }
        })
        .collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Reports a value of another kind than the key wants.
pub(super) fn wrong_type(node: &Node, key: &str, wanted: &str, help: &str, sink: &mut Sink<'_>) {
    if matches!(node.value, Value::Null) {
        let help = format!("write a value, or remove `{key}` if it is optional");
        return sink.report(
            Mistake::WrongType,
            &node.span,
            format!("`{key}` is empty"),
            format!("wants {wanted}"),
            help,
        );
    }
    let message = format!("`{key}` wants {wanted}, this is {}", node.kind());
    sink.report(
        Mistake::WrongType,
        &node.span,
        message,
        format!("wants {wanted}"),
        help,
    );
}
