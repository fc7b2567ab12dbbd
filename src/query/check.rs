//! What can be said about a query when the policy is loaded.

use super::{
    Arms, Cure, QueryError, Scope,
    expression::{Inspected, inspect, tracks, tree},
    matcher::{Match, groups, missing},
    places::untracked,
    selector::{matchers, selector},
};
use crate::domain::{SourceKind, Track};
use promql_parser::parser::Expr;
use std::{collections::BTreeSet, ops::Range};

/// What a text holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectorInfo {
    /// Our parser does not know it: VictoriaMetrics scopes it by `extra_filters[]`.
    pub opaque: bool,
    /// Names of the variables in the values of its matchers.
    pub variables: BTreeSet<String>,
    /// Labels that a selector matches itself.
    pub labels: BTreeSet<String>,
    /// Where in the text of an expression selectors without `$track` stand: they read both arms, and what comes out is mixed.
    pub untracked: Vec<Range<usize>>,
    /// How many selectors of an expression read a fixed moment (`@ 5`).
    pub fixed: usize,
}

/// Checks a selector. Without a kind, both dialects are allowed.
pub fn check_selector(text: &str, kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    selector_info(text, kind, None)
}

/// Checks an expression of `query:`. What is not PromQL is opaque on VictoriaMetrics and refused elsewhere.
pub fn check_expression(text: &str, kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    expression_info(text, kind, None)
}

/// Checks matchers in braces, as in `match` and `tracks`, and lists their variables.
pub fn check_matchers(text: &str) -> Result<BTreeSet<String>, QueryError> {
    let mut names = BTreeSet::new();
    for matcher in matchers(text)? {
        matcher.variables(&mut names);
    }
    Ok(names)
}

impl Scope {
    /// Checks a selector, and that none of its matchers clashes with this scope.
    pub fn check_selector(
        &self,
        text: &str,
        kind: Option<SourceKind>,
    ) -> Result<SelectorInfo, QueryError> {
        selector_info(text, kind, Some(self))
    }

    /// Checks an expression, and that none of its matchers clashes with this scope.
    pub fn check_expression(
        &self,
        text: &str,
        kind: Option<SourceKind>,
    ) -> Result<SelectorInfo, QueryError> {
        expression_info(text, kind, Some(self))
    }

    /// What a raw selector gets, in each query that is made of it.
    fn sides(&self) -> [&[Match]; 2] {
        match self.track_label() {
            Some(_) => [self.arms(Arms::Both); 2],
            None => self.apart(),
        }
    }

    fn apart(&self) -> [&[Match]; 2] {
        [Track::Canary, Track::Stable].map(|track| self.arms(Arms::Only(track)))
    }
}

fn selector_info(
    text: &str,
    kind: Option<SourceKind>,
    scope: Option<&Scope>,
) -> Result<SelectorInfo, QueryError> {
    let mut selector = selector(text, kind)?;
    let mut info = SelectorInfo::default();
    for group in groups(&mut selector.matchers) {
        let written: Vec<Match> = group.iter().map(Match::read).collect();
        for matcher in &written {
            matcher.variables(&mut info.variables);
            info.labels.insert(matcher.name.clone());
        }
        for arm in scope.map_or([&[][..]; 2], Scope::sides) {
            let common = scope.map_or(&[][..], |s| &s.common);
            let ours: Vec<&Match> = common.iter().chain(arm).collect();
            missing(&written, &ours)?;
        }
    }
    Ok(info)
}

/// Has it a value at each moment? VictoriaMetrics gives a range its last one, Prometheus refuses it.
fn evaluates(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(inner) => evaluates(&inner.expr),
        Expr::MatrixSelector(_) | Expr::Subquery(_) | Expr::StringLiteral(_) => false,
        _ => true,
    }
}

fn expression_info(
    text: &str,
    kind: Option<SourceKind>,
    scope: Option<&Scope>,
) -> Result<SelectorInfo, QueryError> {
    if kind == Some(SourceKind::Scrape) {
        return Err(QueryError::NoExpressions);
    }
    let (tracks, quoted) = tracks(text)?;
    let mut expr = match (tree(text, &tracks), kind) {
        (Ok(expr), _) => expr,
        (Err(_), Some(SourceKind::VictoriaMetrics)) => {
            if let Some(dollar) = quoted.first() {
                let message =
                    "MetricsQL is sent as written, without variables: put them into `match`";
                return Err(QueryError::unsupported(
                    Cure::NoVariables,
                    message,
                    dollar.offset,
                ));
            }
            return Ok(SelectorInfo {
                opaque: true,
                ..SelectorInfo::default()
            });
        }
        (Err(QueryError::Parse { message, offset }), Some(SourceKind::Prometheus)) => {
            let message = format!("{message}; MetricsQL needs a VictoriaMetrics source");
            return Err(QueryError::unsupported(Cure::OtherSource, message, offset));
        }
        (Err(error), _) => return Err(error),
    };
    if kind == Some(SourceKind::Prometheus) && !evaluates(&expr) {
        let message = "an expression with one value at each moment is needed: wrap the range in a function such as `avg_over_time(..)` or `rate(..)`";
        return Err(QueryError::parse(message, text.find('[')));
    }
    let common = scope.map_or(&[][..], |s| &s.common);
    let arms = scope.map_or([&[][..]; 2], Scope::apart);
    let Inspected {
        variables,
        untracked: count,
        fixed,
    } = inspect(&mut expr, kind, common, arms)?;
    let mut places = untracked(text, &tracks);
    if places.len() != count {
        // the text was read otherwise than the parser reads it: all of it is shown
        places = std::iter::repeat_n(0..text.len(), count.min(1)).collect();
    }
    Ok(SelectorInfo {
        variables,
        untracked: places,
        fixed,
        ..SelectorInfo::default()
    })
}
