//! Fixed-horizon tests and intervals.

use crate::compare::{num, optional, pair};
use crate::input::{In, Outcome, undefined};
use rollout_judge::stats::mixture::Side;
use rollout_judge::stats::proportions::{self, ScoreTest};
use rollout_judge::stats::rank::{Shift, mann_whitney as rank_test};
use rollout_judge::stats::rate_ratio::{rate_ratio_interval, rate_ratio_test};
use rollout_judge::stats::two_arm::Counts;
use rollout_judge::stats::welch::{Summary, welch};
use rollout_judge::stats::{histogram, interval};
use serde_json::{Value, json};

pub(crate) fn proportion_interval(input: &In<'_>) -> Outcome {
    let (x, n, level) = (input.f("x")?, input.f("n")?, input.f("level")?);
    Ok(json!({
        "wilson": pair(interval::wilson(x, n, level)),
        "clopper_pearson": pair(interval::clopper_pearson(x, n, level)),
        "jeffreys": pair(interval::jeffreys(x, n, level)),
    }))
}

pub(crate) fn two_proportions(input: &In<'_>) -> Outcome {
    let (counts, level) = (input.counts()?, input.f("level")?);
    let pooled = proportions::pooled_z(counts);
    // these two state the null that they test beside what came out
    let stated = |key: &str, otherwise: f64| {
        input.case["expected"][key]["null"]
            .as_f64()
            .unwrap_or(otherwise)
    };
    let score = |tested: f64, test: Option<ScoreTest>| {
        test.map_or(
            Value::Null,
            |t| json!({"null": tested, "z": num(t.z), "p_greater": num(t.p_greater)}),
        )
    };
    let (difference, ratio) = (
        stated("score_diff_margin", 0.01),
        stated("score_ratio_margin", 1.25),
    );
    Ok(json!({
        "pooled_z": optional(pooled.map(|t| t.z)),
        "pooled_p_greater": optional(pooled.map(|t| t.p_greater)),
        "newcombe_diff": pair(interval::newcombe(counts.x_c, counts.n_c, counts.x_s, counts.n_s, level)),
        "miettinen_nurminen_diff": pair(proportions::miettinen_nurminen_difference(counts, level)),
        "miettinen_nurminen_ratio": pair(proportions::miettinen_nurminen_ratio(counts, level)),
        "score_diff_margin": score(difference, proportions::score_difference(counts, difference)),
        "score_ratio_margin": score(ratio, proportions::score_ratio(counts, ratio)),
        "fisher_p_greater": num(proportions::fisher_p_greater(counts)),
    }))
}

pub(crate) fn rate_ratio_conditional(input: &In<'_>) -> Outcome {
    let counts = Counts {
        x_c: input.f("x_c")?,
        n_c: input.f("t_c")?,
        x_s: input.f("x_s")?,
        n_s: input.f("t_s")?,
    };
    let test = rate_ratio_test(counts, input.f("r0")?);
    Ok(json!({
        "p_greater": num(test.p_greater),
        "p_less": num(test.p_less),
        "mid_p_greater": num(test.mid_p_greater),
        "ratio_ci_95": pair(rate_ratio_interval(counts, 0.95)),
    }))
}

pub(crate) fn welch_t(input: &In<'_>) -> Outcome {
    let summary = |arm: &str| -> Result<Summary, String> {
        let f = |name: &str| input.f(&format!("{name}_{arm}"));
        Ok(Summary {
            mean: f("mean")?,
            sd: f("sd")?,
            n: f("n")?,
        })
    };
    let test = undefined(welch(summary("c")?, summary("s")?), "the test")?;
    Ok(json!({
        "t": num(test.t),
        "df": num(test.estimate.df),
        "p_two_sided": num(test.p_two_sided()),
        "p_greater": num(test.p(Side::Greater)),
        "p_less": num(test.p(Side::Less)),
        "diff_ci_95": pair(test.interval(0.95)),
    }))
}

pub(crate) fn mann_whitney(input: &In<'_>) -> Outcome {
    let (canary, stable) = (input.list("canary")?, input.list("stable")?);
    let test = undefined(rank_test(&canary, &stable), "the test")?;
    let shift = undefined(Shift::new(&canary, &stable), "the shift")?;
    let exact_interval = shift.exact_interval(0.95).filter(|_| test.exact.is_some());
    Ok(json!({
        "u_canary": num(test.u_canary),
        "prob_canary_larger": num(test.prob_canary_larger),
        "p_two_sided_normal": optional(test.normal.map(|p| p.two_sided)),
        "p_greater_normal": optional(test.normal.map(|p| p.greater)),
        "p_less_normal": optional(test.normal.map(|p| p.less)),
        "p_two_sided_exact": optional(test.exact.map(|p| p.two_sided)),
        "p_greater_exact": optional(test.exact.map(|p| p.greater)),
        "p_less_exact": optional(test.exact.map(|p| p.less)),
        "hodges_lehmann": num(shift.hodges_lehmann()),
        "shift_ci_95_exact": exact_interval.map_or(Value::Null, pair),
        "shift_ci_95_order": pair(shift.interval_95()),
    }))
}

pub(crate) fn quantile_interval(input: &In<'_>) -> Outcome {
    let (q, level) = (input.f("q")?, input.f("level")?);
    let (lower, upper) = match input.text("kind")? {
        "raw" => interval::order_statistics(&input.list("values")?, q, level),
        "buckets" => {
            histogram::quantile_interval(&input.list("le")?, &input.list("cumulative")?, q, level)
        }
        other => return Err(format!("unknown kind {other}")),
    };
    Ok(json!({"lower": num(lower), "upper": num(upper)}))
}
