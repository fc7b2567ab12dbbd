//! When new bets open: harm may begin late, and healthy history must not drown it.

/// Blocks between regular starts: five minutes of 30 s blocks.
const EVERY: i64 = 10;
/// Starts after the first.
const SLOTS: u32 = 24;
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
#[derive(Debug, Clone, Default)]
pub struct Onset {
    used: u32,
    begun: bool,
    share: Option<f64>,
    rising: u32,
    step_due: bool,
}

impl Onset {
    /// Weight of the start to open before block `index`, if one is due.
    pub fn open_before(&mut self, index: i64) -> Option<f64> {
        if !self.begun {
            self.begun = true;
            return Some(FIRST);
        }
        let due = index % EVERY == 0 || self.step_due;
        self.step_due = false;
        if !due || self.used >= SLOTS {
            return None;
        }
        self.used += 1;
        Some((1.0 - FIRST) / f64::from(SLOTS))
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
        let mut onset = Onset::default();
        let total: f64 = (0..1000).filter_map(|k| onset.open_before(k)).sum();
        assert!((total - 1.0).abs() < 1e-12, "{total}");
    }

    #[test]
    fn a_step_of_the_traffic_opens_a_start_in_the_next_block() {
        let mut onset = Onset::default();
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
