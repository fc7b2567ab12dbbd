//! Special functions.

use crate::compare::num;
use crate::input::{In, Outcome, undefined};
use rollout_judge::stats::special;
use serde_json::json;

pub(crate) fn special_functions(input: &In<'_>) -> Outcome {
    let function = undefined(input.case["function"].as_str(), "the function")?;
    Ok(match function {
        "ln_gamma" => num(special::ln_gamma(input.f("x")?)),
        "ln_beta" => num(special::ln_beta(input.f("a")?, input.f("b")?)),
        "beta_inc_reg" => {
            let x = input.f("x")?;
            let tails = special::beta_tails(input.f("a")?, input.f("b")?, x, 1.0 - x);
            json!({
                "lower": num(tails.lower),
                "upper": num(tails.upper),
                "ln_lower": num(tails.ln_lower),
                "ln_upper": num(tails.ln_upper),
            })
        }
        "normal" => {
            let z = input.f("z")?;
            json!({
                "cdf": num(special::normal_cdf(z)),
                "sf": num(special::normal_sf(z)),
                "ln_cdf": num(special::ln_normal_cdf(z)),
                "ln_sf": num(special::ln_normal_sf(z)),
            })
        }
        "normal_quantile" => num(special::normal_quantile(input.f("p")?)),
        "student_t" => {
            let (t, df) = (input.f("t")?, input.f("df")?);
            json!({
                "sf": num(special::student_sf(t, df)),
                "ln_sf": num(special::student_ln_sf(t, df)),
                "z_equivalent": num(special::student_to_normal(t, df)),
            })
        }
        "student_t_quantile" => num(special::student_quantile(input.f("p")?, input.f("df")?)),
        "binomial_tails" => {
            let tails = special::binomial_tails(input.f("x")?, input.f("n")?, input.f("p")?);
            json!({
                "p_le_x": num(tails.at_most),
                "p_ge_x": num(tails.at_least),
                "ln_p_ge_x": num(tails.ln_at_least),
            })
        }
        "chi_square_sf" => num(special::chi_square_sf(input.f("x")?, input.f("df")?)),
        other => return Err(format!("unknown function {other}")),
    })
}
