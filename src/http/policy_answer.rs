//! One policy as the service understood it: every default filled in.

use super::catalog::{ObjectiveSummary, PolicySummary};
use crate::{
    domain::Millis,
    policy::{Direction, OnSourceDown, OnTimeout, Policy},
};
use serde::Serialize;
use utoipa::ToSchema;

/// One loaded policy with its defaults. Durations are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer {
    /// `metadata.name`.
    pub name: String,
    /// Digest of the document.
    pub revision: String,
    /// The metric source that it reads.
    pub source: String,
    /// Matchers added to every selector.
    pub r#match: String,
    /// A rollout is never judged on older data, in seconds.
    pub horizon: f64,
    /// Stable data from before the canary, in seconds.
    pub look_back: f64,
    /// Unit of evidence in seconds; left out where it is learnt from the scrape interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub block: Option<f64>,
    /// Latency of each pod's first seconds is not counted.
    pub warm_up: f64,
    /// Chance that a harmless canary is ever aborted.
    #[schema(minimum = 0, maximum = 1)]
    pub false_abort_rate: f64,
    /// Chance that harm beyond the pass margin passes.
    #[schema(minimum = 0, maximum = 1)]
    pub false_pass_rate: f64,
    /// `pass`, `fail` or `inconclusive`.
    pub on_no_data: &'static str,
    /// `inconclusive` or `error`.
    pub on_source_down: &'static str,
    /// The walk.
    pub steps: Vec<StepRules>,
    /// What is judged.
    pub objectives: Vec<ObjectiveRules>,
}

/// One step of the walk.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepRules {
    /// Traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub weight: f64,
    /// Seconds before which nothing passes.
    pub min_duration: f64,
    /// Seconds after which `onTimeout` rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max_duration: Option<f64>,
    /// `hold`, `advance` or `abort`.
    pub on_timeout: &'static str,
}

/// One objective with its rules.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveRules {
    /// Name, kind, unit.
    #[serde(flatten)]
    pub summary: ObjectiveSummary,
    /// `increase`, `decrease` or `either`.
    pub harm: &'static str,
    /// FAIL: harm shown beyond this.
    pub margin: MarginAnswer,
    /// PASS: harm of this size ruled out.
    pub pass_margin: MarginAnswer,
    /// Absolute limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub limit: Option<f64>,
    /// Share of `falseAbortRate`.
    pub weight: f64,
}

/// A margin; the parts add up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MarginAnswer {
    /// Share of stable's value.
    pub relative: f64,
    /// In the objective's unit.
    pub absolute: f64,
}

impl From<&Policy> for PolicyAnswer {
    fn from(policy: &Policy) -> Self {
        let summary = PolicySummary::from(policy);
        Self {
            name: summary.name,
            revision: summary.revision,
            source: summary.source,
            r#match: policy.match_text.clone().unwrap_or_default(),
            horizon: seconds(policy.horizon),
            look_back: seconds(policy.look_back),
            block: policy.block.map(seconds),
            warm_up: seconds(policy.warm_up),
            false_abort_rate: policy.false_abort_rate,
            false_pass_rate: policy.false_pass_rate,
            on_no_data: policy.on_no_data.as_str(),
            on_source_down: match policy.on_source_down {
                OnSourceDown::Inconclusive => "inconclusive",
                OnSourceDown::Error => "error",
            },
            steps: policy
                .steps
                .iter()
                .map(|step| StepRules {
                    weight: step.weight,
                    min_duration: seconds(step.min_duration),
                    max_duration: step.max_duration.map(seconds),
                    on_timeout: match step.on_timeout {
                        OnTimeout::Hold => "hold",
                        OnTimeout::Advance => "advance",
                        OnTimeout::Abort => "abort",
                    },
                })
                .collect(),
            objectives: policy
                .objectives
                .iter()
                .zip(summary.objectives)
                .map(|(o, summary)| ObjectiveRules {
                    summary,
                    harm: match o.harm {
                        Direction::Increase => "increase",
                        Direction::Decrease => "decrease",
                        Direction::Either => "either",
                    },
                    margin: MarginAnswer {
                        relative: o.margin.relative,
                        absolute: o.margin.absolute,
                    },
                    pass_margin: MarginAnswer {
                        relative: o.pass_margin.relative,
                        absolute: o.pass_margin.absolute,
                    },
                    limit: o.limit,
                    weight: o.weight,
                })
                .collect(),
        }
    }
}

fn seconds(span: Millis) -> f64 {
    span as f64 / 1000.0
}
