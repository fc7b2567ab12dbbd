//! The YAML file as a tree that knows where each key was written.

use super::error::{Places, SettingsError};
use config::{Map, Value, ValueKind};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Reads a file's text into a tree and notes the place of every key.
pub fn parse(
    name: &str,
    text: &str,
    places: &mut Places,
) -> Result<Map<String, Value>, SettingsError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 20_000, max_events: 60_000, max_aliases: 256 },
        strict_booleans: true,
        with_snippet: false,
    };
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Map::new());
    }
    let node: Spanned<Node> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map_or_else(
                || name.to_owned(),
                |at| format!("{name}:{}:{}", at.line(), at.column()),
            );
            let words = error.render();
            let words = words
                .trim()
                .trim_start_matches("error: ")
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            SettingsError {
                key: String::new(),
                place,
                message: format!(
                    "this cannot be read as YAML: {words}; check indentation, quotes and brackets"
                ),
            }
        })?;
    let at = |line, column| format!("{name}:{line}:{column}");
    match convert(&node, "", &at, places).kind {
        ValueKind::Table(map) => Ok(map),
        ValueKind::Nil => Ok(Map::new()),
        _ => Err(SettingsError {
            key: String::new(),
            place: at(1, 1),
            message: "the file is not a mapping; begin with `server:`, `sources:` or `policies:`"
                .to_owned(),
        }),
    }
}

/// One value in YAML's flow form, as written in an environment variable.
pub fn flow(text: &str) -> Option<Value> {
    let node: Spanned<Node> = serde_saphyr::from_str(text).ok()?;
    Some(convert(
        &node,
        "",
        &|_, _| String::new(),
        &mut Places::new(),
    ))
}

enum Node {
    Null,
    Flag(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

fn convert(
    node: &Spanned<Node>,
    path: &str,
    at: &dyn Fn(u64, u64) -> String,
    places: &mut Places,
) -> Value {
    let origin = at(node.referenced.line(), node.referenced.column());
    if !path.is_empty() {
        places
            .entry(path.to_owned())
            .or_insert_with(|| origin.clone());
    }
    let kind = match &node.value {
        Node::Null => ValueKind::Nil,
        Node::Flag(flag) => ValueKind::Boolean(*flag),
        Node::Signed(number) => ValueKind::I64(*number),
        Node::Unsigned(number) => ValueKind::U64(*number),
        Node::Float(number) => ValueKind::Float(*number),
        Node::Text(text) => ValueKind::String(text.clone()),
        Node::List(items) => ValueKind::Array(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| convert(item, &format!("{path}[{i}]"), at, places))
                .collect(),
        ),
        Node::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let inner = if path.is_empty() {
                    key.value.clone()
                } else {
                    format!("{path}.{}", key.value)
                };
                places.insert(
                    inner.clone(),
                    at(key.referenced.line(), key.referenced.column()),
                );
                map.insert(key.value.clone(), convert(value, &inner, at, places));
            }
            ValueKind::Table(map)
        }
    };
    Value::new(Some(&origin), kind)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Signed(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or(Node::Unsigned(number), Node::Signed))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
