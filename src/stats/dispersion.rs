//! Over-dispersion of stable pods: how much more counts vary between pods than chance allows.
//!
//! `e_kj = n_kj sum_j x_kj / sum_j n_kj`, `phi = sum (x_kj - e_kj)^2 / sum e_kj (1 - n_kj / sum_j n_kj)`: variation over
//! time that all pods share cancels. The persistent spread of pods is estimated by moments on totals per pod.

/// Running sums of the dispersion within blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispersion {
    squares: f64,
    expected: f64,
}

/// True for a pair of numbers that may enter a sum.
fn fine(x: f64, n: f64) -> bool {
    x.is_finite() && n.is_finite() && x >= 0.0 && n >= 0.0
}

impl Dispersion {
    /// Without blocks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one block: events and trials per stable pod. Pairs that are negative or not finite are left out.
    pub fn push(&mut self, pods: &[(f64, f64)]) {
        let pods = || pods.iter().copied().filter(|(x, n)| fine(*x, *n));
        let (events, trials) = pods().fold((0.0, 0.0), |(x, n), (px, pn)| (x + px, n + pn));
        if trials <= 0.0 {
            return;
        }
        for (x, n) in pods() {
            let expected = n * events / trials;
            self.squares += (x - expected) * (x - expected);
            self.expected += expected * (1.0 - n / trials);
        }
    }

    /// The estimate as it is; nothing without events or with a single pod.
    pub fn phi_raw(&self) -> Option<f64> {
        (self.expected > 0.0).then(|| self.squares / self.expected)
    }

    /// The dispersion to use: at least 1, and 1 where it is undefined.
    pub fn phi(&self) -> f64 {
        self.phi_raw().unwrap_or(1.0).max(1.0)
    }
}

/// Totals of events and trials per stable pod.
#[derive(Clone, Debug, Default)]
pub struct PodSpread {
    totals: Vec<(f64, f64)>,
}

impl PodSpread {
    /// Without pods.
    pub fn new() -> Self {
        Self::default()
    }

    /// From totals per pod.
    pub fn from_totals(totals: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            totals: totals.into_iter().filter(|(x, n)| fine(*x, *n)).collect(),
        }
    }

    /// Adds events and trials to the pod with this slot; slots are counted from 0 by the caller.
    pub fn add(&mut self, slot: usize, events: f64, trials: f64) {
        if !fine(events, trials) {
            return;
        }
        if self.totals.len() <= slot {
            self.totals.resize(slot + 1, (0.0, 0.0));
        }
        if let Some((x, n)) = self.totals.get_mut(slot) {
            *x += events;
            *n += trials;
        }
    }

    /// Pods with trials.
    pub fn pods(&self) -> usize {
        self.totals.iter().filter(|(_, n)| *n > 0.0).count()
    }

    /// Average events per pod with trials; 0 without pods.
    pub fn mean_events(&self) -> f64 {
        let pods = self.pods();
        if pods == 0 {
            return 0.0;
        }
        self.totals.iter().map(|(x, _)| x).sum::<f64>() / pods as f64
    }

    /// Persistent standard deviation of the log rate between pods, beyond what `phi` explains; 0 where it is undefined.
    pub fn tau(&self, phi: f64) -> f64 {
        let phi = if phi > 0.0 { phi } else { 1.0 };
        let (events, trials) = self
            .totals
            .iter()
            .fold((0.0, 0.0), |(x, n), (px, pn)| (x + px, n + pn));
        if events <= 0.0 || trials <= 0.0 {
            return 0.0;
        }
        let (mut q, mut sum, mut squares, mut pods) = (0.0, 0.0, 0.0, 0.0);
        for &(x, n) in self.totals.iter().filter(|(_, n)| *n > 0.0) {
            let expected = n * events / trials;
            q += (x - expected) * (x - expected) / expected / phi;
            sum += expected;
            squares += expected * expected;
            pods += 1.0;
        }
        let scale = (sum - squares / sum) / phi;
        if scale <= 0.0 {
            return 0.0;
        }
        // less than rounding is nothing: with a single block q is pods - 1 whenever phi is above 1
        let excess = q - (pods - 1.0);
        if excess > 1e-12 * q {
            (excess / scale).sqrt()
        } else {
            0.0
        }
    }
}
