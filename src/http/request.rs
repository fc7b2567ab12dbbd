//! The question as it arrives, and its way to a [`Question`].

use super::{hint::did_you_mean, limits, loose, problem::Problem, schema};
use crate::domain::{Millis, Question, RolloutRef, time::rfc3339};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What `POST /v1/verdicts` takes. Every value may be a string; an empty string means "not given".
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VerdictRequest {
    /// Name of a loaded policy.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 253, example = "http-service")]
    policy: Option<Value>,
    /// Kubernetes namespace of the Rollout: a DNS-1123 label.
    #[schema(value_type = String, required = true, max_length = 63, example = "shop")]
    namespace: Option<Value>,
    /// Name of the Rollout: a DNS-1123 subdomain.
    #[schema(value_type = String, required = true, max_length = 253, example = "checkout")]
    rollout: Option<Value>,
    /// Pod-template hash of the canary (`podTemplateHashValue: Latest`).
    #[schema(value_type = String, required = true, pattern = "^[a-z0-9]{1,63}$", example = "6c9f8d7b5")]
    canary_hash: Option<Value>,
    /// Pod-template hash of stable (`podTemplateHashValue: Stable`); not equal to the canary's.
    #[schema(value_type = String, required = true, pattern = "^[a-z0-9]{1,63}$", example = "7d4b9c6f8")]
    stable_hash: Option<Value>,
    /// Traffic percent of the present step, 0 to 100.
    #[schema(value_type = schema::LoosePercent, required = false)]
    weight: Option<Value>,
    /// Index of the present step as Argo counts it, from 0, pauses included: kept and shown, it says no weight.
    #[schema(value_type = schema::LooseIndex, required = false)]
    step: Option<Value>,
    /// Start of the present step.
    #[schema(value_type = schema::LooseTime, required = false)]
    step_since: Option<Value>,
    /// Start of the canary's exposure. Absent: first data of the canary inside the policy's horizon.
    #[schema(value_type = schema::LooseTime, required = false)]
    since: Option<Value>,
    /// Judge as of this time. Absent: now. A future time is refused (2 seconds of tolerance).
    #[schema(value_type = schema::LooseTime, required = false)]
    at: Option<Value>,
    /// Values of the policy's `$name` variables: at most 32, each at most 256 characters. They can only become label values.
    #[schema(value_type = BTreeMap<String, String>, required = false)]
    params: Option<Value>,
    /// What is kept with the verdict and found again: `{"image": "shop:1.4", "modelVersion": "7", "gitRevision": "1f3a"}`. Judges nothing;
    /// the same limits as `params`.
    #[schema(value_type = BTreeMap<String, String>, required = false)]
    labels: Option<Value>,
    /// Name of the AnalysisRun that asks; kept on the record.
    #[schema(value_type = String, required = false, max_length = 253)]
    analysis_run: Option<Value>,
    /// Judge and answer, keep and tell nobody.
    #[schema(value_type = schema::LooseFlag, required = false)]
    dry_run: Option<Value>,
}

/// The keys that a request may have, in the order of the documentation.
pub const FIELDS: &[&str] = &[
    "policy",
    "namespace",
    "rollout",
    "canaryHash",
    "stableHash",
    "weight",
    "step",
    "stepSince",
    "since",
    "at",
    "params",
    "labels",
    "analysisRun",
    "dryRun",
];

