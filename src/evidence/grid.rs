//! The grid of blocks over time.

use crate::domain::Millis;

/// The grid: block `k` covers `(anchor + k * length, anchor + (k + 1) * length]`; a negative `k` is look-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Where block 0 starts.
    pub anchor: Millis,
    /// Length of a block; less than 1 counts as 1.
    pub length: Millis,
}

impl Grid {
    /// The block in which a moment lies.
    pub fn index_of(&self, at: Millis) -> i64 {
        at.saturating_sub(self.anchor)
            .saturating_sub(1)
            .div_euclid(self.length.max(1))
    }

    /// Start of a block, not part of it.
    pub fn start_of(&self, block: i64) -> Millis {
        self.anchor
            .saturating_add(block.saturating_mul(self.length.max(1)))
    }

    /// End of a block, part of it.
    pub fn end_of(&self, block: i64) -> Millis {
        self.start_of(block.saturating_add(1))
    }

    /// The last block that ends at or before `now - lag`.
    pub fn last_closed(&self, now: Millis, lag: Millis) -> i64 {
        now.saturating_sub(lag)
            .saturating_sub(self.anchor)
            .div_euclid(self.length.max(1))
            .saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;

    #[test]
    fn a_moment_lies_in_one_block() {
        let grid = Grid {
            anchor: 1_000,
            length: 30,
        };
        for (at, block) in [
            (1_000, -1),
            (1_001, 0),
            (1_030, 0),
            (1_031, 1),
            (970, -2),
            (971, -1),
        ] {
            assert_eq!(grid.index_of(at), block, "{at}");
            assert!(grid.start_of(block) < at && at <= grid.end_of(block));
        }
    }

    #[test]
    fn a_block_closes_when_its_end_is_a_lag_ago() {
        let grid = Grid {
            anchor: 1_000,
            length: 30,
        };
        for (now, last) in [
            (1_039, -1),
            (1_040, 0),
            (1_069, 0),
            (1_070, 1),
            (1_009, -2),
            (1_010, -1),
        ] {
            assert_eq!(grid.last_closed(now, 10), last, "{now}");
        }
    }

    #[test]
    fn nonsense_does_not_overflow() {
        let grid = Grid {
            anchor: i64::MIN,
            length: 0,
        };
        assert_eq!(grid.end_of(i64::MAX), i64::MAX - 1 + i64::MIN + 2 - 1);
        assert_eq!(grid.index_of(i64::MIN), -1);
    }
}
