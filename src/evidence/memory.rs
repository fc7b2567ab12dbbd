//! What is remembered from block to block: the last reading of each series, and the pods.

use super::{
    Role,
    identity::{Name, Replica},
    native::Native,
    slot::Slot,
};
use crate::domain::{DigestHasher, LabelsDigest, Millis, Track};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::BuildHasherDefault,
    sync::Arc,
};

/// A baseline may be this much older than its block. The first read, and each read after a gap, starts this much early.
pub const LOOKBACK: Millis = 5 * 60 * 1000;

/// Series and pods not seen for so long are forgotten.
const FORGET: Millis = 60 * 60 * 1000;

/// Blocks from which a pod's scrape interval is learnt.
const SPACINGS: usize = 31;

/// The last sample of a series.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub at: Millis,
    /// The value; of a native histogram its total count.
    pub value: f64,
    pub native: Option<Arc<Native>>,
}

impl Reading {
    pub fn fresh(&self, start: Millis) -> bool {
        start.saturating_sub(self.at) <= LOOKBACK
    }
}

/// What is known of a pod.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub number: u32,
    /// Its last sample.
    pub last: Millis,
    /// When it started, as far as that was seen.
    pub start: Option<Millis>,
    /// Was it told that a series of its had no samples?
    pub missed: bool,
    /// Was it told that the labels of its series changed?
    pub renamed: bool,
    /// In milliseconds; 49 days are the longest.
    spacings: VecDeque<u32>,
}

impl Pod {
    pub fn new(number: u32, first: Millis, fresh: bool) -> Self {
        Self {
            number,
            last: first,
            start: fresh.then_some(first),
            missed: false,
            renamed: false,
            spacings: VecDeque::new(),
        }
    }

    pub fn remembered(&self, start: Millis) -> bool {
        remembered(self.last, start)
    }

    /// Learns the time between samples from one block.
    pub fn learn(&mut self, spacings: Vec<Millis>) {
        if let Some(spacing) = median(spacings) {
            if self.spacings.len() >= SPACINGS {
                self.spacings.pop_front();
            }
            self.spacings.push_back(short(spacing));
        }
    }

    /// The median time between samples.
    pub fn interval(&self) -> Option<Millis> {
        median(self.spacings.iter().copied().map(Millis::from).collect())
    }
}

/// The lower median.
pub(super) fn median(mut values: Vec<Millis>) -> Option<Millis> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// 49 days are the longest.
pub(super) fn short(spacing: Millis) -> u32 {
    u32::try_from(spacing).unwrap_or(u32::MAX)
}

/// Is what was seen last at a moment still known when a block starts?
pub(super) fn remembered(last: Millis, start: Millis) -> bool {
    start.saturating_sub(last) <= FORGET
}

/// A pod of one arm.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub name: Box<str>,
    pub track: Track,
    /// `None`: it has no sample yet.
    pub pod: Option<Pod>,
}

/// What makes a series itself, whichever replica read it. The order is that in which sums are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Place among the pods.
    pub pod: usize,
    pub role: Role,
    pub family: LabelsDigest,
    pub slot: Slot,
}

/// What became of a series that its pod went on without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is there.
    #[default]
    No,
    /// It had no sample in a block in which others of its pod had some.
    Missing,
    /// Others took its place.
    Replaced,
}

/// One series as one replica reads it.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub key: Key,
    pub replica: Replica,
    /// Place of the first replica of the same series.
    pub group: usize,
    /// Its last sample.
    pub last: Option<Reading>,
    /// Its last sample of the newest block in which it gained something.
    pub gained: Option<Millis>,
    /// The end of the last block in which its value was not known, until it is known again.
    pub spoilt: Option<Millis>,
    pub gone: Gone,
    /// Time between its samples, whichever replica read them, as last learnt.
    pub spacing: Option<u32>,
    /// Was the series, whichever replica read it, counted in the notes?
    counted: bool,
}

