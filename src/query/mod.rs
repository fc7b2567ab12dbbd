//! PromQL as a tree: selectors, injection of matchers, planned queries. Trees are edited, texts are never glued.
//!
//! ```text
//!  policy text ──scan──> parse ──> tree ──bind $variables, push match and track──> print ──> PlannedQuery
//! ```

mod check;
mod condition;
mod error;
mod planner;
mod scan;
mod scope;
mod tracks;
mod tree;

#[cfg(test)]
mod tests;

pub use check::{SelectorInfo, check_expression, check_scope, check_selector};
pub use error::QueryError;
pub use planner::{Arms, Binding, Planner};
pub use scan::{MAX_BYTES, MAX_TOKENS};
pub use scope::{RESERVED, Scope};
pub use tracks::Tracks;
