//! How the evidence of one objective adds up over its parts and over time.

use crate::stats::special::log_mean_exp;

/// The e-processes of one objective at the latest closed block, with their running maxima.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Running {
    /// Running maximum of ln E against "harm within the margin", limit included.
    pub max_fail: f64,
    /// The same for the comparison alone.
    pub max_comparison: f64,
    /// The same for the absolute limit alone.
    pub max_limit: f64,
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
            max_comparison: 0.0,
            max_limit: f64::NEG_INFINITY,
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
        let comparison = log_mean_exp(fails);
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

    /// Anytime-valid p value of the FAIL side.
    pub fn p_fail(&self) -> f64 {
        (-self.max_fail).exp().min(1.0)
    }

    /// Anytime-valid p value of the PASS side.
    pub fn p_pass(&self) -> f64 {
        (-self.max_pass).exp().min(1.0)
    }
}
