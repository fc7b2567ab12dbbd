//! What an answer has to be to be one to its question.

use super::{cursor::Cursor, cursor::Stop, state::Kind};
use crate::{
    domain::{Labels, Millis, PlannedQuery, Shape, text::shortened, time::rfc3339},
    query::{Asked, Selection},
};
use std::cell::OnceCell;

/// Samples of a range selector may be this much earlier than asked for: databases that count in whole seconds.
const ROUNDING: Millis = 1000;
/// So many characters of a series are shown.
const SHOWN: usize = 200;

/// What an answer has to be. Without a question it may be anything.
#[derive(Debug, Default)]
pub(super) struct Expected<'q> {
    query: Option<&'q PlannedQuery>,
    /// Read back with the first series that nobody knows: later questions about the same series need none of it.
    selection: OnceCell<Option<Selection>>,
}

impl<'q> Expected<'q> {
    /// Of the answer to a query.
    pub fn by(query: &'q PlannedQuery) -> Self {
        Self {
            query: Some(query),
            selection: OnceCell::new(),
        }
    }

    /// Refuses a `resultType` that this query is never answered with.
    pub fn form(&self, kind: Kind, at: usize) -> Result<(), Stop> {
        let matrix = self.query.is_some_and(|query| match query.shape {
            Shape::Range { .. } => true,
            Shape::Raw { .. } => query.text.ends_with(']'),
        });
        if matrix && kind == Kind::Vector {
            let what = "expected `matrix`, the answer to what was asked, found `vector`";
            return Err(Cursor::bad(at, what));
        }
        Ok(())
    }

    /// Refuses a series that was not asked for. Not of expressions, and not of text that is no PromQL.
    pub fn series(&self, labels: &Labels, at: usize) -> Result<(), Stop> {
        let Some(query) = self.query else {
            return Ok(());
        };
        let selection = self.selection.get_or_init(|| match Asked::read(query) {
            Ok(Asked::Samples { selection, .. }) => Some(selection),
            _ => None,
        });
        match selection.as_ref().and_then(|s| s.contradiction(labels)) {
            None => Ok(()),
            Some(matcher) => {
                let shown = shortened(&labels.to_string(), SHOWN);
                // the matcher at the end: a long text is cut in its middle
                let what =
                    format!("series {shown} that was not asked for: the query has `{matcher}`");
                Err(Cursor::bad(at, what))
            }
        }
    }

    /// Refuses a sample from before the window. Steps of a range may have been moved onto a grid, by less than one.
    #[cold]
    pub fn early(&self, at: Millis, position: usize) -> Result<(), Stop> {
        let Some(query) = self.query else {
            return Ok(());
        };
        let slack = match query.shape {
            Shape::Raw { .. } => ROUNDING,
            Shape::Range { step, .. } => step.max(ROUNDING),
        };
        let start = query.window.start;
        if at >= start.saturating_sub(slack) {
            return Ok(());
        }
        let (at, start) = (rfc3339(at), rfc3339(start));
        let what = format!("a sample at {at}, earlier than the question's begin {start}");
        Err(Cursor::bad(position, what))
    }
}
