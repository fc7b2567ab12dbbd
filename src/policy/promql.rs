//! PromQL inside a policy: what the `query` module says, told at the right place of the file.

use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::nearest,
    names::VARIABLES,
    plain::{nameless, not_plain},
    tree::{Entry, Node},
};
use crate::query::{self, Cure, QueryError, Scope, Tracks};
use std::{collections::BTreeSet, ops::Range};

/// What a selector is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Counter,
    Gauge,
    Histogram,
}

/// Checks a plain selector.
pub(super) fn selector(
    node: &Node,
    words: &str,
    wanted: Wanted,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> bool {
    let before = sink.count();
    let place = sink.place(words, &node.span);
    sink.queries.push(place);
    if let Some((part, what)) = not_plain(words) {
        let message = format!("a plain selector is wanted, this has {what}");
        let help = match wanted {
            Wanted::Counter => {
                "increases are computed by the judge: write the counter itself, without rate() or a range"
            }
            Wanted::Gauge => {
                "levels are read per pod by the judge: write the gauge itself; any other expression is a `query`"
            }
            Wanted::Histogram => {
                "quantiles are computed by the judge: write the `_bucket` series itself, without histogram_quantile() or rate()"
            }
        };
        sink.report(
            Mistake::NotASelector,
            &within(node, words, &part, sink),
            message,
            "not a plain selector",
            help,
        );
        return false;
    }
    if nameless(words) {
        let help = "begin with the name of a metric: http_requests_total{...}";
        sink.report(
            Mistake::NotASelector,
            &node.span,
            "this selector names no metric",
            "which metric?",
            help,
        );
        return false;
    }
    let checked = match &context.scope {
        Some(scope) => scope.check_selector(words, context.kind),
        None => query::check_selector(words, context.kind),
    };
    match checked {
        Err(error) => refused(node, words, &error, "selector", sink),
        Ok(info) => {
            variables(node, words, &info.variables, context, sink);
            if wanted == Wanted::Histogram && !sink.kept {
                let own = BUCKETS.iter().filter(|label| info.labels.contains(**label));
                own.for_each(|label| bucket(node, words, label, sink));
            }
        }
    }
    if wanted == Wanted::Histogram {
        histogram(node, words, sink);
    }
    sink.count() == before
}

/// Checks a `query`; true for text that only VictoriaMetrics understands.
pub(super) fn expression(
    node: &Node,
    words: &str,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<bool> {
    let place = sink.place(words, &node.span);
    sink.queries.push(place);
    if !words.contains("$track") {
        sink.report(
            Mistake::MissingTrack,
            &node.span,
            "this query asks canary and stable at once",
            "no `$track`",
            "put `$track` into the braces of each selector: requests_total{$track}",
        );
        return None;
    }
    let checked = match &context.scope {
        Some(scope) => scope.check_expression(words, context.kind),
        None => query::check_expression(words, context.kind),
    };
    let info = checked
        .map_err(|error| refused(node, words, &error, "query", sink))
        .ok()?;
    let before = sink.count();
    variables(node, words, &info.variables, context, sink);
    if !sink.kept {
        untracked(node, words, &info.untracked, sink);
    }
    if info.opaque {
        let message = "not PromQL: sent to VictoriaMetrics as MetricsQL, unparsed; a typo shows only when it is asked (`check --source`)";
        sink.note(&node.span, message.to_owned());
    }
    if info.fixed > 0 {
        let message = "`@` with a fixed time reads the same moment in every block: nothing that happens to the canary later is seen";
        sink.note(&node.span, message.to_owned());
    }
    (sink.count() == before).then_some(info.opaque)
}

/// A selector without `$track` beside others that have it: canary over both, for example.
fn untracked(node: &Node, words: &str, places: &[Range<usize>], sink: &mut Sink<'_>) {
    for place in places {
        let written = words.get(place.clone()).unwrap_or(words);
        let help = match written.strip_suffix('}').map(str::trim_end) {
            _ if *place == (0..words.len()) => {
                "put `$track` into the braces of each selector: requests_total{$track}".to_owned()
            }
            Some(open) if open.ends_with(['{', ',']) => format!("write {open}$track}}"),
            Some(open) => format!("write {open}, $track}}"),
            None => format!("write {written}{{$track}}"),
        };
        sink.report(
            Mistake::MissingTrack,
            &within(node, words, place, sink),
            format!("`{written}` reads canary and stable at once, beside selectors that read one of them"),
            "no `$track`",
            help,
        );
    }
}

/// Checks matchers in braces, such as `{track="canary"}`.
pub(super) fn matchers(
    node: &Node,
    words: &str,
    key: &str,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> bool {
    let before = sink.count();
    match query::check_matchers(words) {
        Err(error) => refused(node, words, &error, key, sink),
        Ok(used) => variables(node, words, &used, context, sink),
    }
    sink.count() == before
}

/// Checks `match` and makes the scope of the policy.
pub(super) fn scope(
    entry: Option<&Entry>,
    words: Option<&str>,
    tracks: &Tracks,
    context: &mut Context<'_>,
    sink: &mut Sink<'_>,
) {
    if let (Some(entry), Some(words)) = (entry, words)
        && !matchers(&entry.value, words, "match", context, sink)
    {
        return;
    }
    match (Scope::parse(tracks, words), entry, words) {
        (Ok(scope), _, _) => context.scope = Some(scope),
        (Err(error), Some(entry), Some(words)) => {
            refused(&entry.value, words, &error, "match", sink);
        }
        (Err(error), _, _) => sink.report(
            Mistake::Promql,
            &(0..0),
            error.to_string(),
            "here",
            "write other `tracks`",
        ),
    }
}

/// Every variable must be filled by somebody.
fn variables(
    node: &Node,
    words: &str,
    used: &BTreeSet<String>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) {
    for name in used {
        if VARIABLES.contains(&name.as_str()) || context.params.contains(name) {
            continue;
        }
        let names = VARIABLES
            .into_iter()
            .chain(context.params.iter().map(String::as_str));
        let help = match nearest(name, names) {
            Some(close) => {
                format!("did you mean `${close}`? if not, declare it under spec.params: [{name}]")
            }
            None => format!("declare it under spec.params: [{name}], and send it in `params`"),
        };
        let written = [format!("${{{name}}}"), format!("${name}")];
        let found = written
            .iter()
            .find_map(|one| words.find(one.as_str()).map(|at| at..at + one.len()));
        let at = within(node, words, &found.unwrap_or(0..words.len()), sink);
        sink.report(
            Mistake::UnknownVariable,
            &at,
            format!("nobody fills the variable `${name}`"),
            "unknown variable",
            help,
        );
    }
}

/// `_sum` and `_count` of a histogram have no buckets.
fn histogram(node: &Node, words: &str, sink: &mut Sink<'_>) {
    let end = words
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(words.len());
    let name = words.get(..end).unwrap_or("");
    for part in ["_sum", "_count"] {
        if let Some(base) = name.strip_suffix(part) {
            sink.report(
                Mistake::NotAHistogram,
                &within(node, words, &(0..end), sink),
                format!("`{name}` is the `{part}` of a histogram: it has no quantiles"),
                "no buckets",
                format!("write `{base}_bucket`, or `{base}` for a native histogram"),
            );
        }
    }
}

/// Labels that tell the buckets of a histogram, or the quantiles of a summary, apart.
const BUCKETS: [&str; 3] = ["le", "vmrange", "quantile"];

/// One bucket has no quantile, and a summary has no buckets.
fn bucket(node: &Node, words: &str, label: &str, sink: &mut Sink<'_>) {
    let (message, help) = if label == "quantile" {
        (
            "`quantile` is a label of summaries, which have no buckets: canary and stable cannot be compared by it".to_owned(),
            "write the `_bucket` series of a histogram, without `quantile`; a summary is a `gauge`",
        )
    } else {
        (
            format!("`{label}` picks buckets of the histogram: a quantile needs them all"),
            "remove this matcher; the quantile stands in `quantile`, a ceiling in `limit`",
        )
    };
    let at = matcher(words, label).unwrap_or(0..words.len());
    sink.report(
        Mistake::NotAHistogram,
        &within(node, words, &at, sink),
        message,
        "remove this",
        help,
    );
}

/// The place of a matcher: from its label to the end of its value.
fn matcher(words: &str, label: &str) -> Option<Range<usize>> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    words.match_indices(label).find_map(|(at, _)| {
        let head = words.get(..at)?.trim_end_matches(['"', '\'']);
        let tail = words
            .get(at + label.len()..)?
            .trim_start_matches(['"', '\'']);
        let value = tail.trim_start().strip_prefix(['=', '!'])?;
        let quote = value.find(['"', '\'', '`'])?;
        let begin = value.get(quote..)?;
        let close = begin.chars().next()?;
        let end = begin.get(1..)?.find(close)? + 2;
        let rest = begin.get(end..)?.len();
        (!head.ends_with(inner)).then(|| at..words.len() - rest)
    })
}

/// What to write in braces.
const MATCHERS: &str =
    "write matchers with commas between, each of another label: '{namespace=\"$namespace\"}'";

/// Tells an error of the `query` module.
fn refused(node: &Node, words: &str, error: &QueryError, key: &str, sink: &mut Sink<'_>) {
    let braces = matches!(key, "match" | "canary" | "stable");
    let at_dollar = |start: &str| {
        error
            .offset()
            .and_then(|at| words.get(at..))
            .is_some_and(|tail| tail.starts_with(start))
    };
    let (code, label, help) = match error {
        QueryError::Conflict { .. } => (
            Mistake::ConflictingMatcher,
            "matched twice",
            if braces { "write the label in one of `match` and `tracks`" } else { "remove this matcher: `match` and `tracks` are added to every selector" }.to_owned(),
        ),
        // in braces every cure is the same, but for another source
        QueryError::Unsupported { cure, .. } if braces && *cure != Cure::OtherSource => (Mistake::Unsupported, "not here", MATCHERS.to_owned()),
        QueryError::Unsupported { cure, .. } => (Mistake::Unsupported, "not here", cure.as_str().to_owned()),
        QueryError::NoExpressions => (Mistake::Unsupported, "nobody evaluates this", "write it as errorRatio, ratio, latencyQuantile, mean or gauge, or let `source` name a victoriametrics or prometheus source".to_owned()),
        QueryError::TooLong { .. } | QueryError::TooDeep { .. } => (Mistake::Promql, "too much", "record it as a rule in the metric source, and write the name of the rule".to_owned()),
        _ if braces && !words.trim_start().starts_with('{') => {
            let cured = match words.find('{') {
                Some(at) => words.get(at..).unwrap_or(words).trim().to_owned(),
                None => format!("{{{}}}", words.trim()),
            };
            (Mistake::Promql, "here", format!("write the matchers alone, in braces: '{cured}'"))
        }
        _ if key == "query" && at_dollar("$track") => (Mistake::Promql, "here", "write it inside the braces of a selector, by itself: requests_total{$track}".to_owned()),
        _ if key == "query" && at_dollar("$") => (Mistake::Promql, "here", "write a variable as the quoted value of a label: namespace=\"$namespace\"".to_owned()),
        _ if braces => (Mistake::Promql, "here", "write matchers in braces, label=\"value\" with commas between: '{namespace=\"$namespace\"}'".to_owned()),
        _ if words.contains("$track") && key != "query" => (Mistake::Promql, "here", "remove `$track`: the judge adds the matchers of the track to every selector itself".to_owned()),
        _ => (Mistake::Promql, "here", "check the quotes, braces and commas; the expression must run in the query page of the metric source".to_owned()),
    };
    let part = match (error, error.offset()) {
        (QueryError::Conflict { label, .. }, _) => {
            words.find(label.as_str()).map(|at| at..at + label.len())
        }
        (QueryError::Parse { message, .. }, None) => message
            .split_once("regex for ")
            .and_then(|(_, regex)| words.find(regex).map(|at| at..at + regex.len())),
        (_, Some(at)) if at < words.len() => Some(at..at + token(words, at)),
        _ => None,
    };
    let at = within(node, words, &part.unwrap_or(0..words.len()), sink);
    sink.report(code, &at, error.to_string(), label, help);
}

/// Length of the word, or of the sign, that begins somewhere.
fn token(words: &str, at: usize) -> usize {
    let tail = words.get(at..).unwrap_or("");
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let first = tail.chars().next();
    let skip = usize::from(first == Some('$'));
    let length = tail
        .get(skip..)
        .unwrap_or("")
        .find(|c| !inner(c))
        .map_or(tail.len(), |end| end + skip);
    length.max(first.map_or(0, char::len_utf8))
}

/// The place of a part of a value in the file; the whole value where it is escaped or folded over lines.
fn within(node: &Node, words: &str, part: &Range<usize>, sink: &Sink<'_>) -> Range<usize> {
    let raw = sink.text.slice(&node.span);
    let shift = match raw.find(words) {
        Some(shift) if shift <= 1 && !words.contains('\n') => shift,
        _ => return node.span.clone(),
    };
    let start = node.span.start + shift;
    start + part.start..start + part.end.max(part.start)
}
