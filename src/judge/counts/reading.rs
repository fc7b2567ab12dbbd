//! What the evidence of counts says.

use super::{B1_TAU, Bet, CountBlock, CountState};
use crate::{
    domain::{ArmSummary, Effect},
    judge::{
        interval,
        limit::FINE,
        reading::{Alone, Gate, Information, Points, Reading, Scale},
    },
    stats::{rate_cs::rate_confidence_sequence, two_arm::CONDITIONAL_LIMIT},
};

/// Blocks of each arm without one in common that are no chance.
const APART: usize = 3;

impl CountState {
    /// What the evidence says now.
    pub fn reading(&self, alpha: f64) -> Reading {
        let total = total(&self.blocks, |_| true);
        let compared = self.blocks.iter().any(CountBlock::usable);
        // what stands beside the ratio is what the ratio is made of
        let shown = if compared {
            self::total(&self.blocks, CountBlock::usable)
        } else {
            total
        };
        let phi = self.phi();
        // of two directions the one with the stronger evidence
        let bet = self.bets.get(self.running.strongest());
        let higher = bet.is_none_or(|bet| bet.harm.higher_is_worse);
        let (fail_at, pass_at) = bet.map_or((1.0, 1.0), |bet| (bet.boundary, bet.pass_boundary));
        let estimate = self.b1.estimate();
        let ratio = estimate
            .map(|e| e.ratio)
            .filter(|_| compared && total.x_c + total.x_s > 0.0);
        let whole = self.whole();
        let canary = self.arm(shown.x_c, shown.n_c);
        let stable = self.arm(shown.x_s, shown.n_s);
        let over = |value: f64, limit: f64| {
            if self.limit_is_ceiling() {
                value > limit
            } else {
                value < limit
            }
        };
        let over_limit = whole
            .value
            .zip(self.limit_value)
            .is_some_and(|(v, l)| over(v, l));
        let eventless =
            self.events(total.x_c, total.n_c) + self.events(total.x_s, total.n_s) <= 0.0;
        let downwards = !self.complement && self.harms.iter().all(|h| !h.higher_is_worse);
        Reading {
            method: if self.complement {
                "conditional-binomial-mixture+stratified-ratio on the complement"
            } else {
                "conditional-binomial-mixture+stratified-ratio"
            }
            .to_owned(),
            running: self.running,
            gate: self.gate(higher, alpha),
            canary,
            stable,
            effect: Effect {
                relative: canary.change_from(&stable),
                ..interval::of_events(
                    ratio.and_then(|_| self.ratio.estimate(&self.blocks)),
                    self.limits(alpha),
                    [shown.x_c, shown.x_s],
                )
            },
            boundary: compared.then_some(fail_at),
            unmeasured: false,
            points: compared
                .then(|| self.points(bet?, [shown.x_c, shown.n_c, shown.x_s, shown.n_s], alpha))
                .flatten(),
            scale: if self.complement {
                Scale::Complements
            } else {
                Scale::Ratio
            },
            upwards: higher,
            dispersion: Some(phi),
            pod_spread: self.pod_spread(),
            blocks: self.data_blocks,
            trials: Some(total.n_c),
            compared,
            apart: apart(&self.blocks),
            at_bottom: false,
            nothing_to_lose: eventless && downwards,
            last_canary: self.last_canary,
            over_limit,
            held_at: None,
            alone: (over_limit || self.running.over_limit(alpha))
                .then(|| self.alone(alpha, phi))
                .flatten(),
            eventless,
            above_largest: false,
            information: Information {
                se: estimate
                    .filter(|e| e.blocks >= 2)
                    .map(|e| e.se)
                    .filter(|se| se.is_finite()),
                estimate: ratio.map(f64::ln).filter(|r| r.is_finite()),
                fail_at: fail_at.ln(),
                pass_at: pass_at.ln(),
                tau: B1_TAU,
                least_seconds: 0.0,
                ahead: [None; 2],
                pair_seconds: 0.0,
            },
        }
    }

