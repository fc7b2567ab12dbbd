//! Samples of one series, packed: a byte or two for the time, one to four for what a counter grew, eight for any other number.

use crate::domain::Millis;

/// Samples in one closed chunk.
pub const FULL: u32 = 240;
/// Most bytes of one sample.
const LONGEST: usize = 20;
/// Largest whole number that a float holds exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Consecutive samples, ascending in time.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    count: u32,
    first: Millis,
    last: Last,
}

/// What the next sample is a difference to.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    at: Millis,
    gap: Millis,
    /// The last whole number.
    whole: i64,
    value: f64,
}

impl Chunk {
    /// Samples inside.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes in use and reserved.
    pub fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// Time of the first and the last sample.
    pub fn span(&self) -> Option<(Millis, Millis)> {
        (self.count > 0).then_some((self.first, self.last.at))
    }

    /// Value of the last sample.
    pub fn last_value(&self) -> f64 {
        self.last.value
    }

    /// Adds a sample; its time must be later than the last one's.
    pub fn push(&mut self, at: Millis, value: f64) {
        if self.bytes.capacity() < self.bytes.len() + LONGEST {
            // by a fifth at most: there are thousands of these
            self.bytes.reserve_exact(LONGEST + self.bytes.len() / 5);
        }
        let gap = if self.count == 0 {
            self.first = at;
            at
        } else {
            at.wrapping_sub(self.last.at)
        };
        let change = zigzag(gap.wrapping_sub(self.last.gap));
        if let Some(number) = whole(value) {
            // one more bit: 0 for a difference of whole numbers, 1 for the bits of any float
            put(&mut self.bytes, u128::from(change) << 1);
            let grown = zigzag(number.wrapping_sub(self.last.whole));
            put(&mut self.bytes, u128::from(grown));
            self.last.whole = number;
        } else {
            put(&mut self.bytes, (u128::from(change) << 1) | 1);
            self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        // the first sample's time is no gap
        self.last.gap = if self.count == 0 { 0 } else { gap };
        self.last.at = at;
        self.last.value = value;
        self.count += 1;
    }

    /// Gives back what was reserved for more, whole: a rest that is cut off could hardly be used again.
    pub fn close(&mut self) {
        self.bytes = self.bytes.as_slice().to_vec();
    }

    /// All samples in order of time.
    pub fn samples(&self) -> Samples<'_> {
        Samples {
            rest: &self.bytes,
            left: self.count,
            fresh: true,
            last: Last::default(),
        }
    }
}

/// Unpacks a chunk.
pub struct Samples<'a> {
    rest: &'a [u8],
    left: u32,
    fresh: bool,
    last: Last,
}

impl Iterator for Samples<'_> {
    type Item = (Millis, f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let head = take(&mut self.rest)?;
        let gap = unzigzag((head >> 1) as u64).wrapping_add(self.last.gap);
        let at = if self.fresh {
            gap
        } else {
            self.last.at.wrapping_add(gap)
        };
        self.last.gap = if self.fresh { 0 } else { gap };
        self.fresh = false;
        self.last.at = at;
        let value = if head & 1 == 0 {
            let grown = unzigzag(take(&mut self.rest)? as u64);
            self.last.whole = self.last.whole.wrapping_add(grown);
            self.last.whole as f64
        } else {
            let (bits, rest) = self.rest.split_first_chunk::<8>()?;
            self.rest = rest;
            f64::from_bits(u64::from_le_bytes(*bits))
        };
        Some((at, value))
    }
}

/// The whole number that a float is, if it is one; minus zero is none.
fn whole(value: f64) -> Option<i64> {
    let exact = value.trunc() == value && value.abs() <= EXACT;
    (exact && !(value == 0.0 && value.is_sign_negative())).then_some(value as i64)
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

fn unzigzag(n: u64) -> i64 {
    ((n >> 1) as i64) ^ -((n & 1) as i64)
}

/// Seven bits a byte; one bit more than a `u64` has may come.
fn put(out: &mut Vec<u8>, mut n: u128) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn take(rest: &mut &[u8]) -> Option<u128> {
    let mut n = 0_u128;
    for shift in (0..70).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        n |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (0_u32..1_000_000).prop_map(f64::from),
            2 => any::<f64>(),
            1 => Just(f64::NAN),
            1 => Just(-0.0),
            1 => Just(EXACT),
            1 => Just(f64::NEG_INFINITY),
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            start in any::<i32>(),
            steps in proptest::collection::vec((1_i64..10_000_000, value()), 0..300),
        ) {
            let mut chunk = Chunk::default();
            let mut at = i64::from(start) * 1000;
            let mut kept = Vec::new();
            for (gap, value) in steps {
                at += gap;
                chunk.push(at, value);
                kept.push((at, value.to_bits()));
            }
            chunk.close();
            let read: Vec<_> = chunk.samples().map(|(at, value)| (at, value.to_bits())).collect();
            let span = kept.first().zip(kept.last()).map(|(a, b)| (a.0, b.0));
            prop_assert_eq!(chunk.span(), span);
            prop_assert_eq!(read, kept);
        }
    }

    #[test]
    fn a_counter_scraped_on_time_takes_three_bytes() {
        let mut chunk = Chunk::default();
        for i in 0..FULL {
            chunk.push(1_767_225_600_000 + 5000 * i64::from(i), f64::from(i * 200));
        }
        chunk.close();
        assert!(chunk.size() <= 3 * FULL as usize + 16, "{}", chunk.size());
    }
}
