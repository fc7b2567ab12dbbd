//! Human units in settings: `5s`, `64MiB`.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};
use std::{fmt, time::Duration};

/// A length of time as people write it: `250ms`, `5s`, `2m`, `1h`, also `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// A number of bytes as people write it: `1048576`, `64KiB`, `256MiB`, `1GiB` (also `KB`, `MB`, `GB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanBytes(pub u64);

/// Splits `12ms34s` into numbers and units.
fn parts(text: &str) -> Option<Vec<(u64, &str)>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let unit = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        out.push((number.parse().ok()?, unit.trim_end()));
        rest = tail;
    }
    (!out.is_empty()).then_some(out)
}

/// Reads `1m30s`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    parts(text)?
        .into_iter()
        .try_fold(Duration::ZERO, |sum, (n, unit)| {
            let millis = n.checked_mul(match unit {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            })?;
            sum.checked_add(Duration::from_millis(millis))
        })
}

/// Reads `64MiB`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let parts = parts(text)?;
    let [(n, unit)] = parts.as_slice() else {
        return None;
    };
    n.checked_mul(match *unit {
        "" | "B" => 1,
        "KB" => 1000,
        "KiB" | "Ki" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" | "Mi" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" | "Gi" => 1 << 30,
        _ => return None,
    })
}

struct Human<T> {
    what: &'static str,
    text: fn(&str) -> Option<T>,
    number: fn(u64) -> Option<T>,
}

impl<T> Visitor<'_> for Human<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.text)(text).ok_or_else(|| E::custom(format!("`{text}` is not {}", self.what)))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<T, E> {
        (self.number)(n).ok_or_else(|| E::custom(format!("`{n}` needs a unit: {}", self.what)))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<T, E> {
        u64::try_from(n)
            .map_err(|_| E::custom(format!("`{n}` is negative")))
            .and_then(|n| self.visit_u64(n))
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Human {
            what: "a duration such as `5s` or `250ms`",
            text: |t| parse_duration(t).map(Self),
            number: |_| None,
        })
    }
}

impl<'de> Deserialize<'de> for HumanBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Human {
            what: "a size such as `64MiB`",
            text: |t| parse_bytes(t).map(Self),
            number: |n| Some(Self(n)),
        })
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1000) {
            write!(f, "{}s", millis / 1000)
        } else {
            write!(f, "{millis}ms")
        }
    }
}

impl fmt::Display for HumanBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for HumanBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("5s", Some(5000)),
            ("250ms", Some(250)),
            ("1m30s", Some(90_000)),
            ("2 h", Some(7_200_000)),
            ("5", None),
            ("", None),
            ("s", None),
            ("5x", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(
                parse_duration(text).map(|d| d.as_millis()),
                millis,
                "{text}"
            );
        }
    }

    #[test]
    fn bytes() {
        for (text, n) in [
            ("64MiB", Some(64 << 20)),
            ("10", Some(10)),
            ("1 GiB", Some(1 << 30)),
            ("1KB", Some(1000)),
            ("1MiB2", None),
            ("MiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(parse_bytes(text), n, "{text}");
        }
        assert_eq!(HumanBytes(256 << 20).to_string(), "256MiB");
    }
}
