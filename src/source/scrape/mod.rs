//! `kind: scrape`: scrapes `/metrics` of targets itself and keeps raw samples in bounded memory. No database.
//!
//! ```text
//! static ─┐                  ┌ fetch ─ exposition ─ stage ─> Shard (one per target)
//! http ───┼─ Target ─ Pool ──┤ fetch ─ exposition ─ stage ─> Shard     │ snapshot
//! file ───┤                  └ ...                                     v
//! pods ───┘                              Scraper: MetricSource ─ answer ─> SampleSink
//! ```
//! A scrape is kept whole or not at all. A range selector is answered as Prometheus answers it, left-open. Prometheus'
//! staleness markers never reach such an answer, so none are kept: a series that vanished simply has no further samples.

mod answer;
mod budget;
mod chunk;
mod discovery;
mod exposition;
mod fetch;
mod pool;
mod port;
mod shard;
mod stage;
mod tally;
mod target;
#[cfg(test)]
mod tests;

pub use port::Scraper;
pub use tally::{Silent, Standing, Tally};
pub use target::{Target, TargetError};
