//! How the arms are told apart.

/// How the arms are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tracks {
    /// One label whose value is the pod-template hash.
    Label(String),
    /// Explicit matchers for each arm, as written.
    Matchers {
        /// For example `{track="canary"}`.
        canary: String,
        /// For example `{track="stable"}`.
        stable: String,
    },
}
