//! What an answer may hold, and why one was not taken.

use crate::domain::Window;

/// What an answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes after decompression (`maxBytes`).
    pub bytes: u64,
    /// Series (`maxSeries`).
    pub series: u64,
    /// Samples at or before its start are dropped; one after its end is a lie.
    pub window: Window,
}

/// Why an answer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not the documented JSON, or samples that cannot be.
    #[error("byte {position}: {what}")]
    Malformed {
        /// Offset in the decompressed answer.
        position: u64,
        /// What was expected.
        what: String,
    },
    /// Over a limit; says which, its number and its setting.
    #[error("{0}")]
    TooLarge(String),
    /// `status: error`; the database's words.
    #[error("{0}")]
    Refused(String),
}
