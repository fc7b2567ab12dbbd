//! The port in SQL. These files are compiled twice: as part of `sqlite` and of `postgres`; `dialect` of the module around
//! them says what differs.

mod decisions;
mod deliveries;
mod filter;
mod history;
mod judged;
pub(super) mod keep;
mod log;
mod looks;
mod policies;
mod port;
mod prune;
mod recall;
mod rollouts;
pub(super) mod row;
pub(super) mod together;
mod versions;

use super::{dialect, gate};
pub use port::Store;
