//! Seeded chance: the same seed gives the same shop.

use std::f64::consts::TAU;

/// Letters and digits of pod-template hashes, as Kubernetes writes them: no vowels, nothing that looks alike.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A seed that nobody chose.
    pub fn any_seed() -> u64 {
        fastrand::u64(0..1_000_000)
    }

    /// Uniform on (0, 1].
    fn unit(&mut self) -> f64 {
        1.0 - self.0.f64()
    }

    /// Does something of this probability happen?
    pub fn happens(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// One of `count` things; 0 where there is none.
    pub fn pick(&mut self, count: usize) -> usize {
        self.0.usize(0..count.max(1))
    }

    /// Time until the next of events that come at this rate: a Poisson process.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -self.unit().ln() / rate
    }

    /// Lognormal with this median; `sigma` is the standard deviation of the logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// As Kubernetes writes hashes and the ends of pod names.
    pub fn letters(&mut self, count: usize) -> String {
        (0..count)
            .filter_map(|_| SAFE.get(self.pick(SAFE.len())))
            .map(|&letter| char::from(letter))
            .collect()
    }
}
