//! The verdict as it leaves: every key always there, one type each, never `null`, never `NaN`.

use super::limits::MAX_REASON;
use crate::domain::{
    ArmSummary, Effect, EvidenceSummary, Finding, FixedHorizon, Needs, RolloutRef, Verdict, Window,
    time::rfc3339,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerdictAnswer {
    /// UUIDv7 of the verdict.
    #[schema(format = "uuid")]
    pub id: String,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = OutcomeWord)]
    pub verdict: &'static str,
    /// `verdict` is `pass`.
    pub ok: bool,
    /// 0 to 100; 100 is no sign of harm in any objective.
    #[schema(minimum = 0, maximum = 100)]
    pub score: f64,
    /// One sentence, free of `<`, `>` and `&`.
    #[schema(max_length = 200)]
    pub reason: String,
    /// `[score, verdict, reason]`: the shape that the pages of Argo Rollouts can draw.
    #[schema(value_type = (f64, OutcomeWord, String), min_items = 3, max_items = 3)]
    pub result: (f64, &'static str, String),
    /// `advance`, `hold` or `abort`.
    #[schema(value_type = ActionWord)]
    pub action: &'static str,
    /// Present traffic percent.
    #[schema(minimum = 0, maximum = 100)]
    pub weight: f64,
    /// Advised traffic percent; 0 after an abort.
    #[schema(minimum = 0, maximum = 100)]
    pub next_weight: f64,
    /// The policy that judged.
    pub policy: PolicyId,
    /// Who was judged.
    pub rollout: RolloutId,
    /// The canary's judged exposure.
    pub window: WindowAnswer,
    /// One for each objective, in the policy's order.
    pub objectives: Vec<ObjectiveAnswer>,
    /// What a person should know beside the verdict.
    pub warnings: Vec<String>,
    /// Page of this verdict.
    #[schema(format = "uri")]
    pub url: String,
}

/// `pass`, `fail` or `inconclusive`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "a shape for the OpenAPI document only")]
pub enum OutcomeWord {
    /// Harm is ruled out.
    Pass,
    /// Harm is shown.
    Fail,
    /// Neither, yet.
    Inconclusive,
}

/// `advance`, `hold` or `abort`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "a shape for the OpenAPI document only")]
pub enum ActionWord {
    /// Go to the next weight.
    Advance,
    /// Stay.
    Hold,
    /// Go back to stable.
    Abort,
}

/// A policy and the digest of its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyId {
    /// `metadata.name`.
    pub name: String,
    /// Digest of the document.
    #[schema(example = "sha256:0123456789abcdef")]
    pub revision: String,
}

/// A Rollout and its two hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutId {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Pod-template hash of stable.
    pub stable_hash: String,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowAnswer {
    /// RFC 3339.
    #[schema(format = "date-time")]
    pub start: String,
    /// RFC 3339.
    #[schema(format = "date-time")]
    pub end: String,
}

/// One objective. Numbers that do not exist are left out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveAnswer {
    /// Name in the policy.
    pub name: String,
    /// `errorRatio`, `latencyQuantile`, `ratio`, `mean`, `gauge` or `query`.
    pub kind: String,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = OutcomeWord)]
    pub outcome: &'static str,
    /// Why, from a closed set of words.
    #[schema(example = "no-harm")]
    pub code: &'static str,
    /// Why, in one sentence.
    pub reason: String,
    /// May it abort the rollout?
    pub critical: bool,
    /// Unit of the values: `ratio`, `seconds`, `bytes` or empty.
    pub unit: String,
    /// The canary's numbers.
    pub canary: ArmAnswer,
    /// Stable's numbers.
    pub stable: ArmAnswer,
    /// The difference.
    pub effect: EffectAnswer,
    /// Boundary of harm, canary over stable or a difference.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub margin: Option<f64>,
    /// Absolute limit, in the objective's unit.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub limit: Option<f64>,
    /// The evidence.
    pub evidence: EvidenceAnswer,
    /// How much more until a decision is likely; 0 once decided, left out where that is not known.
    pub needs: NeedsAnswer,
    /// A classical test, made once when a step ends. Its p value must never be polled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fixed_horizon: Option<FixedHorizonAnswer>,
}

macro_rules! numbers {
    ($(#[$meta:meta])* $name:ident from $from:ident { $($(#[$field_meta:meta])* $field:ident = $value:expr,)+ } |$var:ident|) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $(
            $(#[$field_meta])*
            #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
            #[schema(nullable = false)]
            pub $field: Option<f64>,
        )+ }
        impl From<&$from> for $name {
            fn from($var: &$from) -> Self { Self { $($field: $value,)+ } }
        }
    };
}

/// What one arm showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
pub struct ArmAnswer {
    /// Rate, quantile, mean or level, in the objective's unit.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub value: Option<f64>,
    /// Errors, exceedances or counted items.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub events: Option<f64>,
    /// Requests, observations or items.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub exposure: Option<f64>,
    /// Series used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub series: Option<u64>,
}

impl From<&ArmSummary> for ArmAnswer {
    fn from(arm: &ArmSummary) -> Self {
        Self {
            value: arm.value,
            events: arm.events,
            exposure: arm.exposure,
            series: arm.series,
        }
    }
}

numbers! {
    /// The difference between the arms.
    EffectAnswer from Effect {
        /// Canary over stable, or minus stable where values may be zero or negative.
        estimate = effect.estimate,
        /// Lower end of the confidence sequence.
        lower = effect.lower,
        /// Upper end.
        upper = effect.upper,
        /// Canary over stable, minus one.
        relative = effect.relative,
    } |effect|
}

