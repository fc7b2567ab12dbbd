//! How the arms are told apart.

use super::selector::matchers;

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

impl Tracks {
    /// The labels whose values differ between the arms by intent.
    pub fn labels(&self) -> Vec<String> {
        let names = |text: &str| -> Vec<String> {
            let matchers = matchers(text).unwrap_or_default();
            matchers.into_iter().map(|matcher| matcher.name).collect()
        };
        match self {
            Self::Label(label) => vec![label.clone()],
            Self::Matchers { canary, stable } => [names(canary), names(stable)].concat(),
        }
    }
}
