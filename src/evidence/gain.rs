//! What one series gained in one block: its cell and where it counts from.

use super::{
    Role,
    memory::{Key, Reading},
    native::NativeCell,
    slot::Edge,
    strand::{Cell, Fall},
};
use crate::domain::{Millis, Track};

/// Where the increase of a block counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// The last sample before the block.
    Before,
    /// Zero: a new series, or one that restarted.
    Zero,
    /// The first sample in the block.
    First,
}

/// One series in one block.
#[derive(Debug)]
pub(super) struct Gain<'a> {
    pub key: Key,
    pub track: Track,
    /// Place of the series, whichever replica read it.
    pub series: usize,
    pub cell: &'a Cell,
    pub native: Option<&'a NativeCell>,
    /// Falls between samples of the block.
    pub falls: &'a [Fall],
    /// The fall from the sample before the block to the first one in it.
    pub join: Option<Fall>,
    /// The last sample before the block.
    pub before: Option<Reading>,
    base: Base,
    /// What `base` is if `join` was no restart.
    plain: Base,
}

impl<'a> Gain<'a> {
    /// `start`: of the block. `unknown`: where a series without a past counts from.
    pub fn new(
        (key, track, series): (Key, Track, usize),
        cell: &'a Cell,
        falls: &'a [Fall],
        before: Option<&Reading>,
        start: Millis,
        unknown: Base,
    ) -> Self {
        let plain = before.map_or(unknown, |p| {
            if p.fresh(start) {
                Base::Before
            } else {
                Base::First
            }
        });
        let join = before
            .filter(|p| cell.first < p.value && p.at < cell.first_at)
            .map(|p| Fall {
                block: cell.block,
                from: p.at,
                to: cell.first_at,
                height: p.value,
            });
        Self {
            key,
            track,
            series,
            cell,
            native: None,
            falls,
            join,
            before: before.cloned(),
            base: if join.is_some() { Base::Zero } else { plain },
            plain,
        }
    }

    /// All falls, the one at the border first.
    pub fn all_falls(&self) -> impl Iterator<Item = &Fall> {
        self.join.iter().chain(self.falls)
    }

    /// The increase of a counter.
    pub fn increase(&self) -> f64 {
        self.cell.last - self.height(self.base) + self.cell.sum
    }

    /// The change of a sum of signed values: only falls that meet a restart of the count are restarts.
    pub fn change(&self, restarts: &[Fall]) -> f64 {
        let restart = |fall: &&Fall| restarts.iter().any(|r| r.meets(fall));
        let base = match self.join.as_ref().filter(restart) {
            Some(_) => Base::Zero,
            None => self.plain,
        };
        let heights: f64 = self.falls.iter().filter(restart).map(|f| f.height).sum();
        self.cell.last - self.height(base) + heights
    }

    /// The average of a level.
    pub fn average(&self) -> f64 {
        self.cell.sum / f64::from(self.cell.samples.max(1))
    }

    /// Adds a native histogram's cumulative increases at ascending edges.
    pub fn cumulate(&self, edges: &[Edge], into: &mut [f64]) {
        let Some(native) = self.native else {
            return;
        };
        let mut own = vec![0.0; edges.len()];
        native.last.cumulate(edges, 1.0, &mut own);
        let before = self.before.as_ref().and_then(|p| p.native.as_deref());
        match self.base {
            Base::Zero => {}
            Base::First => native.first.cumulate(edges, -1.0, &mut own),
            Base::Before => before
                .unwrap_or(&native.first)
                .cumulate(edges, -1.0, &mut own),
        }
        carry(&mut own);
        for (slot, value) in into.iter_mut().zip(own) {
            *slot += value;
        }
    }

    /// Mean time between the samples of the block, or since the one before.
    pub fn spacing(&self) -> Option<Millis> {
        let cell = self.cell;
        match i64::from(cell.samples) {
            n @ 2.. => Some((cell.last_at - cell.first_at) / (n - 1)),
            _ if self.plain == Base::Before => self.before.as_ref().map(|p| cell.first_at - p.at),
            _ => None,
        }
    }

    /// Restarts from zero.
    pub fn resets(&self) -> u64 {
        if self.key.role.falls_are_resets() {
            self.all_falls().count() as u64
        } else {
            0
        }
    }

    pub fn is(&self, role: Role) -> bool {
        self.key.role == role
    }

    fn height(&self, base: Base) -> f64 {
        match (base, &self.before) {
            (Base::Zero, _) => 0.0,
            (Base::Before, Some(before)) => before.value,
            _ => self.cell.first,
        }
    }
}

/// Repairs falls between neighbouring cumulative counts: the larger count is carried forward.
pub(super) fn carry(cumulative: &mut [f64]) {
    let mut most = 0.0_f64;
    for value in cumulative {
        most = most.max(*value);
        *value = most;
    }
}
