//! How fast everything goes: lengths of time at speed 1, and what a speed makes of them.

use crate::domain::{Millis, units::duration_text};
use std::time::Duration;

/// The shortest block that a policy may have.
const SHORTEST_BLOCK: f64 = 1.0;
/// The shortest distance of two scrapes, and of two questions.
const SHORTEST_SCRAPE: f64 = 0.2;
/// The shortest distance of two questions: they are asked in whole seconds.
const SHORTEST_QUESTION: f64 = 1.0;

/// A factor on time: at 2 everything lasts half as long, and twice as many requests come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(pub f64);

impl Pace {
    /// Seconds of the shop as time on the clock.
    pub fn real(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / self.0)
    }

    /// Time on the clock as seconds of the shop.
    pub fn shop(self, real: Duration) -> f64 {
        real.as_secs_f64() * self.0
    }

    /// The stable version runs alone for so long.
    pub fn before(self) -> Duration {
        self.real(20.0)
    }

    /// Distance of two scrapes.
    pub fn scrape(self) -> Duration {
        self.real(1.0).max(Duration::from_secs_f64(SHORTEST_SCRAPE))
    }

    /// Distance of two questions about a rollout.
    pub fn question(self) -> Duration {
        self.real(3.0)
            .max(Duration::from_secs_f64(SHORTEST_QUESTION))
    }

    /// A rollout that lasts longer is given up.
    pub fn patience(self) -> Duration {
        self.real(600.0).max(Duration::from_mins(1))
    }

    /// Length of a block, as policies write it.
    pub fn block(self) -> String {
        text(self.real(2.0).max(Duration::from_secs_f64(SHORTEST_BLOCK)))
    }

    /// Any other length of time, as policies write it.
    pub fn text(self, seconds: f64) -> String {
        text(self.real(seconds))
    }
}

/// As policies and settings write it.
pub fn text(span: Duration) -> String {
    duration_text(Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds() {
        for (speed, block, scrape, question, step) in [
            (1.0, "2s", "1s", "3s", "30s"),
            (2.0, "1s", "500ms", "1s500ms", "15s"),
            (0.5, "4s", "2s", "6s", "1m"),
            (10.0, "1s", "200ms", "1s", "3s"),
        ] {
            let pace = Pace(speed);
            let seen = [
                pace.block(),
                text(pace.scrape()),
                text(pace.question()),
                pace.text(30.0),
            ];
            assert_eq!(seen, [block, scrape, question, step].map(str::to_owned));
        }
    }
}
