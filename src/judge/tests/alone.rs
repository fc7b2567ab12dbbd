//! Simulated canaries alone at full weight: how often a healthy one is called moved, and when a broken one is.
//!
//! The worlds are those of the reference: independent errors, errors in clusters with shared waves and unlike pods, means
//! of log-normal items, levels with memory. `cargo bench --bench alone` includes this file and prints the whole table.

use crate::{
    judge::{
        drift::{self, Change, Rates},
        harm::Harm,
        leftover::{self, Arms},
    },
    policy::Margin,
    stats::dispersion::Dispersion,
};

const BLOCK: i64 = 30_000;
/// Blocks of stable alone before the canary.
const LOOK_BACK: usize = 60;
/// The canary's share of traffic while it is compared.
const SHARE: f64 = 0.05;

/// The same draws in every run: splitmix64.
pub(super) struct Draws(pub(super) u64);

impl Draws {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (end, mut product, mut count) = ((-mean).exp(), 1.0, -1.0);
        while product > end {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }

    /// Events in clusters of geometric size.
    pub(super) fn clustered(&mut self, mean: f64, size: f64) -> f64 {
        let clusters = self.poisson(mean / size);
        if size <= 1.0 {
            return clusters;
        }
        if clusters > 200.0 {
            let scatter = (clusters * size * (size - 1.0)).sqrt();
            return (clusters * size + scatter * self.normal()).round();
        }
        let log = (1.0 - 1.0 / size).ln();
        (0..clusters as u32)
            .map(|_| 1.0 + ((1.0 - self.uniform()).ln() / log).floor())
            .sum()
    }
}

/// What a canary's blocks are made of.
#[derive(Clone, Copy)]
pub enum World {
    /// Events of requests: rate, requests per second, size of clusters, waves all share, spread of pods.
    Counts {
        rate: f64,
        rps: f64,
        cluster: f64,
        waves: f64,
        pods: f64,
        quantile: bool,
    },
    /// Means of so many items per block while compared, twenty times as many since.
    Means { items: f64 },
    /// Levels with this memory from minute to minute.
    Levels { memory: f64 },
}

/// A run: blocks of the past, blocks alone, and the factor from a block on.
pub struct Run {
    pub past: usize,
    pub alone: usize,
    pub breaks: Option<(usize, f64)>,
    /// A wave of so much over an hour.
    pub daily: f64,
    /// Requests per second that stay on stable: events of requests only.
    pub left: f64,
    /// Looks from this block on, every so many blocks.
    pub from: usize,
    pub every: usize,
}

impl Run {
    fn level(&self, phase: f64, at: usize) -> f64 {
        let wave = (std::f64::consts::TAU * (phase + at as f64 / 120.0)).sin();
        let broken = self
            .breaks
            .filter(|(since, _)| at >= self.past + since)
            .map_or(1.0, |(_, factor)| factor);
        (1.0 + self.daily * wave) * broken
    }

    fn looks(&self, blocks: usize) -> bool {
        blocks >= self.from && (blocks - self.from).is_multiple_of(self.every)
    }

