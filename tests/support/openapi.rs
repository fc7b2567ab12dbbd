//! Holds answers against the OpenAPI document (`tests/edge` holds the committed one equal to it): as much of JSON Schema as the document uses, and no key that it
//! does not name. A word of JSON Schema that is not known here is a mistake too.

use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::LazyLock};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&rollout_judge::http::openapi_document()).unwrap());

/// One answer, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub method: &'a str,
    /// With or without its query.
    pub path: &'a str,
    pub status: u16,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

/// The operation of the document that an answer belongs to: its template and itself.
pub fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |template: &str| {
        let (have, want): (Vec<&str>, Vec<&str>) =
            (path.split('/').collect(), template.split('/').collect());
        have.len() == want.len()
            && have
                .iter()
                .zip(&want)
                .all(|(have, want)| have == want || want.starts_with('{'))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    // a written word goes before a variable
    let (template, item) = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template, item.get(method.to_lowercase())?))
}

/// Everything in which an answer contradicts the document. What the document does not know at all is no answer of the API.
pub fn mistakes(told: Told<'_>) -> Vec<String> {
    let Some((template, operation)) = operation(told.method, told.path) else {
        return Vec::new();
    };
    let at = format!("{} {template} {}", told.method, told.status);
    let Some(response) = operation["responses"].get(told.status.to_string()) else {
        return vec![format!("{at}: this status is not in the document")];
    };
    let none = Map::new();
    let content = response["content"].as_object().unwrap_or(&none);
    let kind = told.content_type.split(';').next().unwrap_or("").trim();
    let Some(media) = content.get(kind) else {
        return match told.body {
            [] if content.is_empty() => Vec::new(),
            _ => vec![format!("{at}: `{kind}` is not in the document")],
        };
    };
    let mut out = Vec::new();
    if kind == "application/x-ndjson" {
        for line in told.body.split(|byte| *byte == b'\n') {
            let Ok(value) = serde_json::from_slice::<Value>(line) else {
                let broken = String::from_utf8_lossy(line);
                out.extend((!line.is_empty()).then(|| format!("{at}: not JSON: {broken}")));
                continue;
            };
            let whole = value.get("record").is_some();
            let name = if whole { "RecordAnswer" } else { "VerdictLine" };
            out.extend(component(name, &value));
        }
    } else if kind.ends_with("json") {
        match serde_json::from_slice::<Value>(told.body) {
            Ok(value) => check(&media["schema"], &value, &at, true, &mut out),
            Err(error) => out.push(format!("{at}: not JSON: {error}")),
        }
    } else if kind == "text/event-stream" {
        // the schema is that of each event's data
        for frame in String::from_utf8_lossy(told.body).split("\n\n") {
            let line = |key: &str| frame.lines().find_map(|line| line.strip_prefix(key));
            let Some(data) = line("data: ") else { continue };
            let value: Value = serde_json::from_str(data).unwrap();
            let gap = serde_json::json!({"$ref": "#/components/schemas/GapAnswer"});
            let schema = match line("event: ") {
                Some("gap") => &gap,
                _ => &media["schema"],
            };
            check(schema, &value, &at, true, &mut out);
        }
    } else if media["schema"]["type"] != "string" {
        out.push(format!("{at}: the schema of `{kind}` is no text or file"));
    }
    out
}

/// Holds a value against the schema of a name.
pub fn component(name: &str, value: &Value) -> Vec<String> {
    let schema = serde_json::json!({"$ref": format!("#/components/schemas/{name}")});
    let mut out = Vec::new();
    check(&schema, value, name, true, &mut out);
    out
}

fn resolve(schema: &Value) -> &Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => schema,
    }
}

/// The keys that an object may have; `None` where it may have any.
fn keys(schema: &Value) -> Option<BTreeSet<&str>> {
    let schema = resolve(schema);
    let mut out = BTreeSet::new();
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        for part in parts {
            out.extend(keys(part)?);
        }
    }
    match schema.get("properties").and_then(Value::as_object) {
        Some(own) => out.extend(own.keys().map(String::as_str)),
        None if out.is_empty() => return None,
        None => {}
    }
    Some(out)
}

/// `whole`: may the value have no other keys than those of the schema?
fn check(schema: &Value, value: &Value, at: &str, whole: bool, out: &mut Vec<String>) {
    let schema = resolve(schema);
    let rules = schema
        .as_object()
        .unwrap_or_else(|| panic!("{at}: no schema: {schema}"));
    for (word, rule) in rules {
        let fine = match word.as_str() {
            "type" => is(rule, value),
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            "minLength" => length(value).is_none_or(|n| n >= rule.as_u64().unwrap()),
            "maxLength" => length(value).is_none_or(|n| n <= rule.as_u64().unwrap()),
            "minItems" => items(value).is_none_or(|n| n >= rule.as_u64().unwrap()),
            "maxItems" => items(value).is_none_or(|n| n <= rule.as_u64().unwrap()),
            "format" => formatted(rule.as_str().unwrap(), value),
            "required" => {
                let mut wanted = rule.as_array().unwrap().iter().filter_map(Value::as_str);
                value
                    .as_object()
                    .is_none_or(|map| wanted.all(|key| map.contains_key(key)))
            }
            "oneOf" => {
                let fits = |one: &&Value| {
                    let mut wrong = Vec::new();
                    check(one, value, at, whole, &mut wrong);
                    wrong.is_empty()
                };
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    check(part, value, at, false, out);
                }
                true
            }
            "properties" => {
                for (key, schema) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        check(schema, inner, &format!("{at}.{key}"), true, out);
                    }
                }
                true
            }
            "additionalProperties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    check(rule, inner, &format!("{at}.{key}"), true, out);
                }
                true
            }
            "prefixItems" => {
                let schemas = rule.as_array().unwrap().iter();
                for (i, (schema, inner)) in schemas
                    .zip(value.as_array().into_iter().flatten())
                    .enumerate()
                {
                    check(schema, inner, &format!("{at}[{i}]"), true, out);
                }
                true
            }
            "items" => {
                let first = rules.get("prefixItems").and_then(Value::as_array);
                let rest = value.as_array().into_iter().flatten();
                for (i, inner) in rest.enumerate().skip(first.map_or(0, Vec::len)) {
                    match rule {
                        Value::Bool(any) => assert!(any, "{at}[{i}] is one item too many"),
                        schema => check(schema, inner, &format!("{at}[{i}]"), true, out),
                    }
                }
                true
            }
            "description" | "example" | "propertyNames" => true,
            other => panic!("{at}: the check does not know `{other}`"),
        };
        if !fine {
            out.push(format!("{at}: {value} is against `{word}`: {rule}"));
        }
    }
    let (true, Some(known), Some(map)) = (whole, keys(schema), value.as_object()) else {
        return;
    };
    if !rules.contains_key("additionalProperties") {
        let strange = map.keys().filter(|key| !known.contains(key.as_str()));
        out.extend(strange.map(|key| format!("{at}: `{key}` is not in the document")));
    }
}

fn is(rule: &Value, value: &Value) -> bool {
    let one = |word: &Value| match word.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("no type: {other}"),
    };
    match rule {
        Value::Array(words) => words.iter().any(one),
        word => one(word),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn items(value: &Value) -> Option<u64> {
    value.as_array().map(|all| all.len() as u64)
}

fn formatted(format: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return true;
    };
    match format {
        "uuid" => text.parse::<uuid::Uuid>().is_ok(),
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "uri" => text.starts_with("http"),
        // of numbers: that it is none is told by `type`
        "double" | "int32" | "int64" => true,
        other => panic!("no format of a text: {other}"),
    }
}
