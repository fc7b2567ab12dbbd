//! A checked policy: every default filled in, every unit resolved, every query parsed once.

use crate::{
    domain::{Millis, Outcome},
    query::Tracks,
};

/// A policy that may judge. Made only by `policy::load`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// `metadata.name`.
    pub name: String,
    /// Digest of the document: `sha256:` and 16 hex digits.
    pub revision: String,
    /// The document as written: kept with the verdicts that it gave.
    pub text: std::sync::Arc<str>,
    /// Named metric source.
    pub source: String,
    /// The matchers that tell canary from stable.
    pub tracks: Tracks,
    /// Matchers added to every selector, as written: `{namespace="$namespace"}`.
    pub match_text: Option<String>,
    /// Label that tells pods apart.
    pub pod_label: String,
    /// A rollout is never judged on older data.
    pub horizon: Millis,
    /// Stable data from before the canary.
    pub look_back: Millis,
    /// Unit of evidence; learnt from the scrape interval when absent.
    pub block: Option<Millis>,
    /// Latency of each pod's first seconds is not counted.
    pub warm_up: Millis,
    /// A block is closed this long after its end: scrape interval and ingestion delay.
    pub lag: Millis,
    /// Alpha of the whole rollout.
    pub false_abort_rate: f64,
    /// Beta of each objective.
    pub false_pass_rate: f64,
    /// Fewer canary requests than this decide nothing but a fail.
    pub min_requests: f64,
    /// Fewer closed blocks than this decide nothing but a fail.
    pub min_blocks: u64,
    /// The walk, in ascending weight.
    pub steps: Vec<Step>,
    /// What no data means after the patience.
    pub on_no_data: Outcome,
    /// How long no data is `inconclusive` in any case.
    pub no_data_patience: Millis,
    /// What a silent source means.
    pub on_source_down: OnSourceDown,
    /// How long a silent source is `inconclusive` in any case.
    pub source_patience: Millis,
    /// What is judged, in order.
    pub objectives: Vec<Objective>,
    /// `alerts.on`.
    pub alerts_on: Vec<String>,
    /// `alerts.to`.
    pub alerts_to: Vec<String>,
}

impl Policy {
    /// Every selector and expression of the policy, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.objectives
            .iter()
            .flat_map(|objective| objective.indicator.texts())
            .collect()
    }
}

/// One step of the walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Traffic percent.
    pub weight: f64,
    /// No pass before.
    pub min_duration: Millis,
    /// After this, `on_timeout` rules.
    pub max_duration: Option<Millis>,
    /// What an undecided step becomes.
    pub on_timeout: OnTimeout,
}

/// What an undecided step becomes at its `maxDuration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// Stay inconclusive.
    Hold,
    /// Pass.
    Advance,
    /// Fail.
    Abort,
}

/// What a silent source means after `sourcePatience`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSourceDown {
    /// Answer 200 and `inconclusive`.
    Inconclusive,
    /// Answer 503.
    Error,
}

/// One thing to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Unique within the policy.
    pub name: String,
    /// What is measured.
    pub indicator: Indicator,
    /// Which change is harm.
    pub harm: Direction,
    /// FAIL: harm shown beyond this.
    pub margin: Margin,
    /// PASS: harm of this size ruled out.
    pub pass_margin: Margin,
    /// Never beyond this, whatever stable does: a ceiling, or a floor where a decrease is harm. In the objective's unit (seconds for latency).
    pub limit: Option<f64>,
    /// A fail aborts the rollout; otherwise it only holds it.
    pub critical: bool,
    /// Reported, never decides.
    pub watch: bool,
    /// Share of `false_abort_rate`; the weights of deciding objectives sum to 1.
    pub weight: f64,
    /// Unit of the values.
    pub unit: Unit,
}

/// The indicator of an objective. Texts are PromQL selectors as written and parsed at load.
#[derive(Debug, Clone, PartialEq)]
pub enum Indicator {
    /// Bad events out of all events.
    ErrorRatio {
        /// Counter of bad events.
        errors: String,
        /// Counter of all events.
        total: String,
    },
    /// Events per exposure.
    Ratio {
        /// Counter of events.
        numerator: String,
        /// Counter of exposure.
        denominator: String,
    },
    /// A quantile of a distribution kept in a histogram.
    LatencyQuantile {
        /// Classic `_bucket` series, VictoriaMetrics buckets or a native histogram.
        histogram: String,
        /// Between 0 and 1.
        quantile: f64,
    },
    /// A mean from a sum and a count.
    Mean {
        /// Counter of the sum.
        sum: String,
        /// Counter of items.
        count: String,
        /// Counter of squares, if there is one.
        sum_of_squares: Option<String>,
    },
    /// A level.
    Gauge {
        /// The gauge.
        selector: String,
    },
    /// Any PromQL with `$track`, compared as samples.
    Query {
        /// The expression.
        expression: String,
        /// Sent as written with `extra_filters[]`: MetricsQL on VictoriaMetrics.
        opaque: bool,
    },
}

impl Indicator {
    /// Its selectors or its expression.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::ErrorRatio {
                errors: a,
                total: b,
            }
            | Self::Ratio {
                numerator: a,
                denominator: b,
            } => vec![a, b],
            Self::LatencyQuantile { histogram: a, .. }
            | Self::Gauge { selector: a }
            | Self::Query { expression: a, .. } => vec![a],
            Self::Mean {
                sum,
                count,
                sum_of_squares,
            } => [Some(sum), Some(count), sum_of_squares.as_ref()]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect(),
        }
    }

    /// The key of the policy document.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ErrorRatio { .. } => "errorRatio",
            Self::Ratio { .. } => "ratio",
            Self::LatencyQuantile { .. } => "latencyQuantile",
            Self::Mean { .. } => "mean",
            Self::Gauge { .. } => "gauge",
            Self::Query { .. } => "query",
        }
    }
}

/// Which change is harm (Kayenta's words).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher is worse.
    Increase,
    /// Lower is worse.
    Decrease,
    /// Both are.
    Either,
}

/// A margin, both parts non-negative; they add up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// Share of stable's value: 0.1 is 10 %.
    pub relative: f64,
    /// In the objective's unit.
    pub absolute: f64,
}

/// Unit of an objective's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share between 0 and 1, shown in percent.
    Share,
    /// Seconds, shown in human units.
    Seconds,
    /// Bytes, shown in human units.
    Bytes,
    /// A plain number.
    None,
}

impl Unit {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Share => "ratio",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::None => "",
        }
    }
}
