//! What stands in the columns: shapes of their own, each with its version. What was written once can be read for ever.
//!
//! Version 1 is `v1`; a change that old readers would misunderstand makes version 2 beside it.
//! `fixtures/wire/v1` holds papers of version 1 that every later program must read.

mod float;
mod pack;
mod paper;
pub mod shape;
pub mod v1;
mod word;

pub use pack::{pack, unpack};
pub use paper::{Unreadable, read, write};
pub use word::Worded;
