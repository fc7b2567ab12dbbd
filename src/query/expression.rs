//! Expressions of `query:`: `$track` in braces becomes the arm's matchers.

use super::{
    Binding, Cure, QueryError,
    matcher::{Match, apply, groups, missing},
    scan::{self, Dollar, Place},
    selector::{no_alternatives, parse, refuse_track},
};
use crate::domain::SourceKind;
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{AtModifier, Expr, VectorSelector},
    util::visitor::{ExprVisitorMut, walk_expr_mut},
};
use std::collections::BTreeSet;

/// Stands for `$track` in the tree.
const PLACEHOLDER: &str = "__rollout_judge_track__";

/// Finds every `$track`; all other variables must be inside quotes.
pub(super) fn tracks(text: &str) -> Result<(Vec<Dollar<'_>>, Vec<Dollar<'_>>), QueryError> {
    if let Some(offset) = text.find(PLACEHOLDER) {
        return Err(QueryError::unsupported(
            Cure::Plain,
            "a reserved label name",
            offset,
        ));
    }
    let (mut tracks, mut quoted) = (Vec::new(), Vec::new());
    for dollar in scan::scan(text)? {
        match (dollar.name, dollar.place) {
            ("track", Place::Braces) => tracks.push(dollar),
            ("track", Place::Open) => {
                let message = "`$track` belongs inside the braces of a selector: `metric{$track}`";
                return Err(QueryError::parse(message, dollar.offset));
            }
            (_, Place::Quotes) => {
                refuse_track(dollar)?;
                quoted.push(dollar);
            }
            _ => {
                let message = "a variable can only stand inside the quotes of a label's value";
                return Err(QueryError::parse(message, dollar.offset));
            }
        }
    }
    if tracks.is_empty() {
        let message = "no selector has `$track`: both arms would read the same series";
        return Err(QueryError::unsupported(Cure::TrackInBraces, message, None));
    }
    Ok((tracks, quoted))
}

/// Parses an expression with its `$track` marked.
pub(super) fn tree(text: &str, tracks: &[Dollar<'_>]) -> Result<Expr, QueryError> {
    let mut marked = String::with_capacity(text.len() + tracks.len() * 32);
    let mut from = 0;
    for dollar in tracks {
        marked.push_str(text.get(from..dollar.offset).unwrap_or_default());
        marked.push_str(PLACEHOLDER);
        marked.push_str("=\"1\"");
        from = dollar.offset + dollar.len;
    }
    marked.push_str(text.get(from..).unwrap_or_default());
    parse(&marked).map_err(|error| match error {
        QueryError::Parse { message, offset } => QueryError::Parse {
            message: message.replace(&format!("{PLACEHOLDER}=\"1\""), "$track"),
            offset: offset.and_then(|o| unmarked(o, tracks)),
        },
        other => other,
    })
}

/// The offset in the author's text.
fn unmarked(offset: usize, tracks: &[Dollar<'_>]) -> Option<usize> {
    let mark = PLACEHOLDER.len() + 4;
    let mut grown = 0;
    for dollar in tracks {
        let start = dollar.offset + grown;
        if offset < start {
            break;
        }
        if offset < start + mark {
            return Some(dollar.offset);
        }
        grown += mark - dollar.len;
    }
    offset.checked_sub(grown)
}

/// The text without `$track` and the comma that it leaves behind.
pub(super) fn without_tracks(text: &str, tracks: &[Dollar<'_>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for dollar in tracks {
        out.push_str(text.get(from..dollar.offset).unwrap_or_default());
        from = dollar.offset + dollar.len;
        let tail = text.get(from..).unwrap_or_default();
        if let Some(rest) = tail.trim_start().strip_prefix(',') {
            from = text.len() - rest.len();
        } else if out.trim_end().ends_with(',') {
            out.truncate(out.trim_end().len() - 1);
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Does something to every selector.
struct Each<F>(F);

impl<F: FnMut(&mut VectorSelector) -> Result<(), QueryError>> ExprVisitorMut for Each<F> {
    type Error = QueryError;

    fn pre_visit(&mut self, expr: &mut Expr) -> Result<bool, QueryError> {
        match expr {
            Expr::VectorSelector(selector) => (self.0)(selector)?,
            Expr::MatrixSelector(matrix) => (self.0)(&mut matrix.vs)?,
            // the walk leaves out the first argument of `topk` and its like
            Expr::Aggregate(aggregate) => {
                if let Some(param) = &mut aggregate.param {
                    walk_expr_mut(self, param)?;
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// Takes the mark out of a selector; was there one?
fn unmark(selector: &mut VectorSelector) -> bool {
    let mark = |m: &Matcher| m.name == PLACEHOLDER && m.op == MatchOp::Equal;
    let mut found = false;
    for group in groups(&mut selector.matchers) {
        let before = group.len();
        group.retain(|m| !mark(m));
        found |= group.len() < before;
    }
    found
}

/// Pushes `common` into every selector and `arm` into the marked ones.
pub(super) fn scope(
    expr: &mut Expr,
    common: &[Match],
    arm: &[Match],
    kind: SourceKind,
    binding: &Binding<'_>,
) -> Result<(), QueryError> {
    let mut each = Each(|selector: &mut VectorSelector| {
        let arm = if unmark(selector) { arm } else { &[] };
        no_alternatives(selector, Some(kind))?;
        let ours: Vec<&Match> = common.iter().chain(arm).collect();
        apply(&mut selector.matchers, &ours, binding)
    });
    walk_expr_mut(&mut each, expr).map(drop)
}

/// What the selectors of an expression hold.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    /// Names of their variables.
    pub variables: BTreeSet<String>,
    /// How many have no `$track`.
    pub untracked: usize,
    /// How many read a fixed moment.
    pub fixed: usize,
}

/// Checks every selector without values.
pub(super) fn inspect(
    expr: &mut Expr,
    kind: Option<SourceKind>,
    common: &[Match],
    arms: [&[Match]; 2],
) -> Result<Inspected, QueryError> {
    let mut found = Inspected::default();
    let mut each = Each(|selector: &mut VectorSelector| {
        let marked = unmark(selector);
        found.untracked += usize::from(!marked);
        found.fixed += usize::from(matches!(selector.at, Some(AtModifier::At(_))));
        no_alternatives(selector, kind)?;
        for group in groups(&mut selector.matchers) {
            let written: Vec<Match> = group.iter().map(Match::read).collect();
            for matcher in &written {
                matcher.variables(&mut found.variables);
            }
            for arm in arms {
                let arm = if marked { arm } else { &[] };
                let ours: Vec<&Match> = common.iter().chain(arm).collect();
                missing(&written, &ours)?;
            }
        }
        Ok(())
    });
    walk_expr_mut(&mut each, expr)?;
    Ok(found)
}
