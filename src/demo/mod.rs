//! The simulated shop behind the command `demo`: services whose stable and canary pods export real `/metrics` pages.
//!
//! ```text
//! Scene (who misbehaves, when) ──> Shop: requests arrive, one by one, and split by weight ──> Pod: counters, histogram ──> page ──> Host: HTTP
//! ```
//!
//! Everything but [`host`] and [`ear`] is arithmetic on a seeded [`Chance`]: no clock, no network.

mod behaviour;
mod chance;
pub mod ear;
mod histogram;
pub mod host;
mod identity;
mod page;
mod pod;
mod scene;
mod shop;
#[cfg(test)]
mod tests;

pub use behaviour::Behaviour;
pub use chance::Chance;
pub use identity::{Arm, Identity};
pub use scene::{Ending, Scene, Workload};
pub use shop::{CANARY_PODS, STABLE_PODS, Shop};
