//! What the edge asks about policies.

use super::auth::Caller;
use crate::policy::Policy;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The loaded policies, and the check of a document that is not loaded.
pub trait Catalog: Send + Sync {
    /// Every loaded policy, in order of name.
    fn all(&self) -> Vec<Arc<Policy>>;
    /// One policy.
    fn get(&self, name: &str) -> Option<Arc<Policy>>;
    /// Files that are not in force as they are written.
    fn problems(&self) -> Vec<FileAnswer>;
    /// What is no mistake of a loaded policy, but perhaps not meant.
    fn warnings(&self) -> Vec<WarningAnswer> {
        Vec::new()
    }
    /// Checks the text of a file; loads nothing.
    fn check(&self, text: &str) -> CheckAnswer;
}

/// What the check of a policy document found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// No errors.
    pub valid: bool,
    /// The policies of the document, where it is valid.
    pub policies: Vec<PolicySummary>,
    /// Every error.
    pub diagnostics: Vec<DiagnosticAnswer>,
    /// The errors as a person reads them, with the lines they are about.
    pub rendered: String,
    /// What is no error, but perhaps not meant. Only of a document that is valid.
    pub notes: Vec<NoteAnswer>,
}

/// Something that the author of a policy should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoteAnswer {
    /// From 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// In characters, from 1.
    #[schema(minimum = 1)]
    pub column: u64,
    /// What, and what to write.
    pub message: String,
}

/// One error of a policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiagnosticAnswer {
    /// Stable word for the kind of mistake.
    #[schema(example = "unknown-key")]
    pub code: &'static str,
    /// From 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// In characters, from 1.
    #[schema(minimum = 1)]
    pub column: u64,
    /// How many characters of the line are meant.
    pub length: u64,
    /// What is wrong.
    pub message: String,
    /// A few words under the place.
    pub label: String,
    /// What to write instead.
    pub help: String,
}

/// A policy in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicySummary {
    /// `metadata.name`.
    pub name: String,
    /// Digest of the document.
    pub revision: String,
    /// The metric source that it reads.
    pub source: String,
    /// Its objectives.
    pub objectives: Vec<ObjectiveSummary>,
    /// The weights of its steps.
    pub steps: Vec<f64>,
}

/// An objective in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ObjectiveSummary {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: &'static str,
    /// May it abort the rollout?
    pub critical: bool,
    /// Is it only reported?
    pub watch: bool,
    /// Unit of its values.
    pub unit: &'static str,
}

/// All loaded policies.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PolicyList {
    /// In order of name.
    pub policies: Vec<PolicySummary>,
    /// Files that are not in force as they are written.
    pub problems: Vec<FileAnswer>,
    /// What is no mistake of these policies, but perhaps not meant.
    pub warnings: Vec<WarningAnswer>,
}

/// Something about a loaded policy that is perhaps not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WarningAnswer {
    /// `metadata.name` of the policy.
    pub policy: String,
    /// The path of its file; `a file` for a token with `namespaces`.
    pub file: String,
    /// From 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// In characters, from 1.
    #[schema(minimum = 1)]
    pub column: u64,
    /// What, and what to write.
    pub message: String,
}

/// What a caller with namespaces is told instead of a path.
const HIDDEN: &str = "a file";

impl WarningAnswer {
    /// The same for this caller: paths of files are for tokens of all namespaces.
    #[must_use]
    pub fn seen_by(self, caller: &Caller) -> Self {
        if caller.visible().is_none() {
            return self;
        }
        let file = HIDDEN.to_owned();
        Self { file, ..self }
    }
}

/// A file that is not in force as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileAnswer {
    /// Its path; `a file` for a token with `namespaces`.
    pub file: String,
    /// When the mistakes were first seen.
    #[schema(format = DateTime)]
    pub since: String,
    /// Policies of an earlier version of the file that stay in force.
    pub kept: Vec<String>,
    /// Every error; none for a token with `namespaces`.
    pub diagnostics: Vec<DiagnosticAnswer>,
    /// The errors as a person reads them, with the lines they are about; empty for a token with `namespaces`.
    pub rendered: String,
}

impl FileAnswer {
    /// The same for this caller: paths and texts of files are for tokens of all namespaces.
    #[must_use]
    pub fn seen_by(self, caller: &Caller) -> Self {
        if caller.visible().is_none() {
            return self;
        }
        Self {
            file: HIDDEN.to_owned(),
            diagnostics: Vec::new(),
            rendered: String::new(),
            ..self
        }
    }
}

impl From<&Policy> for PolicySummary {
    fn from(policy: &Policy) -> Self {
        Self {
            name: policy.name.clone(),
            revision: policy.revision.clone(),
            source: policy.source.clone(),
            objectives: policy
                .objectives
                .iter()
                .map(|o| ObjectiveSummary {
                    name: o.name.clone(),
                    kind: o.indicator.kind(),
                    critical: o.critical,
                    watch: o.watch,
                    unit: o.unit.as_str(),
                })
                .collect(),
            steps: policy.steps.iter().map(|s| s.weight).collect(),
        }
    }
}
