//! The policy document: model, load, check with diagnostics, registry.
//!
//! ```text
//! text ── tree (places kept) ── check against keys ──┬─ Policy, every default filled in
//!                                                    └─ Problems: all mistakes of the file, each with place and cure
//! files ── registry: a bad new version keeps the old policies
//! ```

mod alerts;
mod check;
mod diagnostic;
mod fields;
mod files;
mod indicator;
mod keys;
mod load;
mod margin;
pub mod model;
mod names;
mod objectives;
mod place;
mod plain;
mod promql;
mod quantity;
mod registry;
mod render;
mod revision;
mod scalar;
mod schema;
mod spec;
mod steps;
mod tracks;
mod tree;

pub use diagnostic::{Diagnostic, MOST, Mistake, Note, Place, Problems};
pub use files::{Found, walk};
pub use load::{Document, SourceLookup, double, load, load_kept};
pub use model::{
    Direction, Indicator, Margin, Objective, OnSourceDown, OnTimeout, Policy, Step, Unit,
};
pub use registry::{
    FileProblem, LoadedPolicy, Registry, ReloadReport, Snapshot, text_of, unreadable,
};
pub use schema::schema;
pub use tree::{MAX_DEPTH, MAX_DOCUMENTS, MAX_FILE_BYTES, MAX_NODES};
