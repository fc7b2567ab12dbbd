//! Brings evidence up to date: asks for the blocks that are not closed yet, folds them, forgets the samples.

mod advance;
mod error;
mod objective;
mod questions;
mod takers;

pub use advance::advance;
pub use error::ReadError;
pub use objective::ObjectiveEvidence;
pub use questions::{Job, first_block, kind, queries, stretch};
