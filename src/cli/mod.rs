//! Commands of the program. Only [`serve::wiring`] names adapters.
//!
//! ```text
//! 0 pass or fine    1 fail, or something is wrong with what was checked    2 usage or settings    3 inconclusive
//! ```

mod args;
mod check;
mod demo;
mod healthcheck;
mod judge;
mod paint;
mod probe;
mod replay;
mod report;
mod run;
pub mod serve;
mod spark;

pub use args::Program;
pub use run::run;
