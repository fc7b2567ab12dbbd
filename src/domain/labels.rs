//! The labels of one series.

use std::{
    cmp::Ordering,
    fmt,
    hash::{DefaultHasher, Hasher},
};

/// 128 bits that stand for a set of labels: two different sets never share them in practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelsDigest(u64, u64);

impl LabelsDigest {
    /// Of a set written as `"name":"value","name":"value"`, sorted by name, quotes and backslashes escaped by a backslash. Of
    /// another text it stands for that text alone.
    pub fn of(text: &[u8]) -> Self {
        // SipHash with fixed keys: the same in every process
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            hasher.write(text);
            hasher.finish()
        };
        Self(half(0), half(1))
    }

    /// A number in `[0, 1)` that is as good as chance.
    pub fn fraction(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl std::hash::Hash for LabelsDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Takes a digest as the hash that it is: `BuildHasherDefault<DigestHasher>` for tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 ^= value;
    }
}

/// Label names and values, sorted by name; equal sets compare equal. Two allocations, because thousands are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    /// Name, value, name, value, without anything between.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl Labels {
    /// Builds a sorted set; a later duplicate of a name replaces the earlier.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref())); // stable
        pairs.dedup_by(|later, kept| {
            let same = later.0.as_ref() == kept.0.as_ref();
            if same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            same
        });
        let length = |(n, v): &(N, V)| n.as_ref().len() + v.as_ref().len();
        let mut text = String::with_capacity(pairs.iter().map(length).sum());
        let mut ends = Vec::with_capacity(2 * pairs.len());
        for (name, value) in &pairs {
            for part in [name.as_ref(), value.as_ref()] {
                text.push_str(part);
                ends.push(text.len() as u32); // an answer that long is over every limit
            }
        }
        Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
        }
    }

    /// Sets one label.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) {
        let new = (name.as_ref(), value.as_ref());
        *self = Self::new(self.iter().chain([new]));
    }

    /// The value of a label, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Takes a label out and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Box<str>> {
        let value = self.get(name)?.into();
        let mut text = String::with_capacity(self.text.len());
        let mut ends = Vec::with_capacity(self.ends.len());
        for (kept, value) in self.iter().filter(|(kept, _)| *kept != name) {
            for part in [kept, value] {
                text.push_str(part);
                ends.push(text.len() as u32);
            }
        }
        *self = Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
        };
        Some(value)
    }

    /// What stands for the set.
    pub fn digest(&self) -> LabelsDigest {
        let mut text = String::with_capacity(self.text.len() + 3 * self.ends.len() + 1);
        for (name, value) in self.iter() {
            if !text.is_empty() {
                text.push(',');
            }
            for (part, after) in [(name, "\":"), (value, "\"")] {
                text.push('"');
                let mut from = 0;
                for (at, special) in part.match_indices(['"', '\\']) {
                    text.push_str(part.get(from..at).unwrap_or_default());
                    text.push('\\');
                    text.push_str(special);
                    from = at + 1;
                }
                text.push_str(part.get(from..).unwrap_or_default());
                text.push_str(after);
            }
        }
        LabelsDigest::of(text.as_bytes())
    }

    /// All pairs in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.chunks_exact(2).filter_map(move |ends| {
            let &[name, value] = ends else { return None };
            let (name, value) = (name as usize, value as usize);
            let pair = (self.text.get(start..name)?, self.text.get(name..value)?);
            start = value;
            Some(pair)
        })
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn a_set_is_sorted_and_the_last_value_of_a_name_stays() {
        let mut labels = Labels::new([("b", "1"), ("a", "2"), ("b", "3"), ("b", "4")]);
        assert_eq!(labels.to_string(), r#"{a="2",b="4"}"#);
        labels.set("é", "");
        labels.set("a", "5");
        assert_eq!(labels, Labels::new([("é", ""), ("b", "4"), ("a", "5")]));
        assert_eq!((labels.get("é"), labels.get("c")), (Some(""), None));
        assert_eq!(labels.remove("b").as_deref(), Some("4"));
        assert_eq!(labels.remove("b"), None);
        assert_eq!(labels.to_string(), r#"{a="5",é=""}"#);
    }

    #[test]
    fn a_digest_is_of_the_text_between_the_braces() {
        let digest = |text: &str| super::LabelsDigest::of(text.as_bytes());
        let labels = Labels::new([("b", r#"x","c":"y"#), ("a", "é")]);
        assert_eq!(labels.digest(), digest(r#""a":"é","b":"x\",\"c\":\"y""#));
        let three = Labels::new([("b", "x"), ("c", "y"), ("a", "é")]);
        assert_eq!(three.digest(), digest(r#""a":"é","b":"x","c":"y""#));
        assert_ne!(three.digest(), labels.digest());
        assert_eq!(Labels::default().digest(), digest(""));
    }

    #[test]
    fn sets_compare_pair_by_pair() {
        let set = |pairs: &[(&str, &str)]| Labels::new(pairs.iter().copied());
        let rising = [
            set(&[]),
            set(&[("a", "b")]),
            set(&[("a", "b"), ("c", "")]),
            set(&[("a", "bc")]),
            set(&[("ab", "")]),
            set(&[("ab", "c")]),
            set(&[("b", "")]),
        ];
        for pair in rising.windows(2) {
            assert!(pair[0] < pair[1], "{} {}", pair[0], pair[1]);
        }
    }
}
