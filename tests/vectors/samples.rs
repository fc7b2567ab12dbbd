//! From database samples to numbers.

use crate::compare::{num, number, nums, optional};
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
        input.f_or("lookback", 300.0)?,
    );
    Ok(json!({
        "exact": optional(found.map(|i| i.exact)),
        "exact_new_series_from_zero": optional(found.map(|i| i.from_zero)),
    }))
}

/// Numbers that an expected map has as its keys; what is no number is left to be found unknown.
fn keys(expected: &Value) -> Vec<(String, f64)> {
    let map = expected.as_object();
    let keys = map.into_iter().flat_map(|map| map.keys());
    keys.filter_map(|key| Some((key.clone(), key.parse().ok()?)))
        .collect()
}

pub(crate) fn histogram_quantile(input: &In<'_>) -> Outcome {
    let (le, cumulative) = input.lists("le", "cumulative")?;
    let mut answer = Map::new();
    for (key, q) in keys(&input.case["expected"]) {
        let found = histogram::quantile(&le, &cumulative, q);
        answer.insert(key, num(found.unwrap_or(f64::NAN)));
    }
    Ok(Value::Object(answer))
}

pub(crate) fn vmrange_histogram(input: &In<'_>) -> Outcome {
    let ranges = undefined(input.get("vmrange")?.as_object(), "vmrange")?;
    let ranges: Vec<(f64, f64, f64)> = ranges
        .iter()
        .map(|(range, count)| {
            let (low, high) = range.split_once("...")?;
            Some((low.parse().ok()?, high.parse().ok()?, number(count)?))
        })
        .collect::<Option<_>>()
        .ok_or("a range cannot be read")?;
    let (le, cumulative) = histogram::from_ranges(&ranges);
    let (mut quantiles, mut shares) = (Map::new(), Map::new());
    for (key, q) in keys(&input.case["expected"]["quantiles"]) {
        quantiles.insert(key, optional(histogram::quantile(&le, &cumulative, q)));
    }
    for (key, edge) in keys(&input.case["expected"]["share_above"]) {
        let share = histogram::raw_share_above(&le, &cumulative, edge);
        shares.insert(key, optional(share));
    }
    Ok(
        json!({"le": nums(&le), "cumulative": nums(&cumulative), "quantiles": quantiles, "share_above": shares}),
    )
}
