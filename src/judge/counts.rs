//! Events out of trials: the conditional binomial mixture (A) averaged with the stratified rate ratio (B1).

mod reading;

pub use reading::apart;

use super::{
    harm::{Harm, SignedMargin},
    limit::LimitBet,
    memo::Memo,
    noticed::Blur,
    onset::Onset,
    reading::TrailPoint,
    running::Running,
};
use crate::{
    evidence::{Counts, PodCount},
    policy::{Indicator, Objective},
    stats::{
        BinomialProcess,
        dispersion::{Dispersion, PodSpread},
        ratio_cs::RatioSums,
        special::log_mean_exp,
        stratified::StratifiedRatio,
        two_arm::{self, Reference, boundary_ratio, two_arm_block},
    },
};

/// B1 needs this many blocks; before them it bets nothing.
pub const B1_BLOCKS: u32 = 5;
/// Prior scale of B1 on the log ratio.
pub const B1_TAU: f64 = 1.0;
/// Above this look-back rate a proportion is judged by its complement.
const COMPLEMENT_ABOVE: f64 = 0.7;
/// Dispersion from stable pods needs blocks with two of them.
pub const POD_BLOCKS: u64 = 5;
/// Dispersion is at least this where stable pods cannot tell it.
const LONE_POD_PHI: f64 = 1.5;
/// What it is taken for before the blocks have told it, and how many of them outweigh that.
const UNTOLD_PHI: f64 = 9.0;
const UNTOLD_BLOCKS: f64 = 10.0;
/// The spread between pods counts once each has this many events on average.
const SPREAD_EVENTS: f64 = 50.0;
/// Look-back trials before the complement may be chosen.
const REFERENCE_TRIALS: f64 = 100.0;

/// One direction of harm with its two processes.
#[derive(Debug, Clone)]
struct Bet {
    harm: Harm,
    fail: BinomialProcess,
    pass: BinomialProcess,
    /// Present boundaries of FAIL and PASS, as ratios.
    boundary: f64,
    pass_boundary: f64,
    /// That of FAIL without the spread between pods.
    plain: f64,
}

/// The mean of `1 / sqrt(canary pods)` over the blocks, weighed as B1 weighs them: what the spread between pods does to an
/// estimate over all of them. A scale-up does not sharpen what one pod has shown.
#[derive(Debug, Clone, Copy, Default)]
struct Widths {
    sum: f64,
    weight: f64,
}

impl Widths {
    fn push(&mut self, block: CountBlock, canary_pods: usize) {
        if block.usable() {
            let weight = block.n_c * block.n_s / (block.n_c + block.n_s);
            self.sum += weight / (canary_pods.max(1) as f64).sqrt();
            self.weight += weight;
        }
    }

    fn mean(self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            1.0
        }
    }
}

/// Counts of one block, canary and stable.
pub type CountBlock = two_arm::Counts;

/// The evidence of a count objective, folded block by block.
#[derive(Debug, Clone)]
pub struct CountState {
    proportion: bool,
    limit_value: Option<f64>,
    harms: Vec<Harm>,
    complement: bool,
    bets: Vec<Bet>,
    limit: Option<LimitBet>,
    reference: Reference,
    dispersion: Dispersion,
    pod_blocks: u64,
    spread: PodSpread,
    onset: Onset,
    b1: StratifiedRatio,
    running: Running,
    blocks: Vec<CountBlock>,
    trail: Vec<TrailPoint>,
    look_back: Vec<Vec<PodCount>>,
    begun: bool,
    event_blocks: u64,
    /// Blocks in which some canary trial was no event: of a complement, blocks with events.
    missed_blocks: u64,
    trial_blocks: u64,
    data_blocks: u64,
    last_canary: Option<i64>,
    canary_pods: usize,
    widths: Widths,
    ratio: RatioSums,
    memo: Memo,
}

