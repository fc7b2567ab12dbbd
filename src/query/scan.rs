//! One look at a text before it is parsed: deep trees would overflow the stack, and quotes decide what is a variable.

use super::QueryError;

/// Longest query in bytes.
pub const MAX_BYTES: usize = 8 * 1024;
/// Most brackets and operators in one query.
pub const MAX_TOKENS: usize = 400;

/// Refuses what could exhaust the parser.
pub fn limits(text: &str) -> Result<(), QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError::TooLong {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    let words = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| {
            ["and", "or", "unless", "atan2"]
                .iter()
                .any(|operator| word.eq_ignore_ascii_case(operator))
        })
        .count();
    let signs = text
        .bytes()
        .filter(|b| b"()[]{}+-*/%^=<>!".contains(b))
        .count();
    if words + signs > MAX_TOKENS {
        return Err(QueryError::TooDeep { limit: MAX_TOKENS });
    }
    Ok(())
}

/// `(byte offset, in quotes)` of each `$name` of a text, with the name.
pub fn variables(text: &str) -> Vec<(usize, bool, &str)> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, c) {
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (_, '$') => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let name = leading_name(rest);
                if !name.is_empty() {
                    found.push((at, quote.is_some(), name));
                }
            }
            _ => {}
        }
    }
    found
}

/// The identifier at the start of a text.
pub fn leading_name(text: &str) -> &str {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    if starts {
        text.get(..end).unwrap_or_default()
    } else {
        ""
    }
}
