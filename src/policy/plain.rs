//! Whether a text can be a plain selector at all, told before PromQL is parsed: functions and ranges are the usual slip.

use std::ops::Range;

/// The first part of a text that no plain selector has, and what it is.
pub(super) fn not_plain(words: &str) -> Option<(Range<usize>, &'static str)> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    let mut ident = 0;
    for (at, c) in words.char_indices() {
        let after = at + c.len_utf8();
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' && open != '`' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '(' if ident < at => return Some((ident..at, "a function")),
            '(' => return Some((at..after, "parentheses")),
            '[' => return Some((at..words.find(']').map_or(after, |end| end + 1), "a range")),
            '+' | '-' | '*' | '/' | '%' | '^' | '>' | '<' | '=' | '!' => {
                return Some((at..after, "an operator"));
            }
            '@' => return Some((at..after, "a time modifier")),
            _ => {}
        }
        if !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')) {
            ident = after;
        }
    }
    let tail = words
        .rfind('}')
        .map_or("", |end| words.get(end + 1..).unwrap_or(""));
    let bare = if words.contains('{') {
        tail
    } else {
        words
            .split_once(char::is_whitespace)
            .map_or("", |(_, tail)| tail)
    };
    let modifier = bare.trim();
    (modifier.starts_with("offset")
        || modifier.starts_with("or ")
        || modifier.starts_with("and ")
        || modifier.starts_with("unless "))
    .then(|| {
        (
            words.len() - bare.trim_start().len()..words.len(),
            "a modifier or an operator",
        )
    })
}

/// A selector without the name of a metric.
pub(super) fn nameless(words: &str) -> bool {
    let inner = words.trim_start().strip_prefix('{').map(str::trim_start);
    inner.is_some_and(|inner| !inner.starts_with(['"', '\'']) && !inner.contains("__name__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_no_selector_has() {
        let check = |words: &str, expected: Option<&str>| {
            let found = not_plain(words).map(|(part, _)| words[part].to_owned());
            assert_eq!(found.as_deref(), expected, "{words}");
        };
        check("up", None);
        check(
            "job:requests:rate5m{a=\"(b)\", c=~\"x[0-9]+|offset\"}",
            None,
        );
        check("{__name__=~\"a|b\"}", None);
        check("{\"http.requests\"}", None);
        check("rate(up[5m])", Some("rate"));
        check("(up)", Some("("));
        check("up[5m]", Some("[5m]"));
        check("up{a='b'}[5m", Some("["));
        check("a + b", Some("+"));
        check("up offset 5m", Some("offset 5m"));
        check("up{a=\"b\"} or down", Some("or down"));
        check("up @ 100", Some("@"));
        check("up{a=\"\\\"[\"}", None);
        check("é(", Some("("));
    }
}
