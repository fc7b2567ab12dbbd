//! A quantile from buckets: not compared as a number, but as "how many requests are slower than a bucket edge".

use super::{
    counts::{
        B1_TAU, CS_TOLERANCE, CountBlock, POD_BLOCKS, apart, lone_pod_phi, tempered, told_spread,
    },
    harm::Harm,
    interval,
    limit::LimitBet,
    memo::Memo,
    noticed::Blur,
    onset::Onset,
    pooled::{Place, Pooled, exceedances},
    reading::{Alone, Gate, Information, Reading, Scale, TrailPoint},
    running::Running,
};
use crate::{
    domain::{ArmSummary, Effect},
    evidence::{Histograms, PodHistogram},
    policy::Objective,
    stats::{
        BinomialBlock, BinomialProcess, Side,
        dispersion::{Dispersion, PodSpread},
        exceedance::{choose_edges, exceedance_ratio},
        histogram::quantile,
        ratio_cs::RatioSums,
        special::log_mean_exp,
        stratified::StratifiedRatio,
        two_arm::conditional_share,
    },
};

/// The reference needs this many observations before an edge is chosen.
const MIN_REFERENCE: f64 = 100.0;
/// The evidence of a quantile objective, folded block by block.
#[derive(Debug, Clone)]
pub struct QuantileState {
    quantile: f64,
    limit_value: Option<f64>,
    harm: Option<Harm>,
    reference: Pooled,
    canary: Pooled,
    stable: Pooled,
    /// Both arms again, of blocks in which both had requests: what is compared.
    beside: [Pooled; 2],
    tracks: [BinomialProcess; 2],
    pass: BinomialProcess,
    limit: Option<LimitBet>,
    dispersion: Dispersion,
    pod_blocks: u64,
    spread: PodSpread,
    onset: Onset,
    b1: StratifiedRatio,
    running: Running,
    counts: Vec<CountBlock>,
    trail: Vec<TrailPoint>,
    edge: Option<f64>,
    /// The edge of each block.
    edges: Vec<Option<f64>>,
    boundary: f64,
    pass_boundary: f64,
    /// That of FAIL without the spread between pods.
    plain: f64,
    event_blocks: u64,
    /// Blocks with canary requests beyond the limit.
    limit_blocks: u64,
    /// The edge that stands for the limit.
    limit_edge: Option<f64>,
    data_blocks: u64,
    last_canary: Option<i64>,
    canary_pods: usize,
    ratio: RatioSums,
    memo: Memo,
}

/// An edge with the margin on time turned into a margin on exceedance.
struct Track {
    edge: f64,
    ratio: f64,
}

impl QuantileState {
    /// An empty state.
    pub fn new(objective: &Objective, quantile: f64, onset: Onset) -> Self {
        let process = || BinomialProcess::new(Side::Greater);
        Self {
            quantile,
            limit_value: objective.limit,
            harm: Harm::of(objective).first().copied(),
            reference: Pooled::default(),
            canary: Pooled::default(),
            stable: Pooled::default(),
            beside: [Pooled::default(), Pooled::default()],
            tracks: [process(), process()],
            pass: BinomialProcess::new(Side::Less),
            limit: objective
                .limit
                .map(|_| LimitBet::on_rate(1.0 - quantile, true, true)),
            dispersion: Dispersion::default(),
            pod_blocks: 0,
            spread: PodSpread::default(),
            onset,
            b1: StratifiedRatio::default(),
            running: Running::default(),
            counts: Vec::new(),
            trail: Vec::new(),
            edge: None,
            edges: Vec::new(),
            boundary: 1.0,
            pass_boundary: 1.0,
            plain: 1.0,
            event_blocks: 0,
            limit_blocks: 0,
            limit_edge: None,
            data_blocks: 0,
            last_canary: None,
            canary_pods: 0,
            ratio: RatioSums::default(),
            memo: Memo::default(),
        }
    }

