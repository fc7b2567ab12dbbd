//! Has the canary left its own past? Its newest blocks, where stable is gone, against its blocks of before.
//!
//! ```text
//! |---- compared: past ----|-------- alone: earlier --------|-- newest 3, 6, 12 ... or all --|
//! ```
//!
//! Each length is held against the past and against everything before it. No concurrent stable takes out here what all
//! versions share, so the scatter of the blocks before is allowed for, and is taken to last `MEMORY`. A healthy canary is
//! called moved in 0 to 3 % of four-hour runs in most simulated worlds: `ARCHITECTURE.md`, "A canary alone", has the figures.

use super::harm::Harm;
use crate::{
    domain::Millis,
    stats::{
        BinomialBlock, BinomialProcess, Side,
        normal_mixture::Estimate,
        paired_gauge::{PairedEstimate, paired_estimate},
        two_arm::{Counts, boundary_ratio, conditional_share, two_arm_block},
    },
};

/// Fewest newest blocks that are looked at by themselves; twice as many each time. All but these and no fewer must be worse.
const SHORTEST: usize = 3;
/// One in so many of a window's blocks must be worse by itself: a burst is no new level.
const WORSE_PART: usize = 4;
/// So improbable must a change be at one look of one window, in natural logarithms: one in a thousand.
const EVIDENCE: f64 = 6.907_755_278_982_137;
/// What makes a rate wander lasts this long.
const MEMORY: Millis = 240_000;
/// Errors come in waves: before enough blocks were seen, a rate is taken to wander with this variance (of its logarithm).
const WANDER: f64 = 0.2;
/// That counts as much as so many blocks.
const WANDER_BLOCKS: f64 = 20.0;
/// Prior scale of a level's change, as a share of it.
const TAU: f64 = 0.5;
/// Values that never vary are not known better than this share of the prior scale.
const MIN_SE: f64 = 0.01;
/// So many of the newest blocks must be back for what was shown to be over.
const BACK: usize = 6;
/// Of the evidence against what was just before, so much must be there against the past, too.
const HINT: f64 = 0.125;
/// Fewest blocks that tell how much values scatter.
const MIN_PAST: usize = 5;
/// So many of the canary alone tell it better than the past.
const MIN_EARLIER: usize = 10;

/// A level that the canary has left, and the one it has now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Before the newest blocks.
    pub before: f64,
    /// In the newest blocks.
    pub now: f64,
    /// How many these are.
    pub blocks: usize,
}

/// What counts of events are held to.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Length of a block.
    pub block: Millis,
    /// Over-dispersion of stable pods.
    pub dispersion: f64,
    /// Are they errors, which come in waves?
    pub errors: bool,
    /// The ratio is known by itself, whatever the rate (a quantile's).
    pub fixed_ratio: bool,
}

/// Sums over blocks.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    x: f64,
    n: f64,
    squares: f64,
    /// Of the events, and of both.
    events: f64,
    mixed: f64,
    blocks: f64,
}

impl Sums {
    fn and(self, (x, n): (f64, f64)) -> Self {
        Self {
            x: self.x + x,
            n: self.n + n,
            squares: self.squares + n * n,
            events: self.events + x * x,
            mixed: self.mixed + x * n,
            blocks: self.blocks + 1.0,
        }
    }

    /// These without their first ones.
    fn without(self, first: Self) -> Self {
        Self {
            x: self.x - first.x,
            n: self.n - first.n,
            squares: self.squares - first.squares,
            events: self.events - first.events,
            mixed: self.mixed - first.mixed,
            blocks: self.blocks - first.blocks,
        }
    }

    fn rate(self) -> f64 {
        (self.x + 0.5) / (self.n + 1.0)
    }

    /// Over-dispersion of the sum, where the rate wanders with this variance for so many blocks.
    fn dispersion(self, rate: f64, pods: f64, wander: f64, memory: f64) -> f64 {
        pods + wander * rate * self.squares / self.n * self.blocks.min(memory)
    }

