//! What a policy's texts must fulfil when it is loaded.

use super::{QueryError, Scope, scan, tree::Tree};
use crate::domain::SourceKind;

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorInfo {
    /// Sent as written with `extra_filters[]`: the parser does not know it, VictoriaMetrics will.
    pub opaque: bool,
    /// Variables inside label values.
    pub variables: Vec<String>,
}

/// A plain selector: the counter, histogram or gauge itself.
pub fn check_selector(text: &str, kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    if let Some((at, _, name)) = scan::variables(text)
        .into_iter()
        .find(|(_, quoted, _)| !quoted)
    {
        let message = format!(
            "`${name}` stands outside of a quoted label value: variables can only become label values"
        );
        return Err(QueryError::Shape {
            message,
            offset: Some(at),
        });
    }
    let tree = parse_or_opaque(text, kind)?;
    Ok(SelectorInfo {
        opaque: tree.is_none(),
        variables: quoted_variables(text),
    })
}

/// Any expression with `$track` in at least one selector.
pub fn check_expression(text: &str, kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    scan::limits(text)?;
    let tracked = scan::variables(text)
        .iter()
        .any(|(_, quoted, name)| !quoted && *name == "track");
    let missing = || QueryError::Shape {
        message: "no selector holds `$track`, so both arms would read the same series".to_owned(),
        offset: None,
    };
    let info = |opaque| SelectorInfo {
        opaque,
        variables: quoted_variables(text),
    };
    match Tree::parse(text) {
        Ok(tree) if tree.has_or() && kind == Some(SourceKind::Prometheus) => {
            Err(or_unsupported(text))
        }
        Ok(tree) if tree.has_track() => Ok(info(false)),
        Ok(_) => Err(missing()),
        Err(QueryError::Parse { .. }) if kind == Some(SourceKind::VictoriaMetrics) => {
            if tracked {
                Ok(info(true))
            } else {
                Err(missing())
            }
        }
        Err(error) => Err(refused(error, kind)),
    }
}

/// Does a text clash with the policy's own matchers?
pub fn check_scope(scope: &Scope, text: &str) -> Result<(), QueryError> {
    let Ok(tree) = Tree::parse(text) else {
        return Ok(());
    };
    let ours = scope.labels();
    for condition in tree.conditions() {
        let same = scope.matches().contains(&condition);
        if let Some((label, by)) = ours.iter().find(|(label, _)| *label == condition.label)
            && !same
        {
            let offset = text.find(label);
            return Err(QueryError::Conflict {
                label: (*label).to_owned(),
                by: (*by).to_owned(),
                offset,
            });
        }
    }
    Ok(())
}

/// The tree of a plain selector; `None` where VictoriaMetrics is to understand what the parser does not.
pub fn parse_or_opaque(text: &str, kind: Option<SourceKind>) -> Result<Option<Tree>, QueryError> {
    scan::limits(text)?;
    match Tree::parse(text) {
        Ok(tree) if tree.has_or() && kind == Some(SourceKind::Prometheus) => {
            Err(or_unsupported(text))
        }
        Ok(tree) if tree.selector().is_some() => Ok(Some(tree)),
        Ok(tree) => {
            let message = format!("a plain selector is wanted here, this is {}", tree.kind());
            Err(QueryError::Shape {
                message,
                offset: Some(0),
            })
        }
        Err(QueryError::Parse { .. })
            if kind == Some(SourceKind::VictoriaMetrics) && looks_like_selector(text) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// MetricsQL that VictoriaMetrics takes as a selector has braces at its end and no call.
fn looks_like_selector(text: &str) -> bool {
    let text = text.trim();
    text.ends_with('}') && text.matches('{').count() == 1 && !text.contains('(')
}

fn quoted_variables(text: &str) -> Vec<String> {
    scan::variables(text)
        .into_iter()
        .filter(|(_, quoted, _)| *quoted)
        .map(|(_, _, name)| name.to_owned())
        .collect()
}

fn or_unsupported(text: &str) -> QueryError {
    QueryError::Unsupported {
        what: "`or` between matchers".to_owned(),
        offset: text.find(" or ").map(|at| at + 1),
    }
}

/// On Prometheus, what only MetricsQL has is named as such.
fn refused(error: QueryError, kind: Option<SourceKind>) -> QueryError {
    match error {
        QueryError::Parse { message, offset } if kind == Some(SourceKind::Prometheus) => {
            QueryError::Parse {
                message: format!("{message} (MetricsQL needs a source of kind victoriametrics)"),
                offset,
            }
        }
        other => other,
    }
}
