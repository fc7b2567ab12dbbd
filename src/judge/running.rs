//! How the evidence of one objective adds up over its parts and over time.

use crate::stats::special::log_mean_exp;

/// The e-processes of one objective at the latest closed block, with their running maxima.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Running {
    /// Running maximum of ln E against "harm within the margin", limit included.
    pub max_fail: f64,
    /// Present ln E of the comparison alone.
    pub comparison: f64,
    /// The same for the comparison alone.
    pub max_comparison: f64,
    /// The same for each direction of harm alone, in the order of the objective's.
    pub max_sides: [f64; 2],
    /// The same for the absolute limit alone.
    pub max_limit: f64,
    /// Present ln E of the absolute limit alone; nothing without a limit.
    pub limit: Option<f64>,
    /// Present ln E of the FAIL side.
    pub fail: f64,
    /// Present ln E against "harm of at least the pass margin".
    pub pass: f64,
    /// Its running maximum.
    pub max_pass: f64,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            max_fail: 0.0,
            comparison: 0.0,
            max_comparison: 0.0,
            max_sides: [f64::NEG_INFINITY; 2],
            max_limit: f64::NEG_INFINITY,
            limit: None,
            fail: 0.0,
            pass: 0.0,
            max_pass: 0.0,
        }
    }
}

impl Running {
    /// Takes a look. `fails` holds ln E of each direction of harm; their average is an e-process again, and so is the
    /// average with the limit's. A pass must rule out every direction: the smallest counts.
    pub fn look(&mut self, fails: &[f64], limit: Option<f64>, passes: &[f64]) {
        for (most, fail) in self.max_sides.iter_mut().zip(fails) {
            *most = most.max(*fail);
        }
        let comparison = log_mean_exp(fails);
        self.comparison = comparison;
        self.limit = limit;
        self.fail = limit.map_or(comparison, |limit| log_mean_exp(&[comparison, limit]));
        self.max_fail = self.max_fail.max(self.fail);
        self.max_comparison = self.max_comparison.max(comparison);
        if let Some(limit) = limit {
            self.max_limit = self.max_limit.max(limit);
        }
        self.pass = passes.iter().copied().fold(f64::INFINITY, f64::min);
        if !self.pass.is_finite() {
            self.pass = 0.0;
        }
        self.max_pass = self.max_pass.max(self.pass);
    }

    /// The direction of harm with the strongest evidence so far: its place among the objective's.
    pub fn strongest(&self) -> usize {
        let [first, second] = self.max_sides;
        usize::from(second > first)
    }

    /// Was the canary ever shown to be beyond its limit?
    pub fn over_limit(&self, alpha: f64) -> bool {
        self.max_limit >= -alpha.ln()
    }

    /// Anytime-valid p value of the FAIL side.
    pub fn p_fail(&self) -> f64 {
        (-self.max_fail).exp().min(1.0)
    }

    /// Anytime-valid p value of the PASS side.
    pub fn p_pass(&self) -> f64 {
        (-self.max_pass).exp().min(1.0)
    }
}
