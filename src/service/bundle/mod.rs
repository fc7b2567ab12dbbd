//! Everything that a verdict was made of: recorded while it is read, bundled when it is asked for, replayed anywhere.
//!
//! ```text
//!  close a stretch ─> Recorder (blocks, samples as compressed chunks) ─┐
//!  Case ─> Inputs ─────────────────────────────────────────────────────┼─ store ─ assemble ─> Bundle ─ file ─ replay
//!  policy text, question, verdict ─────────────────────────────────────┘
//! ```

mod assemble;
mod blocks;
mod differ;
mod document;
mod inputs;
mod number;
mod pack;
mod pods;
mod recorder;
mod replay;
mod resample;
mod samples;

#[cfg(test)]
pub(super) mod tests;

pub(super) use assemble::part_blocks;
pub use assemble::{AssembleError, assemble};
pub use document::{Bundle, FORMAT, LARGEST, PartBlocks, PolicyText, VERSION};
pub use inputs::{Inputs, Seen};
pub use pack::BundleError;
pub use pods::{PodArms, PodSums, pods};
pub use recorder::{Capture, ChunkKey, Recorder, SAMPLES, chunk_key};
pub(super) use replay::load_kept;
pub use replay::{Replay, replay};
pub(super) use samples::Taker;
pub use samples::Tape;
