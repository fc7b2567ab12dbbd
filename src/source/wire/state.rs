//! What may come next in an answer.

use super::skip::Skip;

/// What the next unit is; `first` is right after the opening bracket.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    Open,
    Top { first: bool },
    Warning { first: bool },
    DataOpen,
    Data { first: bool },
    Series { first: bool },
    Field { first: bool },
    Sample { first: bool, native: bool },
    Single { native: bool },
    Skip { skip: Skip, level: Level },
    End,
}

impl State {
    pub const TOP: Self = Self::Top { first: false };
    pub const DATA: Self = Self::Data { first: false };
    pub const FIELD: Self = Self::Field { first: false };

    /// Goes over a value of no use.
    pub fn skip(level: Level) -> Self {
        let skip = Skip::default();
        Self::Skip { skip, level }
    }
}

/// Which object a skipped value belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    Top,
    Data,
    Series,
}

/// The two result types with samples per series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Matrix,
    Vector,
}
