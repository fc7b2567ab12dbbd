//! Fixed-horizon tests and intervals.

use crate::compare::{num, number, optional, pair};
use crate::input::{In, Outcome};
use crate::keys;
use rollout_judge::stats::mixture::Side;
use rollout_judge::stats::proportions::{self, ScoreTest};
use rollout_judge::stats::rank::{Shift, mann_whitney as rank_test};
use rollout_judge::stats::rate_ratio::{rate_ratio_interval, rate_ratio_test};
use rollout_judge::stats::two_arm::Counts;
use rollout_judge::stats::welch::{Summary, welch};
use rollout_judge::stats::{histogram, interval};
use serde_json::{Value, json};

/// The level of an interval where the case states none.
const LEVEL: f64 = 0.95;

pub(crate) fn proportion_interval(input: &In<'_>) -> Outcome {
    let (x, n, level) = (input.f("x")?, input.f("n")?, input.f_or("level", LEVEL)?);
    let answer = json!({
        "wilson": pair(interval::wilson(x, n, level)),
        "clopper_pearson": pair(interval::clopper_pearson(x, n, level)),
        "jeffreys": pair(interval::jeffreys(x, n, level)),
    });
    input.complete(answer, |key| {
        let at = |name| keys::level(key, name);
        at("wilson_")
            .map(|level| interval::wilson(x, n, level))
            .or_else(|| at("clopper_pearson_").map(|l| interval::clopper_pearson(x, n, l)))
            .or_else(|| at("jeffreys_").map(|l| interval::jeffreys(x, n, l)))
            .map(pair)
    })
}

pub(crate) fn two_proportions(input: &In<'_>) -> Outcome {
    let (counts, level) = (input.counts()?, input.f_or("level", LEVEL)?);
    let pooled = proportions::pooled_z(counts);
    let newcombe = |level| {
        let Counts { x_c, n_c, x_s, n_s } = counts;
        pair(interval::newcombe(x_c, n_c, x_s, n_s, level))
    };
    let difference_interval =
        |level| pair(proportions::miettinen_nurminen_difference(counts, level));
    let ratio_interval = |level| pair(proportions::miettinen_nurminen_ratio(counts, level));
    let score = |tested: f64, test: Option<ScoreTest>| {
        test.map_or(
            Value::Null,
            |t| json!({"null": tested, "z": num(t.z), "p_greater": num(t.p_greater)}),
        )
    };
    let difference = |null| score(null, proportions::score_difference(counts, null));
    let ratio = |null| score(null, proportions::score_ratio(counts, null));
    // the score tests state the null that they test beside what came out, or in the key
    let stated = |key: &str| number(&input.case["expected"][key]["null"]);
    let answer = json!({
        "pooled_z": optional(pooled.map(|t| t.z)),
        "pooled_p_greater": optional(pooled.map(|t| t.p_greater)),
        "newcombe_diff": newcombe(level),
        "miettinen_nurminen_diff": difference_interval(level),
        "miettinen_nurminen_ratio": ratio_interval(level),
        "score_diff_margin": difference(stated("score_diff_margin").unwrap_or(0.01)),
        "score_ratio_margin": ratio(stated("score_ratio_margin").unwrap_or(1.25)),
        "fisher_p_greater": num(proportions::fisher_p_greater(counts)),
    });
    input.complete(answer, |key| {
        let at = |name| keys::level(key, name);
        let null = |name| stated(key).or_else(|| keys::after(key, name));
        if key.starts_with("score_diff_margin_") {
            null("score_diff_margin_").map(difference)
        } else if key.starts_with("score_ratio_margin_") {
            null("score_ratio_margin_").map(ratio)
        } else {
            at("newcombe_diff_")
                .map(newcombe)
                .or_else(|| at("miettinen_nurminen_diff_").map(difference_interval))
                .or_else(|| at("miettinen_nurminen_ratio_").map(ratio_interval))
        }
    })
}

pub(crate) fn rate_ratio_conditional(input: &In<'_>) -> Outcome {
    let counts = Counts {
        x_c: input.f("x_c")?,
        n_c: input.f("t_c")?,
        x_s: input.f("x_s")?,
        n_s: input.f("t_s")?,
    };
    let test = rate_ratio_test(counts, input.f_or("r0", 1.0)?);
    let interval = |level| pair(rate_ratio_interval(counts, level));
    let answer = json!({
        "p_greater": num(test.p_greater),
        "p_less": num(test.p_less),
        "mid_p_greater": num(test.mid_p_greater),
        "mid_p_less": num(test.mid_p_less),
        "ratio_ci": interval(input.f_or("level", LEVEL)?),
    });
    input.complete(answer, |key| keys::level(key, "ratio_ci_").map(interval))
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
    let Some(test) = welch(summary("c")?, summary("s")?) else {
        return Ok(Value::Null);
    };
    let interval = |level| pair(test.interval(level));
    let answer = json!({
        "t": num(test.t),
        "df": num(test.estimate.df),
        "p_two_sided": num(test.p_two_sided()),
        "p_greater": num(test.p(Side::Greater)),
        "p_less": num(test.p(Side::Less)),
        "diff_ci": interval(input.f_or("level", LEVEL)?),
    });
    input.complete(answer, |key| keys::level(key, "diff_ci_").map(interval))
}

pub(crate) fn mann_whitney(input: &In<'_>) -> Outcome {
    let (canary, stable) = (input.list("canary")?, input.list("stable")?);
    let (Some(test), Some(shift)) = (rank_test(&canary, &stable), Shift::new(&canary, &stable))
    else {
        return Ok(Value::Null);
    };
    let answer = json!({
        "u_canary": num(test.u_canary),
        "prob_canary_larger": num(test.prob_canary_larger),
        "p_two_sided_normal": optional(test.normal.map(|p| p.two_sided)),
        "p_greater_normal": optional(test.normal.map(|p| p.greater)),
        "p_less_normal": optional(test.normal.map(|p| p.less)),
        "p_two_sided_exact": optional(test.exact.map(|p| p.two_sided)),
        "p_greater_exact": optional(test.exact.map(|p| p.greater)),
        "p_less_exact": optional(test.exact.map(|p| p.less)),
        "hodges_lehmann": num(shift.hodges_lehmann()),
    });
    input.complete(answer, |key| {
        if let Some(key) = key.strip_suffix("_order") {
            return keys::level(key, "shift_ci_").map(|level| pair(shift.order_interval(level)));
        }
        let level = keys::level(key.strip_suffix("_exact")?, "shift_ci_")?;
        // the exact interval is stated only where the exact test is: without ties
        let exact = shift.exact_interval(level).filter(|_| test.exact.is_some());
        Some(exact.map_or(Value::Null, pair))
    })
}

pub(crate) fn quantile_interval(input: &In<'_>) -> Outcome {
    let (q, level) = (input.f("q")?, input.f_or("level", LEVEL)?);
    // without a kind, the data tell
    let kind = match input.has("kind") {
        true => input.text("kind")?,
        false if input.has("values") => "raw",
        false => "buckets",
    };
    let (lower, upper) = match kind {
        "raw" => interval::order_statistics(&input.list("values")?, q, level),
        "buckets" => {
            let (le, cumulative) = input.lists("le", "cumulative")?;
            histogram::quantile_interval(&le, &cumulative, q, level)
        }
        other => return Err(format!("unknown kind {other}")),
    };
    Ok(json!({"lower": num(lower), "upper": num(upper)}))
}
