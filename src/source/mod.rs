//! Metric back ends: the only network read.
//!
//! ```text
//! SourceSettings ─ build ─> HttpApi ─ POST form ─> /api/v1/query[_range]
//!                              │ retries, deadline, limits
//!                              └─ bytes ─> wire::Decoder ─ samples ─> SampleSink
//! ScrapeSettings ─ Scraper::start ─> scrapes targets into memory, and answers from there
//! ```

mod error;
mod http_api;
mod prometheus;
mod request;
pub mod scrape;
pub mod tls;
mod victoriametrics;
pub mod wire;

pub use error::BuildError;
pub use http_api::{HttpApi, build, probe};
