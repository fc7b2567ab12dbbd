//! What a verdict was made of beside policy, question and blocks. Kept with the verdict as one small document.

use super::pack::BundleError;
use crate::{
    domain::{Code, Latch, Millis, Override, Question},
    judge::{Case, Force, ObjectiveState, Observed},
    policy::Policy,
    service::{cache::RolloutEvidence, identity::verdict_id, read::ObjectiveEvidence},
};
use serde::{Deserialize, Serialize};

/// The newest version of this document that is known.
const VERSION: u32 = 2;
/// Written where nothing of a later version is in it.
const FIRST: u32 = 1;

/// What a verdict was made of beside policy, question and blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inputs {
    /// Version of this document.
    pub v: u32,
    /// The program that judged.
    pub program: String,
    /// Start of the judged exposure, which is where the blocks are anchored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// The canary's start itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_since: Option<Millis>,
    /// The canary had samples, but its start was not known yet. Since version 2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sighted: bool,
    /// Length of a block.
    pub block: Millis,
    /// A block closes this long after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Millis>,
    /// Number of the last closed block.
    pub closed: i64,
    /// Start of the present step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_since: Option<Millis>,
    /// Since when data was awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_since: Option<Millis>,
    /// One for each objective, in the policy's order.
    pub observed: Vec<Seen>,
    /// What the reading noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// A fail of this canary that stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latch: Option<Latch>,
    /// The newest override of this canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Override>,
}

/// What was read for one objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// Why the latest blocks could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Code>,
    /// The same in the source's words. Since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Series used: canary, stable.
    pub series: (u64, u64),
    /// First and last folded block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<(i64, i64)>,
}

impl Inputs {
    /// What this case is made of; `evidence` is what its states were folded from.
    pub fn new(case: &Case<'_>, evidence: &RolloutEvidence) -> Self {
        let seen = |(i, observed): (usize, &Observed<'_>)| Seen {
            problem: observed.problem,
            cause: observed.cause.map(str::to_owned),
            series: observed.series,
            blocks: evidence
                .objectives
                .get(i)
                .and_then(ObjectiveEvidence::blocks),
        };
        let later = case.sighted || case.observed.iter().any(|seen| seen.cause.is_some());
        Self {
            v: if later { VERSION } else { FIRST },
            program: env!("CARGO_PKG_VERSION").to_owned(),
            start: case.start,
            exposed_since: case.exposed_since,
            sighted: case.sighted,
            block: case.block,
            lag: evidence.found.map(|found| found.lag),
            closed: case.closed,
            step_since: case.step_since,
            asked_since: case.asked_since,
            observed: case.observed.iter().enumerate().map(seen).collect(),
            warnings: case.warnings.clone(),
            latch: case.force.latch.cloned(),
            ruling: case.force.ruling.cloned(),
        }
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a document.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        let odd = |detail: String| BundleError::Inconsistent {
            detail: format!("inputs: {detail}"),
        };
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|e| odd(e.to_string()))?;
        let version = value.get("v").and_then(serde_json::Value::as_u64);
        if let Some(version) = version.filter(|v| *v > u64::from(VERSION)) {
            let program = value.get("program").and_then(serde_json::Value::as_str);
            return Err(BundleError::TooNew {
                version,
                program: program.unwrap_or_default().to_owned(),
                own: env!("CARGO_PKG_VERSION"),
                known: VERSION,
            });
        }
        serde_json::from_value(value).map_err(|e| odd(e.to_string()))
    }

    /// The same case again.
    pub fn case<'a>(
        &'a self,
        policy: &'a Policy,
        question: &'a Question,
        states: &'a [ObjectiveState],
    ) -> Case<'a> {
        let observed = self.observed.iter().zip(states);
        Case {
            policy,
            question,
            id: verdict_id(&policy.revision, question),
            start: self.start,
            sighted: self.sighted,
            exposed_since: self.exposed_since,
            block: self.block,
            closed: self.closed,
            step_since: self.step_since,
            asked_since: self.asked_since,
            observed: observed
                .map(|(seen, state)| Observed {
                    state,
                    problem: seen.problem,
                    cause: seen.cause.as_deref(),
                    series: seen.series,
                })
                .collect(),
            warnings: self.warnings.clone(),
            force: Force {
                latch: self.latch.as_ref(),
                ruling: self.ruling.as_ref(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_document_is_read_and_a_newer_one_is_named() {
        let old = br#"{"v":1,"program":"0.1.0","block":30000,"closed":-1,"observed":[{"problem":"source-down","series":[0,0]}]}"#;
        let read = Inputs::from_bytes(old).unwrap();
        assert!(!read.sighted && read.observed.iter().all(|seen| seen.cause.is_none()));
        // what no later version is needed for is written as before
        assert_eq!(read.to_bytes(), old);
        let new = String::from_utf8_lossy(old).replace("\"v\":1", "\"v\":3");
        let error = Inputs::from_bytes(new.as_bytes()).unwrap_err();
        assert!(
            matches!(error, BundleError::TooNew { version: 3, .. }),
            "{error}"
        );
    }
}