/// How a series is found again: by the text of its labels as it came and by what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SeriesKey {
    pub written: LabelsDigest,
    pub role: Role,
    pub arm: Option<Track>,
}

/// Where a known series is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Of its labels, however they are written.
    pub digest: LabelsDigest,
    /// Place among the series.
    pub place: usize,
    /// A histogram's series without a bucket.
    pub bare: bool,
}

/// The series that were met before.
pub(super) type Index = HashMap<SeriesKey, Known, BuildHasherDefault<DigestHasher>>;

/// A series on its way into the memory.
#[derive(Debug, Clone)]
pub(super) struct Newcomer {
    pub key: SeriesKey,
    pub digest: LabelsDigest,
    pub name: Name,
    pub bare: bool,
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// Sorted by key, then by replica.
    pub series: Vec<Series>,
    /// Sorted by name, then by arm.
    pub pods: Vec<Place>,
    pub index: Arc<Index>,
    /// Number of the next pod.
    pub next_pod: u32,
    /// The latest sample of all.
    pub last: Option<Millis>,
    /// First sample of each arm.
    pub arms: BTreeMap<Track, Millis>,
    /// The coarsest schema of native histograms.
    pub schema: Option<i32>,
    /// Of each arm, how many of the newest blocks hold nothing but pods that were left out.
    pub blind: BTreeMap<Track, u32>,
}

impl Memory {
    /// The baseline of a block: the replica's own last sample, or the latest of all where that one is too old.
    pub fn before(&self, place: usize, start: Millis) -> Option<&Reading> {
        let own = self.series.get(place)?;
        own.last.as_ref().filter(|p| p.fresh(start)).or_else(|| {
            self.replicas(own.group)
                .iter()
                .filter_map(|s| s.last.as_ref())
                .filter(|p| remembered(p.at, start))
                .reduce(|best, p| if p.at > best.at { p } else { best })
        })
    }

    /// Is it the first time that a series is counted, whichever replica read it? Not before it has a sample.
    pub fn first_count(&mut self, place: usize) -> bool {
        let sampled = self.series.get(place).filter(|s| s.last.is_some());
        let Some(group) = sampled.filter(|s| !s.counted).map(|s| s.group) else {
            return false;
        };
        for replica in self.replicas_mut(group) {
            replica.counted = true;
        }
        true
    }

