//! The revision of a document: a digest that comments, white space and the order of keys do not change.

use super::{
    place::Text,
    tree::{Node, Value},
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// `sha256:` and 16 hex digits.
pub(super) fn of(node: &Node, text: &Text<'_>) -> String {
    let mut canonical = String::new();
    write(node, text, &mut canonical);
    digest(canonical.as_bytes())
}

/// `sha256:` and 16 hex digits of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    let head = sum
        .iter()
        .take(8)
        .fold(0_u64, |head, byte| head << 8 | u64::from(*byte));
    format!("sha256:{head:016x}")
}

/// JSON with sorted keys; numbers as they are written.
fn write(node: &Node, text: &Text<'_>, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(_) => out.push_str(text.slice(&node.span).trim()),
        Value::Text(words) => quote(words, out),
        Value::List(items) => {
            out.push('[');
            for item in items {
                write(item, text, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Map(entries) => {
            let sorted: BTreeMap<&str, &Node> =
                entries.iter().map(|e| (e.key.as_str(), &e.value)).collect();
            out.push('{');
            for (key, value) in sorted {
                quote(key, out);
                out.push(':');
                write(value, text, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

fn quote(words: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(words).to_string());
}
