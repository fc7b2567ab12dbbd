//! Raw series become closed blocks of exact increases, per pod and arm. Pure: no clock, no I/O.
//!
//! ```text
//!  answer -> Piece (cells: one per series and block) ┐
//!  answer -> Piece                                   ├─ Condenser::close ─> walk, block by block:
//!  ...    -> Piece                                   ┘    baseline (gain) -> one replica -> counts | histogram | means | gauge
//! ```
//! A [`Piece`] knows nothing of the past, and the walk over the blocks is the only place where past and present meet.
//! So the blocks are the same, bit for bit, however the reading was cut.

mod absent;
pub mod block;
pub mod condenser;
mod counts;
pub mod error;
mod gain;
mod gauge;
pub mod grid;
mod histogram;
pub mod identity;
pub mod kind;
mod means;
mod memory;
mod native;
pub mod notes;
pub mod piece;
mod slot;
mod strand;
mod walk;

#[cfg(test)]
mod tests;

pub use block::{Block, Counts, Gauges, Histograms, Means, PodCount, PodHistogram, SumCount};
pub use condenser::{Closed, Condenser};
pub use error::EvidenceError;
pub use grid::Grid;
pub use identity::Identity;
pub use kind::{Kind, Role};
pub use memory::LOOKBACK;
pub use notes::Notes;
pub use piece::Piece;