impl VerdictRequest {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        // A list would be read as the fields in their order, which nobody means.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::new(
                "malformed-json",
                "the body is not a JSON object; send one (in an AnalysisTemplate: `jsonBody`)",
            ));
        }
        serde_json::from_slice(body).map_err(|error| explain(body, &error))
    }

    /// Checks every field and fills in "now".
    pub fn question(&self, now: Millis) -> Result<Question, Problem> {
        let policy = required(
            "policy",
            self.policy.as_ref(),
            "name a policy of `GET /v1/policies`",
        )?;
        let rollout = self.rollout_ref()?;
        let at = self.at(now)?;
        let question = Question {
            policy: longest("policy", policy)?,
            rollout,
            weight: self.weight()?,
            step: self.step()?,
            step_since: before(
                "stepSince",
                loose::moment("stepSince", self.step_since.as_ref())?,
                at,
            )?,
            since: before("since", loose::moment("since", self.since.as_ref())?, at)?,
            at,
            params: texts("params", self.params.as_ref())?,
            labels: texts("labels", self.labels.as_ref())?,
            analysis_run: loose::text("analysisRun", self.analysis_run.as_ref())?
                .map(|name| longest("analysisRun", name))
                .transpose()?,
            dry_run: loose::flag("dryRun", self.dry_run.as_ref())?.unwrap_or(false),
        };
        Ok(question)
    }

    fn rollout_ref(&self) -> Result<RolloutRef, Problem> {
        let namespace = required(
            "namespace",
            self.namespace.as_ref(),
            "give the Rollout's namespace (`metadata.namespace`)",
        )?;
        let name = required(
            "rollout",
            self.rollout.as_ref(),
            "give the Rollout's name (`metadata.name`)",
        )?;
        check_names(&namespace, &name)?;
        let canary_hash = hash("canaryHash", self.canary_hash.as_ref(), "Latest")?;
        let stable_hash = hash("stableHash", self.stable_hash.as_ref(), "Stable")?;
        if canary_hash == stable_hash {
            return Err(Problem::invalid(
                "canaryHash",
                format!(
                    "canaryHash and stableHash are both `{canary_hash}`: there is no canary to compare; \
                         the rollout is finished or was never updated, or both arguments use the same `podTemplateHashValue`"
                ),
            ));
        }
        Ok(RolloutRef {
            namespace,
            name,
            canary_hash,
            stable_hash,
        })
    }

    fn weight(&self) -> Result<Option<f64>, Problem> {
        let weight = loose::number("weight", self.weight.as_ref())?;
        match weight {
            Some(w) if !(0.0..=100.0).contains(&w) => Err(Problem::invalid(
                "weight",
                format!("{w} is not a percentage; give 0 to 100"),
            )),
            other => Ok(other),
        }
    }

    fn step(&self) -> Result<Option<u32>, Problem> {
        match loose::number("step", self.step.as_ref())? {
            None => Ok(None),
            Some(n) if n.fract() == 0.0 && (0.0..=1_000_000.0).contains(&n) => Ok(Some(n as u32)),
            Some(n) => Err(Problem::invalid(
                "step",
                format!("{n} is not an index; give a whole number from 0"),
            )),
        }
    }

    fn at(&self, now: Millis) -> Result<Millis, Problem> {
        match loose::moment("at", self.at.as_ref())? {
            // whole seconds, so that calls at the same time ask the same question
            None => Ok(now.div_euclid(1000) * 1000),
            Some(at) if at > now.saturating_add(limits::CLOCK_TOLERANCE) => Err(Problem::invalid(
                "at",
                format!(
                    "{} is in the future (now is {}); leave it out to judge now",
                    rfc3339(at),
                    rfc3339(now)
                ),
            )),
            Some(at) => Ok(at),
        }
    }
}

/// Refuses what Kubernetes would refuse as a namespace or as the name of a Rollout.
pub fn check_names(namespace: &str, rollout: &str) -> Result<(), Problem> {
    check_namespace(namespace)?;
    check_name(rollout)
}

/// Refuses what Kubernetes would refuse as a namespace.
pub fn check_namespace(namespace: &str) -> Result<(), Problem> {
    if !limits::is_dns_label(namespace) {
        return Err(Problem::invalid(
            "namespace",
            format!(
                "`{}` is not a Kubernetes namespace; give lower-case letters, digits and `-`, at most 63",
                loose::cut(namespace)
            ),
        ));
    }
    Ok(())
}

