//! One file for each page.

pub mod deliveries;
pub mod overrule;
pub mod policies;
pub mod policy;
pub mod rollout;
pub mod rollouts;
pub mod sign_in;
pub mod sources;
mod targets;
pub mod verdict;
