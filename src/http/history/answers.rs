//! What leaves: rollouts, events, overrides. Keys without a value are left out, never `null`.

use crate::{
    domain::{Event, Millis, Override, Present, RolloutState, StepSeen, time::rfc3339},
    http::answer::{ActionWord, OutcomeWord, PolicyId, bounded, plain},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A present verdict of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatestAnswer {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = OutcomeWord)]
    pub verdict: &'static str,
    /// `advance`, `hold` or `abort`.
    #[schema(value_type = ActionWord)]
    pub action: &'static str,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: f64,
    /// One sentence.
    pub reason: String,
    /// Moment of the question.
    #[schema(format = "date-time")]
    pub at: String,
    /// When it was kept, by the service's clock.
    #[schema(format = "date-time")]
    pub kept_at: String,
    /// Since when the canary has this verdict.
    #[schema(format = "date-time")]
    pub since: String,
    /// Its page.
    #[schema(format = "uri")]
    pub url: String,
}

/// The present state of a judged rollout.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutAnswer {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// Policy of `latest`.
    pub policy: PolicyId,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Pod-template hash of stable.
    pub stable_hash: String,
    /// Present traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub weight: f64,
    /// Advised traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub next_weight: f64,
    /// Index of the step, where the caller told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub step: Option<u32>,
    /// First question about this canary.
    #[schema(format = "date-time")]
    pub since: String,
    /// The present verdict. Where several policies judge the canary, the worst of their newest.
    pub latest: LatestAnswer,
    /// By policy that was asked about this canary in the last hour: its newest verdict.
    pub policies: BTreeMap<String, LatestAnswer>,
    /// What began and is not over: kind of event and policy, since when.
    pub open: BTreeMap<String, String>,
    /// `params` and `labels` of the newest question.
    pub labels: BTreeMap<String, String>,
    /// Its page.
    #[schema(format = "uri")]
    pub url: String,
}

/// One weight of the canary's walk.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepAnswer {
    /// Traffic percent; absent for questions without a weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 100)]
    pub weight: Option<f64>,
    /// The first moment asked about.
    #[schema(format = "date-time")]
    pub first: String,
    /// The last moment asked about.
    #[schema(format = "date-time")]
    pub last: String,
    /// Was there a pass?
    pub passed: bool,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// Place in the log; `id` of the server-sent event.
    pub seq: i64,
    /// The same wherever this event is told.
    #[schema(format = "uuid")]
    pub id: String,
    /// When it happened.
    #[schema(format = "date-time")]
    pub at: String,
    /// What it is about; the README has the list.
    #[schema(example = "fail")]
    pub kind: &'static str,
    /// `info`, `warning` or `critical`.
    #[schema(example = "critical")]
    pub severity: &'static str,
    /// Namespace of the rollout; empty for a source.
    pub namespace: String,
    /// Name of the rollout, or of the source.
    pub rollout: String,
    /// Name of the policy.
    pub policy: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Traffic percent at that moment.
    pub weight: f64,
    /// The outcome that goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OutcomeWord>, nullable = false)]
    pub verdict: Option<&'static str>,
    /// The verdict that goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uuid")]
    pub verdict_id: Option<String>,
    /// Who did it, where a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub author: Option<String>,
    /// One sentence.
    pub reason: String,
}

/// A person's override.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverrideAnswer {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub rollout: String,
    /// The canary that it is about.
    pub canary_hash: String,
    /// What every answer says while it is in force.
    #[schema(value_type = OutcomeWord)]
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
    /// Who: the name of the token.
    pub author: String,
    /// Since when.
    #[schema(format = "date-time")]
    pub at: String,
    /// Until when.
    #[schema(format = "date-time")]
    pub expires: String,
    /// Does it count now? Of each canary only the newest does.
    pub in_force: bool,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "date-time")]
    pub revoked_at: Option<String>,
    /// Who took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoked_by: Option<String>,
}

impl LatestAnswer {
    fn new(one: &Present, base: &str) -> Self {
        Self {
            id: one.verdict.to_string(),
            verdict: one.outcome.as_str(),
            action: one.action.as_str(),
            score: bounded(one.score),
            reason: plain(&one.reason),
            at: rfc3339(one.at),
            kept_at: rfc3339(one.kept_at),
            since: rfc3339(one.since),
            url: format!("{base}/verdicts/{}", one.verdict),
        }
    }
}

impl RolloutAnswer {
    /// The wire form of a state; links begin with `public_url`.
    pub fn new(state: &RolloutState, public_url: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        let open = state.open.iter();
        let policies: BTreeMap<String, LatestAnswer> = state
            .answers()
            .iter()
            .map(|(name, one)| (name.clone(), LatestAnswer::new(one, base)))
            .collect();
        let latest = LatestAnswer::new(&state.counting(), base);
        Self {
            namespace: state.namespace.clone(),
            name: state.name.clone(),
            policy: PolicyId {
                name: state.policy.clone(),
                revision: state.revision.clone(),
            },
            canary_hash: state.canary_hash.clone(),
            stable_hash: state.stable_hash.clone(),
            weight: bounded(state.weight),
            next_weight: bounded(state.next_weight),
            step: state.step,
            since: rfc3339(state.since),
            latest,
            policies,
            open: open.map(|(k, at)| (k.clone(), rfc3339(*at))).collect(),
            labels: state.labels.clone(),
            url: format!("{base}/rollouts/{}/{}", state.namespace, state.name),
        }
    }
}

impl From<&StepSeen> for StepAnswer {
    fn from(step: &StepSeen) -> Self {
        Self {
            weight: step.weight.map(bounded),
            first: rfc3339(step.first),
            last: rfc3339(step.last),
            passed: step.passed,
        }
    }
}

impl From<&Event> for EventAnswer {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            id: event.id.to_string(),
            at: rfc3339(event.at),
            kind: event.kind.as_str(),
            severity: event.kind.severity().as_str(),
            namespace: event.namespace.clone(),
            rollout: event.rollout.clone(),
            policy: event.policy.clone(),
            canary_hash: event.canary_hash.clone(),
            weight: bounded(event.weight),
            verdict: event.outcome.map(crate::domain::Outcome::as_str),
            verdict_id: event.verdict.map(|id| id.to_string()),
            author: event.author.clone(),
            reason: plain(&event.told()),
        }
    }
}

impl OverrideAnswer {
    /// The wire form of an override.
    pub fn new(ruling: &Override, in_force: bool) -> Self {
        let revoked = ruling.revoked.as_ref();
        Self {
            id: ruling.id.to_string(),
            namespace: ruling.namespace.clone(),
            rollout: ruling.name.clone(),
            canary_hash: ruling.canary_hash.clone(),
            verdict: ruling.outcome.as_str(),
            reason: ruling.reason.clone(),
            author: ruling.author.clone(),
            at: rfc3339(ruling.at),
            expires: rfc3339(ruling.expires),
            in_force,
            revoked_at: revoked.map(|(at, _)| rfc3339(*at)),
            revoked_by: revoked.map(|(_, who)| who.clone()),
        }
    }

    /// All of them, newest first, with what counts now.
    pub fn list(all: &[Override], now: Millis) -> Vec<Self> {
        let now_in_force = crate::service::overrule::in_force(all, now);
        let counts = |one: &Override| now_in_force.iter().any(|o| o.id == one.id);
        all.iter().map(|o| Self::new(o, counts(o))).collect()
    }
}
