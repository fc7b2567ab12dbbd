//! A shop with 19 stable pods and one canary, scraped every 15 seconds: the same numbers on every run.

use std::fmt::Write as _;

/// Between two scrapes, in milliseconds.
pub const SCRAPE: i64 = 15_000;
/// Pods of the stable version.
pub const STABLE_PODS: usize = 19;
/// Pod-template hash of the canary.
pub const CANARY: &str = "6c9f7b5d44";
/// Pod-template hash of the stable version.
pub const STABLE: &str = "5d8b6c7f99";
/// Requests per second of one pod.
const RATE: f64 = 40.0;
/// Upper edges of the histogram with the share of requests at or below each.
const BUCKETS: [(&str, f64); 14] = [
    ("0.005", 0.04),
    ("0.01", 0.15),
    ("0.025", 0.42),
    ("0.05", 0.66),
    ("0.075", 0.79),
    ("0.1", 0.87),
    ("0.15", 0.93),
    ("0.25", 0.965),
    ("0.4", 0.982),
    ("0.5", 0.988),
    ("0.75", 0.993),
    ("1", 0.996),
    ("2.5", 0.9992),
    ("+Inf", 1.0),
];

/// Four objectives: error ratio, p99, ratio, mean.
pub const POLICY: &str = r#"apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata:
  name: shop
spec:
  source: default
  tracks:
    label: rollouts_pod_template_hash
  match: '{app="shop"}'
  horizon: 2h
  lookBack: 30m
  block: 30s
  objectives:
    - name: error-rate
      errorRatio: { errors: 'http_requests_total{code=~"5.."}', total: http_requests_total }
    - name: p99-latency
      latencyQuantile: { histogram: http_request_duration_seconds_bucket, quantile: 0.99 }
    - name: conversion
      ratio: { numerator: shop_orders_total, denominator: http_requests_total }
      harm: decrease
    - name: order-value
      mean: { sum: shop_revenue_cents_total, count: shop_orders_total }
      harm: decrease
"#;

/// One series of the shop.
#[derive(Debug, Clone)]
pub struct Series {
    /// Name and labels, as JSON.
    pub metric: String,
    /// Its name alone.
    pub name: &'static str,
    /// Is it an answer with a 5xx code?
    pub error: bool,
    canary: bool,
    offset: i64,
    seed: u64,
    rate: f64,
}

/// The shop: every series, and when the data and the canary begin.
#[derive(Debug, Clone)]
pub struct Shop {
    /// All series, sorted by name.
    pub series: Vec<Series>,
    data_start: i64,
    canary_start: i64,
}

impl Shop {
    /// A shop whose canary starts at this moment (milliseconds since 1970).
    pub fn new(data_start: i64, canary_start: i64) -> Self {
        let mut series = Vec::new();
        for pod in 0..=STABLE_PODS {
            let canary = pod == STABLE_PODS;
            let hash = if canary { CANARY } else { STABLE };
            let mut add = |name: &'static str, more: &str, rate: f64, error: bool| {
                // sorted by name, as databases write them
                let (code, edge) = if more.contains("code") {
                    (more, "")
                } else {
                    ("", more)
                };
                series.push(Series {
                    metric: format!(
                        r#"{{"__name__":"{name}","app":"shop"{code},"instance":"10.3.{}.{}:9102","job":"checkout"{edge},"namespace":"shop","pod":"checkout-{hash}-x{pod:02}q7","rollouts_pod_template_hash":"{hash}"}}"#,
                        pod / 7,
                        pod * 11 + 3,
                    ),
                    name,
                    error,
                    canary,
                    offset: pod as i64 * 733 % SCRAPE,
                    seed: pod as u64,
                    rate,
                });
            };
            add(
                "http_requests_total",
                r#","code":"200""#,
                RATE * 0.999,
                false,
            );
            add(
                "http_requests_total",
                r#","code":"500""#,
                RATE * 0.001,
                true,
            );
            for (edge, share) in BUCKETS {
                let more = format!(r#","le":"{edge}""#);
                add(
                    "http_request_duration_seconds_bucket",
                    &more,
                    RATE * share,
                    false,
                );
            }
            add("shop_orders_total", "", RATE * 0.05, false);
            add("shop_revenue_cents_total", "", RATE * 0.05 * 4200.0, false);
        }
        series.sort_by(|a, b| a.metric.cmp(&b.metric));
        Self {
            series,
            data_start,
            canary_start,
        }
    }

    /// Moments and values of one series in `(start, end]`.
    pub fn samples(
        &self,
        series: &Series,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = (i64, f64)> {
        let born = if series.canary {
            self.canary_start
        } else {
            self.data_start
        };
        let zero = born + series.offset;
        let first = ((start - zero).div_euclid(SCRAPE) + 1).max(0);
        let (seed, rate) = (series.seed, series.rate * SCRAPE as f64 / 1000.0);
        (first..)
            .map(move |i| {
                (
                    zero + i * SCRAPE,
                    (rate * (i as f64 + wobble(seed, i))).floor(),
                )
            })
            .take_while(move |(at, _)| *at <= end)
    }

    /// The answer to a raw selector, as a database writes it.
    pub fn raw(&self, query: &str, at: i64) -> String {
        let mut text = r#"{"status":"success","data":{"resultType":"matrix","result":["#.to_owned();
        let length = query
            .rsplit_once('[')
            .and_then(|(_, rest)| rest.strip_suffix("ms]"))
            .and_then(|digits| digits.parse::<i64>().ok())
            .unwrap_or(0);
        let name = query.split('{').next().unwrap_or_default();
        let errors = query.contains(r#"code=~"5..""#);
        let mut comma = "";
        for series in &self.series {
            if series.name != name || (errors && !series.error) {
                continue;
            }
            let mut values = String::new();
            for (moment, value) in self.samples(series, at - length, at) {
                let comma = if values.is_empty() { "" } else { "," };
                let _ = write!(
                    values,
                    r#"{comma}[{}.{:03},"{value}"]"#,
                    moment / 1000,
                    moment % 1000
                );
            }
            if !values.is_empty() {
                let _ = write!(
                    text,
                    r#"{comma}{{"metric":{},"values":[{values}]}}"#,
                    series.metric
                );
                comma = ",";
            }
        }
        text.push_str("]}}");
        text
    }

    /// The answer to the question in which minutes the canary was there.
    pub fn presence(&self, start: i64, end: i64, step: i64) -> String {
        let mut values = String::new();
        for at in (start..=end).step_by(step.max(1) as usize) {
            if at > self.canary_start {
                let comma = if values.is_empty() { "" } else { "," };
                let _ = write!(values, r#"{comma}[{},"4"]"#, at / 1000);
            }
        }
        let result = if values.is_empty() {
            String::new()
        } else {
            format!(r#"{{"metric":{{}},"values":[{values}]}}"#)
        };
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}}}}"#)
    }
}

/// Between 0 and 0.9, so that counters never fall.
fn wobble(seed: u64, i: i64) -> f64 {
    let mut x = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(i.cast_unsigned().wrapping_mul(0xbf58_476d_1ce4_e5b9));
    x ^= x >> 31;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 29;
    0.9 * (x >> 11) as f64 / (1_u64 << 53) as f64
}
