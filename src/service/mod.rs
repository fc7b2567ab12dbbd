//! Use cases; holds the ports.

pub mod port;

pub use port::{Judge, JudgeError};
