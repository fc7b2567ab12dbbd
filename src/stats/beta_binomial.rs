//! One proportion watched without a fixed horizon: a beta mixture of binomial likelihoods (Robbins 1970).

use super::special::{beta_tails, expand, find_root, ln_beta};

/// A count and the beta prior of the mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaBinomial {
    /// Events.
    pub x: f64,
    /// Trials.
    pub n: f64,
    /// First parameter of the prior.
    pub a: f64,
    /// Second parameter of the prior.
    pub b: f64,
}

impl BetaBinomial {
    fn sound(&self) -> bool {
        let Self { x, n, a, b } = *self;
        x.is_finite() && n.is_finite() && x >= 0.0 && x <= n && a > 0.0 && b > 0.0
    }

    fn ln_marginal(&self) -> f64 {
        ln_beta(self.a + self.x, self.b + self.n - self.x) - ln_beta(self.a, self.b)
    }

    fn ln_likelihood(&self, p: f64, q: f64) -> f64 {
        let part = |count: f64, value: f64| if count > 0.0 { count * value } else { 0.0 };
        part(self.x, p.ln()) + part(self.n - self.x, q.ln())
    }

    /// Two-sided evidence against the proportion `p0`; 0 for counts or a prior that make no sense.
    pub fn log_e_two_sided(&self, p0: f64) -> f64 {
        if !self.sound() || p0.is_nan() {
            return 0.0;
        }
        self.ln_marginal() - self.ln_likelihood(p0, 1.0 - p0)
    }

    /// Evidence that the proportion is above `p0`, with the prior cut to that side.
    pub fn log_e_greater(&self, p0: f64) -> f64 {
        if !self.sound() || p0.is_nan() || p0 <= 0.0 || p0 >= 1.0 {
            return 0.0;
        }
        let q0 = 1.0 - p0;
        let posterior = beta_tails(self.a + self.x, self.b + self.n - self.x, p0, q0).ln_upper;
        let prior = beta_tails(self.a, self.b, p0, q0).ln_upper;
        self.log_e_two_sided(p0) + posterior - prior
    }

    /// The confidence sequence: proportions whose two-sided evidence is below `1/alpha`.
    pub fn confidence_sequence(&self, alpha: f64) -> (f64, f64) {
        if !self.sound() || self.n <= 0.0 || !(alpha > 0.0 && alpha < 1.0) {
            return (0.0, 1.0);
        }
        let marginal = self.ln_marginal() + alpha.ln();
        // how far the evidence at logit l is above the threshold; falls towards the observed share and rises beyond it
        let excess = |l: f64| {
            let ln_p = -(-l).exp().ln_1p();
            let ln_q = -l.exp().ln_1p();
            let part = |count: f64, value: f64| if count > 0.0 { count * value } else { 0.0 };
            marginal - part(self.x, ln_p) - part(self.n - self.x, ln_q)
        };
        let centre = if self.x <= 0.0 {
            -700.0
        } else if self.x >= self.n {
            700.0
        } else {
            (self.x / (self.n - self.x)).ln()
        };
        let back = |l: f64| 1.0 / (1.0 + (-l).exp());
        let lower = if self.x <= 0.0 {
            0.0
        } else {
            let from = centre.min(40.0);
            let (low, high) = expand(|l| -excess(l), from, 1.0, (-745.0, centre));
            back(find_root(excess, low, high, 1e-14))
        };
        let upper = if self.x >= self.n {
            1.0
        } else {
            let from = centre.max(-40.0);
            let (low, high) = expand(excess, from, 1.0, (centre, 745.0));
            back(find_root(excess, low, high, 1e-14))
        };
        (lower, upper)
    }
}
