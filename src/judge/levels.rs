//! Levels (gauges, results of a query): paired differences of minute averages with an allowance for memory (B4).

use super::{
    harm::{Harm, SignedMargin},
    minutes::Minutes,
    reading::{Alone, Gate, Information, Reading, Scale, TrailPoint},
    running::Running,
};
use crate::{
    domain::{ArmSummary, Effect},
    evidence::Gauges,
    policy::Objective,
    stats::{
        Side,
        normal_mixture::Estimate,
        paired_gauge::{
            GAUGE_TAU, PairedEstimate, log_differences, paired_estimate, plain_differences,
        },
    },
};

/// Minutes before the comparison counts.
const MIN_MINUTES: usize = 10;

/// Levels that never vary still are not known better than this share of the prior scale.
const MIN_SE: f64 = 0.01;

/// The evidence of a level, folded block by block.
#[derive(Debug, Clone)]
pub struct LevelState {
    harms: Vec<Harm>,
    limit: Option<f64>,
    minutes: Minutes,
    pending: [(f64, u32); 2],
    canary: Vec<f64>,
    stable: Vec<f64>,
    alone: Vec<f64>,
    running: Running,
    trail: Vec<TrailPoint>,
    data_blocks: u64,
    last_canary: Option<i64>,
    compared: bool,
}

impl LevelState {
    /// An empty state.
    pub fn new(objective: &Objective, block_ms: i64) -> Self {
        Self {
            harms: Harm::of(objective),
            limit: objective.limit,
            minutes: Minutes::of(block_ms),
            pending: [(0.0, 0); 2],
            canary: Vec::new(),
            stable: Vec::new(),
            alone: Vec::new(),
            running: Running::default(),
            trail: Vec::new(),
            data_blocks: 0,
            last_canary: None,
            compared: false,
        }
    }

    /// Takes in the next closed block.
    pub fn fold(&mut self, index: i64, block: &Gauges) {
        if index < 0 {
            return;
        }
        if block.canary.is_some() {
            self.last_canary = Some(index);
            self.data_blocks += 1;
        }
        self.compared |= block.canary.is_some() && block.stable.is_some();
        for (slot, value) in self.pending.iter_mut().zip([block.canary, block.stable]) {
            if let Some(value) = value {
                slot.0 += value;
                slot.1 += 1;
            }
        }
        if self.minutes.closes(index) {
            self.close_minute();
        }
        self.trail.push(TrailPoint {
            index,
            canary: block.canary,
            stable: block.stable,
            log_e_fail: self.running.fail,
            log_e_pass: self.running.pass,
        });
    }

    fn close_minute(&mut self) {
        let average = |(sum, n): (f64, u32)| (n > 0).then(|| sum / f64::from(n));
        let [canary, stable] = std::mem::take(&mut self.pending).map(average);
        if let Some(canary) = canary {
            self.alone.push(canary);
            if let Some(stable) = stable {
                self.canary.push(canary);
                self.stable.push(stable);
            }
        }
        let comparison = self.comparison();
        let (mut fails, mut passes) = (Vec::with_capacity(2), Vec::with_capacity(2));
        for harm in &self.harms {
            let log_e = |side, relative: f64, absolute: f64| {
                comparison
                    .and_then(|c| Some((c, c.boundary(relative, absolute)?)))
                    .map_or(0.0, |(c, at)| c.estimate.log_e(side, at, c.tau))
            };
            fails.push(log_e(
                harm.fail_side(),
                harm.fail.relative,
                harm.fail.absolute,
            ));
            passes.push(log_e(
                harm.pass_side(),
                harm.pass.relative,
                harm.pass.absolute,
            ));
        }
        let limit = self.limit.map(|limit| self.limit_log_e(limit));
        self.running.look(&fails, limit, &passes);
    }

    fn comparison(&self) -> Option<Comparison> {
        if self.canary.len() < MIN_MINUTES {
            return None;
        }
        let stable = mean(&self.stable);
        let logs = log_differences(&self.canary, &self.stable);
        if logs.len() == self.canary.len() {
            return Some(Comparison {
                estimate: paired_estimate(&logs)?.at_least(MIN_SE * GAUGE_TAU),
                log: true,
                stable,
                tau: GAUGE_TAU,
            });
        }
        let estimate = paired_estimate(&plain_differences(&self.canary, &self.stable))?;
        let absolute = self
            .harms
            .first()
            .map_or(0.0, |harm| harm.pass.absolute.abs());
        let zero = self.canary.iter().chain(&self.stable).all(|v| *v == 0.0);
        if zero && absolute == 0.0 {
            // 0 against 0 is no change: a ratio of 1
            return Some(Comparison {
                estimate: estimate.at_least(MIN_SE * GAUGE_TAU),
                log: true,
                stable,
                tau: GAUGE_TAU,
            });
        }
        // the scale of a level around zero: its size or what the author calls much, else how much it varies
        let scale = [stable.abs().max(absolute), estimate.sd];
        let size = scale.into_iter().find(|s| *s > 0.0).unwrap_or(0.0);
        let tau = GAUGE_TAU * size;
        Some(Comparison {
            estimate: estimate.at_least(MIN_SE * tau),
            log: false,
            stable,
            tau,
        })
    }

