//! One label matcher of ours, before it enters a tree.

use super::QueryError;
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::token::{T_EQL, T_EQL_REGEX, T_NEQ, T_NEQ_REGEX},
};
use std::fmt;

/// How a label is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// A label, how it is matched, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Label name.
    pub label: String,
    /// Operator.
    pub op: Op,
    /// Value as the database is to see it.
    pub value: String,
}

impl Condition {
    /// From a parsed matcher.
    pub fn of(matcher: &Matcher) -> Self {
        let op = match matcher.op {
            MatchOp::Equal => Op::Equal,
            MatchOp::NotEqual => Op::NotEqual,
            MatchOp::Re(_) => Op::Regex,
            MatchOp::NotRe(_) => Op::NotRegex,
        };
        Self {
            label: matcher.name.clone(),
            op,
            value: matcher.value.clone(),
        }
    }

    /// As a node for a tree.
    pub fn matcher(&self) -> Result<Matcher, QueryError> {
        let token = match self.op {
            Op::Equal => T_EQL,
            Op::NotEqual => T_NEQ,
            Op::Regex => T_EQL_REGEX,
            Op::NotRegex => T_NEQ_REGEX,
        };
        Matcher::new_matcher(token, self.label.clone(), self.value.clone()).map_err(|message| {
            QueryError::Parse {
                message,
                offset: None,
            }
        })
    }

    /// The same with its variables bound; in a regular expression a value stands for itself.
    pub fn bound(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, QueryError> {
        let quoted = matches!(self.op, Op::Regex | Op::NotRegex);
        Ok(Self {
            value: bind(&self.value, quoted, lookup)?,
            ..self.clone()
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.matcher() {
            Ok(matcher) => matcher.fmt(f),
            Err(_) => f.write_str(&self.label),
        }
    }
}

/// Replaces each `$name` by its value.
fn bind(
    text: &str,
    quoted: bool,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, QueryError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = (
            rest.get(..at).unwrap_or_default(),
            rest.get(at + 1..).unwrap_or_default(),
        );
        out.push_str(before);
        let name = super::scan::leading_name(after);
        if name.is_empty() {
            out.push('$');
        } else {
            let value = lookup(name).ok_or_else(|| QueryError::MissingVariable {
                name: name.to_owned(),
            })?;
            out.push_str(&if quoted { quote_regex(&value) } else { value });
        }
        rest = after.get(name.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

/// Escapes a value so that a regular expression (RE2) matches it literally.
pub fn quote_regex(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
