//! The answers of `/api/v1/query` and `/api/v1/query_range`, decoded as they arrive.
//!
//! ```text
//! chunk ─> Decoder ─ unit by unit ─> SampleSink      one unit: a key, a label, a sample
//!             └── the cut unit at the end of a chunk waits for the next chunk
//! ```
//! No tree and no whole body is ever held; what is not the documented JSON is refused with its byte position.

mod cursor;
mod decoder;
mod expected;
mod histogram;
mod labels;
mod limits;
mod number;
mod skip;
mod state;
#[cfg(test)]
mod tests;
mod text;

pub use decoder::Decoder;
pub use limits::{Limits, WireError};
