//! Closed forms: mixtures, dispersion, planning, several metrics, bounds, the verdict.

use crate::compare::{num, nums, optional};
use crate::input::{In, Outcome, numbers, undefined};
use rollout_judge::stats::beta_binomial::BetaBinomial;
use rollout_judge::stats::decision::{Decision, Standing, decide};
use rollout_judge::stats::dispersion::{Dispersion, PodSpread};
use rollout_judge::stats::group_sequential::{Spending, bounds};
use rollout_judge::stats::planning::Plan;
use rollout_judge::stats::{dirichlet_multinomial as split, multiplicity as many};
use serde_json::{Value, json};

pub(crate) fn beta_binomial_sequence(input: &In<'_>) -> Outcome {
    let mixture = BetaBinomial {
        x: input.f("x")?,
        n: input.f("n")?,
        a: input.f("a")?,
        b: input.f("b")?,
    };
    let p0 = input.f("p0")?;
    let (lower, upper) = mixture.confidence_sequence(input.f("alpha")?);
    let BetaBinomial { x, n, a, b } = mixture;
    // the other side is the same question about the trials without an event
    let mirrored = BetaBinomial {
        x: n - x,
        n,
        a: b,
        b: a,
    };
    Ok(json!({
        "log_e_two_sided": num(mixture.log_e_two_sided(p0)),
        "log_e_greater": num(mixture.log_e_greater(p0)),
        "log_e_less": num(mirrored.log_e_greater(1.0 - p0)),
        "lower": num(lower),
        "upper": num(upper),
    }))
}

pub(crate) fn dirichlet_multinomial(input: &In<'_>) -> Outcome {
    let (counts, shares) = (input.list("counts")?, input.list("theta0")?);
    let test = split::chi_square(&counts, &shares);
    Ok(json!({
        "log_e": num(split::log_e(&counts, &shares, input.f("concentration")?)),
        "chi_square": optional(test.map(|t| t.statistic)),
        "chi_square_p": optional(test.map(|t| t.p)),
    }))
}

pub(crate) fn dispersion(input: &In<'_>) -> Outcome {
    let rows = |key: &str| -> Result<Vec<Vec<f64>>, String> {
        let rows = input.items(key)?;
        rows.iter()
            .map(|row| undefined(numbers(row.at), key))
            .collect()
    };
    let mut within = Dispersion::new();
    let mut between = PodSpread::new();
    for (x, n) in rows("x")?.into_iter().zip(rows("n")?) {
        let pods: Vec<(f64, f64)> = x.into_iter().zip(n).collect();
        within.push(&pods);
        for (slot, (x, n)) in pods.into_iter().enumerate() {
            between.add(slot, x, n);
        }
    }
    Ok(json!({
        "phi_raw": optional(within.phi_raw()),
        "phi": num(within.phi()),
        "pod_log_rate_sd": num(between.tau(within.phi())),
    }))
}

pub(crate) fn minimum_detectable(input: &In<'_>) -> Outcome {
    let plan = Plan {
        stable_rate: input.f("stable_rate")?,
        canary_trials: input.f("canary_trials")?,
        stable_trials: input.f("stable_trials")?,
        boundary_ratio: input.f("boundary_ratio")?,
        phi: input.f_or("phi", 1.0)?,
        alpha: input.f("alpha")?,
        power: input.f("power")?,
    };
    let Some(found) = plan.minimum_detectable() else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "information": num(found.information),
        "se": num(found.se),
        "mde_log": num(found.mde_log),
        "mde_ratio": num(found.mde_ratio),
    }))
}

pub(crate) fn decision(input: &In<'_>) -> Outcome {
    let horizon = input.get("horizon_reached")?.as_bool();
    let standing = Standing {
        alpha: input.f("alpha")?,
        beta: input.f("beta")?,
        max_log_e_fail: input.f_or("max_log_e_fail", f64::NEG_INFINITY)?,
        log_e_pass: input.f_or("log_e_pass", f64::NEG_INFINITY)?,
        event_blocks: input.f("event_blocks")? as u32,
        min_event_blocks: input.f_or("min_event_blocks", 3.0)? as u32,
        blocks: input.f("blocks")? as u32,
        min_blocks: input.f_or("min_blocks", 10.0)? as u32,
        canary_trials: input.f("canary_trials")?,
        min_canary_trials: input.f_or("min_canary_trials", 100.0)?,
        horizon_reached: undefined(horizon, "horizon_reached")?,
        mde: input.f_or("mde", f64::INFINITY)?,
        design_effect: input.f_or("design_effect", 2.0)?,
    };
    let verdict = match decide(&standing) {
        Decision::Fail => "fail",
        Decision::Pass => "pass",
        Decision::Inconclusive => "inconclusive",
    };
    Ok(json!({"verdict": verdict}))
}

pub(crate) fn multiplicity(input: &In<'_>) -> Outcome {
    if input.at.get("p").is_some() {
        let p = input.list("p")?;
        return Ok(json!({
            "holm": nums(&many::holm(&p)),
            "bonferroni": nums(&many::bonferroni(&p)),
            "benjamini_hochberg": nums(&many::benjamini_hochberg(&p)),
            "benjamini_yekutieli": nums(&many::benjamini_yekutieli(&p)),
        }));
    }
    let log_e = input.list("log_e")?;
    let weights = if input.has("weights") {
        input.list("weights")?
    } else {
        vec![1.0 / log_e.len() as f64; log_e.len()]
    };
    let alpha = input.f_or("alpha", 0.01)?;
    Ok(json!({
        "log_e_weighted_average": num(many::log_weighted_average(&log_e, &weights)),
        "weighted_bonferroni_reject": many::weighted_bonferroni(&log_e, &weights, alpha),
        "holm_on_anytime_p": nums(&many::holm_on_e(&log_e)),
        "e_bh_reject": many::e_benjamini_hochberg(&log_e, alpha),
    }))
}

pub(crate) fn group_sequential(input: &In<'_>) -> Outcome {
    let spending = match input.text("spending")? {
        "obf" => Spending::OBrienFleming,
        "pocock" => Spending::Pocock,
        other => return Err(format!("unknown spending {other}")),
    };
    let fractions = input.list("information_fractions")?;
    let Some(plan) = bounds(spending, input.f("alpha_one_sided")?, &fractions) else {
        return Ok(Value::Null);
    };
    Ok(json!({"cumulative_alpha": nums(&plan.cumulative_alpha), "z_bounds": nums(&plan.z)}))
}
