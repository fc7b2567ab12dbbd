//! The labels of a series, and whether it was here before.

use super::cursor::{Cursor, Take};
use super::text::unescape;
use crate::domain::Labels;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// Labels as they arrive.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pairs: Vec<(Box<str>, Box<str>)>,
}

impl Collector {
    /// Takes `"name":"value"`.
    pub fn pair(&mut self, cursor: &mut Cursor<'_>) -> Take<()> {
        let name = cursor.string()?;
        cursor.eat(b':')?;
        let value = cursor.string()?;
        self.pairs
            .push((unescape(name)?.into(), unescape(value)?.into()));
        Ok(())
    }

    /// All labels, or `None` when a name came twice.
    pub fn finish(&mut self) -> Option<Labels> {
        let count = self.pairs.len();
        let labels = Labels::new(self.pairs.drain(..));
        (labels.iter().count() == count).then_some(labels)
    }
}

/// Remembers every series of an answer by 128 bits.
#[derive(Debug, Default)]
pub(super) struct Seen {
    keys: (RandomState, RandomState),
    hashes: HashSet<(u64, u64)>,
}

impl Seen {
    /// `false` when these labels were here before.
    pub fn insert(&mut self, labels: &Labels) -> bool {
        let hash = (self.keys.0.hash_one(labels), self.keys.1.hash_one(labels));
        self.hashes.insert(hash)
    }
}
