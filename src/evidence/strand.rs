//! The series of a piece, each kept as one cell for each block in which it has samples.

use super::{Grid, memory::Newcomer, native::NativeCell};
use crate::domain::Millis;
use std::ops::Range;

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

/// Which series it is.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// Its place in the memory.
    Known(usize),
    /// It was not met before this piece.
    New(Box<Newcomer>),
}

/// One series of a piece.
#[derive(Debug)]
pub(super) struct Strand {
    pub who: Who,
    /// A histogram's series without a bucket: native histograms are of use, plain samples are not.
    pub bare: bool,
    cells: Range<usize>,
    natives: Range<usize>,
    falls: Range<usize>,
    spoilt: Range<usize>,
}

/// What came of one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thread<'a> {
    /// In ascending order of block.
    pub cells: &'a [Cell],
    /// Beside `cells`, one for one, where the samples are native histograms.
    pub natives: &'a [NativeCell],
    falls: &'a [Fall],
    spoilt: &'a [i64],
}

impl<'a> Thread<'a> {
    /// Was there a sample in any block, of use or not?
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.spoilt.is_empty()
    }

    /// Had the series samples in this block, but none of use? Then its value is not known there.
    pub fn spoilt_in(&self, block: i64) -> bool {
        self.spoilt.contains(&block) && !self.cells.iter().any(|cell| cell.block == block)
    }

    /// The falls between samples of one block.
    pub fn falls_in(&self, block: i64) -> &'a [Fall] {
        let start = self.falls.partition_point(|f| f.block < block);
        let end = self.falls.partition_point(|f| f.block <= block);
        self.falls.get(start..end).unwrap_or_default()
    }
}

/// All series of a piece. What belongs to one series lies together, so that a series costs no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Strands {
    all: Vec<Strand>,
    cells: Vec<Cell>,
    natives: Vec<NativeCell>,
    falls: Vec<Fall>,
    /// Blocks with samples that are of no use.
    spoilt: Vec<i64>,
    /// The end of the present block.
    until: Millis,
}

impl Strands {
    pub fn clear(&mut self) {
        self.all.clear();
        self.cells.clear();
        self.natives.clear();
        self.falls.clear();
        self.spoilt.clear();
    }

    /// A new series begins.
    pub fn begin(&mut self, who: Who, bare: bool) {
        let at = |length: usize| length..length;
        self.until = Millis::MIN;
        self.all.push(Strand {
            who,
            bare,
            cells: at(self.cells.len()),
            natives: at(self.natives.len()),
            falls: at(self.falls.len()),
            spoilt: at(self.spoilt.len()),
        });
    }

    /// Each series with what came of it.
    pub fn iter(&self) -> impl Iterator<Item = (&Strand, Thread<'_>)> {
        self.all.iter().map(|strand| {
            let thread = Thread {
                cells: self.cells.get(strand.cells.clone()).unwrap_or_default(),
                natives: self.natives.get(strand.natives.clone()).unwrap_or_default(),
                falls: self.falls.get(strand.falls.clone()).unwrap_or_default(),
                spoilt: self.spoilt.get(strand.spoilt.clone()).unwrap_or_default(),
            };
            (strand, thread)
        })
    }

    /// The last block in which a series has samples.
    pub fn last_block(&self) -> Option<i64> {
        self.cells.iter().map(|cell| cell.block).max()
    }

    /// Takes one sample of the present series in. This is the hot path: no hashing, and memory only for the first sample of a
    /// block.
    #[inline]
    pub fn take(&mut self, at: Millis, value: f64, level: bool, span: &Span) -> Taken {
        if at > self.until {
            return self.open(at, value, level, span);
        }
        // until the first cell is open, every moment is later than `until`
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
        let Some(strand) = self.all.last_mut().filter(|_| block <= span.last) else {
            return Taken::Ignored;
        };
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
        strand.cells.end = self.cells.len();
        Taken::Opened
    }

    /// Notes a sample of the present series that is of no use.
    #[cold]
    pub fn spoil(&mut self, at: Millis, span: &Span) {
        let block = span.grid.index_of(at);
        let Some(strand) = self
            .all
            .last_mut()
            .filter(|_| block >= span.first && block <= span.last)
        else {
            return;
        };
        let noted = self.spoilt.get(strand.spoilt.clone()).unwrap_or_default();
        if noted.last() != Some(&block) {
            self.spoilt.push(block);
            strand.spoilt.end = self.spoilt.len();
        }
    }

    /// Keeps a native histogram beside the cell that its count has opened.
    pub fn push_native(&mut self, native: NativeCell) {
        self.natives.push(native);
        if let Some(strand) = self.all.last_mut() {
            strand.natives.end = self.natives.len();
        }
    }

    /// The native histogram of the present cell.
    pub fn last_native(&mut self) -> Option<&mut NativeCell> {
        self.natives.last_mut()
    }

    #[cold]
    fn note(&mut self, fall: Fall) {
        let Some(strand) = self.all.last_mut() else {
            return;
        };
        let kept = self.falls.get(strand.falls.clone()).unwrap_or_default();
        let oldest = kept.len().checked_sub(FALLS_KEPT);
        if oldest
            .and_then(|i| kept.get(i))
            .is_some_and(|f| f.block == fall.block)
        {
            self.falls.pop();
        }
        self.falls.push(fall);
        strand.falls.end = self.falls.len();
    }
}
