//! When a computed value agrees with an expected one.

use serde_json::{Value, json};

/// Outputs that a file states for information only: what two databases answer, not what is right.
const INFORMATION: [(&str, &str); 2] = [
    ("counter_increase", "prometheus_increase"),
    ("counter_increase", "victoriametrics_increase"),
];

/// Where tolerances come from: the case, then the entry of the file named after an output, then the file.
pub(crate) struct Rules<'a> {
    pub(crate) file: &'a Value,
    pub(crate) case: Option<&'a Value>,
    pub(crate) procedure: &'a str,
}

impl Rules<'_> {
    /// Absolute and relative tolerance for an output.
    fn tolerance(&self, output: Option<&str>) -> (f64, f64) {
        let named = |from: &Value| {
            output
                .and_then(|o| from.get(o).cloned())
                .filter(Value::is_object)
        };
        let chosen = self
            .case
            .map(|case| named(case).unwrap_or_else(|| case.clone()))
            .or_else(|| named(self.file))
            .unwrap_or_else(|| self.file.clone());
        if chosen["exact"] == json!(true) {
            return (0.0, 0.0);
        }
        let part = |key: &str| chosen[key].as_f64();
        assert!(
            part("abs").is_some() || part("rel").is_some(),
            "no tolerance for {output:?}"
        );
        (part("abs").unwrap_or(0.0), part("rel").unwrap_or(0.0))
    }
}

/// A number, also where it is written as a word.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some("nan") => Some(f64::NAN),
        Some(_) => None,
        None => value.as_f64(),
    }
}

/// Compares an expected value with a computed one; `output` is the innermost key above.
pub(crate) fn compare(
    rules: &Rules<'_>,
    path: &str,
    output: Option<&str>,
    expected: &Value,
    got: &Value,
    wrong: &mut Vec<String>,
) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected {
                if INFORMATION.contains(&(rules.procedure, key.as_str())) {
                    continue;
                }
                match got.get(key) {
                    Some(other) => compare(
                        rules,
                        &format!("{path}.{key}"),
                        Some(key),
                        value,
                        other,
                        wrong,
                    ),
                    None => wrong.push(format!("{path}.{key}: not computed")),
                }
            }
        }
        (Value::Array(expected), Value::Array(got)) => {
            if expected.len() != got.len() {
                wrong.push(format!(
                    "{path}: {} values, expected {}",
                    got.len(),
                    expected.len()
                ));
            }
            for (i, (value, other)) in expected.iter().zip(got).enumerate() {
                compare(rules, &format!("{path}[{i}]"), output, value, other, wrong);
            }
        }
        _ => {
            let agrees = match (number(expected), number(got)) {
                (Some(e), Some(g)) if e.is_nan() || g.is_nan() => e.is_nan() && g.is_nan(),
                (Some(e), Some(g)) if e.is_infinite() || g.is_infinite() => e == g,
                (Some(e), Some(g)) => {
                    let (abs, rel) = rules.tolerance(output);
                    (g - e).abs() <= abs + rel * e.abs()
                }
                _ => expected == got,
            };
            if !agrees {
                wrong.push(format!("{path}: got {got}, expected {expected}"));
            }
        }
    }
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

#[test]
fn a_wrong_number_is_noticed() {
    let rules = Rules {
        file: &json!({"rel": 1e-9, "abs": 1e-9}),
        case: None,
        procedure: "any",
    };
    let differs = |expected: Value, got: Value| {
        let mut wrong = Vec::new();
        compare(&rules, "", None, &expected, &got, &mut wrong);
        !wrong.is_empty()
    };
    assert!(!differs(
        json!({"a": [1.0, "inf"]}),
        json!({"a": [1.0 + 1e-10, "inf"]})
    ));
    assert!(differs(json!({"a": 1.0}), json!({"a": 1.0 + 1e-7})));
    assert!(
        differs(json!({"a": 1.0}), json!({"b": 1.0})),
        "an expected key that is not computed"
    );
    assert!(differs(json!({"a": 1.0}), json!({"a": null})));
    assert!(differs(json!({"a": null}), json!({"a": 1.0})));
    assert!(differs(json!("inf"), json!(1e308)));
    assert!(differs(json!([1.0]), json!([1.0, 1.0])));
    assert!(differs(json!("nan"), json!("inf")));
}
