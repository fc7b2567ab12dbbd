//! Use cases; holds the ports.
//!
//! ```text
//!  Judge::judge ─> analyze ─> discover (where does the canary start?) ─> read (new blocks only) ─> judge::evaluate
//!                     ├─ cache: folded evidence per rollout
//!                     └─ keeper ─> transitions (what changes?) ─> store, in one transaction, before the answer
//!  walk, asked: what is kept of a rollout or a verdict, made ready to be shown
//!  outbox: deliveries of the store reach their receivers; routes say who is told
//! ```

pub mod analyze;
pub mod asked;
pub mod bundle;
pub mod cache;
pub mod conclude;
pub mod discover;
pub mod hindsight;
pub mod identity;
pub mod keeper;
pub mod kept_policy;
pub mod outbox;
pub mod overrule;
pub mod port;
pub mod pulse;
pub mod read;
mod reading;
pub mod retention;
pub mod routes;
pub mod ruled;
pub mod shift;
pub mod silence;
pub mod standing;
pub mod transitions;
pub mod walk;
pub mod watch;

pub use analyze::{Analyze, Limits};
pub use keeper::{Addressees, Keeper, Poke};
pub use overrule::{Overrule, OverruleError, Ruling};
pub use port::{Judge, JudgeError, Judged, Policies};
pub use pulse::Pulse;
pub use transitions::Patience;

#[cfg(test)]
mod tests;