/// Refuses what Kubernetes would refuse as the name of a Rollout.
pub fn check_name(rollout: &str) -> Result<(), Problem> {
    if !limits::is_dns_subdomain(rollout) {
        return Err(Problem::invalid(
            "rollout",
            format!(
                "`{}` is not a Kubernetes name; give lower-case letters, digits, `-` and `.`, at most 253",
                loose::cut(rollout)
            ),
        ));
    }
    Ok(())
}

fn required(field: &str, value: Option<&Value>, cure: &str) -> Result<String, Problem> {
    loose::text(field, value)?.ok_or_else(|| Problem::missing(field, cure))
}

fn longest(field: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > limits::MAX_NAME {
        return Err(Problem::invalid(
            field,
            format!("longer than {} characters; shorten it", limits::MAX_NAME),
        ));
    }
    Ok(text)
}

fn hash(field: &str, value: Option<&Value>, which: &str) -> Result<String, Problem> {
    let cure = format!(
        "pass the argument from `valueFrom: {{podTemplateHashValue: {which}}}`; Argo Rollouts has none on the first deployment"
    );
    let text = required(field, value, &cure)?;
    if limits::is_hash(&text) {
        return Ok(text);
    }
    Err(Problem::invalid(
        field,
        format!(
            "`{}` is not a pod-template hash ([a-z0-9], 1 to 63 characters); {cure}",
            loose::cut(&text)
        ),
    ))
}

fn before(field: &str, moment: Option<Millis>, at: Millis) -> Result<Option<Millis>, Problem> {
    match moment {
        Some(m) if m > at => Err(Problem::invalid(
            field,
            format!(
                "{} is after `at` ({}); give an earlier time or leave it out",
                rfc3339(m),
                rfc3339(at)
            ),
        )),
        other => Ok(other),
    }
}

/// A map of short strings.
fn texts(key: &str, value: Option<&Value>) -> Result<BTreeMap<String, String>, Problem> {
    let map: &Map<String, Value> = match loose::given(value) {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map,
        Some(_) => {
            return Err(Problem::invalid(
                key,
                "give an object of strings: `{\"name\": \"value\"}`",
            ));
        }
    };
    if map.len() > limits::MAX_PARAMS {
        return Err(Problem::invalid(
            key,
            format!("{} entries; give at most {}", map.len(), limits::MAX_PARAMS),
        ));
    }
    let mut out = BTreeMap::new();
    for (name, value) in map {
        let field = format!("{key}.{}", loose::cut(name));
        if !limits::is_param_name(name) {
            return Err(Problem::invalid(
                &field,
                "a name is a letter or `_`, then letters, digits and `_`, at most 64",
            ));
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(Problem::invalid(&field, "give a string")),
        };
        if text.chars().count() > limits::MAX_PARAM_VALUE {
            return Err(Problem::invalid(
                &field,
                format!(
                    "longer than {} characters; shorten it",
                    limits::MAX_PARAM_VALUE
                ),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(Problem::invalid(
                &field,
                "has a control character; give printable text",
            ));
        }
        out.insert(name.clone(), text);
    }
    Ok(out)
}

/// Turns serde's words into the caller's.
fn explain(body: &[u8], error: &serde_json::Error) -> Problem {
    if let Ok(Value::Object(map)) = serde_json::from_slice::<Value>(body) {
        if let Some(unknown) = map.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let shown = loose::cut(unknown);
            return Problem::new(
                "unknown-field",
                format!("unknown field `{shown}`{}", did_you_mean(unknown, FIELDS)),
            )
            .at(shown);
        }
        if let Some(field) = FIELDS.iter().find(|f| {
            error
                .to_string()
                .contains(&format!("duplicate field `{f}`"))
        }) {
            return Problem::invalid(field, "given twice; give it once");
        }
    }
    Problem::new(
        "malformed-json",
        format!("{error}; send one JSON object (in an AnalysisTemplate: `jsonBody`)"),
    )
}
