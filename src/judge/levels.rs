//! Levels (gauges, results of a query): paired differences of minute averages with an allowance for memory (B4).

use super::{
    harm::Harm,
    interval,
    minutes::Minutes,
    projection::{Bounds, MIN_PAIRS, Projection},
    reading::{Alone, Gate, Information, Reading, Scale, TrailPoint},
    running::Running,
};
use crate::{
    domain::{ArmSummary, Effect},
    evidence::Gauges,
    policy::Objective,
    stats::{
        Side,
        paired_gauge::{
            GAUGE_TAU, PairedEstimate, log_differences, paired_estimate, plain_differences,
        },
    },
};

/// Minutes before the comparison counts.
const MIN_MINUTES: usize = 10;

/// Minutes of each arm without one in common that are no chance.
const APART: usize = 3;

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
    stable_minutes: usize,
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
            stable_minutes: 0,
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
        self.stable_minutes += usize::from(stable.is_some());
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
            let (fail, pass) =
                comparison.map_or((None, None), |c| harm.bounds(c.stable, c.scatter.log));
            let log_e = |side, at: Option<f64>| {
                let known = comparison.zip(at);
                known.map_or(0.0, |(c, at)| {
                    c.scatter.estimate().log_e(side, at, c.scatter.tau)
                })
            };
            fails.push(log_e(harm.fail_side(), fail));
            passes.push(log_e(harm.pass_side(), pass));
        }
        let limit = self.limit.map(|limit| self.limit_log_e(limit));
        self.running.look(&fails, limit, &passes);
    }

    /// The comparison, once it counts.
    fn comparison(&self) -> Option<Comparison> {
        self.compare().filter(|_| self.canary.len() >= MIN_MINUTES)
    }

    /// The comparison so far.
    fn compare(&self) -> Option<Comparison> {
        let stable = mean(&self.stable);
        let logs = log_differences(&self.canary, &self.stable);
        if logs.len() == self.canary.len() {
            let raw = paired_estimate(&logs)?;
            return Some(Comparison {
                scatter: Scatter::on_logs(raw),
                stable,
            });
        }
        let raw = paired_estimate(&plain_differences(&self.canary, &self.stable))?;
        let absolute = self
            .harms
            .first()
            .map_or(0.0, |harm| harm.pass.absolute.abs());
        let zero = self.canary.iter().chain(&self.stable).all(|v| *v == 0.0);
        if zero && absolute == 0.0 {
            // 0 against 0 is no change: a ratio of 1
            return Some(Comparison {
                scatter: Scatter::on_logs(raw),
                stable,
            });
        }
        // the scale of a level around zero: its size or what the author calls much, else how much it varies, else its change
        let scale = [stable.abs().max(absolute), raw.sd, raw.mean.abs()];
        let size = scale.into_iter().find(|s| *s > 0.0).unwrap_or(0.0);
        Some(Comparison {
            scatter: Scatter::plain(raw, GAUGE_TAU * size),
            stable,
        })
    }

    fn limit_log_e(&self, limit: f64) -> f64 {
        let counts = |_: &Scatter| self.alone.len() >= MIN_MINUTES;
        let against = self.against(limit).filter(counts);
        against.map_or(0.0, |s| s.estimate().log_e(self.limit_side(), 0.0, s.tau))
    }

    fn limit_side(&self) -> Side {
        if self.ceiling() {
            Side::Greater
        } else {
            Side::Less
        }
    }

    /// The canary's distance from the limit so far.
    fn against(&self, limit: f64) -> Option<Scatter> {
        let limits = vec![limit; self.alone.len()];
        let logs = log_differences(&self.alone, &limits);
        if logs.len() == self.alone.len() {
            return Some(Scatter::on_logs(paired_estimate(&logs)?));
        }
        let raw = paired_estimate(&plain_differences(&self.alone, &limits))?;
        Some(Scatter::plain(raw, GAUGE_TAU * limit.abs()))
    }

    /// How the evidence of the comparison and that of the limit go on.
    fn ahead(&self) -> [Option<Projection>; 2] {
        let enough = |scatter: &Scatter| scatter.raw.pairs >= MIN_PAIRS && scatter.tau > 0.0;
        let parts = if self.limit.is_some() { 2.0 } else { 1.0 };
        let comparison = self.compare().filter(|c| enough(&c.scatter)).and_then(|c| {
            let mut bounds = [None; 2];
            for (slot, harm) in bounds.iter_mut().zip(&self.harms) {
                let (fail, pass) = harm.bounds(c.stable, c.scatter.log);
                let side = harm.fail_side();
                *slot = Some(Bounds { side, fail, pass });
            }
            let set = || bounds.iter().flatten();
            let decidable =
                set().any(|b| b.fail.is_some()) || set().all(|b: &Bounds| b.pass.is_some());
            let shared = (parts * self.harms.len() as f64).ln();
            decidable.then(|| c.scatter.ahead(bounds, shared))
        });
        let limit = self.limit.and_then(|limit| self.against(limit));
        let limit = limit.filter(enough).map(|scatter| {
            let bound = Bounds {
                side: self.limit_side(),
                fail: Some(0.0),
                pass: None,
            };
            scatter.ahead([Some(bound), None], parts.ln())
        });
        [comparison, limit]
    }

    /// The canary's own interval, where there is a limit.
    fn alone(&self, alpha: f64) -> Option<Alone> {
        let limit = self.limit?;
        let against = self.against(limit)?;
        let (lower, upper) = against.interval(alpha)?;
        let counts = self.alone.len() >= MIN_MINUTES;
        let back = |v: f64| {
            if against.log {
                limit * v.exp()
            } else {
                limit + v
            }
        };
        counts.then(|| Alone {
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
        let interval = comparison.and_then(|c| Some((c.scatter.interval(alpha)?, c.scatter.log)));
        let harm = self.harms.get(self.running.strongest()).copied();
        let bounds = |harm: &Harm| comparison.map(|c| harm.bounds(c.stable, c.scatter.log));
        let (fail_at, pass_at) = harm.as_ref().and_then(bounds).unwrap_or((None, None));
        let meaningless = |h| bounds(h).is_some_and(|(_, pass)| pass.is_none());
        let unmeasured = self.harms.iter().any(meaningless);
        let at_bottom = comparison.is_some() && !unmeasured && fail_at.is_none();
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
                estimate: comparison.map(|c| back(c.scatter.raw.mean, c.scatter.log)),
                lower: interval.map(|((low, _), log)| back(low, log)),
                upper: interval.map(|((_, high), log)| back(high, log)),
                relative: canary.change_from(&stable),
                scale: None,
            },
            boundary: comparison.and_then(|c| Some(back(fail_at?, c.scatter.log))),
            unmeasured,
            points: None,
            scale: Scale::of(comparison.is_none_or(|c| c.scatter.log)),
            upwards: harm.is_none_or(|harm| harm.higher_is_worse),
            dispersion: comparison.map(|c| c.scatter.estimate().inflation),
            pod_spread: None,
            blocks: self.data_blocks,
            trials: None,
            compared: self.compared,
            apart: self.canary.is_empty() && self.alone.len().min(self.stable_minutes) >= APART,
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
                se: planned
                    .map(|c| c.scatter.estimate().se)
                    .filter(|se| se.is_finite()),
                estimate: planned.map(|c| c.scatter.raw.mean),
                fail_at: fail_at.unwrap_or(0.0),
                pass_at: pass_at.unwrap_or(0.0),
                tau: comparison.map_or(GAUGE_TAU, |c| c.scatter.tau),
                least_seconds: MIN_MINUTES.saturating_sub(self.canary.len()) as f64
                    * self.minutes.seconds(),
                ahead: self.ahead(),
                pair_seconds: self.minutes.seconds(),
            },
        }
    }
}

