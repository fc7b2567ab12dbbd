//! The series of one target. One task writes, a scrape at a time; who reads takes a snapshot and lets go.

use super::{
    budget::Budget,
    chunk::{Chunk, FULL},
};
use crate::{
    domain::{Labels, LabelsDigest, Millis, Window, labels::DigestHasher},
    query::Selection,
};
use std::{
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

type ByDigest = HashMap<LabelsDigest, u32, BuildHasherDefault<DigestHasher>>;

/// All series of one target.
#[derive(Debug, Default)]
pub struct Shard(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Option<Series>>,
    free: Vec<u32>,
    /// By the text that the target writes: a known one is not parsed again.
    by_text: ByDigest,
    by_labels: ByDigest,
    by_name: HashMap<Box<str>, Vec<u32>>,
}

#[derive(Debug)]
struct Series {
    labels: Labels,
    digest: LabelsDigest,
    closed: Vec<Arc<Chunk>>,
    open: Chunk,
}

/// A sample on its way into the table.
#[derive(Debug)]
pub struct Staged {
    /// Of which series.
    pub place: Place,
    /// When.
    pub at: Millis,
    /// How much.
    pub value: f64,
}

/// Where a sample goes.
#[derive(Debug)]
pub enum Place {
    /// A series that is there.
    Known(u32),
    /// One that is not, with the digest of its text.
    New(LabelsDigest, Labels),
}

/// What became of a scrape's samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Samples kept.
    pub samples: u64,
    /// Series that were new.
    pub series: u64,
    /// Samples older than the last of their series.
    pub out_of_order: u64,
    /// Samples with the time of another and a different value.
    pub duplicates: u64,
}

/// One series as it was at a moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Its labels.
    pub labels: Labels,
    /// What stands for them.
    pub digest: LabelsDigest,
    /// Chunks that reach into the window, in order.
    pub chunks: Vec<Arc<Chunk>>,
}

impl Shard {
    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many series are kept.
    pub fn series(&self) -> u64 {
        self.table().by_labels.len() as u64
    }

    /// The series of a text that was met before.
    pub fn by_text(&self, text: LabelsDigest) -> Option<u32> {
        self.table().by_text.get(&text).copied()
    }

    /// The series with these labels; its text is remembered.
    pub fn by_labels(&self, text: LabelsDigest, labels: &Labels) -> Option<u32> {
        let slot = self.table().by_labels.get(&labels.digest()).copied()?;
        let mut table = self.table_mut();
        // a target that writes the same series in ever new ways
        if table.by_text.len() > 4 * table.slots.len() + 64 {
            table.by_text.clear();
        }
        table.by_text.insert(text, slot);
        Some(slot)
    }

    /// Keeps the samples of one scrape, all at once. Room for them was reserved; what is not used is given back.
    pub fn commit(&self, staged: Vec<Staged>, reserved: (u64, u64), budget: &Budget) -> Kept {
        let mut kept = Kept::default();
        let mut table = self.table_mut();
        for Staged { place, at, value } in staged {
            let slot = match place {
                Place::Known(slot) => slot,
                Place::New(text, labels) => {
                    let (slot, new) = table.enter(text, labels);
                    kept.series += u64::from(new);
                    slot
                }
            };
            let Some(Some(series)) = table.slots.get_mut(slot as usize) else {
                continue;
            };
            match series.last() {
                Some((last, _)) if at < last => kept.out_of_order += 1,
                Some((last, before)) if at == last => {
                    let same = before.to_bits() == value.to_bits();
                    kept.duplicates += u64::from(!same);
                }
                _ => {
                    series.push(at, value);
                    kept.samples += 1;
                }
            }
        }
        drop(table);
        budget.release(reserved.0 - kept.samples, reserved.1 - kept.series);
        kept
    }

    /// Every series of a selection that may have samples in `(start, end]`.
    pub fn read(&self, selection: &Selection, window: Window) -> Vec<Snapshot> {
        let table = self.table();
        let snapshot = |series: &Series| {
            selection
                .matches(&series.labels)
                .then(|| series.snapshot(window))?
        };
        match selection.name() {
            Some(name) => {
                let slots = table.by_name.get(name).map_or(&[][..], Vec::as_slice);
                let series = slots
                    .iter()
                    .filter_map(|slot| table.slots.get(*slot as usize)?.as_ref());
                series.filter_map(snapshot).collect()
            }
            None => table.slots.iter().flatten().filter_map(snapshot).collect(),
        }
    }

