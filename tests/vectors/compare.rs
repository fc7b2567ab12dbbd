//! When a computed value agrees with an expected one.

use serde_json::{Value, json};

/// Outputs that a file states for information only: what two databases answer, not what is right.
const INFORMATION: [(&str, &str); 2] = [
    ("counter_increase", "prometheus_increase"),
    ("counter_increase", "victoriametrics_increase"),
];

/// Keys for the reader, at any place of an expected map.
const REMARKS: [&str; 2] = ["note", "comment"];

/// True for a key that states nothing to compare.
pub(crate) fn is_remark(key: &str) -> bool {
    REMARKS.contains(&key)
}

/// Where tolerances come from: the case, then the file; in each an entry named after an output goes before the general one.
pub(crate) struct Rules<'a> {
    pub(crate) file: &'a Value,
    pub(crate) case: Option<&'a Value>,
    pub(crate) procedure: &'a str,
}

impl Rules<'_> {
    /// Absolute and relative tolerance for the output at a path of keys; the innermost named entry wins.
    fn tolerance(&self, keys: &[&str]) -> Result<(f64, f64), String> {
        let in_order = [self.case, Some(self.file)].into_iter().flatten();
        let stated = in_order.flat_map(|from| {
            let named = keys.iter().rev().filter_map(move |key| from.get(key));
            named.filter_map(bounds).chain(bounds(from))
        });
        let chosen = stated.into_iter().next();
        chosen.ok_or_else(|| "neither the file nor the case states a tolerance".to_owned())
    }
}

/// The tolerances of one entry, if it states any.
fn bounds(entry: &Value) -> Option<(f64, f64)> {
    if entry.get("exact") == Some(&json!(true)) {
        return Some((0.0, 0.0));
    }
    let part = |key: &str| entry.get(key).and_then(number);
    let (abs, rel) = (part("abs"), part("rel"));
    (abs.is_some() || rel.is_some()).then(|| (abs.unwrap_or(0.0), rel.unwrap_or(0.0)))
}

/// A number, also where it is written as a word (`"inf"`, `"-inf"`, `"nan"`, the `"+Inf"` of bucket edges).
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some(word) => word.parse().ok(),
        None => value.as_f64(),
    }
}

/// Compares the expected outputs of a case with the computed ones and notes what differs.
pub(crate) fn compare(rules: &Rules<'_>, expected: &Value, got: &Value, wrong: &mut Vec<String>) {
    at(rules, &mut Vec::new(), "", expected, got, wrong);
}

fn at<'a>(
    rules: &Rules<'_>,
    keys: &mut Vec<&'a str>,
    path: &str,
    expected: &'a Value,
    got: &Value,
    wrong: &mut Vec<String>,
) {
    match (expected, got) {
        // nothing is defined here: so must be every part
        (Value::Object(expected), Value::Null) => {
            for (key, value) in expected.iter().filter(|(key, _)| !is_remark(key)) {
                at(rules, keys, &format!("{path}.{key}"), value, got, wrong);
            }
        }
        (Value::Array(expected), Value::Null) => {
            for (i, value) in expected.iter().enumerate() {
                at(rules, keys, &format!("{path}[{i}]"), value, got, wrong);
            }
        }
        (Value::Object(expected), Value::Object(computed)) => {
            for (key, value) in expected.iter().filter(|(key, _)| !is_remark(key)) {
                if INFORMATION.contains(&(rules.procedure, key.as_str())) {
                    continue;
                }
                let path = format!("{path}.{key}");
                match computed.get(key) {
                    Some(other) => {
                        keys.push(key);
                        at(rules, keys, &path, value, other, wrong);
                        keys.pop();
                    }
                    None => wrong.push(format!("{path}: unknown key, nothing computes it")),
                }
            }
        }
        (Value::Array(expected), Value::Array(computed)) => {
            if expected.len() != computed.len() {
                let (found, wanted) = (computed.len(), expected.len());
                wrong.push(format!("{path}: {found} values, expected {wanted}"));
            }
            for (i, (value, other)) in expected.iter().zip(computed).enumerate() {
                at(rules, keys, &format!("{path}[{i}]"), value, other, wrong);
            }
        }
        _ => match agree(rules, keys, expected, got) {
            Ok(true) => {}
            Ok(false) => wrong.push(format!("{path}: got {got}, expected {expected}")),
            Err(problem) => wrong.push(format!("{path}: {problem}")),
        },
    }
}

/// Whether two single values agree; "nan" and null both say that there is no number.
fn agree(rules: &Rules<'_>, keys: &[&str], expected: &Value, got: &Value) -> Result<bool, String> {
    let read = |value: &Value| match value {
        Value::Null => Some(f64::NAN),
        other => number(other),
    };
    Ok(match (read(expected), read(got)) {
        (Some(e), Some(g)) if e.is_nan() || g.is_nan() => e.is_nan() && g.is_nan(),
        (Some(e), Some(g)) if e.is_infinite() || g.is_infinite() => e == g,
        (Some(e), Some(g)) => {
            let (abs, rel) = rules.tolerance(keys)?;
            (g - e).abs() <= abs + rel * e.abs()
        }
        _ => expected == got,
    })
}

/// A number for the answer; words for those that JSON cannot write.
pub(crate) fn num(value: f64) -> Value {
    if value.is_nan() {
        json!("nan")
    } else if value == f64::INFINITY {
        json!("inf")
    } else if value == f64::NEG_INFINITY {
        json!("-inf")
    } else {
        json!(value)
    }
}

pub(crate) fn pair((low, high): (f64, f64)) -> Value {
    json!([num(low), num(high)])
}

pub(crate) fn nums(values: &[f64]) -> Value {
    values.iter().map(|v| num(*v)).collect()
}

pub(crate) fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, num)
}
