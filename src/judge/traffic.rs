//! Is the traffic split as asked? A tolerance test, never a reason to fail.

use super::counts::CountBlock;
use crate::stats::{BinomialBlock, BinomialProcess, Side};

/// Fewest blocks looked at, and those that must still be off.
const RECENT: usize = 3;
/// Most blocks looked at, of the present step: much traffic shows a bad split in three of them, little traffic needs more.
const LONGEST: usize = 40;
/// Blocks after a change of the weight in which traffic may still follow the former one.
const CHANGING: usize = 2;
/// A share off by this factor of the weight is worth a warning.
const MILD: f64 = 0.2;
/// A share off by this factor makes the comparison doubtful.
const SEVERE: f64 = 3.0;
/// Fewer expected canary requests than this tell nothing.
const MIN_EXPECTED: f64 = 10.0;
/// ln E beyond which a deviation is more than chance.
const THRESHOLD: f64 = 3.0;

/// How the split compares with the weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Split {
    /// As asked, or too little traffic to say.
    Fine,
    /// Beyond 20 % of the weight.
    Mild {
        /// Observed share of the canary.
        share: f64,
    },
    /// No canary traffic, or off by more than a factor three.
    Severe {
        /// Observed share of the canary.
        share: f64,
    },
}

/// The closed blocks that began in the present step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfStep {
    /// How many these are.
    pub blocks: usize,
    /// Is the step's start known? If not, it may have begun before the first question.
    pub known: bool,
}

/// Compares the blocks of the step with the requested weight (percent): the newest three, and as many before them as have
/// closed since the step began and do not follow a former weight.
pub fn split(blocks: &[CountBlock], weight: f64, step: OfStep) -> Split {
    // blocks without any traffic are blocks of the step, too
    let since = blocks.len().saturating_sub(step.blocks);
    let first = if step.known { since } else { 0 };
    let place = since + CHANGING.min(step.blocks);
    let recent: Vec<CountBlock> = blocks
        .iter()
        .enumerate()
        .skip(first)
        .rev()
        .filter(|(_, b)| b.n_c + b.n_s > 0.0)
        .enumerate()
        .take_while(|(seen, (i, _))| *seen < RECENT || (*i >= place && *seen < LONGEST))
        .map(|(_, (_, block))| *block)
        .collect();
    let share = weight / 100.0;
    let (canary, all) = sum(&recent);
    // the newest first
    let (canary_now, all_now) = sum(recent.get(..RECENT).unwrap_or_default());
    if recent.len() < RECENT
        || !(0.0..=1.0).contains(&share)
        || share <= 0.0
        || share * all < MIN_EXPECTED
    {
        return Split::Fine;
    }
    let observed = canary / all;
    let now = canary_now / all_now;
    let phi = dispersion(&recent, observed);
    // shown by all of them, and not over by now
    let beyond = |factor_low: f64, factor_high: f64| {
        let (low, high) = (share * factor_low, (share * factor_high).min(0.999));
        observed > share && now > high && shown(&recent, Side::Greater, high, phi)
            || observed < share && now < low && shown(&recent, Side::Less, low, phi)
    };
    if canary_now == 0.0 && share * all_now >= MIN_EXPECTED {
        return Split::Severe { share: 0.0 };
    }
    if beyond(1.0 / SEVERE, SEVERE) {
        return Split::Severe { share: observed };
    }
    if beyond(1.0 - MILD, 1.0 + MILD) {
        Split::Mild { share: observed }
    } else {
        Split::Fine
    }
}

/// Has the canary no traffic where it should have some, also where nobody says a weight? The first blocks of a step say
/// nothing of a canary that never had any before it.
pub fn stopped(blocks: &[CountBlock], weight: f64, step: OfStep) -> bool {
    let earlier = blocks.len().saturating_sub(step.blocks);
    let never = || sum(blocks.get(..earlier).unwrap_or_default()).0 <= 0.0;
    if step.known && step.blocks < RECENT && never() {
        return false;
    }
    matches!(split(blocks, weight, OfStep::default()), Split::Severe { share } if share == 0.0)
}

/// The canary's share just before the step began, where it is known and there was any.
pub fn before(blocks: &[CountBlock], step: OfStep) -> Option<f64> {
    let before = blocks
        .len()
        .checked_sub(step.blocks)
        .filter(|_| step.known)?;
    let newest = blocks.get(before.saturating_sub(RECENT)..before)?;
    let (canary, all) = sum(newest);
    (canary > 0.0).then_some(canary / all)
}

/// Requests of the canary, and of both arms.
fn sum(blocks: &[CountBlock]) -> (f64, f64) {
    blocks
        .iter()
        .fold((0.0, 0.0), |(c, n), b| (c + b.n_c, n + b.n_c + b.n_s))
}

fn shown(blocks: &[CountBlock], side: Side, pi0: f64, phi: f64) -> bool {
    let mut process = BinomialProcess::new(side);
    process.open(1.0);
    for block in blocks {
        process.push(BinomialBlock {
            x: block.n_c,
            m: block.n_c + block.n_s,
            pi0,
        });
    }
    process.log_e(phi) > THRESHOLD
}

/// Variance of the canary's counts per block over its binomial variance: keep-alive makes requests come in bunches.
fn dispersion(blocks: &[CountBlock], share: f64) -> f64 {
    let expected: f64 = blocks
        .iter()
        .map(|b| (b.n_c + b.n_s) * share * (1.0 - share))
        .sum();
    let squares: f64 = blocks
        .iter()
        .map(|b| (b.n_c - (b.n_c + b.n_s) * share).powi(2))
        .sum();
    if expected > 0.0 {
        (squares / expected).max(1.0)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(canary: f64, stable: f64) -> Vec<CountBlock> {
        vec![
            CountBlock {
                x_c: 0.0,
                n_c: canary,
                x_s: 0.0,
                n_s: stable
            };
            4
        ]
    }

    #[test]
    fn only_a_split_far_off_is_severe() {
        let rows = [
            (150.0, 2850.0, 5.0, "fine"),
            (160.0, 2840.0, 5.0, "fine"),
            (300.0, 2700.0, 5.0, "mild"),
            (900.0, 2100.0, 5.0, "severe"),
            (0.0, 3000.0, 5.0, "severe"),
            (1.0, 40.0, 5.0, "fine"),
            (3000.0, 0.0, 100.0, "fine"),
            (2900.0, 100.0, 100.0, "fine"),
            (2000.0, 1000.0, 100.0, "mild"),
            (150.0, 2850.0, 100.0, "severe"),
            (0.0, 3000.0, 100.0, "severe"),
        ];
        for (canary, stable, weight, expected) in rows {
            let got = match split(&blocks(canary, stable), weight, OfStep::default()) {
                Split::Fine => "fine",
                Split::Mild { .. } => "mild",
                Split::Severe { .. } => "severe",
            };
            assert_eq!(got, expected, "{canary} of {stable} at {weight}");
        }
    }
}
