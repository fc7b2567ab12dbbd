//! Means and levels are compared over minutes, not blocks: fewer, steadier sampling units.

/// Collects blocks into minutes (or single blocks where they are longer).
#[derive(Debug, Clone, Copy)]
pub struct Minutes {
    per_minute: i64,
    seconds: f64,
}

impl Minutes {
    /// For blocks of this length.
    pub fn of(block_ms: i64) -> Self {
        let per_minute = (60_000 / block_ms.max(1)).max(1);
        Self {
            per_minute,
            seconds: (per_minute * block_ms) as f64 / 1000.0,
        }
    }

    /// The length of one in seconds.
    pub fn seconds(self) -> f64 {
        self.seconds
    }

    /// Is this block the last of its minute?
    pub fn closes(self, index: i64) -> bool {
        (index + 1).rem_euclid(self.per_minute) == 0
    }
}
