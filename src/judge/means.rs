//! A mean from sum and count: the stratified comparison of block means (B2), or with squares the larger variance (B3).

use super::{
    harm::Harm,
    interval,
    minutes::Minutes,
    reading::{Alone, Gate, Information, Reading, Scale, TrailPoint},
    running::Running,
};
use crate::{
    domain::{ArmSummary, Effect},
    evidence::{Means, SumCount},
    policy::Objective,
    stats::{
        Side,
        block_mean::{
            BlockMean, MEAN_TAU, MeanEstimate, comparison_df, difference_of_means,
            log_ratio_of_means,
        },
        normal_mixture::Estimate,
        welch::{Summary, log_ratio_from_summaries},
    },
};

/// Minutes before the comparison counts.
const MIN_MINUTES: u32 = 5;
/// Minutes of each arm without one in common that are no chance.
const APART: u32 = 3;
/// Items per arm before the comparison counts.
const MIN_ITEMS: f64 = 20.0;
/// Means that never vary still are not known better than this share of the prior scale.
const MIN_SE: f64 = 0.001;

/// The evidence of a mean objective, folded block by block.
#[derive(Debug, Clone)]
pub struct MeanState {
    harms: Vec<Harm>,
    limit: Option<f64>,
    minutes: Minutes,
    pending: [SumCount; 2],
    present: [bool; 2],
    paired: bool,
    canary: BlockMean,
    stable: BlockMean,
    /// The canary alone, for the limit: also where stable has gone.
    alone: BlockMean,
    totals: [SumCount; 2],
    /// Minutes with data of the canary, of stable, and with blocks of both only.
    seen: [u32; 3],
    running: Running,
    trail: Vec<TrailPoint>,
    data_blocks: u64,
    last_canary: Option<i64>,
    compared: bool,
}

impl MeanState {
    /// An empty state.
    pub fn new(objective: &Objective, block_ms: i64) -> Self {
        let none = SumCount::default();
        Self {
            harms: Harm::of(objective),
            limit: objective.limit,
            minutes: Minutes::of(block_ms),
            pending: [none; 2],
            present: [false; 2],
            paired: true,
            canary: BlockMean::default(),
            stable: BlockMean::default(),
            alone: BlockMean::default(),
            totals: [none; 2],
            seen: [0; 3],
            running: Running::default(),
            trail: Vec::new(),
            data_blocks: 0,
            last_canary: None,
            compared: false,
        }
    }

    /// Takes in the next closed block.
    pub fn fold(&mut self, index: i64, block: &Means) {
        if index < 0 {
            return;
        }
        if block.canary.is_some() {
            self.last_canary = Some(index);
            self.data_blocks += 1;
        }
        self.compared |= block.canary.is_some() && block.stable.is_some();
        self.paired &= block.canary.is_some() && block.stable.is_some();
        for (there, arm) in self.present.iter_mut().zip([block.canary, block.stable]) {
            *there |= arm.is_some();
        }
        let [canary, stable] = &mut self.pending;
        add(canary, block.canary);
        add(stable, block.stable);
        if self.minutes.closes(index) {
            self.close_minute();
        }
        let value = |arm: Option<SumCount>| arm.filter(|a| a.count > 0.0).map(|a| a.sum / a.count);
        self.trail.push(TrailPoint {
            index,
            canary: value(block.canary),
            stable: value(block.stable),
            log_e_fail: self.running.fail,
            log_e_pass: self.running.pass,
        });
    }

