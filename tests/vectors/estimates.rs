//! Evidence from estimates with standard errors.

use crate::compare::{num, pair};
use crate::input::{In, Outcome, undefined};
use rollout_judge::stats::block_mean::{BlockMean, MeanEstimate, log_ratio_of_means};
use rollout_judge::stats::mixture::Side;
use rollout_judge::stats::stratified::StratifiedRatio;
use rollout_judge::stats::{normal_mixture as normal, paired_gauge as gauge};
use serde_json::json;

pub(crate) fn normal_mixture(input: &In<'_>) -> Outcome {
    let (estimate, se, tau) = (input.f("estimate")?, input.f("se")?, input.f("tau")?);
    let distance = estimate - input.f("null")?;
    Ok(json!({
        "log_e_greater": num(normal::log_e_greater(distance, se, tau)),
        "log_e_less": num(normal::log_e_less(distance, se, tau)),
        "log_e_two": num(normal::log_e_two_sided(distance, se, tau)),
        "ci_two_sided_alpha_0.05": pair(normal::confidence_sequence(estimate, se, tau, 0.05)),
        "ci_two_sided_alpha_0.01": pair(normal::confidence_sequence(estimate, se, tau, 0.01)),
    }))
}

pub(crate) fn stratified_rate_ratio(input: &In<'_>) -> Outcome {
    let tau = input.f("tau")?;
    let mut ratio = StratifiedRatio::new();
    for block in input.items("blocks")? {
        let c = block.counts()?;
        ratio.push(c.x_c, c.n_c, c.x_s, c.n_s);
    }
    let estimate = undefined(ratio.estimate(), "the ratio")?;
    let margin = |margin: f64| {
        let boundary = margin.ln_1p();
        json!({
            "t": num(estimate.on_log_scale().t(boundary)),
            "z_adjusted": num(estimate.on_log_scale().z(boundary)),
            "log_e_greater": num(ratio.log_e(Side::Greater, 1.0 + margin, tau)),
            "log_e_less": num(ratio.log_e(Side::Less, 1.0 + margin, tau)),
        })
    };
    Ok(json!({
        "ratio": num(estimate.ratio),
        "log_ratio": num(estimate.log_ratio),
        "var_robust": num(estimate.var_robust),
        "var_poisson": num(estimate.var_poisson),
        "se": num(estimate.se),
        "df": num(estimate.df),
        "blocks_used": ratio.blocks(),
        "margin_0.0": margin(0.0),
        "margin_0.1": margin(0.1),
    }))
}

pub(crate) fn block_mean_ratio(input: &In<'_>) -> Outcome {
    let arm = |key: &str| -> Result<MeanEstimate, String> {
        let arm = input.inside(key)?;
        let mut mean = BlockMean::new();
        for (sum, count) in arm.list("sum")?.into_iter().zip(arm.list("count")?) {
            mean.push(sum, count);
        }
        undefined(mean.estimate(), "a mean")
    };
    let report = |e: &MeanEstimate| json!({"mean": num(e.mean), "se": num(e.se), "count": num(e.count), "blocks": e.blocks});
    let (canary, stable) = (arm("canary")?, arm("stable")?);
    let df = f64::from(canary.blocks) - 1.0;
    let estimate = undefined(log_ratio_of_means(&canary, &stable, df), "the ratio")?;
    let boundary = (-0.05_f64).ln_1p();
    Ok(json!({
        "canary": report(&canary),
        "stable": report(&stable),
        "log_ratio": num(estimate.value),
        "se_log_ratio": num(estimate.se),
        "df": num(estimate.df),
        "decrease_margin_0.05": {
            "t": num(estimate.t(boundary)),
            "log_e_fail": num(estimate.log_e(Side::Less, boundary, input.f("tau")?)),
        },
    }))
}

pub(crate) fn paired_gauge(input: &In<'_>) -> Outcome {
    let tau = input.f("tau")?;
    let differences = gauge::log_differences(&input.list("canary")?, &input.list("stable")?);
    let estimate = undefined(gauge::paired_estimate(&differences), "the mean difference")?;
    let margin = |margin: f64| {
        let boundary = margin.ln_1p();
        json!({
            "t": num(estimate.as_estimate().t(boundary)),
            "log_e_greater": num(estimate.log_e(Side::Greater, boundary, tau)),
        })
    };
    let boundary = 0.1_f64.ln_1p();
    Ok(json!({
        "mean": num(estimate.mean),
        "sd": num(estimate.sd),
        "lag1": num(estimate.lag1),
        "lag1_used": num(estimate.lag1_used),
        "inflation": num(estimate.inflation),
        "se": num(estimate.se),
        "df": num(estimate.df),
        "margin_0.0": margin(0.0),
        "margin_0.1": margin(0.1),
        "sign_count_margin_0.1": gauge::sign_count(&differences, Side::Greater, boundary),
        "sign_log_e_greater_margin_0.1": num(gauge::sign_log_e(&differences, Side::Greater, boundary)),
    }))
}
