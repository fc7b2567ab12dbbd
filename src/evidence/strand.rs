//! One series of a piece, kept as one cell for each block in which it has samples.

use super::{Grid, identity::Name, native::NativeCell};
use crate::domain::Millis;

/// Most falls of one series that are kept for one block.
const FALLS_KEPT: usize = 32;

/// What the samples of one series in one block come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub block: i64,
    pub samples: u32,
    pub first_at: Millis,
    pub last_at: Millis,
    pub first: f64,
    pub last: f64,
    /// Counters: the values just before each fall. Levels: all values.
    pub sum: f64,
}

/// A value lower than the one before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fall {
    pub block: i64,
    pub from: Millis,
    pub to: Millis,
    /// The value before.
    pub height: f64,
}

impl Fall {
    /// Whether both may have happened at the same moment.
    pub fn meets(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// The blocks of a piece. The block before the first stands for all that is older and gives baselines only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub grid: Grid,
    pub first: i64,
    pub last: i64,
}

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Seen before, out of order, or after the last block.
    Ignored,
    /// The first of its block.
    Opened,
    /// One more of its block.
    Went,
}

/// One series of a piece.
#[derive(Debug)]
pub(super) struct Strand {
    pub name: Name,
    /// In ascending order of block.
    pub cells: Vec<Cell>,
    /// Beside `cells`, one for one, where the samples are native histograms.
    pub natives: Vec<NativeCell>,
    pub falls: Vec<Fall>,
    until: Millis,
}

impl Strand {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            cells: Vec::new(),
            natives: Vec::new(),
            falls: Vec::new(),
            until: Millis::MIN,
        }
    }

    /// Takes one sample in. This is the hot path: no hashing, and memory only for the first sample of a block.
    #[inline]
    pub fn take(&mut self, at: Millis, value: f64, level: bool, span: &Span) -> Taken {
        if at > self.until {
            return self.open(at, value, level, span);
        }
        let Some(cell) = self.cells.last_mut() else {
            return Taken::Ignored;
        };
        if at <= cell.last_at {
            return Taken::Ignored;
        }
        let fall = (value < cell.last).then_some(Fall {
            block: cell.block,
            from: cell.last_at,
            to: at,
            height: cell.last,
        });
        cell.samples = cell.samples.saturating_add(1);
        cell.last_at = at;
        cell.last = value;
        if level {
            cell.sum += value;
        } else if let Some(fall) = fall {
            cell.sum += fall.height;
            self.note(fall);
        }
        Taken::Went
    }

    fn open(&mut self, at: Millis, value: f64, level: bool, span: &Span) -> Taken {
        let block = span.grid.index_of(at).max(span.first.saturating_sub(1));
        if block > span.last {
            return Taken::Ignored;
        }
        self.until = span.grid.end_of(block);
        self.cells.push(Cell {
            block,
            samples: 1,
            first_at: at,
            last_at: at,
            first: value,
            last: value,
            sum: if level { value } else { 0.0 },
        });
        Taken::Opened
    }

    #[cold]
    fn note(&mut self, fall: Fall) {
        let oldest = self.falls.len().checked_sub(FALLS_KEPT);
        if oldest
            .and_then(|i| self.falls.get(i))
            .is_some_and(|f| f.block == fall.block)
        {
            self.falls.pop();
        }
        self.falls.push(fall);
    }

    /// The falls between samples of one block.
    pub fn falls_in(&self, block: i64) -> &[Fall] {
        let start = self.falls.partition_point(|f| f.block < block);
        let end = self.falls.partition_point(|f| f.block <= block);
        self.falls.get(start..end).unwrap_or_default()
    }
}