    /// Takes in the next closed block. Edges and margins come from earlier blocks only.
    pub fn fold(&mut self, index: i64, block: &Histograms) {
        self.memo.forget();
        let fail = self.track(|harm| (harm.fail.relative, harm.fail.absolute));
        if let Some([first, _]) = &fail {
            let pods: Vec<(f64, f64)> = block
                .stable
                .iter()
                .map(|pod| exceedances(&block.edges, pod, first.edge))
                .collect();
            self.pod_blocks += u64::from(pods.iter().filter(|pod| pod.1 > 0.0).count() >= 2);
            self.dispersion.push(&pods);
            if index < 0 {
                for (pod, (above, all)) in block.stable.iter().zip(&pods) {
                    self.spread.add(pod.pod as usize, *above, *all);
                }
            }
        }
        if index >= 0 {
            self.look(index, block, fail);
        }
        self.reference.add(block, &block.stable);
    }

    /// The two edges around the reference quantile stretched by a margin.
    fn track(&self, margin: impl Fn(&Harm) -> (f64, f64)) -> Option<[Track; 2]> {
        let (edges, cumulative) = (&self.reference.edges, &self.reference.cumulative);
        if self.reference.total() < MIN_REFERENCE {
            return None;
        }
        let (relative, absolute) = self.harm.as_ref().map(margin)?;
        let reference = quantile(edges, cumulative, self.quantile)?;
        let stretch = if absolute > 0.0 && reference > 0.0 {
            relative + absolute / reference
        } else {
            relative
        };
        let choice = choose_edges(edges, cumulative, self.quantile, stretch)?;
        let track = |edge| Track {
            edge,
            ratio: exceedance_ratio(edges, cumulative, edge, stretch),
        };
        Some([track(choice.edge1), track(choice.edge2)])
    }

    fn look(&mut self, index: i64, block: &Histograms, fail: Option<[Track; 2]>) {
        if !block.canary.is_empty() {
            self.last_canary = Some(index);
            self.data_blocks += 1;
            self.canary_pods = block.canary.len();
        }
        self.open_starts(index);
        let limit_edge = self.limit_edge(block);
        let all = |pods: &[PodHistogram]| {
            pods.iter()
                .filter_map(|pod| pod.cumulative.last())
                .sum::<f64>()
        };
        let (n_c, n_s) = (all(&block.canary), all(&block.stable));
        self.onset.after(n_c, n_s);
        let spread = self.pod_spread();
        let above = |pods: &[PodHistogram], edge| {
            pods.iter()
                .map(|pod| exceedances(&block.edges, pod, edge).0)
                .sum::<f64>()
        };
        if let (Some(fail), Some([pass, _]), Some(harm)) = (
            fail,
            self.track(|harm| (harm.pass.relative, harm.pass.absolute)),
            self.harm,
        ) {
            for (process, track) in self.tracks.iter_mut().zip(&fail) {
                let ratio = spread.map_or(track.ratio, |tau| {
                    harm.widen(track.ratio, tau, self.canary_pods)
                });
                push(
                    process,
                    ratio,
                    above(&block.canary, track.edge),
                    n_c,
                    above(&block.stable, track.edge),
                    n_s,
                );
            }
            push(
                &mut self.pass,
                pass.ratio,
                above(&block.canary, pass.edge),
                n_c,
                above(&block.stable, pass.edge),
                n_s,
            );
            let [first, _] = fail;
            let count = CountBlock {
                x_c: above(&block.canary, first.edge),
                n_c,
                x_s: above(&block.stable, first.edge),
                n_s,
            };
            self.event_blocks += u64::from(count.x_c > 0.0);
            self.b1.push(count.x_c, count.n_c, count.x_s, count.n_s);
            self.ratio.push(&count);
            self.counts.push(count);
            self.boundary = spread.map_or(first.ratio, |tau| {
                harm.widen(first.ratio, tau, self.canary_pods)
            });
            self.pass_boundary = pass.ratio;
            self.plain = first.ratio;
            self.edge = Some(first.edge);
            self.edges.push(self.edge);
        } else {
            self.edges.push(None);
            self.counts.push(CountBlock {
                x_c: 0.0,
                n_c,
                x_s: 0.0,
                n_s,
            });
        }
        let phi = self.phi();
        let limit = self.limit.as_mut().map(|limit| {
            if let Some(edge) = limit_edge {
                self.limit_edge = Some(edge);
                let beyond = above(&block.canary, edge);
                self.limit_blocks += u64::from(beyond > 0.0);
                limit.push(beyond, n_c);
            }
            limit.log_e(phi)
        });
        let tempered = tempered(self.pod_blocks, &self.b1);
        let log_e = |process: &BinomialProcess| if tempered { process.log_e(phi) } else { 0.0 };
        let fail = log_mean_exp(&self.tracks.each_ref().map(log_e));
        self.running.look(&[fail], limit, &[log_e(&self.pass)]);
        self.canary.add(block, &block.canary);
        self.stable.add(block, &block.stable);
        if n_c > 0.0 && n_s > 0.0 {
            let [canary, stable] = &mut self.beside;
            canary.add(block, &block.canary);
            stable.add(block, &block.stable);
        }
        let value = |pods: &[PodHistogram]| {
            let mut pooled = Pooled::default();
            pooled.add(block, pods);
            pooled.quantile(self.quantile).and_then(Place::value)
        };
        self.trail.push(TrailPoint {
            index,
            canary: value(&block.canary),
            stable: value(&block.stable),
            log_e_fail: self.running.fail,
            log_e_pass: self.running.pass,
        });
    }