impl CountState {
    /// An empty state for an error ratio or a ratio.
    pub fn new(objective: &Objective, onset: Onset) -> Self {
        Self {
            proportion: matches!(objective.indicator, Indicator::ErrorRatio { .. }),
            limit_value: objective.limit,
            harms: Harm::of(objective),
            complement: false,
            bets: Vec::new(),
            limit: None,
            reference: Reference::default(),
            dispersion: Dispersion::default(),
            pod_blocks: 0,
            spread: PodSpread::default(),
            onset,
            b1: StratifiedRatio::default(),
            running: Running::default(),
            blocks: Vec::new(),
            trail: Vec::new(),
            look_back: Vec::new(),
            begun: false,
            event_blocks: 0,
            missed_blocks: 0,
            trial_blocks: 0,
            data_blocks: 0,
            last_canary: None,
            canary_pods: 0,
            widths: Widths::default(),
            ratio: RatioSums::default(),
            memo: Memo::default(),
        }
    }

    /// Takes in the next closed block.
    pub fn fold(&mut self, index: i64, block: &Counts) {
        self.memo.forget();
        if index < 0 {
            self.look_back.push(block.stable.clone());
            return;
        }
        if !self.begun {
            self.begin();
        }
        let canary = sum(self.turned(&block.canary));
        let stable_pods: Vec<(f64, f64)> = self.turned(&block.stable).collect();
        let stable = sum(stable_pods.iter().copied());
        self.weigh_pods(&stable_pods);
        self.look(index, block.canary.len(), canary, stable);
        self.reference.push(stable.0, stable.1);
    }

    /// Fixes the frame at the canary's start, from the look-back alone, and takes the look-back in.
    fn begin(&mut self) {
        self.begun = true;
        let look_back = std::mem::take(&mut self.look_back);
        let (events, trials) = sum(look_back
            .iter()
            .flatten()
            .map(|pod| (pod.events, pod.trials)));
        self.complement =
            trials >= REFERENCE_TRIALS && events <= trials && events / trials > COMPLEMENT_ABOVE;
        if self.complement {
            self.harms = self
                .harms
                .iter()
                .map(|harm| harm.on_complement(events / trials))
                .collect();
        }
        for pods in &look_back {
            let turned: Vec<(f64, f64)> = self.turned(pods).collect();
            self.weigh_pods(&turned);
            for (pod, (events, trials)) in pods.iter().zip(&turned) {
                self.spread.add(pod.pod as usize, *events, *trials);
            }
            let (events, trials) = sum(turned.into_iter());
            self.reference.push(events, trials);
        }
        self.bets = self
            .harms
            .iter()
            .map(|&harm| Bet {
                harm,
                fail: BinomialProcess::new(harm.fail_side()),
                pass: BinomialProcess::new(harm.pass_side()),
                boundary: 1.0,
                pass_boundary: 1.0,
                plain: 1.0,
            })
            .collect();
        let higher = self.harms.first().is_none_or(|harm| harm.higher_is_worse);
        self.limit = self.limit_value.map(|limit| {
            let limit = if self.complement { 1.0 - limit } else { limit };
            LimitBet::on_rate(limit, higher, self.proportion || self.complement)
        });
    }

    fn turned(&self, pods: &[PodCount]) -> impl Iterator<Item = (f64, f64)> {
        let complement = self.complement;
        pods.iter().map(move |pod| {
            (
                if complement {
                    (pod.trials - pod.events).max(0.0)
                } else {
                    pod.events
                },
                pod.trials,
            )
        })
    }

    fn weigh_pods(&mut self, stable: &[(f64, f64)]) {
        self.pod_blocks += u64::from(stable.iter().filter(|pod| pod.1 > 0.0).count() >= 2);
        self.dispersion.push(stable);
    }

