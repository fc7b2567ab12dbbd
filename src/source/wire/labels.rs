//! The labels of a series, and whether it was here before.

use super::cursor::{Cursor, Take};
use super::text::unescape;
use crate::domain::Labels;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// Labels as they arrive, all in one text: a series costs no allocation until it is whole.
#[derive(Debug, Default)]
pub(super) struct Collector {
    text: String,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Collector {
    /// Takes `"name":"value"`.
    pub fn pair(&mut self, cursor: &mut Cursor<'_>) -> Take<()> {
        let name = cursor.string()?;
        cursor.eat(b':')?;
        let value = cursor.string()?;
        let (name, value) = (unescape(name)?, unescape(value)?);
        self.text.push_str(&name);
        let middle = self.text.len();
        self.text.push_str(&value);
        self.ends.push((middle, self.text.len()));
        Ok(())
    }

    /// All labels, or `None` when a name came twice.
    pub fn finish(&mut self) -> Option<Labels> {
        let mut start = 0;
        let pairs = self.ends.iter().filter_map(|&(middle, end)| {
            let pair = (self.text.get(start..middle)?, self.text.get(middle..end)?);
            start = end;
            Some(pair)
        });
        let labels = Labels::new(pairs);
        let whole = labels.iter().count() == self.ends.len();
        self.text.clear();
        self.ends.clear();
        whole.then_some(labels)
    }
}

/// Remembers every series of an answer by 64 bits under a key of its own: two of 20 000 meet once in 10^11 answers.
#[derive(Debug, Default)]
pub(super) struct Seen {
    key: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// `false` when these labels were here before.
    pub fn insert(&mut self, labels: &Labels) -> bool {
        self.hashes.insert(self.key.hash_one(labels))
    }
}
