//! The parser, and the one form of text that names series: a vector selector.

use super::{Cure, QueryError, matcher::Match, scan, scan::Place};
use crate::domain::SourceKind;
use promql_parser::parser::{Expr, VectorSelector, parse as parse_promql};

/// Parses after the scan. The parser tells no place, so we look for what it quotes.
pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    parse_promql(text).map_err(|message| {
        let quoted = message.split('\'').nth(1).filter(|q| !q.is_empty());
        let offset = quoted
            .filter(|q| q.len() < text.len())
            .and_then(|q| text.find(q));
        QueryError::parse(format!("not PromQL: {message}"), offset)
    })
}

/// Reads a selector such as `http_requests_total{code=~"5.."}`.
pub(super) fn selector(text: &str, kind: Option<SourceKind>) -> Result<VectorSelector, QueryError> {
    for dollar in scan::scan(text)? {
        if dollar.place == Place::Quotes {
            refuse_track(dollar)?;
            continue;
        }
        let message = if dollar.name == "track" {
            "`$track` belongs into `query`: a selector gets it by itself"
        } else {
            "a variable can only stand inside the quotes of a label's value"
        };
        return Err(QueryError::parse(message, dollar.offset));
    }
    let selector = match parse(text)? {
        Expr::VectorSelector(selector) => selector,
        other => return Err(QueryError::parse(meant(&other), None)),
    };
    if selector.offset.is_some() || selector.at.is_some() {
        let message = "a selector without `offset` and `@`: the judge chooses the time";
        let offset = text.find('@').or_else(|| text.find("offset"));
        return Err(QueryError::unsupported(Cure::Plain, message, offset));
    }
    no_alternatives(&selector, kind)?;
    Ok(selector)
}

/// Reads matchers alone, such as `{namespace="$namespace"}`.
pub(super) fn matchers(text: &str) -> Result<Vec<Match>, QueryError> {
    let body = text.trim_start();
    let indent = text.len() - body.len();
    if !body.starts_with('{') {
        let message =
            "matchers in braces, such as `{namespace=\"$namespace\"}`, without a metric name";
        return Err(QueryError::parse(message, indent));
    }
    // a name in front: without one, `{track!="canary"}` alone would select everything and be refused
    let shifted = |offset: usize| (offset + indent).saturating_sub(1);
    let named = format!("x{body}");
    let mut selector = selector(&named, None).map_err(|error| match error {
        QueryError::Parse { message, offset } => QueryError::parse(message, offset.map(shifted)),
        QueryError::Unsupported {
            message,
            cure,
            offset,
        } => QueryError::unsupported(cure, message, offset.map(shifted)),
        QueryError::TooDeep { offset } => QueryError::TooDeep {
            offset: shifted(offset),
        },
        other => other,
    })?;
    if !selector.matchers.or_matchers.is_empty() {
        let message = "`or` cannot be used in matchers that are added to every selector";
        return Err(QueryError::unsupported(
            Cure::Plain,
            message,
            text.find(" or "),
        ));
    }
    let read: Vec<Match> = selector
        .matchers
        .matchers
        .drain(..)
        .map(|m| Match::read(&m))
        .collect();
    if read.iter().any(|m| m.name == "__name__") {
        let message = "`__name__` cannot be added to every selector";
        return Err(QueryError::unsupported(
            Cure::Plain,
            message,
            text.find("__name__"),
        ));
    }
    Ok(read)
}

/// Refuses `"$track"`.
pub(super) fn refuse_track(dollar: scan::Dollar<'_>) -> Result<(), QueryError> {
    if dollar.name == "track" {
        let message =
            "`$track` stands in the braces by itself, without label and quotes: `{$track}`";
        return Err(QueryError::parse(message, dollar.offset));
    }
    Ok(())
}

/// Prometheus has no `or` between matchers; the parser takes it all the same.
pub(super) fn no_alternatives(
    selector: &VectorSelector,
    kind: Option<SourceKind>,
) -> Result<(), QueryError> {
    if kind == Some(SourceKind::Prometheus) && !selector.matchers.or_matchers.is_empty() {
        let message = "`or` between matchers is MetricsQL: Prometheus does not know it";
        return Err(QueryError::unsupported(Cure::OtherSource, message, None));
    }
    Ok(())
}

/// What was meant instead.
fn meant(found: &Expr) -> String {
    let found = match found {
        Expr::MatrixSelector(_) => "not a range: leave out `[..]`, the judge chooses the window",
        Expr::Subquery(_) => "not a subquery",
        Expr::Call(call) => {
            let name = call.func.name;
            return format!(
                "a plain selector is needed, not `{name}(..)`: the judge reads raw samples and computes increases itself"
            );
        }
        Expr::Aggregate(_) => "not an aggregation: the judge sums over pods itself",
        Expr::Binary(_) => "not a calculation: use `query` for that",
        Expr::Paren(_) => "without parentheses",
        _ => "not a literal",
    };
    format!("a plain selector is needed, {found}")
}
