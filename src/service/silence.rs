//! Since when each metric source has been silent, as far as this process has seen.

use crate::domain::Millis;
use moka::sync::Cache;

/// A stretch of failures. Looks further apart than this belong to different stretches.
const APART: Millis = 10 * 60_000;

/// First and last failure of each source.
#[derive(Debug)]
pub struct Silence(Cache<String, (Millis, Millis)>);

impl Default for Silence {
    fn default() -> Self {
        Self(Cache::new(1000))
    }
}

impl Silence {
    /// Notes whether a source answered, and says how long it has been silent.
    pub fn note(&self, source: &str, failed: bool, now: Millis) -> Millis {
        if !failed {
            self.0.invalidate(source);
            return 0;
        }
        let since = self
            .0
            .get(source)
            .filter(|(_, last)| now - last <= APART)
            .map_or(now, |(first, _)| first);
        self.0.insert(source.to_owned(), (since, now));
        (now - since).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_lasts_until_an_answer_and_ages_when_nobody_looks() {
        let silence = Silence::default();
        let minute = 60_000;
        for (at, failed, expected) in [
            (0, true, 1),
            (minute, true, minute),
            (2 * minute, false, 0),
            (3 * minute, true, 1),
            (9 * minute, true, 6 * minute),
            (30 * minute, true, 1),
        ] {
            assert_eq!(silence.note("s", failed, at), expected, "at {at}");
        }
    }
}
