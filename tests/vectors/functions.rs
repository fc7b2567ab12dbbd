//! Special functions.

use crate::compare::num;
use crate::input::{In, Outcome, undefined};
use rollout_judge::stats::special::{self, Tail};
use serde_json::{Value, json};

pub(crate) fn special_functions(input: &In<'_>) -> Outcome {
    let function = undefined(input.case["function"].as_str(), "the function")?;
    let answer = match function {
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
                "cdf": num(special::student_sf(-t, df)),
                "ln_cdf": num(special::student_ln_sf(-t, df)),
                "z_equivalent": num(special::student_to_normal(t, df)),
            })
        }
        "student_t_quantile" => num(special::student_quantile(input.f("p")?, input.f("df")?)),
        "binomial_tails" => {
            let (x, n, p) = (input.f("x")?, input.f("n")?, input.f("p")?);
            let tails = special::binomial_tails(x, n, p);
            // P(X <= x) is P(n - X >= n - x)
            let mirrored = special::binomial_tails(n - x, n, 1.0 - p);
            json!({
                "ln_p_le_x": num(mirrored.ln_at_least),
                "p_eq_x": num(special::binomial_pmf(x, n, p)),
                "p_le_x": num(tails.at_most),
                "p_ge_x": num(tails.at_least),
                "ln_p_ge_x": num(tails.ln_at_least),
            })
        }
        "chi_square_sf" => num(special::chi_square_sf(input.f("x")?, input.f("df")?)),
        "chi_square" => json!({"sf": num(special::chi_square_sf(input.f("x")?, input.f("df")?))}),
        "normal_cdf" => num(special::normal_cdf(input.f("z")?)),
        "normal_sf" => num(special::normal_sf(input.f("z")?)),
        "ln_normal_cdf" => num(special::ln_normal_cdf(input.f("z")?)),
        "ln_normal_sf" => num(special::ln_normal_sf(input.f("z")?)),
        "student_t_sf" => num(special::student_sf(input.f("t")?, input.f("df")?)),
        "student_t_ln_sf" => num(special::student_ln_sf(input.f("t")?, input.f("df")?)),
        "z_equivalent" | "student_t_z_equivalent" => {
            num(special::student_to_normal(input.f("t")?, input.f("df")?))
        }
        "beta_quantile" => num(special::beta_quantile(
            Tail::Lower,
            input.f("p")?,
            input.f("a")?,
            input.f("b")?,
        )),
        "ln_add_exp" => num(special::ln_add_exp(input.f("a")?, input.f("b")?)),
        "log_sum_exp" => num(special::log_sum_exp(input.list("x")?)),
        other => return Err(format!("unknown function {other}")),
    };
    // a single number may be expected as such or in a map under the name of the function
    match &input.case["expected"] {
        Value::Object(_) if !answer.is_object() => Ok(json!({ function: answer })),
        _ => Ok(answer),
    }
}
