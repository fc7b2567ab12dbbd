//! PromQL as a tree: selectors, injection of matchers, planned queries.

pub mod tracks;

pub use tracks::Tracks;