/// Differences, how they scatter, and on which scale.
#[derive(Clone, Copy)]
struct Scatter {
    raw: PairedEstimate,
    log: bool,
    floor: f64,
    tau: f64,
}

impl Scatter {
    fn on_logs(raw: PairedEstimate) -> Self {
        Self {
            raw,
            log: true,
            floor: MIN_SE * GAUGE_TAU,
            tau: GAUGE_TAU,
        }
    }

    fn plain(raw: PairedEstimate, tau: f64) -> Self {
        Self {
            raw,
            log: false,
            floor: MIN_SE * tau,
            tau,
        }
    }

    fn estimate(&self) -> PairedEstimate {
        self.raw.at_least(self.floor)
    }

    /// The confidence sequence, where it can be told.
    fn interval(&self, alpha: f64) -> Option<(f64, f64)> {
        let ends = self.estimate().as_estimate();
        let ends = ends.confidence_sequence(alpha, self.tau);
        interval::told(self.raw.mean, ends, self.log, self.tau)
    }

    fn ahead(&self, bounds: [Option<Bounds>; 2], shared: f64) -> Projection {
        Projection {
            estimate: self.raw,
            floor: self.floor,
            tau: self.tau,
            bounds,
            shared,
            least: MIN_MINUTES,
        }
    }
}

/// Canary against stable.
#[derive(Clone, Copy)]
struct Comparison {
    scatter: Scatter,
    stable: f64,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1) as f64)
}
