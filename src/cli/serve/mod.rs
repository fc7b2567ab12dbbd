//! `serve`: settings, wiring, the loops beside the server, and the end.

mod absent;
pub mod alerts;
mod policies;
pub(super) mod reach;
mod start;
pub mod wiring;

pub use absent::Absent;
pub use policies::{Shelf, answer};
pub(super) use start::run;
