//! The labels of a series, and whether it was here before.

use super::cursor::{Cursor, Raw, Take};
use super::text::unescape;
use crate::domain::{DigestHasher, Labels, LabelsDigest};
use std::{collections::HashSet, hash::BuildHasherDefault};

const TWICE: &str = "a label name that comes twice";

/// The digest of what stands before the next `}`, and where it ends. Not taken apart: only a sink that knows the digest can
/// say that these are whole labels.
pub(super) fn glance(c: &Cursor<'_>) -> Option<(LabelsDigest, usize)> {
    let rest = c.rest();
    let length = rest.iter().position(|b| *b == b'}')?;
    let text = rest.get(..length)?;
    Some((LabelsDigest::of(text), c.at + length + 1))
}

/// Where the labels of the present series stand. They become text only for a sink that does not know their digest.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// Start and length of each name and each value.
    spans: Vec<[(usize, usize); 2]>,
    /// The labels in the form of a digest, where they came in another.
    text: Vec<u8>,
    /// Labels with escapes.
    odd: Option<Labels>,
}

impl Collector {
    /// Takes `"name":"value",...}`. The databases write it without white space and sorted by name, nearly always without escapes.
    pub fn take(&mut self, c: &mut Cursor<'_>) -> Take<LabelsDigest> {
        self.spans.clear();
        self.odd = None;
        let start = c.at;
        let (mut plain_text, mut sorted) = (true, true);
        let mut length = 0;
        let mut last: &[u8] = b"";
        while !c.eat_if(b'}')? {
            if !self.spans.is_empty() {
                c.eat(b',')?;
                length += 1;
            }
            let name = c.string()?;
            c.eat(b':')?;
            let value = c.string()?;
            plain_text &= plain(name)? & plain(value)?;
            sorted &= self.spans.is_empty() || last < name.bytes;
            length += name.bytes.len() + value.bytes.len() + 5;
            last = name.bytes;
            self.spans
                .push([name, value].map(|raw| (raw.at, raw.bytes.len())));
        }
        if !plain_text {
            let labels = self.read(c)?;
            let digest = labels.digest();
            self.odd = Some(labels);
            return Ok(digest);
        }
        let text = c.rest_from(start).get(..length).unwrap_or_default();
        if sorted && start + length + 1 == c.at {
            return Ok(LabelsDigest::of(text));
        }
        self.arrange(c)
    }

    /// Sorts what came in another order or with white space.
    fn arrange(&mut self, c: &Cursor<'_>) -> Take<LabelsDigest> {
        let bytes =
            |(at, length): (usize, usize)| c.rest_from(at).get(..length).unwrap_or_default();
        self.spans.sort_by_key(|[name, _]| bytes(*name));
        let same = |pair: &[[(usize, usize); 2]]| match pair {
            [a, b] => bytes(a[0]) == bytes(b[0]),
            _ => false,
        };
        if self.spans.windows(2).any(same) {
            return Err(Cursor::bad(c.at - 1, TWICE));
        }
        self.text.clear();
        for [name, value] in &self.spans {
            let comma: &[u8] = if self.text.is_empty() { b"" } else { b"," };
            for part in [comma, b"\"", bytes(*name), b"\":\"", bytes(*value), b"\""] {
                self.text.extend_from_slice(part);
            }
        }
        Ok(LabelsDigest::of(&self.text))
    }

    /// The labels just taken from these bytes.
    pub fn read(&self, c: &Cursor<'_>) -> Take<Labels> {
        if let Some(labels) = &self.odd {
            return Ok(labels.clone());
        }
        let text = |(at, length): (usize, usize)| {
            let bytes = c.rest_from(at).get(..length).unwrap_or_default();
            unescape(Raw { bytes, at })
        };
        let pairs = self
            .spans
            .iter()
            .map(|[name, value]| Ok((text(*name)?, text(*value)?)))
            .collect::<Take<Vec<_>>>()?;
        let labels = Labels::new(pairs);
        if labels.iter().count() < self.spans.len() {
            return Err(Cursor::bad(c.at - 1, TWICE));
        }
        Ok(labels)
    }
}

/// Is it text that stands for itself? Refuses what is no text at all.
fn plain(raw: Raw<'_>) -> Take<bool> {
    let usual = |b: &u8| (0x20..0x80).contains(b) && (*b != b'\\');
    // without a way out, so that it is done in long strides
    if raw.bytes.iter().fold(true, |all, b| all & usual(b)) {
        return Ok(true);
    }
    unescape(raw).map(|_| !raw.bytes.contains(&b'\\'))
}

/// Remembers every series of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<LabelsDigest, BuildHasherDefault<DigestHasher>>);

impl Seen {
    /// Were these labels here before?
    pub fn has(&self, digest: LabelsDigest) -> bool {
        self.0.contains(&digest)
    }

    /// `false` when these labels were here before.
    pub fn insert(&mut self, digest: LabelsDigest) -> bool {
        self.0.insert(digest)
    }
}
