//! Policy and blocks become a verdict. Pure: no clock, no I/O.
//!
//! ```text
//!  Block ──fold──> counts | quantile | means | levels ──reading──> objective ──finding──> evaluate ──> Verdict
//!                  (harm, onset, limit, running)                   (needs, horizon, sentence)  (weight, traffic, frozen, leftover, drift, timeout, advice)
//! ```

pub mod advice;
pub mod counts;
pub mod drift;
pub mod evaluate;
pub mod explain;
pub mod frozen;
pub mod harm;
pub mod horizon;
pub mod interval;
pub mod leftover;
pub mod levels;
pub mod limit;
pub mod means;
pub mod memo;
pub mod minutes;
pub mod needs;
pub mod noticed;
pub mod objective;
pub mod onset;
pub mod pooled;
pub mod projection;
pub mod quantile;
pub mod reading;
pub mod ruling;
pub mod running;
pub mod sane;
pub mod sentence;
pub mod state;
pub mod timeout;
pub mod traffic;
pub mod weight;

#[cfg(test)]
mod tests;

pub use evaluate::{Case, Observed, evaluate};
pub use reading::{Reading, TrailPoint};
pub use ruling::Force;
pub use state::ObjectiveState;
