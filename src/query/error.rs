//! Why a text is no query.

/// What is wrong with a selector or an expression. `Display` is written for the author of the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The parser does not understand the text.
    #[error("not PromQL: {message}")]
    Parse {
        /// In the parser's words.
        message: String,
        /// Byte offset inside the text, where it can be told.
        offset: Option<usize>,
    },
    /// The text is PromQL, but not of the wanted kind.
    #[error("{message}")]
    Shape {
        /// What is there and what is wanted.
        message: String,
        /// Byte offset inside the text, where it can be told.
        offset: Option<usize>,
    },
    /// The author's matcher and one of ours are about the same label.
    #[error("label `{label}` is matched here and by `{by}`")]
    Conflict {
        /// The label.
        label: String,
        /// `match`, or the track.
        by: String,
        /// Byte offset inside the text, where it can be told.
        offset: Option<usize>,
    },
    /// The metric source cannot do this.
    #[error("{what} works on VictoriaMetrics only")]
    Unsupported {
        /// What it is.
        what: String,
        /// Byte offset inside the text, where it can be told.
        offset: Option<usize>,
    },
    /// A variable without a value.
    #[error("variable `${name}` has no value: give it under `params`")]
    MissingVariable {
        /// Its name.
        name: String,
    },
    /// Longer than [`super::MAX_BYTES`].
    #[error("query of {bytes} bytes is longer than {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More brackets and operators than [`super::MAX_TOKENS`].
    #[error("query has more than {limit} brackets and operators")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl QueryError {
    /// Byte offset inside the text, where it can be told.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Parse { offset, .. }
            | Self::Shape { offset, .. }
            | Self::Conflict { offset, .. }
            | Self::Unsupported { offset, .. } => *offset,
            _ => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Parse { .. } => {
                "write a PromQL selector such as `http_requests_total{code=~\"5..\"}`".to_owned()
            }
            Self::Shape { .. } => {
                "write the series itself; rates, increases and quantiles are computed by the judge"
                    .to_owned()
            }
            Self::Conflict { label, by, .. } => {
                format!("remove the matcher on `{label}` here, or from `{by}`")
            }
            Self::Unsupported { .. } => {
                "use PromQL, or a source of `kind: victoriametrics`".to_owned()
            }
            Self::MissingVariable { name } => {
                format!("send `params: {{\"{name}\": \"...\"}}` with the question")
            }
            Self::TooLong { .. } | Self::TooDeep { .. } => {
                "move the computation into a recording rule".to_owned()
            }
        }
    }
}
