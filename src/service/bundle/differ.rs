//! What differs between two verdicts, in words.

use serde_json::Value;

/// More lines than this help nobody.
const MOST: usize = 40;

/// One line for each value that differs: where, what it was, what it is now.
pub(super) fn differences(kept: &Value, now: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    walk("", kept, now, &mut lines);
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} further values"));
    }
    if lines.is_empty() {
        lines.push("the same values in other bytes".to_owned());
    }
    lines
}

fn walk(place: &str, kept: &Value, now: &Value, lines: &mut Vec<String>) {
    match (kept, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let inner = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                let place = join(place, key);
                match (inner(a), inner(b)) {
                    (Some(a), Some(b)) => walk(&place, &a, &b, lines),
                    (Some(a), None) => lines.push(format!("{place}: was {a}, is not there now")),
                    (None, Some(b)) => lines.push(format!("{place}: was not there, is {b}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                let name = a.get("name").and_then(Value::as_str);
                let place = match name {
                    Some(name) if place == "findings" => format!("objective `{name}`"),
                    _ => format!("{place}[{i}]"),
                };
                walk(&place, a, b, lines);
            }
        }
        (a, b) if a == b => {}
        (a, b) => lines.push(format!("{place}: was {a}, is {b}")),
    }
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else if place.starts_with("objective `") && place.ends_with('`') {
        format!("{place}: {key}")
    } else {
        format!("{place}.{key}")
    }
}