    /// The difference of rates, where the absolute part of the margin rules. Each end spends a quarter: so both of a side of
    /// both arms hold together.
    fn points(&self, bet: &Bet, [x_c, n_c, x_s, n_s]: [f64; 4], alpha: f64) -> Option<Points> {
        if bet.plain <= CONDITIONAL_LIMIT || x_c <= 0.0 || n_c <= 0.0 || n_s <= 0.0 {
            return None;
        }
        // a rate that is no proportion is taken as Poisson
        let fine = if self.proportion || self.complement {
            1.0
        } else {
            FINE * (x_c / n_c).max(x_s / n_s).max(1.0)
        };
        let phi = self.phi();
        let ends = |x: f64, n: f64| {
            let (lower, upper) =
                rate_confidence_sequence(x.min(n * fine), n * fine, phi, alpha / 2.0)?;
            Some((lower * fine, upper * fine))
        };
        let ((lower_c, upper_c), (lower_s, upper_s)) = (ends(x_c, n_c)?, ends(x_s, n_s)?);
        Some(Points {
            estimate: x_c / n_c - x_s / n_s,
            lower: lower_c - upper_s,
            upper: upper_c - lower_s,
            margin: self.margin_at(self.reference.rate())?,
            as_written: bet.boundary <= bet.plain,
        })
    }

    /// The least that a fail needs. What the limit alone shows needs what a limit needs: a ceiling events above it, also
    /// where the complement is judged.
    fn gate(&self, higher: bool, alpha: f64) -> Gate {
        let by_limit = self.running.over_limit(alpha);
        let above = self.harms.first().is_none_or(|h| h.higher_is_worse);
        let seen = if (by_limit && above) || (!by_limit && higher) {
            self.event_blocks
        } else if by_limit && self.complement {
            self.missed_blocks
        } else {
            return Gate {
                seen: self.trial_blocks,
                needed: 10,
                of: "blocks with canary traffic",
            };
        };
        Gate {
            seen,
            needed: 3,
            of: "blocks with canary events",
        }
    }

    /// All of the canary, compared or not: what a limit is about.
    pub fn whole(&self) -> ArmSummary {
        let total = total(&self.blocks, |_| true);
        self.arm(total.x_c, total.n_c)
    }

    fn arm(&self, x: f64, n: f64) -> ArmSummary {
        ArmSummary {
            value: self.shown(x, n),
            events: Some(self.events(x, n)),
            exposure: Some(n),
            series: None,
        }
    }

    fn events(&self, x: f64, n: f64) -> f64 {
        if self.complement { n - x } else { x }
    }

    /// The canary's own interval, where there is a limit.
    fn alone(&self, alpha: f64, phi: f64) -> Option<Alone> {
        let (lower, upper) = self.limit.as_ref()?.interval(phi, alpha)?;
        let (lower, upper) = if self.complement {
            (1.0 - upper, 1.0 - lower)
        } else {
            (lower, upper)
        };
        Some(Alone {
            lower,
            upper,
            above: None,
        })
    }
}

/// Has each arm had requests in blocks that are no chance, but never both in the same one?
pub fn apart(blocks: &[CountBlock]) -> bool {
    let with = |arm: fn(&CountBlock) -> f64| blocks.iter().filter(|b| arm(b) > 0.0).count();
    with(|b| b.n_c).min(with(|b| b.n_s)) >= APART && !blocks.iter().any(CountBlock::usable)
}

fn total(blocks: &[CountBlock], counts: impl Fn(&CountBlock) -> bool) -> CountBlock {
    let counted = blocks.iter().filter(|block| counts(block));
    counted.fold(CountBlock::default(), |a, b| CountBlock {
        x_c: a.x_c + b.x_c,
        n_c: a.n_c + b.n_c,
        x_s: a.x_s + b.x_s,
        n_s: a.n_s + b.n_s,
    })
}