    fn look(&mut self, index: i64, canary_pods: usize, canary: (f64, f64), stable: (f64, f64)) {
        let block = CountBlock {
            x_c: canary.0,
            n_c: canary.1,
            x_s: stable.0,
            n_s: stable.1,
        };
        if canary_pods > 0 {
            self.last_canary = Some(index);
            self.data_blocks += 1;
            self.canary_pods = canary_pods;
        }
        self.event_blocks += u64::from(block.x_c > 0.0);
        self.missed_blocks += u64::from(block.n_c > block.x_c);
        self.trial_blocks += u64::from(block.n_c > 0.0);
        if let Some(weight) = self.onset.open_before(index) {
            for bet in &mut self.bets {
                bet.fail.open(weight);
                bet.pass.open(weight);
            }
            if let Some(limit) = &mut self.limit {
                limit.open(weight);
            }
        }
        self.onset.after(block.n_c, block.n_s);
        let p = self.reference.rate();
        self.b1.push(block.x_c, block.n_c, block.x_s, block.n_s);
        let phi = self.phi();
        let tempered = tempered(self.pod_blocks, &self.b1);
        let spread = self.pod_spread();
        self.widths.push(block, self.canary_pods);
        let past_spread = spread.map(|tau| tau * self.widths.mean());
        let (mut fails, mut passes) = (Vec::with_capacity(2), Vec::with_capacity(2));
        for bet in &mut self.bets {
            let plain = ratio_of(p, bet.harm.fail);
            let ratio = spread.map_or(plain, |tau| bet.harm.widen(plain, tau, self.canary_pods));
            let pass_ratio = ratio_of(p, bet.harm.pass);
            for (process, side, ratio, margin) in [
                (&mut bet.fail, bet.harm.fail_side(), ratio, bet.harm.fail),
                (
                    &mut bet.pass,
                    bet.harm.pass_side(),
                    pass_ratio,
                    bet.harm.pass,
                ),
            ] {
                if let Some(step) =
                    two_arm_block(side, p, ratio, margin.relative, margin.absolute, block)
                {
                    process.push(step);
                }
            }
            let b1 = |side, ratio| {
                if self.b1.blocks() >= B1_BLOCKS {
                    self.b1.log_e(side, ratio, B1_TAU)
                } else {
                    0.0
                }
            };
            // B1 holds the past too, when fewer canary pods may have been judged
            let whole = past_spread.map_or(plain, |spread| bet.harm.widen(plain, spread, 1));
            let a = |process: &BinomialProcess| if tempered { process.log_e(phi) } else { 0.0 };
            let fail = log_mean_exp(&[a(&bet.fail), b1(bet.harm.fail_side(), whole)]);
            fails.push(fail);
            passes.push(log_mean_exp(&[
                a(&bet.pass),
                b1(bet.harm.pass_side(), pass_ratio),
            ]));
            (bet.boundary, bet.pass_boundary, bet.plain) = (ratio, pass_ratio, plain);
        }
        let limit = self.limit.as_mut().map(|limit| {
            limit.push(block.x_c, block.n_c);
            limit.log_e(phi)
        });
        self.running.look(&fails, limit, &passes);
        self.ratio.push(&block);
        self.blocks.push(block);
        let shown = |x, n| self.shown(x, n);
        let point = TrailPoint {
            index,
            canary: shown(block.x_c, block.n_c),
            stable: shown(block.x_s, block.n_s),
            log_e_fail: self.running.fail,
            log_e_pass: self.running.pass,
        };
        self.trail.push(point);
    }

    /// Dispersion from the stable pods; where there are fewer than two, from the canary's own blocks.
    pub fn phi(&self) -> f64 {
        if self.pod_blocks >= POD_BLOCKS {
            return self.dispersion.phi();
        }
        lone_pod_phi(&self.b1)
    }

    fn pod_spread(&self) -> Option<f64> {
        told_spread(&self.spread, &self.dispersion)
    }

    /// What the spread between pods does to the boundary of FAIL.
    pub fn blur(&self) -> Option<Blur> {
        let bet = self.bets.get(self.running.strongest())?;
        Some(Blur {
            spread: self.pod_spread()?,
            pods: self.canary_pods,
            plain: bet.plain,
            used: bet.boundary,
        })
    }

