//! What is remembered from block to block: the last reading of each series, and the pods.

use super::{
    identity::{Key, Replica},
    native::Native,
};
use crate::domain::{Millis, Track};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
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

/// The last samples of one series, one for each replica that read it.
#[derive(Debug, Clone, Default)]
pub(super) struct Past(Vec<(Replica, Reading)>);

impl Past {
    /// The last sample that this very replica read.
    pub fn own(&self, replica: &Replica) -> Option<&Reading> {
        self.0.iter().find(|(r, _)| r == replica).map(|(_, p)| p)
    }

    /// The baseline of a block: the replica's own last sample, or the latest of all where that one is too old.
    pub fn before(&self, replica: &Replica, start: Millis) -> Option<&Reading> {
        self.own(replica).filter(|p| p.fresh(start)).or_else(|| {
            self.0
                .iter()
                .filter(|(_, p)| remembered(p.at, start))
                .max_by(|(ra, a), (rb, b)| a.at.cmp(&b.at).then_with(|| rb.cmp(ra)))
                .map(|(_, p)| p)
        })
    }

    /// Was there never a sample?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn put(&mut self, replica: &Replica, reading: Reading) {
        if let Some((_, place)) = self.0.iter_mut().find(|(r, _)| r == replica) {
            *place = reading;
        } else {
            self.0.reserve_exact(1); // most series have one replica, and there are many
            self.0.push((replica.clone(), reading));
        }
    }
}

/// A pod of one arm, by name.
pub(super) type PodKey = (Box<str>, Track);

/// What is known of a pod.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub number: u32,
    /// Its last sample.
    pub last: Millis,
    /// When it started, as far as that was seen.
    pub start: Option<Millis>,
    spacings: VecDeque<Millis>,
}

impl Pod {
    pub fn new(number: u32, first: Millis, fresh: bool) -> Self {
        Self {
            number,
            last: first,
            start: fresh.then_some(first),
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
            self.spacings.push_back(spacing);
        }
    }

    /// The median time between samples.
    pub fn interval(&self) -> Option<Millis> {
        median(self.spacings.iter().copied().collect())
    }
}

/// The lower median.
pub(super) fn median(mut values: Vec<Millis>) -> Option<Millis> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

fn remembered(last: Millis, start: Millis) -> bool {
    start.saturating_sub(last) <= FORGET
}

/// 128 bits that stand for a series: a tenth of the memory of its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(u64, u64);

impl Digest {
    pub fn of(key: &Key) -> Self {
        let half = |salt: u8| {
            // SipHash with fixed keys: the same in every process
            let mut hasher = DefaultHasher::new();
            (salt, key).hash(&mut hasher);
            hasher.finish()
        };
        Self(half(0), half(1))
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Takes a digest as the hash that it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// Looked up only, never walked but to forget, so its order cannot matter.
    pub series: HashMap<Digest, Past, BuildHasherDefault<Plain>>,
    pub pods: BTreeMap<PodKey, Pod>,
    /// Number of the next pod.
    pub next_pod: u32,
    /// The latest sample of all.
    pub last: Option<Millis>,
    /// First sample of each arm.
    pub arms: BTreeMap<Track, Millis>,
    /// The coarsest schema of native histograms.
    pub schema: Option<i32>,
}

impl Memory {
    /// Forgets what was not seen for long before `now`.
    pub fn forget(&mut self, now: Millis) {
        self.pods.retain(|_, pod| pod.remembered(now));
        self.series.retain(|_, past| {
            past.0.retain(|(_, p)| remembered(p.at, now));
            !past.0.is_empty()
        });
    }
}
