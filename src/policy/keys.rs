//! Every key of the document, once: the reader refuses what is not here, the JSON Schema is made from it.

/// A mapping of the document.
#[derive(Debug)]
pub(super) struct Table {
    /// How it is called in messages: `spec`, `an objective`.
    pub path: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
    /// Exactly one of these keys, if there are any.
    pub one_of: &'static [&'static str],
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub must: bool,
    pub form: Form,
    pub doc: &'static str,
}

/// What may stand behind a key.
#[derive(Debug)]
pub(super) enum Form {
    /// A text; a pattern for editors and an example.
    Text(Option<&'static str>, &'static str),
    /// `500ms`, `1h30m`.
    Duration(&'static str),
    /// `0.01` or `1%`.
    Share(&'static str),
    /// A number in the unit of the objective: `0.02`, `2%`, `500ms`, `64MiB`.
    Quantity,
    /// A number, at least and at most.
    Number(f64, f64),
    Flag,
    Word(&'static [&'static str]),
    Map(&'static Table),
    /// A list with at least so many items.
    List(&'static Form, usize),
}

use Form::{Duration, Flag, List, Map, Number, Quantity, Share, Text, Word};

/// A key that must be there.
const fn must(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key {
        name,
        must: true,
        form,
        doc,
    }
}

/// A key that may be there.
const fn may(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key {
        name,
        must: false,
        form,
        doc,
    }
}

pub(super) const API_VERSION: &str = "rollout-judge/v1";
pub(super) const KIND: &str = "JudgePolicy";
pub(super) const KINDS: [&str; 6] = [
    "errorRatio",
    "latencyQuantile",
    "ratio",
    "mean",
    "gauge",
    "query",
];
pub(super) const ALERTS: &[&str] = &[
    "fail",
    "pass",
    "inconclusive",
    "recovered",
    "override",
    "source-down",
    "promotion-without-evidence",
];
pub(super) const OUTCOMES: &[&str] = &["inconclusive", "pass", "fail"];
pub(super) const SOURCE_DOWN: &[&str] = &["inconclusive", "error"];
pub(super) const TIMEOUTS: &[&str] = &["hold", "advance", "abort"];
pub(super) const HARMS: &[&str] = &["increase", "decrease", "either"];
pub(super) const UNITS: &[&str] = &["ratio", "seconds", "bytes", ""];
const DNS: Option<&str> = Some("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");
const LABEL: Option<&str> = Some("^[a-zA-Z_][a-zA-Z0-9_]*$");
const SELECTOR: Form = Text(None, "http_requests_total{code=~\"5..\"}");
const ANY_TEXT: Form = Text(None, "");

pub(super) static ROOT: Table = Table {
    path: "a policy document",
    doc: "A policy of rollout-judge: what a canary is judged by.",
    one_of: &[],
    keys: &[
        must(
            "apiVersion",
            Word(&[API_VERSION]),
            "Always `rollout-judge/v1`.",
        ),
        must("kind", Word(&[KIND]), "Always `JudgePolicy`."),
        must("metadata", Map(&METADATA), "How the policy is called."),
        must("spec", Map(&SPEC), "What is judged, and how surely."),
        may("alerts", Map(&ALERT), "Who is told, and when."),
    ],
};

pub(super) static METADATA: Table = Table {
    path: "metadata",
    doc: "How the policy is called.",
    one_of: &[],
    keys: &[must(
        "name",
        Text(DNS, "http-service"),
        "The name that requests use: a DNS label, unique in the service.",
    )],
};

pub(super) static SPEC: Table = Table {
    path: "spec",
    doc: "What is judged, and how surely.",
    one_of: &[],
    keys: &[
        may(
            "source",
            Text(None, "default"),
            "A metric source of the service's configuration. Default `default`.",
        ),
        may(
            "tracks",
            Map(&TRACKS),
            "How canary and stable are told apart. Default: the label `rollouts_pod_template_hash`.",
        ),
        may(
            "match",
            Text(None, "{namespace=\"$namespace\", service=\"$rollout\"}"),
            "Matchers added to every selector. `$variables` become label values only.",
        ),
        may(
            "params",
            List(&ANY_TEXT, 0),
            "Names that requests may send in `params`, used as `$name` in matchers.",
        ),
        may(
            "podLabel",
            Text(LABEL, "pod"),
            "The label that tells pods apart. Default `pod`.",
        ),
        may(
            "horizon",
            Duration("2h"),
            "A rollout is never judged on older data. At least 10 blocks and the lag, at most 24h. Default 2h.",
        ),
        may(
            "lookBack",
            Duration("30m"),
            "Stable data from before the canary: dispersion, quantile, what is normal. At most 24h. Default 30m.",
        ),
        may(
            "block",
            Duration("30s"),
            "Unit of evidence, at least two scrapes and at least 1s. Learnt from the scrape interval when absent.",
        ),
        may(
            "warmUp",
            Duration("60s"),
            "Latency of each canary pod's first seconds is not counted; errors are. Default 60s.",
        ),
        may(
            "lag",
            Duration("30s"),
            "A block is closed this long after its end: scrape interval and ingestion delay. At most 10m. Default 30s.",
        ),
        may(
            "falseAbortRate",
            Share("0.01"),
            "Chance that a harmless canary is ever aborted: all objectives, all looks, all steps. Default 0.01.",
        ),
        may(
            "falsePassRate",
            Share("0.05"),
            "Chance that harm beyond passMargin passes. Default 0.05.",
        ),
        may(
            "minRequests",
            Number(0.0, 1e12),
            "Fewer canary requests than this decide nothing but a fail. Default 100.",
        ),
        may(
            "minBlocks",
            Number(1.0, 10_000.0),
            "Fewer closed blocks than this decide nothing but a fail, which needs at least 3. Default 10.",
        ),
        may(
            "steps",
            List(&Map(&STEP), 1),
            "The walk of the traffic weight, ascending. Default 5, 25, 50, 100.",
        ),
        may(
            "onNoData",
            Word(OUTCOMES),
            "What missing data means after `noDataPatience`. Default inconclusive.",
        ),
        may(
            "noDataPatience",
            Duration("5m"),
            "Missing data is inconclusive for this long in any case. At most 24h. Default 5m.",
        ),
        may(
            "onSourceDown",
            Word(SOURCE_DOWN),
            "What a silent metric source means after `sourcePatience`. Default inconclusive.",
        ),
        may(
            "sourcePatience",
            Duration("5m"),
            "A silent source is inconclusive for this long in any case. At most 24h. Default 5m.",
        ),
        must(
            "objectives",
            List(&Map(&OBJECTIVE), 1),
            "What is judged, in this order.",
        ),
    ],
};

pub(super) static TRACKS: Table = Table {
    path: "spec.tracks",
    doc: "Either one `label` whose value is the pod-template hash, or explicit matchers for both tracks.",
    one_of: &[],
    keys: &[
        may(
            "label",
            Text(LABEL, "rollouts_pod_template_hash"),
            "The label whose value is the pod-template hash.",
        ),
        may(
            "canary",
            Text(None, "{track=\"canary\"}"),
            "Matchers of the canary, instead of `label`.",
        ),
        may(
            "stable",
            Text(None, "{track=\"stable\"}"),
            "Matchers of stable, instead of `label`.",
        ),
    ],
};

pub(super) static STEP: Table = Table {
    path: "a step",
    doc: "One step of the walk.",
    one_of: &[],
    keys: &[
        must(
            "weight",
            Number(0.0, 100.0),
            "Traffic percent, more than in the step before.",
        ),
        may(
            "minDuration",
            Duration("2m"),
            "No pass before. At most 7d, and no longer than a `horizon` below 24h. Default 0s.",
        ),
        may(
            "maxDuration",
            Duration("15m"),
            "After this, `onTimeout` rules. At most 7d, and no longer than a `horizon` below 24h. Absent: the step waits as long as it must.",
        ),
        may(
            "onTimeout",
            Word(TIMEOUTS),
            "What an undecided step becomes at its maxDuration. Default hold.",
        ),
    ],
};

pub(super) static OBJECTIVE: Table = Table {
    path: "an objective",
    doc: "One thing to judge: exactly one indicator, and what counts as harm.",
    one_of: &KINDS,
    keys: &[
        must(
            "name",
            Text(DNS, "error-rate"),
            "Unique within the policy: a DNS label.",
        ),
        may(
            "errorRatio",
            Map(&ERROR_RATIO),
            "Bad events out of all events.",
        ),
        may(
            "latencyQuantile",
            Map(&LATENCY),
            "A quantile of a distribution kept in a histogram.",
        ),
        may(
            "ratio",
            Map(&RATIO),
            "Events per exposure: orders per checkout.",
        ),
        may(
            "mean",
            Map(&MEAN),
            "A mean from a sum and a count: value per order.",
        ),
        may(
            "gauge",
            Text(None, "work_queue_depth"),
            "A level: a plain selector of gauges, compared pod by pod.",
        ),
        may(
            "query",
            Text(None, "sum(rate(cache_misses_total{$track}[1m]))"),
            "Any PromQL with `$track` in each of its selectors, compared as samples.",
        ),
        may(
            "harm",
            Word(HARMS),
            "Which change is harm. Default increase; decrease for ratio and mean: a mean latency wants `increase`. errorRatio and latencyQuantile know only increase.",
        ),
        may(
            "margin",
            Map(&MARGIN),
            "FAIL: harm shown beyond this. Defaults by kind: errorRatio 10% + 0.0005, latencyQuantile 15%, ratio and mean 5%, gauge and query 10%.",
        ),
        may(
            "passMargin",
            Map(&PASS_MARGIN),
            "PASS: harm of this size ruled out. Defaults by kind: errorRatio 50% + 0.001, latencyQuantile 50%, ratio 20%, mean 15%, gauge and query 50%; never below `margin`.",
        ),
        may(
            "limit",
            Quantity,
            "Never beyond this, whatever stable does: a ceiling, or a floor where a decrease is harm.",
        ),
        may(
            "critical",
            Flag,
            "A fail aborts the rollout; otherwise it only holds it. Default true.",
        ),
        may("watch", Flag, "Reported, never decides. Default false."),
        may(
            "weight",
            Number(0.0, 1e6),
            "Share of falseAbortRate, relative to the other deciding objectives; above 0. Default 1.",
        ),
        may(
            "unit",
            Word(UNITS),
            "Unit of the values. Default ratio for errorRatio and ratio, seconds for latencyQuantile, none otherwise.",
        ),
    ],
};

pub(super) static ERROR_RATIO: Table = Table {
    path: "errorRatio",
    doc: "Bad events out of all events.",
    one_of: &[],
    keys: &[
        must(
            "errors",
            SELECTOR,
            "Counter of bad events: a plain selector, without rate().",
        ),
        must(
            "total",
            SELECTOR,
            "Counter of all events: a plain selector, without rate().",
        ),
    ],
};

pub(super) static LATENCY: Table = Table {
    path: "latencyQuantile",
    doc: "A quantile of a distribution kept in a histogram.",
    one_of: &[],
    keys: &[
        must(
            "histogram",
            Text(None, "http_request_duration_seconds_bucket"),
            "Classic `_bucket` series, VictoriaMetrics vmrange buckets, or a native histogram.",
        ),
        must(
            "quantile",
            Share("0.99"),
            "Between 0 and 1: 0.99 is the P99.",
        ),
    ],
};

pub(super) static RATIO: Table = Table {
    path: "ratio",
    doc: "Events per exposure.",
    one_of: &[],
    keys: &[
        must(
            "numerator",
            SELECTOR,
            "Counter of events: a plain selector, without rate().",
        ),
        must(
            "denominator",
            SELECTOR,
            "Counter of exposure: a plain selector, without rate().",
        ),
    ],
};

pub(super) static MEAN: Table = Table {
    path: "mean",
    doc: "A mean from a sum and a count.",
    one_of: &[],
    keys: &[
        must(
            "sum",
            SELECTOR,
            "Counter of the sum: a plain selector, without rate().",
        ),
        must(
            "count",
            SELECTOR,
            "Counter of items: a plain selector, without rate().",
        ),
        may(
            "sumOfSquares",
            SELECTOR,
            "Counter of squared values, if there is one: sharper intervals.",
        ),
    ],
};

pub(super) static MARGIN: Table = Table {
    path: "margin",
    doc: "Both parts add up; a part that is not written is 0.",
    one_of: &[],
    keys: MARGIN_KEYS,
};

pub(super) static PASS_MARGIN: Table = Table {
    path: "passMargin",
    doc: "Both parts add up; a part that is not written is 0.",
    one_of: &[],
    keys: MARGIN_KEYS,
};

const MARGIN_KEYS: &[Key] = &[
    may(
        "relative",
        Share("0.1"),
        "Share of stable's value: 0.1 or 10%. At most 10; below 1 where a decrease is harm.",
    ),
    may(
        "absolute",
        Quantity,
        "In the objective's unit: 0.001, 50ms, 64MiB.",
    ),
];

pub(super) static ALERT: Table = Table {
    path: "alerts",
    doc: "Who is told, and when.",
    one_of: &[],
    keys: &[
        may(
            "on",
            List(&Word(ALERTS), 1),
            "Which events are told. Default fail, inconclusive, recovered, override.",
        ),
        may(
            "to",
            List(&Text(None, "ops-chat"), 0),
            "Names of receivers of the service's configuration.",
        ),
    ],
};

/// Every mapping, to say where a misplaced key belongs.
pub(super) static TABLES: [&Table; 12] = [
    &ROOT,
    &METADATA,
    &SPEC,
    &TRACKS,
    &STEP,
    &OBJECTIVE,
    &ERROR_RATIO,
    &LATENCY,
    &RATIO,
    &MEAN,
    &MARGIN,
    &ALERT,
];