    /// All replicas of the series whose first one is here.
    pub fn replicas(&self, group: usize) -> &[Series] {
        let from = self.series.get(group..).unwrap_or_default();
        let length = from.iter().take_while(|s| s.group == group).count();
        from.get(..length).unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn replicas_mut(&mut self, group: usize) -> impl Iterator<Item = &mut Series> {
        let from = self.series.get_mut(group..).unwrap_or_default().iter_mut();
        from.take_while(move |s| s.group == group)
    }

    /// Places of the series of a pod.
    pub fn of_pod(&self, pod: usize) -> std::ops::Range<usize> {
        let start = self.series.partition_point(|s| s.key.pod < pod);
        start..self.series.partition_point(|s| s.key.pod <= pod)
    }

    /// Takes new series in, and tells where each of the old ones has gone.
    pub fn meet(&mut self, newcomers: &[&Newcomer]) -> Vec<usize> {
        if newcomers.is_empty() {
            return Vec::new();
        }
        let mut names: BTreeSet<(&str, Track)> =
            self.pods.iter().map(|p| (&*p.name, p.track)).collect();
        names.extend(newcomers.iter().map(|n| (&*n.name.pod, n.name.track)));
        let names: Vec<(Box<str>, Track)> = names.iter().map(|(n, t)| ((*n).into(), *t)).collect();
        let place = |name: &str, track: Track| {
            names
                .binary_search_by(|(n, t)| (&**n, *t).cmp(&(name, track)))
                .unwrap_or_else(|place| place)
        };
        for series in &mut self.series {
            if let Some(pod) = self.pods.get(series.key.pod) {
                series.key.pod = place(&pod.name, pod.track);
            }
        }
        let arrived = newcomers.iter().map(|new| Series {
            key: Key {
                pod: place(&new.name.pod, new.name.track),
                role: new.name.role,
                family: new.name.family,
                slot: new.name.slot,
            },
            replica: new.name.replica.clone(),
            group: 0,
            last: None,
            gained: None,
            spoilt: None,
            gone: Gone::No,
            spacing: None,
            counted: false,
        });
        let arrived: Vec<Series> = arrived.collect();
        let mut known = std::mem::take(&mut self.pods).into_iter().peekable();
        for (name, track) in names {
            let same = known.next_if(|p| p.name == name && p.track == track);
            let pod = same.and_then(|p| p.pod);
            self.pods.push(Place { name, track, pod });
        }
        let old = self.series.len();
        self.series.extend(arrived);
        let moved = self.sort();
        let index = Arc::make_mut(&mut self.index);
        for known in index.values_mut() {
            known.place = moved.get(known.place).copied().unwrap_or_default();
        }
        for (new, place) in newcomers.iter().zip(moved.iter().skip(old)) {
            let known = Known {
                digest: new.digest,
                place: *place,
                bare: new.bare,
            };
            index.insert(new.key, known);
        }
        moved
    }

    /// Sorts the series, unites equal ones, and tells where each has gone.
    fn sort(&mut self) -> Vec<usize> {
        let mut numbered: Vec<(usize, Series)> = std::mem::take(&mut self.series)
            .into_iter()
            .enumerate()
            .collect();
        // stable: of equal ones the first stays
        numbered.sort_by(|(_, a), (_, b)| a.name().cmp(&b.name()));
        let counted: BTreeSet<Key> = numbered
            .iter()
            .filter(|(_, s)| s.counted)
            .map(|(_, s)| s.key)
            .collect();
        let mut moved = vec![0; numbered.len()];
        self.series.reserve_exact(numbered.len());
        for (from, mut series) in numbered {
            let last = self.series.last();
            if last.is_none_or(|l| l.name() != series.name()) {
                let same = last.filter(|l| l.key == series.key);
                series.group = same.map_or(self.series.len(), |l| l.group);
                series.counted |= counted.contains(&series.key);
                self.series.push(series);
            }
            if let Some(to) = moved.get_mut(from) {
                *to = self.series.len().saturating_sub(1);
            }
        }
        moved
    }

    /// Forgets what was not seen for long before `now`.
    pub fn forget(&mut self, now: Millis) {
        let kept = |s: &Series| {
            let seen = s.last.as_ref().map(|p| p.at).max(s.spoilt);
            seen.is_some_and(|at| remembered(at, now))
        };
        for place in &mut self.pods {
            place.pod = place.pod.take().filter(|pod| pod.remembered(now));
        }
        if self.series.iter().all(kept) {
            return;
        }
        let mut gone = 0;
        let moved: Vec<Option<usize>> = self
            .series
            .iter()
            .enumerate()
            .map(|(place, series)| {
                let stays = kept(series);
                gone += usize::from(!stays);
                stays.then(|| place - gone)
            })
            .collect();
        self.series.retain(kept);
        let mut used: Vec<usize> = self.series.iter().map(|s| s.key.pod).collect();
        used.dedup();
        for series in &mut self.series {
            series.key.pod = used.partition_point(|pod| *pod < series.key.pod);
        }
        let mut place = 0..;
        self.pods
            .retain(|_| place.next().is_some_and(|p| used.binary_search(&p).is_ok()));
        self.sort();
        let index = Arc::make_mut(&mut self.index);
        index.retain(|_, known| {
            let place = moved.get(known.place).copied().flatten();
            known.place = place.unwrap_or_default();
            place.is_some()
        });
    }
}

impl Series {
    fn name(&self) -> (Key, &Replica) {
        (self.key, &self.replica)
    }
}
