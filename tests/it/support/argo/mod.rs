//! A caller that behaves like Argo Rollouts' `web` metric: request, path, conditions, phases, and the engine around them.
//!
//! ```text
//!  Template ─ POST jsonBody ─> 2xx, strict JSON ─ json_path ─> one value ─ condition ─> Phase ─ engine ─> phase of the run
//! ```
//! Two things that Argo Rollouts tolerates or dies of are a [`Violation`] here: a judge must never send them.

pub mod condition;
pub mod engine;
mod go_json;
pub mod json_path;
mod lexer;
#[cfg(test)]
mod tests;
mod value;
mod web;

pub use engine::{Limits, Metric, Run};
pub use web::{Measurement, Phase, Template, phase as phase_of};
