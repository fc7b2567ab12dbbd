//! The JSON Schema of the document, made from the same tables that the reader obeys.

use super::keys::{Form, Key, ROOT, Table};
use serde_json::{Map, Value, json};

const DURATION: &str = r"^(0|([0-9]+(\.[0-9]+)?d)?([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?([0-9]+(\.[0-9]+)?s)?([0-9]+(\.[0-9]+)?ms)?)$";
const PERCENT: &str = r"^[0-9]*\.?[0-9]+ ?%$";
const QUANTITY: &str = r"^[0-9]*\.?[0-9]+ ?([a-zA-Z]+[0-9a-zA-Z.]*|%)?$";

/// The JSON Schema (draft 2020-12) of a policy document, for editors and validators.
///
/// ```
/// let schema = rollout_judge::policy::schema();
/// assert_eq!(schema["properties"]["kind"]["const"], "JudgePolicy");
/// ```
pub fn schema() -> Value {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JudgePolicy",
    });
    merge(&mut root, table(&ROOT));
    root
}

fn table(table: &Table) -> Value {
    let keys: Map<String, Value> = table
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let must: Vec<_> = table
        .keys
        .iter()
        .filter(|key| key.must)
        .map(|key| key.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": table.doc,
        "additionalProperties": false,
        "properties": keys,
    });
    if !must.is_empty() {
        merge(&mut schema, json!({ "required": must }));
    }
    if !table.one_of.is_empty() {
        let choices: Vec<_> = table
            .one_of
            .iter()
            .map(|name| json!({ "required": [name] }))
            .collect();
        merge(&mut schema, json!({ "oneOf": choices }));
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = form(&key.form);
    merge(&mut schema, json!({ "description": key.doc }));
    schema
}

fn form(form: &Form) -> Value {
    match form {
        Form::Text(pattern, example) => {
            let mut schema = json!({ "type": "string", "minLength": 1 });
            if let Some(pattern) = pattern {
                merge(&mut schema, json!({ "pattern": pattern }));
            }
            if !example.is_empty() {
                merge(&mut schema, json!({ "examples": [example] }));
            }
            schema
        }
        Form::Duration(example) => {
            json!({ "anyOf": [{ "type": "string", "pattern": DURATION }, { "const": 0 }], "examples": [example] })
        }
        Form::Share(example) => json!({
            "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": PERCENT }],
            "examples": [example.parse::<f64>().unwrap_or(0.1), "10%"],
        }),
        Form::Quantity => json!({
            "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": QUANTITY }],
            "examples": [0.02, "2%", "500ms", "64MiB"],
        }),
        Form::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Word([only]) => json!({ "const": only }),
        Form::Word(words) => json!({ "enum": words }),
        Form::Map(inner) => table(inner),
        Form::List(item, least) => {
            json!({ "type": "array", "minItems": least, "items": self::form(item) })
        }
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
