//! Special functions: the only place that calls `libm` and `statrs`, and only for what both do well.
//!
//! Distribution functions come in tails and in logs, because evidence lives far out. Quantiles are found by our own
//! bracketed search: those of `statrs` are known to hang or drift for the beta and Student distributions.

mod beta;
mod binomial;
mod gamma;
mod normal;
mod root;
mod student;
mod sum;
mod table;

pub use beta::{BetaTails, Tail, beta_quantile, beta_tails, ln_beta};
pub(crate) use binomial::ln_binomial_pmf;
pub use binomial::{BinomialTails, binomial_pmf, binomial_tails};
pub use gamma::{chi_square_sf, ln_gamma};
pub use normal::{
    ln_normal_cdf, ln_normal_sf, ln_scaled_normal_cdf, normal_cdf, normal_quantile, normal_sf,
};
pub use root::{expand, find_root};
pub use student::{
    Z_LIMIT, normal_to_student, student_ln_sf, student_quantile, student_sf, student_to_normal,
};
pub use sum::{NOTHING, PreciseSum, ln_add_exp, log_mean_exp, log_sum_exp, residual_squares};
pub use table::{POINTS, Table};
