//! Name and labels of one series.

use crate::domain::Labels;
use std::borrow::Cow;

/// Where name and labels end: at the closing brace, or at the first blank where there is no brace.
pub(super) fn end(line: &[u8]) -> Result<usize, &'static str> {
    let Some(stop) = line.iter().position(|b| matches!(b, b'{' | b' ' | b'\t')) else {
        return Err("has no value");
    };
    // blanks may stand between name and brace
    let brace = line
        .get(stop..)
        .unwrap_or_default()
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t'))
        .map(|skip| stop + skip)
        .filter(|&at| line.get(at) == Some(&b'{'));
    let Some(brace) = brace else {
        return Ok(stop);
    };
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.iter().enumerate().skip(brace + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Ok(at + 1),
            _ => {}
        }
    }
    Err("has braces or quotes that are not closed")
}

/// The labels of a series as written, with its name as `__name__`. A name may stand in the braces, in quotes (UTF-8).
pub fn labels(series: &[u8]) -> Result<Labels, &'static str> {
    let text = std::str::from_utf8(series).map_err(|_| "is not UTF-8")?;
    let text = text.trim_end_matches([' ', '\t']);
    let (name, braces) = match text.split_once('{') {
        Some((name, rest)) => (
            name.trim_end_matches([' ', '\t']),
            rest.strip_suffix('}')
                .ok_or("has braces that are not closed")?,
        ),
        None => (text, ""),
    };
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    if !name.is_empty() {
        if !is_name(name, true) {
            return Err("has a metric name that cannot be");
        }
        pairs.push(("__name__".into(), name.into()));
    }
    let mut rest = blank(braces);
    while !rest.is_empty() {
        let (key, quoted, after) = key(rest)?;
        rest = blank(after);
        if let Some(after) = rest.strip_prefix('=') {
            if !quoted && !is_name(&key, false) {
                return Err("has a label name that cannot be");
            }
            let (value, after) = string(blank(after))?;
            rest = blank(after);
            push(&mut pairs, key, value)?;
        } else if quoted {
            // a name in quotes: `{"name", label="value"}`
            push(&mut pairs, "__name__".into(), key)?;
        } else {
            return Err("has a label without a value");
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = blank(after),
            None if rest.is_empty() => {}
            None => return Err("has labels without a comma between them"),
        }
    }
    let named = pairs.iter().any(|(n, v)| n == "__name__" && !v.is_empty());
    if !named {
        return Err("has no metric name");
    }
    // an empty label is no label
    pairs.retain(|(_, value)| !value.is_empty());
    Ok(Labels::new(pairs))
}

fn push<'a>(
    pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("has a label without a name");
    }
    if pairs.iter().any(|(known, _)| *known == name) {
        return Err("has a label twice");
    }
    pairs.push((name, value));
    Ok(())
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, for metrics with `:`.
fn is_name(text: &str, metric: bool) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|b| !b.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || (metric && b == b':'))
}

/// A label's name, perhaps in quotes.
fn key(text: &str) -> Result<(Cow<'_, str>, bool, &str), &'static str> {
    if text.starts_with('"') {
        let (key, rest) = string(text)?;
        return Ok((key, true, rest));
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    if end == 0 {
        return Err("has a label name that cannot be");
    }
    let (key, rest) = text.split_at(end);
    Ok((key.into(), false, rest))
}

/// A quoted string; a backslash before anything but `\`, `"` and `n` stays, as in Prometheus.
fn string(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    const OPEN: &str = "has a label value without its quotes";
    let body = text.strip_prefix('"').ok_or(OPEN)?;
    let mut out = String::new();
    let mut from = 0;
    let mut bytes = body.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let tail = body.get(from..at).unwrap_or_default();
                let rest = body.get(at + 1..).unwrap_or_default();
                if from == 0 {
                    return Ok((tail.into(), rest));
                }
                out.push_str(tail);
                return Ok((out.into(), rest));
            }
            b'\\' => {
                let (next, escape) = bytes.next().ok_or(OPEN)?;
                let plain = match escape {
                    b'n' => "\n",
                    b'\\' => "\\",
                    b'"' => "\"",
                    _ => continue,
                };
                out.push_str(body.get(from..at).unwrap_or_default());
                out.push_str(plain);
                from = next + 1;
            }
            _ => {}
        }
    }
    Err(OPEN)
}
