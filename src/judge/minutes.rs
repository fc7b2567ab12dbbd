//! Means and levels are compared over minutes, not blocks: fewer, steadier sampling units.

/// Collects blocks into minutes (or single blocks where they are longer).
#[derive(Debug, Clone, Copy)]
pub struct Minutes {
    per_minute: i64,
}

impl Minutes {
    /// For blocks of this length.
    pub fn of(block_ms: i64) -> Self {
        Self {
            per_minute: (60_000 / block_ms.max(1)).max(1),
        }
    }

    /// Is this block the last of its minute?
    pub fn closes(self, index: i64) -> bool {
        (index + 1).rem_euclid(self.per_minute) == 0
    }
}
