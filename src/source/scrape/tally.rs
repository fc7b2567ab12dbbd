//! Who counts.

use std::time::Duration;

/// What is counted about scraping. Labels are few: the source, and words from closed lists.
pub trait Tally: Send + Sync {
    /// A scrape is over: `ok`, `unreachable`, `timeout`, `status`, `malformed` or `refused` by a limit.
    fn scraped(&self, source: &str, result: &'static str, took: Duration);
    /// Samples that were scraped and not kept: `out-of-order`, `duplicate` or `out-of-bounds`.
    fn dropped(&self, source: &str, reason: &'static str, count: u64);
    /// A look for targets: `http`, `file` or `kubernetes`, and whether it came to something.
    fn discovered(&self, source: &str, by: &'static str, ok: bool);
    /// How things stand.
    fn standing(&self, source: &str, standing: Standing);
}

/// How a source stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Targets whose last scrape was kept.
    pub up: u64,
    /// Targets whose last scrape was not.
    pub down: u64,
    /// Samples kept.
    pub samples: u64,
    /// Series kept.
    pub series: u64,
    /// Bytes that the samples take.
    pub bytes: u64,
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Tally for Silent {
    fn scraped(&self, _: &str, _: &'static str, _: Duration) {}
    fn dropped(&self, _: &str, _: &'static str, _: u64) {}
    fn discovered(&self, _: &str, _: &'static str, _: bool) {}
    fn standing(&self, _: &str, _: Standing) {}
}