    /// The block alone after which the canary is first called moved.
    pub fn first(&self, world: World, seed: u64) -> Option<usize> {
        let mut draws = Draws(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
        match world {
            World::Counts { .. } => self.first_of_counts(world, &mut draws),
            World::Means { .. } | World::Levels { .. } => self.first_of_values(world, &mut draws),
        }
    }

    fn first_of_counts(&self, world: World, draws: &mut Draws) -> Option<usize> {
        let World::Counts {
            rate,
            rps,
            cluster,
            waves,
            pods,
            quantile,
        } = world
        else {
            return None;
        };
        let requests = rps * 30.0;
        let mut pod = |n: usize| -> f64 {
            (0..n).map(|_| (pods * draws.normal()).exp()).sum::<f64>() / n as f64
        };
        let (one, all) = (pod(1), pod(20));
        let stable: Vec<f64> = (0..19).map(|_| pod(1)).collect();
        let (phase, mut wave) = (draws.uniform(), draws.normal());
        let keep = (-0.25_f64).exp();
        let mut dispersion = Dispersion::default();
        // both arms of each block since the canary's start, and stable's events
        let (mut blocks, mut arms, mut events) = (Vec::new(), Vec::new(), (0.0, 0.0));
        for at in 0..LOOK_BACK + self.past + self.alone {
            wave = keep * wave + (1.0 - keep * keep).sqrt() * draws.normal();
            let index = at.checked_sub(LOOK_BACK);
            let level = rate * (waves * wave).exp() * self.level(phase, index.unwrap_or(0));
            let mut arm = |requests: f64, level: f64| {
                let n = draws.poisson(requests);
                let size = if level > 0.3 { 1.0 } else { cluster };
                (draws.clustered(n * level.min(0.95), size).min(n), n)
            };
            let compared = index.is_none_or(|index| index < self.past);
            let mut of = |requests: f64| -> Vec<(f64, f64)> {
                stable
                    .iter()
                    .map(|f| arm(requests / 19.0, level * f))
                    .collect()
            };
            let stable = match (compared, self.left > 0.0) {
                (true, _) => of(requests * (1.0 - SHARE)),
                // it does not break
                (false, true) => vec![arm(self.left * 30.0, rate)],
                (false, false) => Vec::new(),
            };
            if compared {
                dispersion.push(&stable);
            }
            if index.is_none() {
                continue;
            }
            let stable = stable
                .iter()
                .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            let canary = if compared {
                arm(requests * SHARE, level * one)
            } else {
                arm(requests, level * all)
            };
            blocks.push(canary);
            arms.push(Arms {
                canary: canary.1,
                stable: stable.1,
            });
            events = (events.0 + stable.0, events.1 + stable.1);
            if compared || !self.looks(blocks.len() - self.past) {
                continue;
            }
            let known = (events.0 + 0.5) / (events.1 + 1.0);
            let last = leftover::last_compared(&arms, known).map_or(0, |last| last + 1);
            let (past, since) = blocks.split_at(last);
            let rates = Rates {
                block: BLOCK,
                dispersion: dispersion.phi(),
                errors: !quantile,
                fixed_ratio: quantile,
            };
            let margin = if quantile { (4.0, 0.0) } else { (0.5, 0.001) };
            let filled = |blocks: &[(f64, f64)]| -> Vec<(f64, f64)> {
                blocks.iter().copied().filter(|(_, n)| *n > 0.0).collect()
            };
            if drift::of_counts(&filled(past), &filled(since), harm(margin), rates).is_some() {
                return Some(blocks.len() - self.past);
            }
        }
        None
    }

    fn first_of_values(&self, world: World, draws: &mut Draws) -> Option<usize> {
        let (phase, mut wave) = (draws.uniform(), draws.normal());
        let (mut past, mut since) = (Vec::new(), Vec::new());
        for at in 0..self.past + self.alone {
            let value = match world {
                World::Levels { memory } => {
                    let keep = memory.sqrt();
                    wave = keep * wave + (1.0 - keep * keep).sqrt() * draws.normal();
                    Some((0.2 * wave).exp())
                }
                World::Means { items } => {
                    let grown = if at < self.past { 1.0 } else { 20.0 };
                    let count = draws.poisson(items * grown);
                    let sum: f64 = (0..count as u32)
                        .map(|_| (0.8 * draws.normal()).exp())
                        .sum();
                    (count > 0.0).then(|| sum / count)
                }
                World::Counts { .. } => None,
            };
            let value = value.map(|value| value * self.level(phase, at));
            if at < self.past {
                past.extend(value);
                continue;
            }
            since.extend(value);
            let change = match world {
                _ if !self.looks(at + 1 - self.past) => None,
                World::Levels { .. } => drift::of_values(&past, &since, harm((0.5, 0.0))),
                _ => moved_either(&past, &since),
            };
            if change.is_some() {
                return Some(at + 1 - self.past);
            }
        }
        None
    }
}

fn harm((relative, absolute): (f64, f64)) -> Harm {
    Harm::upwards(Margin { relative, absolute })
}

/// Means harm in either direction here.
fn moved_either(past: &[f64], since: &[f64]) -> Option<Change> {
    let up = harm((0.15, 0.0));
    let mut down = up;
    down.higher_is_worse = false;
    down.pass.relative = -up.pass.relative;
    [up, down]
        .into_iter()
        .find_map(|harm| drift::of_values(past, since, harm))
}

pub const fn errors(rate: f64, rps: f64, cluster: f64, waves: f64, pods: f64) -> World {
    World::Counts {
        rate,
        rps,
        cluster,
        waves,
        pods,
        quantile: false,
    }
}

pub const fn slow(rps: f64, cluster: f64, waves: f64, pods: f64) -> World {
    World::Counts {
        rate: 0.004,
        rps,
        cluster,
        waves,
        pods,
        quantile: true,
    }
}

pub fn healthy(past: usize, alone: usize, every: usize) -> Run {
    Run {
        past,
        alone,
        breaks: None,
        daily: 0.0,
        left: 0.0,
        from: 3,
        every,
    }
}

pub fn broken(past: usize, since: usize, factor: f64) -> Run {
    Run {
        past,
        alone: since + 60,
        breaks: Some((since, factor)),
        daily: 0.0,
        left: 0.0,
        from: since + 1,
        every: 1,
    }
}