    /// Opens the starts that are due.
    fn open_starts(&mut self, index: i64) {
        if let Some(weight) = self.onset.open_before(index) {
            self.tracks.iter_mut().for_each(|track| track.open(weight));
            self.pass.open(weight);
            if let Some(limit) = &mut self.limit {
                limit.open(weight);
            }
        }
    }

    /// The smallest edge at or above the limit: what lies above it has broken the limit, in any layout of buckets. Fixed
    /// buckets are taken as the block has them; where empty ones are left out, as the past has shown them.
    fn limit_edge(&self, block: &Histograms) -> Option<f64> {
        let limit = self.limit_value?;
        let known = if block.sparse && !self.reference.edges.is_empty() {
            &self.reference.edges
        } else {
            &block.edges
        };
        known
            .iter()
            .copied()
            .find(|e| e.is_finite() && *e >= limit * (1.0 - 1e-9))
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
        Some(Blur {
            spread: self.pod_spread()?,
            pods: self.canary_pods,
            plain: self.plain,
            used: self.boundary,
        })
    }

    /// Observations of both arms per block since the canary's start.
    pub fn blocks(&self) -> &[CountBlock] {
        &self.counts
    }

    /// Number of the last block with canary data.
    pub fn last_canary(&self) -> Option<i64> {
        self.last_canary
    }

    /// The history for charts.
    pub fn trail(&self) -> &[TrailPoint] {
        &self.trail
    }

    /// The edge at which the requests of each block are counted; none before it could be chosen.
    pub fn edges(&self) -> &[Option<f64>] {
        &self.edges
    }

    /// The edge at which requests are counted now.
    pub fn edge(&self) -> Option<f64> {
        self.edge
    }

    /// The pass margin at the edge, as a ratio of requests above it.
    pub fn pass_boundary(&self) -> f64 {
        self.pass_boundary
    }

    /// All of the canary, compared or not: what a limit is about.
    pub fn whole(&self) -> ArmSummary {
        self.arm(&self.canary)
    }

    /// Canary and stable: in the blocks that are compared, where there are some.
    fn arms(&self) -> [&Pooled; 2] {
        if self.counts.iter().any(CountBlock::usable) {
            self.beside.each_ref()
        } else {
            [&self.canary, &self.stable]
        }
    }

    /// Of canary and stable the largest finite edge, where the quantile lies above it and has no value. `whole`: of all of the
    /// canary, compared or not.
    pub fn above_largest(&self, whole: bool) -> [Option<f64>; 2] {
        let [canary, stable] = self.arms();
        let canary = if whole { &self.canary } else { canary };
        [canary, stable].map(|arm| arm.quantile(self.quantile).and_then(Place::above))
    }

    fn arm(&self, pooled: &Pooled) -> ArmSummary {
        ArmSummary {
            value: pooled.quantile(self.quantile).and_then(Place::value),
            events: self.edge.map(|edge| pooled.above(edge)),
            exposure: Some(pooled.total()),
            series: None,
        }
    }

