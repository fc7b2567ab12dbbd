//! Why evidence is missing.

use crate::{
    domain::{Code, SourceError, Track},
    evidence::EvidenceError,
    query::QueryError,
};

/// Why an objective could not be brought up to date.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The source gave no answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source says that data may be missing.
    #[error("the metric source answered in part: {}", warnings.join("; "))]
    Partial {
        /// In its words.
        warnings: Vec<String>,
    },
    /// The samples cannot be what the objective means.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The query cannot be planned for this question.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What was read hides what an arm has done.
    #[error(
        "the counters of an arm have only samples that cannot be (NaN, infinite, negative or impossibly large)"
    )]
    Hidden,
    /// What tells series apart is taken for what tells copies apart.
    #[error(
        "`replicaLabels` of metric source `{source_name}` has `{label}`, by which the policy tells {what} apart: remove it there"
    )]
    Replica {
        /// Name in the configuration.
        source_name: String,
        /// The label.
        label: String,
        /// What it tells apart.
        what: &'static str,
    },
    /// Not all counters of any pod of an arm are known.
    #[error("every pod of {} is left out of the newest {blocks} blocks, because not all of its counters are known there (see `warnings`)", whose(*track))]
    Blind {
        /// Whose pods.
        track: Track,
        /// In so many blocks.
        blocks: u32,
    },
    /// Not before the deadline.
    #[error(
        "not all was read before the deadline of the answer; the next question goes on from there"
    )]
    Deadline,
}

fn whose(track: Track) -> &'static str {
    match track {
        Track::Canary => "the canary",
        Track::Stable => "stable",
    }
}

impl ReadError {
    /// The reason code that the verdict shows.
    pub fn code(&self) -> Code {
        match self {
            Self::Source(SourceError::Malformed { .. }) | Self::Evidence(_) | Self::Hidden => {
                Code::SourceMalformed
            }
            Self::Blind { track, .. } => match track {
                Track::Canary => Code::CanaryVanished,
                Track::Stable => Code::NoStableData,
            },
            Self::Source(SourceError::TooLarge { .. }) => Code::SourceLimit,
            Self::Partial { .. } => Code::PartialData,
            Self::Source(_) | Self::Query(_) | Self::Replica { .. } | Self::Deadline => {
                Code::SourceDown
            }
        }
    }
}
