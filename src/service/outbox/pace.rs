//! How fast: pauses between tries, messages in a minute, messages about one rollout.

use crate::domain::Millis;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

const MINUTE: Millis = 60_000;
/// Rollouts that are remembered at once.
const MOST_ORDERS: usize = 4096;

/// The numbers of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Messages on their way at once.
    pub max_concurrent: usize,
    /// Messages in any minute.
    pub per_minute: u32,
    /// Tried for this long, then a dead letter.
    pub max_age: Millis,
    /// Pause after the first failed try.
    pub min_backoff: Millis,
    /// Longest pause.
    pub max_backoff: Millis,
    /// The notifier gives up after this long.
    pub timeout: Millis,
}

/// However old, a message is tried this often before it is a dead letter: after a long night of ours, or a retry by hand.
const LEAST_TRIES: u32 = 3;

impl Pace {
    /// A taker hides its deliveries for this long.
    pub fn lease(&self) -> Millis {
        self.timeout.saturating_mul(2).saturating_add(10_000)
    }

    /// The pause before the next try: doubled with each, at most `max_backoff`, and cut by up to half so that many do
    /// not come back at the same moment. A function of delivery and try, not of chance.
    pub fn pause(&self, delivery: Uuid, tries: u32) -> Millis {
        let factor = 1_i64.checked_shl(tries.min(40)).unwrap_or(i64::MAX);
        let whole = self
            .min_backoff
            .saturating_mul(factor)
            .min(self.max_backoff)
            .max(1);
        let mut digest = Sha256::new();
        digest.update(delivery.as_bytes());
        digest.update(tries.to_be_bytes());
        let byte = digest.finalize().first().copied().unwrap_or_default();
        whole - whole / 2 * i64::from(byte) / 255
    }

    /// Is it time to give up after one more failed try?
    pub fn given_up(&self, queued_at: Millis, tries: u32, now: Millis) -> bool {
        now.saturating_sub(queued_at) >= self.max_age && tries.saturating_add(1) >= LEAST_TRIES
    }
}

/// Messages of the last minute.
#[derive(Debug, Default)]
pub struct Rate(VecDeque<Millis>);

impl Rate {
    /// How many may go now.
    pub fn room(&mut self, per_minute: u32, now: Millis) -> usize {
        while self
            .0
            .front()
            .is_some_and(|at| now.saturating_sub(*at) >= MINUTE)
        {
            self.0.pop_front();
        }
        (per_minute as usize).saturating_sub(self.0.len())
    }

    /// One goes now.
    pub fn count(&mut self, now: Millis) {
        self.0.push_back(now);
    }
}

/// When which rollout was told of.
#[derive(Debug, Default)]
pub struct Recent(HashMap<String, VecDeque<Millis>>);

impl Recent {
    /// A message about this order arrived.
    pub fn note(&mut self, order: &str, now: Millis, most: usize, within: Millis) {
        if self.0.len() >= MOST_ORDERS {
            self.0.retain(|_, times| {
                times
                    .back()
                    .is_some_and(|at| now.saturating_sub(*at) < within)
            });
            if self.0.len() >= MOST_ORDERS {
                return;
            }
        }
        let times = self.0.entry(order.to_owned()).or_default();
        times.push_back(now);
        while times.len() > most {
            times.pop_front();
        }
    }

    /// Until when the next message about this order is held, where it is.
    pub fn held(&self, order: &str, now: Millis, most: usize, within: Millis) -> Option<Millis> {
        let times = self.0.get(order).filter(|times| times.len() >= most)?;
        let until = times.front()?.saturating_add(within);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        max_concurrent: 2,
        per_minute: 2,
        max_age: 1000,
        min_backoff: 1000,
        max_backoff: 300_000,
        timeout: 5000,
    };

    #[test]
    fn pauses_double_with_jitter_and_are_the_same_everywhere() {
        for id in (0..200).map(Uuid::from_u128) {
            for (tries, whole) in [
                (0, 1000),
                (1, 2000),
                (5, 32_000),
                (9, 300_000),
                (4_000_000, 300_000),
            ] {
                let pause = PACE.pause(id, tries);
                assert!((whole / 2..=whole).contains(&pause), "{tries}: {pause}");
                assert_eq!(pause, PACE.pause(id, tries));
            }
        }
        let spread: std::collections::BTreeSet<_> = (0..200)
            .map(|i| PACE.pause(Uuid::from_u128(i), 3))
            .collect();
        assert!(spread.len() > 50);
    }

    #[test]
    fn an_old_message_is_still_tried() {
        assert!(!PACE.given_up(0, 0, 5000) && !PACE.given_up(0, 1, 5000));
        assert!(PACE.given_up(0, 2, 5000) && !PACE.given_up(4500, 9, 5000));
    }

    #[test]
    fn never_more_in_any_minute() {
        let mut rate = Rate::default();
        rate.count(0);
        rate.count(30_000);
        assert_eq!(rate.room(2, 59_999), 0);
        assert_eq!(rate.room(2, 60_000), 1);
        assert_eq!(rate.room(2, 90_000), 2);
    }

    #[test]
    fn a_flapping_rollout_waits_until_the_window_is_over() {
        let mut recent = Recent::default();
        for at in [0, 10, 20] {
            assert_eq!(recent.held("a", at, 3, 300), None);
            recent.note("a", at, 3, 300);
        }
        assert_eq!(recent.held("a", 30, 3, 300), Some(300));
        assert_eq!(recent.held("b", 30, 3, 300), None);
        assert_eq!(recent.held("a", 300, 3, 300), None);
        recent.note("a", 300, 3, 300);
        assert_eq!(recent.held("a", 301, 3, 300), Some(310));
        for i in 0..2 * MOST_ORDERS {
            recent.note(&i.to_string(), 1000, 3, 300);
        }
        assert!(recent.0.len() <= MOST_ORDERS);
    }
}
