//! When new bets open: harm may begin late, and healthy history must not drown it.

use crate::domain::Millis;

/// Time between regular starts.
const EVERY: Millis = 300_000;
/// Most starts after the first.
const SLOTS: Millis = 24;
/// Weight of the first start; the others share the rest equally.
const FIRST: f64 = 0.5;
/// A step is taken when the canary's share of traffic grows by this factor in two blocks running.
const STEP: f64 = 1.5;
/// Fewer canary trials than this in a block tell nothing about its share.
const MIN_TRIALS: f64 = 20.0;

/// The schedule of starts. Predictable: a start before block k depends on blocks before k only.
///
/// Regular starts come every five minutes; a step of the rollout, seen in the split of traffic itself, opens one more.
/// So the evidence is a function of the blocks and of nothing that a caller says or a process remembers.
#[derive(Debug, Clone)]
pub struct Onset {
    /// Blocks between regular starts.
    every: i64,
    /// Starts after the first: as many as the horizon holds.
    slots: u32,
    used: u32,
    begun: bool,
    share: Option<f64>,
    rising: u32,
    step_due: bool,
}

impl Onset {
    /// For blocks of a length, judged over a horizon.
    pub fn new(block: Millis, horizon: Millis) -> Self {
        let every = (EVERY / block.max(1)).max(1);
        Self {
            every,
            slots: (horizon / (every * block.max(1))).clamp(1, SLOTS) as u32,
            used: 0,
            begun: false,
            share: None,
            rising: 0,
            step_due: false,
        }
    }

    /// Weight of the start to open before block `index`, if one is due.
    pub fn open_before(&mut self, index: i64) -> Option<f64> {
        if !self.begun {
            self.begun = true;
            return Some(FIRST);
        }
        let due = index % self.every == 0 || self.step_due;
        self.step_due = false;
        if !due || self.used >= self.slots {
            return None;
        }
        self.used += 1;
        Some((1.0 - FIRST) / f64::from(self.slots))
    }

    /// Looks at the split of a closed block.
    pub fn after(&mut self, canary: f64, stable: f64) {
        if canary < MIN_TRIALS || stable <= 0.0 {
            return;
        }
        let share = canary / (canary + stable);
        let Some(base) = self.share else {
            self.share = Some(share);
            return;
        };
        self.rising = if share > base * STEP {
            self.rising + 1
        } else {
            0
        };
        if self.rising >= 2 {
            self.share = Some(share);
            self.rising = 0;
            self.step_due = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_share_the_weight_one() {
        for (block, horizon, starts) in [
            (30_000, 7_200_000, 25),
            (30_000, 86_400_000, 25),
            (30_000, 2_400_000, 9),
            (60_000, 3_600_000, 13),
            (120_000, 3_600_000, 16),
            (600_000, 1_800_000, 4),
            (15_000, 60_000, 2),
        ] {
            let mut onset = Onset::new(block, horizon);
            let opened: Vec<f64> = (0..10_000).filter_map(|k| onset.open_before(k)).collect();
            let total: f64 = opened.iter().sum();
            assert!((total - 1.0).abs() < 1e-12, "{total}");
            assert_eq!(opened.len(), starts, "{block} {horizon}");
        }
    }

    #[test]
    fn a_step_of_the_traffic_opens_a_start_in_the_next_block() {
        let mut onset = Onset::new(30_000, 7_200_000);
        let shares = [5.0, 5.0, 25.0, 25.0, 25.0];
        let opened: Vec<bool> = shares
            .iter()
            .zip(1..)
            .map(|(share, k)| {
                let opened = onset.open_before(k).is_some();
                onset.after(share * 10.0, 1000.0 - share * 10.0);
                opened
            })
            .collect();
        assert_eq!(opened, [true, false, false, false, true]);
    }
}
