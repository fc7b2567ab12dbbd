//! The text that targets answer: Prometheus' text format 0.0.4 and OpenMetrics text 1.0.
//!
//! ```text
//! bytes, however cut ─> Parser ─ one line at a time ─> Row { series as written, value, timestamp }
//!                                                        └─ labels(series): only for series not met before
//! ```
//! Strict: whatever Prometheus would refuse is refused, with the number of the line. Exemplars are checked and left out.

mod line;
mod series;
#[cfg(test)]
mod tests;

#[cfg(test)]
use line::ParseError;
pub use line::{Format, Parser, Row};
pub use series::labels;