    /// How much more the rate varies from block to block than its dispersion explains, as variance of its logarithm.
    fn wander(self, dispersion: f64, errors: bool) -> f64 {
        let rate = self.rate();
        let apart = self.events - 2.0 * rate * self.mixed + rate * rate * self.squares;
        let excess = apart - dispersion * rate * self.n;
        let seen = (excess / (rate * rate * self.squares)).max(0.0);
        if errors {
            (self.blocks * seen + WANDER_BLOCKS * WANDER) / (self.blocks + WANDER_BLOCKS)
        } else {
            seen
        }
    }
}

/// Lengths of newest blocks to look at.
fn lengths(blocks: usize) -> Vec<usize> {
    let doubled = std::iter::successors(Some(SHORTEST), |length| Some(length * 2));
    let shorter = doubled.take_while(|length| *length < blocks);
    let all = (blocks >= SHORTEST).then_some(blocks);
    shorter.chain(all).collect()
}

/// ln E that shows a change: dearer by every block that may be the first of it, every length, and two references.
fn threshold(blocks: usize, lengths: usize) -> f64 {
    EVIDENCE + (2.0 * blocks as f64 * lengths as f64).ln()
}

fn enough(worse: usize, of: usize) -> bool {
    worse >= SHORTEST.max(of / WORSE_PART)
}

/// A change, and the level beyond which a block is worse.
type Shown = (Change, f64);

/// The change that shows in so many blocks, or that has shown at an earlier look and is not over. `level`: of blocks from
/// one to another.
fn lasting(
    blocks: usize,
    side: Side,
    level: impl Fn(usize, usize) -> f64,
    shows: impl Fn(usize) -> Option<Shown>,
) -> Option<Change> {
    let newest = |end: usize| (end.saturating_sub(BACK), end);
    let back = |end: usize, at: f64| {
        let (from, to) = newest(end);
        side.sign() * (level(from, to) - at) <= 0.0
    };
    let mut held: Option<Shown> = None;
    for end in SHORTEST..=blocks {
        held = held.filter(|(_, at)| !back(end, *at));
        if held.is_none() {
            held = shows(end);
        }
    }
    let (before, _) = held?;
    // what shows now is told in its own numbers
    let (from, to) = newest(blocks);
    Some(shows(blocks).map_or(
        Change {
            now: level(from, to),
            blocks: to - from,
            ..before
        },
        |(change, _)| change,
    ))
}

/// Events and trials of the canary's blocks: while it was compared, and since.
pub fn of_counts(
    past: &[(f64, f64)],
    since: &[(f64, f64)],
    harm: Harm,
    rates: Rates,
) -> Option<Change> {
    let compared = past
        .iter()
        .fold(Sums::default(), |sums, block| sums.and(*block));
    let mut until = vec![compared];
    until.extend(since.iter().scan(compared, |sums, block| {
        *sums = sums.and(*block);
        Some(*sums)
    }));
    let sums = |from: usize, to: usize| -> Option<Sums> {
        Some(until.get(to)?.without(*until.get(from)?))
    };
    let side = harm.fail_side();
    let level = |from, to| sums(from, to).map_or(f64::NAN, |sums| sums.x / sums.n);
    lasting(since.len(), side, level, |end| {
        let lengths = lengths(end);
        let needed = threshold(end, lengths.len());
        lengths.iter().find_map(|&length| {
            let from = end - length;
            let (all, now) = (*until.get(from)?, sums(from, end)?);
            let blocks = since.get(from..end)?;
            let wander = all.wander(rates.dispersion, rates.errors);
            [compared, all].into_iter().find_map(|reference| {
                shown(reference, (now, blocks), wander, (harm, rates), needed)
            })
        })
    })
}

