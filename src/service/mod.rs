//! Use cases; holds the ports.
//!
//! ```text
//!  Judge::judge ─> analyze ─> discover (where does the canary start?) ─> read (new blocks only) ─> judge::evaluate
//!                     └─ cache: folded evidence per rollout    memory: steps, patience, newest verdicts
//!  outbox: deliveries of the store reach their receivers; routes say who is told
//! ```

pub mod analyze;
pub mod cache;
pub mod discover;
pub mod identity;
pub mod memory;
pub mod outbox;
pub mod port;
pub mod read;
pub mod routes;

pub use analyze::{Analyze, Limits};
pub use port::{Judge, JudgeError, Policies};

#[cfg(test)]
mod tests;