    /// Texts that are remembered.
    #[cfg(test)]
    pub fn texts(&self) -> usize {
        self.table().by_text.len()
    }

    /// Forgets what is not later than `before`. Tells how many bytes samples take now, and whether anything is left.
    pub fn sweep(&self, before: Millis, budget: &Budget) -> (usize, bool) {
        let (mut samples, mut bytes) = (0, 0);
        let mut gone = Vec::new();
        let mut table = self.table_mut();
        for (slot, place) in table.slots.iter_mut().enumerate() {
            let Some(series) = place else { continue };
            samples += series.forget(before);
            bytes += series.size();
            if series.last().is_none() {
                gone.push(slot as u32);
            }
        }
        table.leave(&gone);
        budget.release(samples, gone.len() as u64);
        (bytes, !table.by_labels.is_empty())
    }
}

impl Table {
    /// The slot of a series; `true` where it is new.
    fn enter(&mut self, text: LabelsDigest, labels: Labels) -> (u32, bool) {
        let digest = labels.digest();
        if let Some(&slot) = self.by_labels.get(&digest) {
            self.by_text.insert(text, slot);
            return (slot, false);
        }
        let name: Box<str> = labels.get("__name__").unwrap_or_default().into();
        let series = Series {
            labels,
            digest,
            closed: Vec::new(),
            open: Chunk::default(),
        };
        let slot = if let Some(slot) = self.free.pop() {
            if let Some(place) = self.slots.get_mut(slot as usize) {
                *place = Some(series);
            }
            slot
        } else {
            self.slots.push(Some(series));
            self.slots.len() as u32 - 1
        };
        self.by_labels.insert(digest, slot);
        self.by_text.insert(text, slot);
        self.by_name.entry(name).or_default().push(slot);
        (slot, true)
    }

    fn leave(&mut self, gone: &[u32]) {
        if gone.is_empty() {
            return;
        }
        for &slot in gone {
            if let Some(place) = self.slots.get_mut(slot as usize) {
                *place = None;
            }
            self.free.push(slot);
        }
        let slots = &self.slots;
        let there = |slot: &u32| slots.get(*slot as usize).is_some_and(Option::is_some);
        self.by_text.retain(|_, slot| there(slot));
        self.by_labels.retain(|_, slot| there(slot));
        self.by_name.retain(|_, slots| {
            slots.retain(there);
            !slots.is_empty()
        });
    }
}

impl Series {
    fn last(&self) -> Option<(Millis, f64)> {
        let chunk = if self.open.count() > 0 {
            &self.open
        } else {
            self.closed.last()?
        };
        let (_, last) = chunk.span()?;
        Some((last, chunk.last_value()))
    }

    fn push(&mut self, at: Millis, value: f64) {
        self.open.push(at, value);
        if self.open.count() >= FULL {
            let mut full = std::mem::take(&mut self.open);
            full.close();
            self.closed.push(Arc::new(full));
        }
    }

    fn snapshot(&self, window: Window) -> Option<Snapshot> {
        let inside = |chunk: &Chunk| {
            let span = chunk.span();
            span.is_some_and(|(first, last)| first <= window.end && last > window.start)
        };
        let closed = self.closed.iter().filter(|chunk| inside(chunk)).cloned();
        let mut chunks: Vec<Arc<Chunk>> = closed.collect();
        if inside(&self.open) {
            chunks.push(Arc::new(self.open.clone()));
        }
        (!chunks.is_empty()).then(|| Snapshot {
            labels: self.labels.clone(),
            digest: self.digest,
            chunks,
        })
    }

    /// Drops whole chunks that are too old; tells how many samples they had.
    fn forget(&mut self, before: Millis) -> u64 {
        let old = |chunk: &Chunk| chunk.span().is_none_or(|(_, last)| last <= before);
        let mut samples = 0;
        self.closed.retain(|chunk| {
            let old = old(chunk);
            samples += u64::from(chunk.count()) * u64::from(old);
            !old
        });
        if self.open.count() > 0 && old(&self.open) {
            samples += u64::from(self.open.count());
            self.open = Chunk::default();
        }
        samples
    }

    fn size(&self) -> usize {
        self.open.size() + self.closed.iter().map(|chunk| chunk.size()).sum::<usize>()
    }
}