    fn close_minute(&mut self) {
        let [canary, stable] = std::mem::take(&mut self.pending);
        self.alone.push(canary.sum, canary.count);
        let [c, s] = std::mem::take(&mut self.present);
        for (minutes, there) in self.seen.iter_mut().zip([c, s, self.paired]) {
            *minutes += u32::from(there);
        }
        if std::mem::replace(&mut self.paired, true) {
            self.canary.push(canary.sum, canary.count);
            self.stable.push(stable.sum, stable.count);
            let [c, s] = &mut self.totals;
            add(c, Some(canary));
            add(s, Some(stable));
        }
        let comparison = self.comparison();
        let (mut fails, mut passes) = (Vec::with_capacity(2), Vec::with_capacity(2));
        for harm in &self.harms {
            let (fail, pass) = comparison.map_or((None, None), |c| harm.bounds(c.stable, c.log));
            let log_e = |side, at: Option<f64>| {
                let known = comparison.zip(at);
                known.map_or(0.0, |(c, at)| c.estimate.log_e(side, at, c.tau))
            };
            fails.push(log_e(harm.fail_side(), fail));
            passes.push(log_e(harm.pass_side(), pass));
        }
        let limit = self.limit.map(|limit| self.limit_log_e(limit));
        self.running.look(&fails, limit, &passes);
    }

    fn comparison(&self) -> Option<Comparison> {
        let (canary, stable) = (self.canary.estimate()?, self.stable.estimate()?);
        if canary.blocks < MIN_MINUTES || canary.count < MIN_ITEMS || stable.count < MIN_ITEMS {
            return None;
        }
        let df = comparison_df(&canary);
        if let Some(estimate) = log_ratio_of_means(&canary, &stable, df) {
            let estimate = self
                .with_squares()
                .map_or(estimate, |squares| estimate.wider(squares));
            return Some(Comparison {
                estimate: estimate.at_least(MIN_SE * MEAN_TAU),
                log: true,
                stable: stable.mean,
                tau: MEAN_TAU,
            });
        }
        let estimate = difference_of_means(&canary, &stable, df)?;
        let absolute = self
            .harms
            .first()
            .map_or(0.0, |harm| harm.pass.absolute.abs());
        let zero = |e: &MeanEstimate| e.mean == 0.0 && e.var == 0.0;
        if zero(&canary) && zero(&stable) && absolute == 0.0 {
            // 0 against 0 is no change: a ratio of 1
            return Some(Comparison {
                estimate: estimate.at_least(MIN_SE * MEAN_TAU),
                log: true,
                stable: stable.mean,
                tau: MEAN_TAU,
            });
        }
        // the scale of a mean around zero: its size or what the author calls much, else the canary's
        let scale = [stable.mean.abs().max(absolute), canary.mean.abs()];
        let tau = MEAN_TAU * scale.into_iter().find(|s| *s > 0.0).unwrap_or(0.0);
        Some(Comparison {
            estimate: estimate.at_least(MIN_SE * tau),
            log: false,
            stable: stable.mean,
            tau,
        })
    }

    /// B3: from sums of squares, where both arms keep them.
    fn with_squares(&self) -> Option<Estimate> {
        let [canary, stable] = &self.totals;
        let summary = |arm: &SumCount| Summary::from_sums(arm.sum, arm.squares?, arm.count);
        log_ratio_from_summaries(summary(canary)?, summary(stable)?)
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
        let alone = self
            .alone
            .estimate()
            .filter(|e| e.blocks >= MIN_MINUTES && e.count >= MIN_ITEMS)?;
        let df = comparison_df(&alone);
        if alone.mean > 0.0 && limit > 0.0 {
            let estimate = Estimate {
                value: (alone.mean / limit).ln(),
                se: alone.se / alone.mean,
                df,
            };
            return Some((estimate.at_least(MIN_SE * MEAN_TAU), MEAN_TAU, true));
        }
        let estimate = Estimate {
            value: alone.mean - limit,
            se: alone.se,
            df,
        };
        let tau = MEAN_TAU * limit.abs();
        Some((estimate.at_least(MIN_SE * tau), tau, false))
    }

