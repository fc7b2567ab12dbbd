//! Where the selectors of an expression stand in its text: the parser tells no places.

use super::scan::Dollar;
use std::ops::Range;

/// Aggregations: a word before `by` or `without` that is no metric.
const AGGREGATIONS: [&str; 14] = [
    "sum",
    "min",
    "max",
    "avg",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
    "limit_ratio",
];
/// Words before a list of labels.
const GROUPINGS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
/// Words that are neither functions nor metrics.
const WORDS: [&str; 8] = [
    "and", "or", "unless", "atan2", "offset", "bool", "inf", "nan",
];

/// The selectors without `$track`, in the order of the text.
pub(super) fn untracked(text: &str, tracks: &[Dollar<'_>]) -> Vec<Range<usize>> {
    let inside = |at: &Range<usize>| tracks.iter().any(|dollar| at.contains(&dollar.offset));
    let mut found = selectors(text);
    found.retain(|at| !inside(at));
    found
}

/// Every vector selector of an expression that parses.
fn selectors(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at).copied() {
        at = match byte {
            b'"' | b'\'' | b'`' => quoted(text, at),
            b'#' => line(text, at),
            b'[' => group(text, at),
            b'{' => {
                let end = group(text, at);
                found.push(at..end);
                end
            }
            b'0'..=b'9' | b'.' => at + length(text, at, b"."),
            _ if word(byte) => {
                let end = at + length(text, at, b":");
                let next = space(text, end);
                let name = text.get(at..end).unwrap_or_default();
                match (kind(name, text, next), text.as_bytes().get(next)) {
                    (Kind::Grouping, Some(b'(')) => group(text, next),
                    (Kind::Metric, Some(b'(')) | (Kind::Grouping | Kind::Other, _) => end,
                    (Kind::Metric, Some(b'{')) => {
                        let close = group(text, next);
                        found.push(at..close);
                        close
                    }
                    (Kind::Metric, _) => {
                        found.push(at..end);
                        end
                    }
                }
            }
            _ => at + 1,
        };
    }
    found
}

/// What a word can be.
enum Kind {
    Grouping,
    /// Or a function, where a parenthesis follows.
    Metric,
    Other,
}

fn kind(name: &str, text: &str, next: usize) -> Kind {
    let among = |set: &[&str], name: &str| set.iter().any(|one| one.eq_ignore_ascii_case(name));
    let following = text
        .get(next..next + length(text, next, b""))
        .unwrap_or_default();
    if among(&GROUPINGS, name) {
        Kind::Grouping
    } else if among(&WORDS, name)
        || (among(&AGGREGATIONS, name) && among(&["by", "without"], following))
    {
        Kind::Other
    } else {
        Kind::Metric
    }
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':')
}

/// Length of the word at a place; `more` may be in it too.
fn length(text: &str, at: usize, more: &[u8]) -> usize {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    let inner = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_' || more.contains(b);
    tail.iter().take_while(inner).count()
}

/// The place after blanks and comments.
fn space(text: &str, mut at: usize) -> usize {
    while let Some(byte) = text.as_bytes().get(at) {
        at = match byte {
            b'#' => line(text, at),
            b if b.is_ascii_whitespace() => at + 1,
            _ => break,
        };
    }
    at
}

/// The place after a comment.
fn line(text: &str, at: usize) -> usize {
    let tail = text.get(at..).unwrap_or_default();
    at + tail.find('\n').unwrap_or(tail.len())
}

/// The place after a quoted text.
fn quoted(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes.get(at);
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        if Some(byte) == quote {
            return end + 1;
        }
        end += if *byte == b'\\' && quote != Some(&b'`') {
            2
        } else {
            1
        };
    }
    text.len()
}

/// The place after the bracket that closes the one at a place.
fn group(text: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = at;
    while let Some(byte) = text.as_bytes().get(end) {
        end = match byte {
            b'"' | b'\'' | b'`' => quoted(text, end),
            b'#' => line(text, end),
            b'(' | b'[' | b'{' => {
                depth += 1;
                end + 1
            }
            b')' | b']' | b'}' => {
                depth -= 1;
                end + 1
            }
            _ => end + 1,
        };
        if depth == 0 {
            break;
        }
    }
    end.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_in_a_text() {
        for (text, expected) in [
            ("up", &["up"][..]),
            ("sum(rate(a:b{c=\"}\"}[1m])) / 5e3", &["a:b{c=\"}\"}"]),
            (
                "sum by (x, y) (x) + sum without(z)(y {a='('} offset 5m)",
                &["x", "y {a='('}"],
            ),
            ("sum(a) by (b)", &["a"]),
            ("a * on (pod) group_left (node) b", &["a", "b"]),
            ("{__name__=~\"a|b\"} > bool inf", &["{__name__=~\"a|b\"}"]),
            ("a # b\n and c unless d", &["a", "c", "d"]),
            ("max_over_time(rate(a[1m])[5m:1m] @ start())", &["a"]),
            (
                "label_replace(a{$track}, \"b\", `c`, 'd', \"e\")",
                &["a{$track}"],
            ),
            ("topk(scalar(a), b)", &["a", "b"]),
            ("vector(1) + time()", &[]),
            ("sum + count", &["sum", "count"]),
        ] {
            let found: Vec<&str> = selectors(text).into_iter().map(|at| &text[at]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
