//! The labels of a series, and whether it was here before.

use super::cursor::{Cursor, Raw, Stop, Take};
use super::text::unescape;
use crate::domain::{DigestHasher, Labels, LabelsDigest, text::shortened};
use std::{collections::HashSet, hash::BuildHasherDefault};

/// So much of a series is shown.
const SHOWN: usize = 300;

/// What stands before the next `}`. Not taken apart: only a sink that knows this text can say that these are whole labels.
pub(super) fn glance<'a>(c: &Cursor<'a>) -> Option<&'a [u8]> {
    let rest = c.rest();
    rest.get(..memchr::memchr(b'}', rest)?)
}

/// Where the labels of the present series stand. They become text only for a sink that does not know them.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// Offset and length of each name and each value.
    spans: Vec<[(usize, usize); 2]>,
}

impl Collector {
    /// Takes `"name":"value",...}`.
    pub fn take(&mut self, c: &mut Cursor<'_>) -> Take<()> {
        self.spans.clear();
        while !c.eat_if(b'}')? {
            if !self.spans.is_empty() {
                c.eat(b',')?;
            }
            let name = c.string()?;
            c.eat(b':')?;
            let value = c.string()?;
            self.spans
                .push([name, value].map(|raw| (raw.at, raw.bytes.len())));
        }
        Ok(())
    }

    /// The labels just taken from these bytes.
    pub fn read(&self, c: &Cursor<'_>) -> Take<Labels> {
        let text = |(at, length): (usize, usize)| {
            let bytes = c.between(at, at + length);
            unescape(Raw { bytes, at })
        };
        let pairs = self
            .spans
            .iter()
            .map(|[name, value]| Ok((text(*name)?, text(*value)?)))
            .collect::<Take<Vec<_>>>()?;
        let labels = Labels::new(pairs);
        if labels.iter().count() < self.spans.len() {
            return Err(Cursor::bad(c.at - 1, "a label name that comes twice"));
        }
        // for Prometheus an empty label is none
        if labels.iter().any(|(_, value)| value.is_empty()) {
            return Ok(Labels::new(labels.iter().filter(|(_, v)| !v.is_empty())));
        }
        Ok(labels)
    }
}

/// Remembers every series of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<LabelsDigest, BuildHasherDefault<DigestHasher>>);

impl Seen {
    /// `false` when these labels were here before.
    pub fn insert(&mut self, digest: LabelsDigest) -> bool {
        self.0.insert(digest)
    }
}

/// Refuses a series that was here before.
#[cold]
pub(super) fn twice(at: usize, labels: &Labels) -> Stop {
    let shown = match labels.iter().next() {
        Some(_) => shortened(&format!("series {labels}"), SHOWN),
        None => "a series without labels".to_owned(),
    };
    Cursor::bad(at, format!("{shown} comes twice"))
}