    fn shown(&self, x: f64, n: f64) -> Option<f64> {
        (n > 0.0).then(|| if self.complement { 1.0 - x / n } else { x / n })
    }

    /// Requests of both arms per block since the canary's start, for the check of the traffic split.
    pub fn blocks(&self) -> &[CountBlock] {
        &self.blocks
    }

    /// Does the exposure count requests (an error ratio's total does; a KPI's denominator need not)?
    pub fn counts_requests(&self) -> bool {
        self.proportion
    }

    /// Number of the last block with canary data.
    pub fn last_canary(&self) -> Option<i64> {
        self.last_canary
    }

    /// The history for charts.
    pub fn trail(&self) -> &[TrailPoint] {
        &self.trail
    }

    /// The directions of harm, as they are on what is counted.
    pub fn harms(&self) -> &[Harm] {
        &self.harms
    }

    /// Is the complement judged (a proportion near 1)?
    pub fn complement(&self) -> bool {
        self.complement
    }

    /// The difference of rates at which harm begins where stable's rate is `rate`, the spread between pods included; of two
    /// directions the one with the stronger evidence.
    pub fn margin_at(&self, rate: f64) -> Option<f64> {
        let harm = self.bets.get(self.running.strongest())?.harm;
        let written = harm.fail.relative * rate + harm.fail.absolute;
        let spread = self.pod_spread();
        let spread = spread.map_or(1.0, |tau| harm.widen(1.0, tau, self.canary_pods));
        let apart = (spread - 1.0) * rate;
        Some(if harm.higher_is_worse {
            written.max(apart)
        } else {
            written.min(apart)
        })
    }

    /// The confidence sequence of the ratio.
    pub fn limits(&self, alpha: f64) -> (f64, f64) {
        let make = || {
            self.ratio
                .limits(&self.blocks, self.phi(), alpha, CS_TOLERANCE)
        };
        self.memo.limits(alpha, make)
    }

    fn limit_is_ceiling(&self) -> bool {
        let higher = self.harms.first().is_none_or(|harm| harm.higher_is_worse);
        higher != self.complement
    }
}

/// Tolerance of the confidence sequence in ln r: four digits are more than a sentence shows.
pub const CS_TOLERANCE: f64 = 1e-4;

/// Is there anything to temper A with? Without two stable pods the split of a handful of blocks between the arms is not
/// enough: one cluster of errors on the canary would stay a fail.
pub fn tempered(pod_blocks: u64, b1: &StratifiedRatio) -> bool {
    pod_blocks >= POD_BLOCKS || b1.blocks() >= B1_BLOCKS
}

/// Dispersion where stable pods cannot tell it: from the residuals of the blocks, which for a start are outweighed by what
/// strong clusters have; at least 1.5. Where nothing is compared at all only a limit asks.
pub fn lone_pod_phi(b1: &StratifiedRatio) -> f64 {
    let blocks = f64::from(b1.blocks());
    if blocks <= 0.0 {
        return LONE_POD_PHI;
    }
    let seen = b1.dispersion().filter(|phi| phi.is_finite());
    let seen = seen.map_or(1.0, |phi| phi.max(1.0));
    let phi = (blocks * seen + UNTOLD_BLOCKS * UNTOLD_PHI) / (blocks + UNTOLD_BLOCKS);
    phi.max(LONE_POD_PHI)
}

/// The spread between stable pods, once each has events enough to tell it. Pods that differ more than by this many powers
/// of e tell nothing of each other, and a margin must stay a number.
pub fn told_spread(spread: &PodSpread, dispersion: &Dispersion) -> Option<f64> {
    const MOST: f64 = 10.0;
    (spread.mean_events() >= SPREAD_EVENTS).then(|| spread.tau(dispersion.phi()).min(MOST))
}

fn ratio_of(p: f64, margin: SignedMargin) -> f64 {
    boundary_ratio(p, margin.relative, margin.absolute)
}

fn sum(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    pairs.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
}
