//! A parsed query whose selectors can be edited.

use super::{QueryError, condition::Condition, scan};
use promql_parser::{
    label::{Matcher, Matchers},
    parser::{self, Expr, VectorSelector},
    util::visitor::{ExprVisitorMut, walk_expr_mut},
};

/// Stands for `$track` while a text is parsed.
const TRACK: &str = "__rollout_judge_track__";

/// A parsed query.
#[derive(Debug, Clone)]
pub struct Tree(Expr);

impl Tree {
    /// Parses a text in which `$track` may stand for the track's matchers.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        scan::limits(text)?;
        let mut source = String::with_capacity(text.len());
        let mut from = 0;
        for (at, quoted, name) in scan::variables(text) {
            if name == "track" && !quoted {
                source.push_str(text.get(from..at).unwrap_or_default());
                source.push_str(TRACK);
                source.push_str("=\"\"");
                from = at + "$track".len();
            } else if !quoted {
                let message = format!(
                    "`${name}` stands outside of a quoted label value: variables can only become label values"
                );
                return Err(QueryError::Shape {
                    message,
                    offset: Some(at),
                });
            }
        }
        source.push_str(text.get(from..).unwrap_or_default());
        let expression = parser::parse(&source).map_err(|message| QueryError::Parse {
            offset: place(text, &message),
            message: first_line(&message),
        })?;
        Ok(Self(expression))
    }

    /// The plain selector that this must be: no range, no function, no `offset`.
    pub fn selector(&self) -> Option<&VectorSelector> {
        match &self.0 {
            Expr::VectorSelector(selector)
                if selector.offset.is_none() && selector.at.is_none() =>
            {
                Some(selector)
            }
            _ => None,
        }
    }

    /// What kind of expression it is, in the author's words.
    pub fn kind(&self) -> String {
        match &self.0 {
            Expr::VectorSelector(_) => "a selector with `offset` or `@`".to_owned(),
            Expr::MatrixSelector(_) => "a range selector".to_owned(),
            Expr::Call(call) => format!("the function `{}()`", call.func.name),
            Expr::Aggregate(aggregate) => format!("the aggregation `{}`", aggregate.op),
            Expr::Subquery(_) => "a subquery".to_owned(),
            Expr::NumberLiteral(_) => "a number".to_owned(),
            Expr::StringLiteral(_) => "a string".to_owned(),
            _ => "an expression".to_owned(),
        }
    }

    /// Edits every selector: each group of matchers goes through `edit`.
    pub fn edit(
        &mut self,
        edit: impl FnMut(&mut Vec<Matcher>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut editor = Editor(edit);
        walk_expr_mut(&mut editor, &mut self.0).map(drop)
    }

    /// Every condition of every selector.
    pub fn conditions(&self) -> Vec<Condition> {
        let mut found = Vec::new();
        let mut copy = self.clone();
        // the closure never fails
        let _ = copy.edit(|group| {
            found.extend(group.iter().filter(|m| m.name != TRACK).map(Condition::of));
            Ok(())
        });
        found
    }

    /// Is `$track` in every group of at least one selector?
    pub fn has_track(&self) -> bool {
        let mut copy = self.clone();
        let mut found = false;
        let _ = copy.edit(|group| {
            found |= group.iter().any(|m| m.name == TRACK);
            Ok(())
        });
        found
    }

    /// Does a selector have `or` between matchers?
    pub fn has_or(&self) -> bool {
        struct Or(bool);
        impl ExprVisitorMut for Or {
            type Error = QueryError;
            fn pre_visit(&mut self, node: &mut Expr) -> Result<bool, QueryError> {
                if let Some(matchers) = matchers_of(node) {
                    self.0 |= !matchers.or_matchers.is_empty();
                }
                Ok(true)
            }
        }
        let mut or = Or(false);
        let _ = walk_expr_mut(&mut or, &mut self.clone().0);
        or.0
    }

    /// The text that is sent.
    pub fn print(&self) -> String {
        self.0.to_string()
    }
}

/// Takes `$track` out of a group; was it there?
pub fn take_track(group: &mut Vec<Matcher>) -> bool {
    let before = group.len();
    group.retain(|m| m.name != TRACK);
    group.len() < before
}

struct Editor<F>(F);

impl<F: FnMut(&mut Vec<Matcher>) -> Result<(), QueryError>> ExprVisitorMut for Editor<F> {
    type Error = QueryError;

    fn pre_visit(&mut self, node: &mut Expr) -> Result<bool, QueryError> {
        let Some(matchers) = matchers_of(node) else {
            return Ok(true);
        };
        // with `or`, every branch is a group of its own
        if matchers.or_matchers.is_empty() {
            (self.0)(&mut matchers.matchers)?;
        } else {
            if !matchers.matchers.is_empty() {
                (self.0)(&mut matchers.matchers)?;
            }
            for group in &mut matchers.or_matchers {
                (self.0)(group)?;
            }
        }
        Ok(true)
    }
}

fn matchers_of(node: &mut Expr) -> Option<&mut Matchers> {
    match node {
        Expr::VectorSelector(selector) => Some(&mut selector.matchers),
        Expr::MatrixSelector(range) => Some(&mut range.vs.matchers),
        _ => None,
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}

/// The parser gives no positions; a token that it quotes can be found.
fn place(text: &str, message: &str) -> Option<usize> {
    let quoted = message
        .split(['\'', '"', '`'])
        .nth(1)
        .filter(|token| !token.is_empty())?;
    text.find(quoted)
}

#[cfg(test)]
impl Tree {
    /// Parses what was printed, where `$` is an ordinary character.
    pub fn parse_printed(text: &str) -> Result<Self, QueryError> {
        parser::parse(text)
            .map(Self)
            .map_err(|message| QueryError::Parse {
                message,
                offset: None,
            })
    }
}