numbers! {
    /// How much more is needed; what is not known is left out.
    NeedsAnswer from Needs {
        /// Canary requests; none for levels.
        requests = needs.requests,
        /// Seconds at the present rate.
        seconds = needs.seconds,
    } |needs|
}

/// The evidence behind an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceAnswer {
    /// Name of the procedure.
    pub method: String,
    /// Share of the false-abort rate that this objective may spend.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub alpha: Option<f64>,
    /// Natural logarithm of the e-process for harm.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub log_e_fail: Option<f64>,
    /// Natural logarithm of the e-process for the absence of harm.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub log_e_pass: Option<f64>,
    /// Anytime-valid p value for harm.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub p_fail: Option<f64>,
    /// Anytime-valid p value for the absence of harm.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub p_pass: Option<f64>,
    /// Over-dispersion of the stable pods, at least 1.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub dispersion: Option<f64>,
    /// Closed blocks with data on the canary.
    pub blocks: u64,
}

/// The classical test at the end of a step.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FixedHorizonAnswer {
    /// Name of the test.
    pub method: String,
    /// p value of "no harm beyond the margin", of the quantity in `intervalOf`: one-sided, for `harm: either` doubled.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub p_value: Option<f64>,
    /// Lower end of the 95 % interval.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub lower: Option<f64>,
    /// Upper end of the 95 % interval.
    #[serde(serialize_with = "finite", skip_serializing_if = "absent")]
    #[schema(nullable = false)]
    pub upper: Option<f64>,
    /// What the interval is of.
    pub interval_of: String,
}

impl VerdictAnswer {
    /// The wire form of a verdict; links begin with `public_url`.
    pub fn new(verdict: &Verdict, public_url: &str) -> Self {
        let reason = shorten(&plain(&verdict.reason), MAX_REASON);
        let score = bounded(verdict.score);
        let word = verdict.outcome.as_str();
        Self {
            id: verdict.id.to_string(),
            verdict: word,
            ok: word == "pass",
            score,
            result: (score, word, reason.clone()),
            reason,
            action: verdict.action.as_str(),
            weight: bounded(verdict.weight),
            next_weight: bounded(verdict.next_weight),
            policy: PolicyId {
                name: verdict.policy.clone(),
                revision: verdict.revision.clone(),
            },
            rollout: (&verdict.rollout).into(),
            window: verdict.window.into(),
            objectives: verdict.findings.iter().map(ObjectiveAnswer::from).collect(),
            warnings: verdict.warnings.iter().map(|w| plain(w)).collect(),
            url: format!(
                "{}/verdicts/{}",
                public_url.trim_end_matches('/'),
                verdict.id
            ),
        }
    }
}

impl From<&RolloutRef> for RolloutId {
    fn from(rollout: &RolloutRef) -> Self {
        Self {
            namespace: rollout.namespace.clone(),
            name: rollout.name.clone(),
            canary_hash: rollout.canary_hash.clone(),
            stable_hash: rollout.stable_hash.clone(),
        }
    }
}

impl From<Window> for WindowAnswer {
    fn from(window: Window) -> Self {
        Self {
            start: rfc3339(window.start),
            end: rfc3339(window.end),
        }
    }
}

impl From<&Finding> for ObjectiveAnswer {
    fn from(finding: &Finding) -> Self {
        Self {
            name: finding.name.clone(),
            kind: finding.kind.clone(),
            outcome: finding.outcome.as_str(),
            code: finding.code.as_str(),
            reason: plain(&finding.reason),
            critical: finding.critical,
            unit: finding.unit.clone(),
            canary: (&finding.canary).into(),
            stable: (&finding.stable).into(),
            effect: (&finding.effect).into(),
            margin: finding.margin,
            limit: finding.limit,
            evidence: (&finding.evidence).into(),
            needs: (&finding.needs).into(),
            fixed_horizon: finding.fixed_horizon.as_ref().map(FixedHorizonAnswer::from),
        }
    }
}

impl From<&EvidenceSummary> for EvidenceAnswer {
    fn from(evidence: &EvidenceSummary) -> Self {
        Self {
            method: evidence.method.clone(),
            alpha: Some(evidence.alpha),
            log_e_fail: Some(evidence.log_e_fail),
            log_e_pass: Some(evidence.log_e_pass),
            p_fail: Some(evidence.p_fail),
            p_pass: Some(evidence.p_pass),
            dispersion: evidence.dispersion,
            blocks: evidence.blocks,
        }
    }
}

impl From<&FixedHorizon> for FixedHorizonAnswer {
    fn from(test: &FixedHorizon) -> Self {
        Self {
            method: test.method.clone(),
            p_value: test.p_value,
            lower: test.lower,
            upper: test.upper,
            interval_of: test.interval_of.clone(),
        }
    }
}

/// Text that no page of Argo Rollouts can misread: no `<`, `>`, `&`, no control characters.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push('‹'),
            '>' => out.push('›'),
            '&' => out.push_str("and"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// At most `limit` characters, the last an ellipsis where something was cut.
pub fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A percentage or a score that is always a number.
pub fn bounded(number: f64) -> f64 {
    if number.is_finite() {
        number.clamp(0.0, 100.0)
    } else {
        0.0
    }
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn absent(number: &Option<f64>) -> bool {
    !number.is_some_and(f64::is_finite)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn finite<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(number.filter(|n| n.is_finite()).unwrap_or(0.0))
}
