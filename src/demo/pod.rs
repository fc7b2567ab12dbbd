//! One pod: what it has counted since its start.

use super::{Behaviour, Chance, Identity, Workload, histogram::Histogram};

/// Spread of request times: standard deviation of their logarithm.
const SPREAD: f64 = 0.45;
/// The same for the values of orders and the lengths of answers.
const VALUE_SPREAD: f64 = 0.5;
/// Share of page views that begin a checkout.
const CHECKOUTS: f64 = 0.2;
/// Share of requests for something that does not exist.
const NOT_FOUND: f64 = 0.01;
/// A new pod is slower at first: so many times at its very start, and e times less of that after each of these seconds.
const COLD: (f64, f64) = (1.5, 1.5);
/// While a dependency fails, a pod's errors come and go: how long a spell lasts, and how much spells differ.
const SPELL: (f64, f64) = (1.0, 0.3);

/// What a pod has counted.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Answers by code: 200, 404, 500, 503.
    pub codes: [u64; 4],
    /// Seconds of each answer; for a language model until its first token.
    pub seconds: Histogram,
    /// Checkouts begun.
    pub checkouts: u64,
    /// Orders made.
    pub orders: u64,
    /// Their value.
    pub order_value: f64,
    /// Questions that a language model refused.
    pub refusals: u64,
    /// Tokens of its answers.
    pub tokens: u64,
}

/// A running pod.
#[derive(Debug, Clone)]
pub struct Pod {
    /// Who it is.
    pub identity: Identity,
    /// When it started, in seconds of the shop.
    pub started: f64,
    /// What it has counted.
    pub counters: Counters,
    spell: f64,
    spell_ends: f64,
}

impl Pod {
    /// A pod that starts now.
    pub fn new(identity: Identity, now: f64) -> Self {
        Self {
            identity,
            started: now,
            counters: Counters::default(),
            spell: 1.0,
            spell_ends: 0.0,
        }
    }

    /// Answers one request.
    pub fn answer(
        &mut self,
        workload: Workload,
        behaviour: &Behaviour,
        outage: bool,
        now: f64,
        chance: &mut Chance,
    ) {
        let spell = if outage { self.spell(now, chance) } else { 1.0 };
        let failed = chance.happens((behaviour.errors * spell).min(0.95));
        let slow = chance.happens(behaviour.slow);
        let median =
            behaviour.median * self.cold(now) * if slow { behaviour.slow_factor } else { 1.0 };
        let counters = &mut self.counters;
        counters.seconds.observe(chance.lognormal(median, SPREAD));
        let code = match (failed, workload) {
            (true, _) if chance.happens(0.5) => 2,
            (true, _) => 3,
            (false, Workload::Web) if chance.happens(NOT_FOUND) => 1,
            _ => 0,
        };
        if let Some(count) = counters.codes.get_mut(code) {
            *count += 1;
        }
        match workload {
            _ if failed => {}
            Workload::Web if chance.happens(CHECKOUTS) => {
                counters.checkouts += 1;
                if chance.happens(behaviour.conversion) {
                    counters.orders += 1;
                    counters.order_value += chance.lognormal(behaviour.order_value, VALUE_SPREAD);
                }
            }
            Workload::Web => {}
            Workload::Llm => {
                counters.refusals += u64::from(chance.happens(behaviour.refusals));
                counters.tokens += chance.lognormal(behaviour.tokens, VALUE_SPREAD) as u64;
            }
        }
    }

    /// How many times slower than a warm pod it is.
    fn cold(&self, now: f64) -> f64 {
        1.0 + COLD.0 * (-(now - self.started) / COLD.1).exp()
    }

    /// The present spell of a failing dependency, as this pod has it.
    fn spell(&mut self, now: f64, chance: &mut Chance) -> f64 {
        if now >= self.spell_ends {
            self.spell = chance.lognormal(1.0, SPELL.1);
            self.spell_ends = now + chance.wait(1.0 / SPELL.0);
        }
        self.spell
    }
}
