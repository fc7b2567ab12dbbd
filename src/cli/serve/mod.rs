//! `serve`: settings, wiring, the loops beside the server, and the end.

pub mod alerts;
mod heap;
mod memory;
mod policies;
pub(super) mod reach;
mod scrape;
mod start;
pub mod wiring;
pub mod writeback;

pub use policies::{Shelf, answer};
pub(super) use scrape::scraped;
pub(super) use start::{listen, run, serve};