    /// The canary's own interval, where there is a limit.
    fn alone(&self, alpha: f64) -> Option<Alone> {
        let limit = self.limit?;
        let (estimate, tau, log) = self.against(limit)?;
        let (lower, upper) = estimate.confidence_sequence(alpha, tau);
        let (lower, upper) = interval::told(estimate.value, (lower, upper), log, tau)?;
        let back = |v: f64| if log { limit * v.exp() } else { limit + v };
        Some(Alone {
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

    /// What the evidence says now.
    pub fn reading(&self, alpha: f64) -> Reading {
        let (canary, stable, alone) = (
            self.canary.estimate(),
            self.stable.estimate(),
            self.alone.estimate(),
        );
        let comparison = self.comparison();
        let arm = |estimate: Option<MeanEstimate>| ArmSummary {
            value: estimate.map(|e| e.mean),
            events: None,
            exposure: Some(estimate.map_or(0.0, |e| e.count)),
            series: None,
        };
        let back = |v: f64, log: bool| if log { v.exp() } else { v };
        let interval = comparison.and_then(|c| {
            let ends = c.estimate.confidence_sequence(alpha, c.tau);
            Some((interval::told(c.estimate.value, ends, c.log, c.tau)?, c.log))
        });
        let harm = self.harms.get(self.running.strongest()).copied();
        let bounds = |harm: &Harm| comparison.map(|c| harm.bounds(c.stable, c.log));
        let (fail_at, pass_at) = harm.as_ref().and_then(bounds).unwrap_or((None, None));
        let meaningless = |h| bounds(h).is_some_and(|(_, pass)| pass.is_none());
        let unmeasured = self.harms.iter().any(meaningless);
        let at_bottom = comparison.is_some() && !unmeasured && fail_at.is_none();
        // where no margin has a meaning there is nothing to plan for
        let planned = comparison.filter(|_| !unmeasured);
        let filled = canary.map_or(0, |e| e.filled);
        let over_limit = alone.zip(self.limit).is_some_and(|(e, limit)| {
            if self.ceiling() {
                e.mean > limit
            } else {
                e.mean < limit
            }
        });
        Reading {
            method: if self.with_squares().is_some() {
                "mean-with-variance"
            } else {
                "block-mean-ratio"
            }
            .to_owned(),
            running: self.running,
            gate: Gate {
                seen: u64::from(filled),
                needed: 3,
                of: "minutes with canary items",
            },
            canary: arm(canary.or(alone)),
            stable: arm(stable),
            effect: Effect {
                estimate: comparison.map(|c| back(c.estimate.value, c.log)),
                lower: interval.map(|((low, _), log)| back(low, log)),
                upper: interval.map(|((_, high), log)| back(high, log)),
                relative: canary
                    .zip(stable)
                    .map(|(c, s)| c.mean / s.mean - 1.0)
                    .filter(|r| r.is_finite()),
                scale: None,
            },
            boundary: comparison.and_then(|c| Some(back(fail_at?, c.log))),
            unmeasured,
            points: None,
            scale: Scale::of(comparison.is_none_or(|c| c.log)),
            upwards: harm.is_none_or(|harm| harm.higher_is_worse),
            dispersion: None,
            pod_spread: None,
            blocks: self.data_blocks,
            trials: Some(alone.map_or(0.0, |e| e.count)),
            compared: self.compared,
            apart: matches!(self.seen, [c, s, 0] if c.min(s) >= APART),
            at_bottom,
            nothing_to_lose: false,
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
                estimate: planned.map(|c| c.estimate.value),
                fail_at: fail_at.unwrap_or(0.0),
                pass_at: pass_at.unwrap_or(0.0),
                tau: comparison.map_or(MEAN_TAU, |c| c.tau),
                least_seconds: f64::from(
                    MIN_MINUTES.saturating_sub(canary.map_or(0, |e| e.blocks)),
                ) * self.minutes.seconds(),
                ahead: [None; 2],
                pair_seconds: 0.0,
            },
        }
    }
}

/// An estimate of canary against stable and the scale it lives on.
#[derive(Clone, Copy)]
struct Comparison {
    estimate: Estimate,
    log: bool,
    stable: f64,
    tau: f64,
}

fn add(total: &mut SumCount, more: Option<SumCount>) {
    if let Some(more) = more {
        let first = total.count == 0.0 && total.sum == 0.0 && total.squares.is_none();
        total.squares = match (total.squares, more.squares) {
            (Some(a), Some(b)) => Some(a + b),
            (None, b) if first => b,
            _ => None,
        };
        total.sum += more.sum;
        total.count += more.count;
    }
}
