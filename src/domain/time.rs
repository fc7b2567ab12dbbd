//! Moments and spans as whole milliseconds: exact, ordered, and what both databases speak.

use serde::{Deserialize, Serialize};

/// Milliseconds: since the Unix epoch for a moment, a length for a span.
pub type Millis = i64;

/// A stretch of time, `start` excluded, `end` included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// Milliseconds since the epoch.
    pub start: Millis,
    /// Milliseconds since the epoch.
    pub end: Millis,
}

/// RFC 3339 text of a moment, in UTC.
pub fn rfc3339(moment: Millis) -> String {
    jiff::Timestamp::from_millisecond(moment).map_or_else(|_| moment.to_string(), |t| t.to_string())
}