    /// The confidence sequence of the ratio of exceedances.
    pub fn limits(&self, alpha: f64) -> (f64, f64) {
        let make = || {
            self.ratio
                .limits(&self.counts, self.phi(), alpha, CS_TOLERANCE)
        };
        self.memo.limits(alpha, make)
    }

    /// Requests above the edges of the comparison on canary and stable; none where there are none above the present edge.
    fn events(&self, told: [&ArmSummary; 2]) -> [f64; 2] {
        let counted = self.counts.iter().filter(|block| block.usable());
        let counted = counted.fold([0.0, 0.0], |[c, s], block| [c + block.x_c, s + block.x_s]);
        let [canary, stable] = told.map(|arm| arm.events.unwrap_or_default());
        let [c, s] = counted;
        [c.min(canary), s.min(stable)]
    }

    /// The interval of the share of requests above the limit, where there is one.
    fn alone(&self, alpha: f64, phi: f64) -> Option<Alone> {
        let (lower, upper) = self.limit.as_ref()?.interval(phi, alpha)?;
        Some(Alone {
            lower,
            upper,
            above: Some((self.limit_edge?, 1.0 - self.quantile)),
        })
    }

    /// What the evidence says now.
    pub fn reading(&self, alpha: f64) -> Reading {
        let phi = self.phi();
        let compared = self.counts.iter().any(CountBlock::usable);
        let [canary, stable] = self.arms().map(|pooled| self.arm(pooled));
        let above_largest = self.above_largest(false).iter().any(Option::is_some);
        let edge = self.edge.unwrap_or(f64::INFINITY);
        let estimate = self
            .b1
            .estimate()
            .filter(|_| self.canary.above(edge) + self.stable.above(edge) > 0.0);
        let ratio = estimate.map(|e| e.ratio);
        // counted at the edge where the evidence counts, not by the interpolated value
        let slow = self.limit.as_ref().and_then(LimitBet::share);
        let over_limit = slow.is_some_and(|share| share > 1.0 - self.quantile);
        Reading {
            method: "quantile-exceedance".to_owned(),
            running: self.running,
            gate: Gate {
                seen: self.event_blocks.max(self.limit_blocks),
                needed: 3,
                of: "blocks with slow requests on the canary",
            },
            canary,
            stable,
            effect: Effect {
                relative: canary.change_from(&stable),
                ..interval::of_events(
                    ratio.and_then(|_| self.ratio.estimate(&self.counts)),
                    self.limits(alpha),
                    self.events([&canary, &stable]),
                )
            },
            boundary: compared.then_some(self.boundary),
            unmeasured: false,
            points: None,
            scale: Scale::Ratio,
            upwards: true,
            dispersion: Some(phi),
            pod_spread: self.pod_spread(),
            blocks: self.data_blocks,
            trials: Some(self.canary.total()),
            compared,
            apart: apart(&self.counts),
            at_bottom: false,
            nothing_to_lose: false,
            last_canary: self.last_canary,
            over_limit,
            held_at: self
                .limit_edge
                .filter(|_| !over_limit && canary.value > self.limit_value),
            alone: (over_limit || self.running.over_limit(alpha))
                .then(|| self.alone(alpha, phi))
                .flatten(),
            eventless: false,
            above_largest,
            information: Information {
                se: estimate
                    .filter(|e| e.blocks >= 2)
                    .map(|e| e.se)
                    .filter(|se| se.is_finite()),
                estimate: estimate.map(|e| e.log_ratio).filter(|r| r.is_finite()),
                fail_at: self.boundary.ln(),
                pass_at: self.pass_boundary.ln(),
                tau: B1_TAU,
                least_seconds: 0.0,
                ahead: [None; 2],
                pair_seconds: 0.0,
            },
        }
    }
}

fn push(process: &mut BinomialProcess, ratio: f64, x_c: f64, n_c: f64, x_s: f64, n_s: f64) {
    if n_c > 0.0 && n_s > 0.0 {
        process.push(BinomialBlock {
            x: x_c,
            m: x_c + x_s,
            pi0: conditional_share(ratio, n_c, n_s),
        });
    }
}
