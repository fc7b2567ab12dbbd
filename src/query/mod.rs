//! PromQL as a tree: selectors, injection of matchers, planned queries.
//!
//! ```text
//! policy text ─ scan (size, brackets, `$`) ─ parse ─> tree
//! Scope (tracks + match) ─ Binding (who is judged) ──> matchers pushed into the tree ─ print ─> PlannedQuery
//! ```
//! Nothing is ever glued into text: a value from outside can only become the value of one matcher, escaped by the printer.

mod asked;
mod check;
mod contradiction;
mod error;
mod expression;
mod matcher;
mod places;
mod planner;
mod scan;
mod scope;
mod selector;
#[cfg(test)]
mod tests;
pub mod tracks;
mod variables;

pub use asked::{Asked, Selection};
pub use check::{SelectorInfo, check_expression, check_matchers, check_selector};
pub use error::{Cure, QueryError};
pub use planner::{Arms, Planner, Texts};
pub use scan::{MAX_BYTES, MAX_OPERATORS};
pub use scope::Scope;
pub use tracks::Tracks;
pub use variables::{BUILT_IN, Binding};