/// Are these newest blocks shown to be worse than a reference?
fn shown(
    reference: Sums,
    (now, blocks): (Sums, &[(f64, f64)]),
    wander: f64,
    (harm, rates): (Harm, Rates),
    needed: f64,
) -> Option<Shown> {
    let (side, margin) = (harm.fail_side(), harm.pass);
    let memory = (MEMORY as f64 / rates.block.max(1) as f64).max(1.0);
    let rate = reference.rate();
    let at = rate * boundary_ratio(rate, margin.relative, margin.absolute);
    let beyond = |x: f64, n: f64| side.sign() * (x / n - at) > 0.0;
    if reference.n <= 0.0 || !beyond(now.x, now.n) {
        return None;
    }
    let worse = blocks.iter().filter(|(x, n)| beyond(*x, *n)).count();
    if !enough(worse, blocks.len()) {
        return None;
    }
    // events in clusters and waves count for as many as are independent
    let spread = |sums: Sums| sums.dispersion(rate, rates.dispersion, wander, memory);
    let counts = Counts {
        x_c: now.x / spread(now),
        n_c: now.n / spread(now),
        x_s: reference.x / spread(reference),
        n_s: reference.n / spread(reference),
    };
    let known = (counts.x_s + 0.5) / (counts.n_s + 1.0);
    let ratio = boundary_ratio(known, margin.relative, margin.absolute);
    let block = if rates.fixed_ratio {
        BinomialBlock {
            x: counts.x_c,
            m: counts.x_c + counts.x_s,
            pi0: conditional_share(ratio, counts.n_c, counts.n_s),
        }
    } else {
        two_arm_block(side, known, ratio, margin.relative, margin.absolute, counts)?
    };
    let mut process = BinomialProcess::new(side);
    process.open(1.0);
    process.push(block);
    let change = Change {
        before: reference.x / reference.n,
        now: now.x / now.n,
        blocks: blocks.len(),
    };
    (process.log_e(1.0) >= needed).then_some((change, at))
}

/// Standard error of the mean of so many blocks that scatter and remember like these.
fn standard_error(like: &PairedEstimate, blocks: f64) -> f64 {
    like.sd * (blocks.min(like.inflation) / blocks).sqrt()
}

/// Values of the canary's blocks: while it was compared, and since.
pub fn of_values(past: &[f64], since: &[f64], harm: Harm) -> Option<Change> {
    if past.len() < MIN_PAST {
        return None;
    }
    let compared = paired_estimate(past)?;
    let side: Side = harm.fail_side();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let level = |from: usize, to: usize| since.get(from..to).map_or(f64::NAN, mean);
    lasting(since.len(), side, level, |end| {
        let since = since.get(..end)?;
        let lengths = lengths(end);
        let needed = threshold(end, lengths.len());
        lengths.iter().find_map(|&length| {
            let (before, newest) = since.split_at(end - length);
            let now = mean(newest);
            let worse_than = |reference: &PairedEstimate| {
                let boundary = harm.pass.on_scale(reference.mean, false)?;
                let at = reference.mean + boundary;
                let worse = |value: &&f64| side.sign() * (*value - at) > 0.0;
                enough(newest.iter().filter(worse).count(), length).then_some((boundary, at))
            };
            // a value that only came back from a lull is no worse than when it was compared
            let (_, at) = worse_than(&compared)?;
            let earlier = paired_estimate(before).filter(|all| all.pairs >= MIN_EARLIER);
            let like = earlier.unwrap_or(compared);
            let own = standard_error(&like, length as f64);
            let evidence = |reference: &PairedEstimate| {
                let (boundary, _) = worse_than(reference)?;
                let tau = TAU * reference.mean.abs().max(now.abs());
                let se = own.hypot(standard_error(reference, reference.pairs as f64));
                let change = Estimate {
                    value: now - reference.mean,
                    se: se.max(MIN_SE * tau),
                    df: like.df,
                };
                Some(change.log_e(side, boundary, tau))
            };
            let past = evidence(&compared)?;
            let before = if past >= needed {
                compared
            } else {
                let also = past >= needed * HINT;
                earlier.filter(|earlier| also && evidence(earlier) >= Some(needed))?
            };
            let change = Change {
                before: before.mean,
                now,
                blocks: length,
            };
            Some((change, at))
        })
    })
}
