//! One matcher of ours, and how it goes into the parser's tree.

use super::{Binding, QueryError, variables::collect};
use promql_parser::{
    label::{MatchOp, Matcher, Matchers},
    parser::token::T_EQL_REGEX,
};
use std::collections::BTreeSet;

/// The four operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Regex,
    NotRegex,
}

/// A matcher whose value may have variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub name: String,
    pub op: Op,
    pub value: String,
}

impl Match {
    pub fn new(name: &str, op: Op, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            op,
            value: value.to_owned(),
        }
    }

    pub fn read(matcher: &Matcher) -> Self {
        let op = match matcher.op {
            MatchOp::Equal => Op::Equal,
            MatchOp::NotEqual => Op::NotEqual,
            MatchOp::Re(_) => Op::Regex,
            MatchOp::NotRe(_) => Op::NotRegex,
        };
        Self::new(&matcher.name, op, &matcher.value)
    }

    pub fn variables(&self, names: &mut BTreeSet<String>) {
        collect(&self.value, names);
    }

    /// The matcher with its variables filled in, for the tree.
    pub fn fill(&self, binding: &Binding<'_>) -> Result<Matcher, QueryError> {
        let regex = matches!(self.op, Op::Regex | Op::NotRegex);
        let value = binding.fill(&self.value, regex)?;
        let op = match self.op {
            Op::Equal => MatchOp::Equal,
            Op::NotEqual => MatchOp::NotEqual,
            Op::Regex => regular()?,
            Op::NotRegex => not(regular()?),
        };
        Ok(Matcher::new(op, &self.name, &value))
    }

    /// As it would be printed, variables and all.
    pub fn shown(&self) -> String {
        let op = match self.op {
            Op::Equal => "=",
            Op::NotEqual => "!=",
            Op::Regex => "=~",
            Op::NotRegex => "!~",
        };
        format!("`{}{op}{:?}`", self.name, self.value)
    }
}

/// A regular operator; only operator and value are printed, so the expression itself is never compiled here.
fn regular() -> Result<MatchOp, QueryError> {
    Matcher::new_matcher(T_EQL_REGEX, String::new(), String::new())
        .map(|m| m.op)
        .map_err(|e| QueryError::parse(e, None))
}

/// Its negation.
fn not(op: MatchOp) -> MatchOp {
    match op {
        MatchOp::Re(regex) => MatchOp::NotRe(regex),
        other => other,
    }
}

/// Every group of alternatives; one if there is no `or`.
pub(super) fn groups(matchers: &mut Matchers) -> Vec<&mut Vec<Matcher>> {
    if matchers.or_matchers.is_empty() {
        vec![&mut matchers.matchers]
    } else {
        matchers.or_matchers.iter_mut().collect()
    }
}

/// Fills the author's matchers and pushes ours into every group. Identical ones are pushed once.
pub(super) fn apply(
    matchers: &mut Matchers,
    ours: &[&Match],
    binding: &Binding<'_>,
) -> Result<(), QueryError> {
    for group in groups(matchers) {
        let written: Vec<Match> = group.iter().map(Match::read).collect();
        let added = missing(&written, ours)?;
        *group = written
            .iter()
            .chain(added)
            .map(|m| m.fill(binding))
            .collect::<Result<_, _>>()?;
    }
    Ok(())
}

/// Those of ours that the author did not write; refuses other matchers on the same label.
pub(super) fn missing<'a>(
    written: &[Match],
    ours: &[&'a Match],
) -> Result<Vec<&'a Match>, QueryError> {
    let mut out = Vec::new();
    for &added in ours {
        let mut same = written.iter().filter(|w| w.name == added.name);
        if let Some(other) = same.clone().find(|w| *w != added) {
            return Err(QueryError::Conflict {
                label: added.name.clone(),
                written: other.shown(),
                added: added.shown(),
            });
        }
        if same.next().is_none() {
            out.push(added);
        }
    }
    Ok(out)
}
