//! Numbers in, numbers out; knows no metric name.
//!
//! ```text
//!  counts ──> two_arm ──> mixture (A) ──┐
//!  buckets ─> exceedance ──^            ├─> decision, multiplicity
//!  counts ──> stratified (B1) ──┐       │
//!  sums ────> block_mean (B2), welch (B3) ─> normal_mixture
//!  gauges ──> paired_gauge (B4) ┘
//!  pods ────> dispersion            fixed horizon: interval, proportions, rate_ratio, rank, group_sequential
//! ```
//!
//! Evidence is an e-process: a number that starts at 1 and, while the canary is healthy, exceeds `1/alpha` at any time
//! with probability at most `alpha`. Everything is on the natural log scale. Suffix `_c` is the canary, `_s` the stable
//! version, `greater` means that the canary is larger. Input that makes no sense adds no evidence; nothing panics.

pub mod beta_binomial;
pub mod block_mean;
pub mod counter;
pub mod decision;
pub mod dirichlet_multinomial;
pub mod dispersion;
pub mod exceedance;
pub mod group_sequential;
pub mod histogram;
pub mod interval;
pub mod mixture;
pub mod multiplicity;
pub mod normal_mixture;
pub mod paired_gauge;
pub mod planning;
pub mod precision;
pub mod proportions;
pub mod rank;
pub mod rate_cs;
pub mod rate_ratio;
pub mod ratio_cs;
pub mod special;
pub mod stratified;
pub mod two_arm;
pub mod welch;

pub use mixture::{BinomialBlock, BinomialProcess, Side};

#[cfg(test)]
mod tests;