    fn limit_log_e(&self, limit: f64) -> f64 {
        let side = if self.ceiling() {
            Side::Greater
        } else {
            Side::Less
        };
        self.against(limit)
            .map_or(0.0, |(estimate, tau, _)| estimate.log_e(side, 0.0, tau))
    }

    /// The canary's distance from the limit, its prior scale, and whether both are logarithms.
    fn against(&self, limit: f64) -> Option<(Estimate, f64, bool)> {
        if self.alone.len() < MIN_MINUTES {
            return None;
        }
        let limits = vec![limit; self.alone.len()];
        let logs = log_differences(&self.alone, &limits);
        let log = logs.len() == self.alone.len();
        let (differences, tau) = if log {
            (logs, GAUGE_TAU)
        } else {
            (
                plain_differences(&self.alone, &limits),
                GAUGE_TAU * limit.abs(),
            )
        };
        let estimate = paired_estimate(&differences)?.at_least(MIN_SE * tau);
        Some((estimate.as_estimate(), tau, log))
    }

    /// The canary's own interval, where there is a limit.
    fn alone(&self, alpha: f64) -> Option<Alone> {
        let limit = self.limit?;
        let (estimate, tau, log) = self.against(limit)?;
        let (lower, upper) = estimate.confidence_sequence(alpha, tau);
        let back = |v: f64| if log { limit * v.exp() } else { limit + v };
        upper.is_finite().then(|| Alone {
            lower: back(lower),
            upper: back(upper),
            above: None,
        })
    }

    fn ceiling(&self) -> bool {
        self.harms.first().is_none_or(|harm| harm.higher_is_worse)
    }

    /// Number of the last block with canary data.
    pub fn last_canary(&self) -> Option<i64> {
        self.last_canary
    }

    /// The history for charts.
    pub fn trail(&self) -> &[TrailPoint] {
        &self.trail
    }

    /// Minute averages of both arms, for the rank test.
    pub fn pairs(&self) -> (&[f64], &[f64]) {
        (&self.canary, &self.stable)
    }

    /// What the evidence says now.
    pub fn reading(&self, alpha: f64) -> Reading {
        let comparison = self.comparison();
        let back = |v: f64, log: bool| if log { v.exp() } else { v };
        let interval = comparison.map(|c| {
            (
                c.estimate.as_estimate().confidence_sequence(alpha, c.tau),
                c.log,
            )
        });
        let harm = self.harms.get(self.running.strongest()).copied();
        let at = |margin: fn(&Harm) -> SignedMargin| {
            let margin = margin(harm.as_ref()?);
            comparison?.boundary(margin.relative, margin.absolute)
        };
        let (fail_at, pass_at) = (at(|h| h.fail), at(|h| h.pass));
        let unmeasured = comparison.is_some() && (fail_at.is_none() || pass_at.is_none());
        // where no margin has a meaning there is nothing to plan for
        let planned = comparison.filter(|_| !unmeasured);
        let shown = |values: &[f64]| ArmSummary {
            value: (!values.is_empty()).then(|| mean(values)),
            ..ArmSummary::default()
        };
        let (canary, stable) = (
            shown(if self.canary.is_empty() {
                &self.alone
            } else {
                &self.canary
            }),
            shown(&self.stable),
        );
        let over_limit = (!self.alone.is_empty())
            .then(|| mean(&self.alone))
            .zip(self.limit)
            .is_some_and(|(v, limit)| if self.ceiling() { v > limit } else { v < limit });
        Reading {
            method: "paired-level".to_owned(),
            running: self.running,
            gate: Gate {
                seen: self.data_blocks,
                needed: 3,
                of: "blocks with canary data",
            },
            canary,
            stable,
            effect: Effect {
                estimate: comparison.map(|c| back(c.estimate.mean, c.log)),
                lower: interval
                    .map(|((low, _), log)| back(low, log))
                    .filter(|v| v.is_finite()),
                upper: interval
                    .map(|((_, high), log)| back(high, log))
                    .filter(|v| v.is_finite()),
                relative: canary.change_from(&stable),
                scale: None,
            },
            boundary: comparison.and_then(|c| Some(back(fail_at?, c.log))),
            unmeasured,
            scale: Scale::of(comparison.is_none_or(|c| c.log)),
            upwards: harm.is_none_or(|harm| harm.higher_is_worse),
            dispersion: comparison.map(|c| c.estimate.inflation),
            pod_spread: None,
            blocks: self.data_blocks,
            trials: None,
            compared: self.compared,
            last_canary: self.last_canary,
            over_limit,
            held_at: None,
            alone: (over_limit || self.running.over_limit(alpha))
                .then(|| self.alone(alpha))
                .flatten(),
            eventless: false,
            above_largest: false,
            information: Information {
                se: planned.map(|c| c.estimate.se).filter(|se| se.is_finite()),
                estimate: planned.map(|c| c.estimate.mean),
                fail_at: fail_at.unwrap_or(0.0),
                pass_at: pass_at.unwrap_or(0.0),
                tau: comparison.map_or(GAUGE_TAU, |c| c.tau),
            },
        }
    }
}

/// An estimate of canary against stable and the scale it lives on.
#[derive(Clone, Copy)]
struct Comparison {
    estimate: PairedEstimate,
    log: bool,
    stable: f64,
    tau: f64,
}

impl Comparison {
    fn boundary(&self, relative: f64, absolute: f64) -> Option<f64> {
        SignedMargin { relative, absolute }.on_scale(self.stable, self.log)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1) as f64)
}
