//! The indicator of an objective: which series are read.

use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::Fields,
    keys::{ERROR_RATIO, LATENCY, MEAN, RATIO},
    model::Indicator,
    promql::{self, Wanted},
    scalar,
    tree::{Entry, Node},
};

pub(super) fn read(entry: &Entry, context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Indicator> {
    match entry.key.as_str() {
        "errorRatio" => {
            let fields = Fields::of(entry, &ERROR_RATIO, sink)?;
            let [errors, total] = counters(&fields, ["errors", "total"], context, sink);
            let (errors, total) = (errors?, total?);
            different(&fields, ["errors", "total"], [&errors, &total], sink);
            Some(Indicator::ErrorRatio { errors, total })
        }
        "ratio" => {
            let fields = Fields::of(entry, &RATIO, sink)?;
            let [numerator, denominator] =
                counters(&fields, ["numerator", "denominator"], context, sink);
            let (numerator, denominator) = (numerator?, denominator?);
            different(
                &fields,
                ["numerator", "denominator"],
                [&numerator, &denominator],
                sink,
            );
            Some(Indicator::Ratio {
                numerator,
                denominator,
            })
        }
        "mean" => {
            let fields = Fields::of(entry, &MEAN, sink)?;
            let [sum, count] = counters(&fields, ["sum", "count"], context, sink);
            let sum_of_squares = fields
                .get("sumOfSquares")
                .and_then(|squares| selector(squares, Wanted::Counter, context, sink));
            let (sum, count) = (sum?, count?);
            different(&fields, ["sum", "count"], [&sum, &count], sink);
            Some(Indicator::Mean {
                sum,
                count,
                sum_of_squares,
            })
        }
        "latencyQuantile" => latency(entry, context, sink),
        "gauge" => Some(Indicator::Gauge {
            selector: selector(entry, Wanted::Gauge, context, sink)?,
        }),
        _ => {
            let words = scalar::text(&entry.value, "query", sink)?;
            let opaque = promql::expression(&entry.value, words, context, sink)?;
            Some(Indicator::Query {
                expression: words.to_owned(),
                opaque,
            })
        }
    }
}

fn latency(entry: &Entry, context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Indicator> {
    let fields = Fields::of(entry, &LATENCY, sink)?;
    let histogram = fields
        .get("histogram")
        .and_then(|written| selector(written, Wanted::Histogram, context, sink));
    let quantile = fields
        .get("quantile")
        .and_then(|written| quantile(&written.value, sink));
    Some(Indicator::LatencyQuantile {
        histogram: histogram?,
        quantile: quantile?,
    })
}

fn quantile(node: &Node, sink: &mut Sink<'_>) -> Option<f64> {
    scalar::chance(node, "quantile", "0.99", sink)
}

fn counters(
    fields: &Fields<'_>,
    keys: [&str; 2],
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> [Option<String>; 2] {
    keys.map(|key| {
        fields
            .get(key)
            .and_then(|entry| selector(entry, Wanted::Counter, context, sink))
    })
}

fn selector(
    entry: &Entry,
    wanted: Wanted,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<String> {
    let words = scalar::text(&entry.value, &entry.key, sink)?;
    promql::selector(&entry.value, words, wanted, context, sink).then(|| words.to_owned())
}

/// A ratio of a counter to itself is always 1.
fn different(fields: &Fields<'_>, keys: [&str; 2], texts: [&str; 2], sink: &mut Sink<'_>) {
    let [first, second] = keys;
    let [above, below] = texts;
    let (true, Some(entry)) = (above == below, fields.get(second)) else {
        return;
    };
    sink.report(
        Mistake::Contradiction,
        &entry.value.span,
        format!("`{first}` and `{second}` are the same selector: the quotient is always 1"),
        format!("same as `{first}`"),
        format!("narrow `{first}` by a matcher such as {{code=~\"5..\"}}, or name another metric in `{second}`"),
    );
}
