//! One file for each page.

pub mod dead_letters;
pub mod deliveries;
pub mod overrule;
pub mod policies;
pub mod policy;
mod receivers;
pub mod rollout;
pub mod rollouts;
pub mod sign_in;
pub mod sources;
mod targets;
pub mod verdict;
