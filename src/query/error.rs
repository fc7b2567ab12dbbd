//! What can be wrong with a query of a policy.

/// What can be wrong with a query of a policy. Offsets are bytes inside the text that was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Not PromQL, or not the part of it that belongs here.
    #[error("{message}")]
    Parse {
        /// What is wrong, and what was meant.
        message: String,
        /// Where, if we can tell.
        offset: Option<usize>,
    },
    /// Two matchers on one label: the author's, and one of `match` or `tracks`.
    #[error(
        "label `{label}` is matched twice: {written} stands in the query, {added} comes from `match` or `tracks`; remove one"
    )]
    Conflict {
        /// The label.
        label: String,
        /// As the query has it.
        written: String,
        /// As it would be added.
        added: String,
    },
    /// Right, but not on this kind of source, or not in this place.
    #[error("{message}")]
    Unsupported {
        /// What is right elsewhere.
        message: String,
        /// What to write instead.
        cure: Cure,
        /// Where, if we can tell.
        offset: Option<usize>,
    },
    /// An expression where nobody evaluates any.
    #[error(
        "a source of kind `scrape` keeps raw samples and evaluates no PromQL: `query` needs a database"
    )]
    NoExpressions,
    /// A variable without a value.
    #[error("variable `${name}` has no value: give it in `params`")]
    MissingVariable {
        /// Its name, without the dollar.
        name: String,
    },
    /// More bytes than any query needs.
    #[error("the query has {bytes} bytes, at most {max} are read", max = super::MAX_BYTES)]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// More brackets and operators than can be parsed safely.
    #[error("the query has more than {max} brackets and operators", max = super::MAX_OPERATORS)]
    TooDeep {
        /// Where the first one too many stands.
        offset: usize,
    },
}

/// What to write instead of what is right elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// PromQL, and nothing beyond it.
    Plain,
    /// Another kind of source, or PromQL.
    OtherSource,
    /// `$track` where it belongs.
    TrackInBraces,
    /// `match` instead of variables.
    NoVariables,
}

impl Cure {
    /// As a person is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "write plain PromQL",
            Self::OtherSource => "write plain PromQL, or use a source of kind victoriametrics",
            Self::TrackInBraces => {
                "write it inside the braces of each selector, by itself: requests_total{$track}"
            }
            Self::NoVariables => {
                "take the variable out of the query, and put its matcher into `match`"
            }
        }
    }
}

impl QueryError {
    /// Where in the text, if we can tell.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Parse { offset, .. } | Self::Unsupported { offset, .. } => *offset,
            Self::TooDeep { offset } => Some(*offset),
            _ => None,
        }
    }

    pub(super) fn parse(message: impl Into<String>, offset: impl Into<Option<usize>>) -> Self {
        Self::Parse {
            message: message.into(),
            offset: offset.into(),
        }
    }

    pub(super) fn unsupported(
        cure: Cure,
        message: impl Into<String>,
        offset: impl Into<Option<usize>>,
    ) -> Self {
        Self::Unsupported {
            cure,
            message: message.into(),
            offset: offset.into(),
        }
    }
}
