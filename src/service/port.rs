//! What the edge asks of the service: one trait, one error.

use crate::{
    domain::{Question, Verdict, ports::BoxFuture},
    policy::Policy,
};
use std::sync::Arc;

/// The use case: a question becomes a verdict.
pub trait Judge: Send + Sync {
    /// Judges. Identical calls at the same time cost one evaluation.
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Judged, JudgeError>>;
}

/// What a question was answered with.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The verdict.
    pub verdict: Arc<Verdict>,
    /// Was it made for this question? Else it was kept, or shared with an identical question.
    pub made: bool,
}

impl Judged {
    pub(super) fn made(verdict: Arc<Verdict>) -> Self {
        let made = true;
        Self { verdict, made }
    }

    pub(super) fn known(verdict: Arc<Verdict>) -> Self {
        let made = false;
        Self { verdict, made }
    }
}

/// Where policies come from.
pub trait Policies: Send + Sync {
    /// The loaded policy of this name.
    fn policy(&self, name: &str) -> Option<Arc<Policy>>;
    /// Names of all loaded policies.
    fn names(&self) -> Vec<String>;
}

/// Why a question has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// No policy of this name is loaded.
    #[error("unknown policy `{name}`")]
    UnknownPolicy {
        /// The name that was asked for.
        name: String,
        /// Names of the loaded policies.
        known: Vec<String>,
    },
    /// The policy cannot be planned for this question.
    #[error("the policy cannot be planned: {detail}")]
    CannotPlan {
        /// Which objective, and why.
        detail: String,
    },
    /// The source is down past the policy's patience and the policy says `onSourceDown: error`.
    #[error("the metric source is down")]
    SourceDown,
    /// The store cannot keep the verdict: none is given.
    #[error("the store is not available")]
    StoreDown,
    /// Reading and judging took all of the time.
    #[error("reading and judging took longer than the deadline")]
    TooSlow,
    /// The service is shutting down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// Too many evaluations are under way.
    #[error("too many evaluations are under way")]
    Overloaded,
}
