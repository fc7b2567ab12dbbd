//! PromQL inside a policy: what the `query` module says, told at the right place of the file.

pub(super) use super::shim::Scope;
use super::shim::{self as query, QueryError};
use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::nearest,
    names::VARIABLES,
    plain::{nameless, not_plain},
    tree::Node,
};
use crate::query::Tracks;
use std::ops::Range;

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
    match query::check_selector(words, context.kind) {
        Err(error) => refused(node, words, &error, "selector", sink),
        Ok(info) => variables(node, words, &info.variables, false, context, sink),
    }
    if wanted == Wanted::Histogram {
        histogram(node, words, sink);
    }
    if let (Some(scope), true) = (&context.scope, sink.count() == before)
        && let Err(error) = query::check_scope(scope, words)
    {
        refused(node, words, &error, "selector", sink);
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
    let before = sink.count();
    let opaque = match query::check_expression(words, context.kind) {
        Ok(info) => {
            variables(node, words, &info.variables, true, context, sink);
            info.opaque
        }
        Err(error) => {
            refused(node, words, &error, "query", sink);
            false
        }
    };
    if !opaque && sink.count() == before && !words.contains("$track") {
        sink.report(
            Mistake::MissingTrack,
            &node.span,
            "this query asks canary and stable at once",
            "no `$track`",
            "put `$track` into the braces of each selector: requests_total{$track}",
        );
    }
    (sink.count() == before).then_some(opaque)
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
    let any = Tracks::Label(super::tracks::DEFAULT_LABEL.to_owned());
    match Scope::parse(&any, Some(words)) {
        Err(error) => refused(node, words, &error, key, sink),
        Ok(scope) => {
            let used: Vec<String> = scope.variables().iter().map(ToString::to_string).collect();
            variables(node, words, &used, false, context, sink);
        }
    }
    sink.count() == before
}

/// Checks `match` and keeps the scope of the policy.
pub(super) fn scope_match(
    node: &Node,
    words: &str,
    context: &mut Context<'_>,
    tracks: &Tracks,
    sink: &mut Sink<'_>,
) {
    if !matchers(node, words, "match", context, sink) {
        return;
    }
    match Scope::parse(tracks, Some(words)) {
        Err(error) => refused(node, words, &error, "match", sink),
        Ok(scope) => context.scope = Some(scope),
    }
}

/// Every variable must be filled by somebody.
fn variables(
    node: &Node,
    words: &str,
    used: &[String],
    track: bool,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) {
    for name in used {
        let known = VARIABLES.contains(&name.as_str()) || context.params.contains(name);
        if known || (track && name == "track") {
            continue;
        }
        let names = VARIABLES
            .into_iter()
            .chain(context.params.iter().map(String::as_str));
        let help = match nearest(name, names) {
            _ if name == "track" => {
                "remove it: the judge adds the matchers of the track to every selector itself"
                    .to_owned()
            }
            Some(close) => {
                format!("did you mean `${close}`? if not, declare it under spec.params: [{name}]")
            }
            None => format!("declare it under spec.params: [{name}], and send it in `params`"),
        };
        let at = words
            .find(&format!("${name}"))
            .map_or(0..words.len(), |at| at..at + name.len() + 1);
        let message = format!("nobody fills the variable `${name}`");
        sink.report(
            Mistake::UnknownVariable,
            &within(node, words, &at, sink),
            message,
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

/// Tells an error of the `query` module.
fn refused(node: &Node, words: &str, error: &QueryError, key: &str, sink: &mut Sink<'_>) {
    let at = error
        .offset()
        .filter(|at| *at <= words.len())
        .map_or(0..words.len(), |at| at..words.len().min(at + 1));
    let (code, label) = match error {
        QueryError::Conflict { .. } => (
            Mistake::ConflictingMatcher,
            "contradicts `match` or `tracks`",
        ),
        QueryError::Unsupported { .. } => (Mistake::Unsupported, "not for this source"),
        _ => (Mistake::Promql, "here"),
    };
    let braces = matches!(key, "match" | "canary" | "stable");
    let help = match error {
        QueryError::Conflict { .. } => "remove this matcher: `match` and `tracks` are added to every selector".to_owned(),
        QueryError::Unsupported { .. } => "write plain PromQL, or use a source of kind victoriametrics".to_owned(),
        _ if braces && !words.trim_start().starts_with('{') => format!("write the matchers in braces: '{{{}}}'", words.trim()),
        _ if braces => "write matchers in braces, label=\"value\" with commas between: '{namespace=\"$namespace\"}'".to_owned(),
        _ => "check the quotes, braces and commas; the expression must run in the query page of the metric source".to_owned(),
    };
    sink.report(
        code,
        &within(node, words, &at, sink),
        error.to_string(),
        label,
        help,
    );
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
