//! From database samples to numbers.

use crate::compare::{num, nums, optional};
use crate::input::{In, Outcome, numbers, undefined};
use rollout_judge::stats::counter::increase;
use rollout_judge::stats::histogram;
use serde_json::{Map, Value, json};

pub(crate) fn counter_increase(input: &In<'_>) -> Outcome {
    let samples: Vec<(f64, f64)> = input
        .items("samples")?
        .iter()
        .map(|sample| match numbers(sample.at).as_deref() {
            Some([time, value]) => Ok((*time, *value)),
            _ => Err("a sample is not a pair".to_owned()),
        })
        .collect::<Result<_, String>>()?;
    let found = increase(
        &samples,
        input.f("window_start")?,
        input.f("window_end")?,
        input.f("lookback")?,
    );
    Ok(json!({
        "exact": optional(found.map(|i| i.exact)),
        "exact_new_series_from_zero": optional(found.map(|i| i.from_zero)),
    }))
}

/// Numbers that an expected map has as its keys.
fn keys(expected: &Value) -> Result<Vec<(String, f64)>, String> {
    let map = undefined(expected.as_object(), "the expected map")?;
    map.keys()
        .map(|k| {
            k.parse()
                .map(|v| (k.clone(), v))
                .map_err(|e| format!("{k}: {e}"))
        })
        .collect()
}

pub(crate) fn histogram_quantile(input: &In<'_>) -> Outcome {
    let (le, cumulative) = (input.list("le")?, input.list("cumulative")?);
    let mut answer = Map::new();
    for (key, q) in keys(&input.case["expected"])? {
        answer.insert(
            key,
            num(histogram::quantile(&le, &cumulative, q).unwrap_or(f64::NAN)),
        );
    }
    Ok(Value::Object(answer))
}

pub(crate) fn vmrange_histogram(input: &In<'_>) -> Outcome {
    let ranges = undefined(input.get("vmrange")?.as_object(), "vmrange")?;
    let ranges: Vec<(f64, f64, f64)> = ranges
        .iter()
        .map(|(range, count)| {
            let (low, high) = range.split_once("...")?;
            Some((low.parse().ok()?, high.parse().ok()?, count.as_f64()?))
        })
        .collect::<Option<_>>()
        .ok_or("a range cannot be read")?;
    let (le, cumulative) = histogram::from_ranges(&ranges);
    let (mut quantiles, mut shares) = (Map::new(), Map::new());
    for (key, q) in keys(&input.case["expected"]["quantiles"])? {
        quantiles.insert(key, optional(histogram::quantile(&le, &cumulative, q)));
    }
    for (key, edge) in keys(&input.case["expected"]["share_above"])? {
        shares.insert(
            key,
            optional(histogram::raw_share_above(&le, &cumulative, edge)),
        );
    }
    Ok(
        json!({"le": nums(&le), "cumulative": nums(&cumulative), "quantiles": quantiles, "share_above": shares}),
    )
}
