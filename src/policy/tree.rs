//! YAML as a tree that knows its places. The only file of the policy that touches the YAML library.
//!
//! The tree keeps duplicate and unknown keys, so that one walk can report every mistake of a file at once.

use super::{
    diagnostic::{Mistake, Problems},
    place::Text,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned, options::DuplicateKeyPolicy, options::NonFiniteFloatPolicy};
use std::{fmt, ops::Range};

/// A policy file may have this many bytes: 256 KiB.
pub const MAX_FILE_BYTES: usize = 256 * 1024;
/// Documents in one file.
pub const MAX_DOCUMENTS: usize = 64;
/// Lists and mappings inside each other.
pub const MAX_DEPTH: usize = 24;
/// Nodes of one file, aliases followed.
pub const MAX_NODES: usize = 50_000;

/// A value and the bytes it is written in.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Flag(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Reads every document of a file.
pub(super) fn parse(text: &Text<'_>) -> Result<Vec<Node>, Box<Problems>> {
    if text.body.len() > MAX_FILE_BYTES {
        return Err(Box::new(too_large(text.file)));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_documents: MAX_DOCUMENTS,
            max_aliases: 256,
            max_anchors: 256,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    let read: Result<Vec<Spanned<Raw>>, _> =
        serde_saphyr::from_multiple_with_options(text.body, options);
    match read {
        Ok(documents) => Ok(documents.into_iter().map(|raw| place(raw, text)).collect()),
        Err(error) => Err(Box::new(refused(text, &error))),
    }
}

/// A file over the limit, which is not even shown.
pub(super) fn too_large(file: &str) -> Problems {
    let message = format!("the file has more than {MAX_FILE_BYTES} bytes (256 KiB)");
    let help = "split it: one policy per file is enough";
    Text::new(file, "").one(Mistake::TooLarge, 0..0, &message, "too large", help)
}

fn refused(text: &Text<'_>, error: &serde_saphyr::Error) -> Problems {
    use serde_saphyr::Error;
    let span = error.location().map_or(0..0, |at| bytes(&at, text));
    let words = error.render();
    let words = words.trim().trim_start_matches("error: ");
    // the place is told by the snippet: cut "line 3 column 4: " and " at line 3, column 4"
    let words = match words.split_once(": ") {
        Some((head, tail)) if head.starts_with("line ") => tail,
        _ => words,
    };
    let words = words.split(" at line ").next().unwrap_or(words);
    let limit = matches!(
        error,
        Error::Budget { .. } | Error::RecursiveReferencesRequireWeakTypes { .. }
    );
    if limit || words.contains("limit exceeded") {
        let help = format!(
            "a policy has at most {MAX_DEPTH} levels, {MAX_NODES} nodes and {MAX_DOCUMENTS} documents; aliases count as often as they are used"
        );
        let message = format!("the document is too deep or has too many nodes: {words}");
        return text.one(
            Mistake::TooLarge,
            span,
            &message,
            "here the limit was reached",
            &help,
        );
    }
    text.one(
        Mistake::YamlSyntax,
        span,
        &format!("this is not YAML: {words}"),
        "here",
        cure(words),
    )
}

/// The cure for the usual slips.
fn cure(words: &str) -> &'static str {
    if words.contains("tab") {
        "indent with spaces, never with tabs"
    } else if words.contains("anchor") || words.contains("alias") {
        "an alias needs an anchor of the same name above it; quote a text that begins with `*` or `&`"
    } else if words.contains("flow")
        || words.contains("quot")
        || words.contains("EOF")
        || words.contains("end of stream")
    {
        "close every quote, `[` and `{`; inside of `{ }` a text with braces or commas belongs in single quotes"
    } else {
        "check the indentation and the quotes; a text with `: `, `{`, `#` or `%` in front belongs in single quotes"
    }
}

/// What the library gives us: values without any place of their own.
enum Raw {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Raw;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Flag(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

fn place(raw: Spanned<Raw>, text: &Text<'_>) -> Node {
    let span = bytes(&raw.defined, text);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Flag(flag) => Value::Flag(flag),
        Raw::Number(number) => Value::Number(number),
        Raw::Text(words) => Value::Text(words),
        Raw::List(items) => Value::List(items.into_iter().map(|item| place(item, text)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| entry(key, value, text))
                .collect(),
        ),
    };
    Node { value, span }
}

fn entry(key: Spanned<Raw>, value: Spanned<Raw>, text: &Text<'_>) -> Entry {
    let key = place(key, text);
    let word = match &key.value {
        Value::Text(word) => word.clone(),
        _ => text.slice(&key.span).to_owned(),
    };
    let mut value = place(value, text);
    if matches!(value.value, Value::Null) {
        value.span = key.span.clone(); // nothing is written there: point at the key
    }
    Entry {
        key: word,
        key_span: key.span,
        value,
    }
}

/// The bytes of a location.
fn bytes(at: &Location, text: &Text<'_>) -> Range<usize> {
    let (Some(start), Some(length)) = (at.span().byte_offset(), at.span().byte_len()) else {
        let start = text.byte_at(at.line() as usize, at.column() as usize);
        return start..start;
    };
    let start = usize::try_from(start)
        .unwrap_or(usize::MAX)
        .min(text.body.len());
    let length = usize::try_from(length).unwrap_or(0);
    start..start.saturating_add(length).min(text.body.len())
}
