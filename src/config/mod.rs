//! Settings and secrets.

pub mod env;
pub mod secrets;
pub mod source;
pub mod units;
