//! The same verdict again, from nothing but its bundle.

use super::{
    differ::differences,
    document::{Bundle, canonical},
    pack::BundleError,
    resample,
};
use crate::{
    domain::SourceKind,
    evidence::Block,
    judge::{ObjectiveState, evaluate},
    policy::{self, Objective, Policy},
};
use serde_json::Value;

/// What a replay came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Id of the verdict, as kept.
    pub id: String,
    /// Its outcome, as kept.
    pub outcome: String,
    /// The program that judged.
    pub judged_by: String,
    /// This program.
    pub replayed_by: &'static str,
    /// Blocks that were folded.
    pub blocks: u64,
    /// Blocks that were made anew from raw samples and held against the kept ones.
    pub resampled: u64,
    /// Why kept raw samples are not in the bundle.
    pub samples_left_out: Option<String>,
    /// What differs, in words; empty where every byte is the same.
    pub differences: Vec<String>,
}

impl Replay {
    /// Is every byte the same?
    pub fn equal(&self) -> bool {
        self.differences.is_empty()
    }

    /// Was it judged by another version of the program?
    pub fn other_version(&self) -> bool {
        self.judged_by != self.replayed_by
    }
}

/// Folds the blocks, judges, and compares.
pub fn replay(bundle: &Bundle) -> Result<Replay, BundleError> {
    let word = |key: &str| bundle.verdict.get(key).and_then(Value::as_str);
    let mut report = Replay {
        id: word("id").unwrap_or_default().to_owned(),
        outcome: word("outcome").unwrap_or_default().to_owned(),
        judged_by: bundle.program.clone(),
        replayed_by: env!("CARGO_PKG_VERSION"),
        blocks: 0,
        resampled: 0,
        samples_left_out: bundle.samples_left_out.clone(),
        differences: Vec::new(),
    };
    let policy = match load_kept(&bundle.policy.name, &bundle.policy.text) {
        Ok(policy) => policy,
        Err(why) => {
            report.differences.push(why);
            return Ok(report);
        }
    };
    if policy.revision != bundle.policy.revision {
        report.differences.push(format!(
            "policy `{}`: revision was {}, the same text now has {}",
            policy.name, bundle.policy.revision, policy.revision
        ));
    }
    let inputs = &bundle.inputs;
    if inputs.observed.len() != policy.objectives.len() {
        return Err(BundleError::Inconsistent {
            detail: format!(
                "the inputs are about {} objectives, the policy has {}",
                inputs.observed.len(),
                policy.objectives.len()
            ),
        });
    }
    let mut states = Vec::new();
    for (part, objective) in (0_u32..).zip(&policy.objectives) {
        let kept = kept_blocks(bundle, part, objective)?;
        let again = resample::blocks(
            &policy,
            &bundle.question,
            inputs,
            (part, objective),
            &bundle.samples,
        )?;
        if let Some(again) = again {
            report.resampled += again.len() as u64;
            report
                .differences
                .extend(other_blocks(objective, &kept, &again));
        }
        let mut state = ObjectiveState::new(objective, inputs.block, policy.horizon);
        for (index, block) in &kept {
            state.fold(*index, block);
        }
        report.blocks += kept.len() as u64;
        states.push(state);
    }
    let verdict = evaluate(&inputs.case(&policy, &bundle.question, &states));
    let now = serde_json::to_value(&verdict).unwrap_or_default();
    if canonical(&now) != canonical(&bundle.verdict) {
        report
            .differences
            .extend(differences(&bundle.verdict, &now));
    }
    Ok(report)
}

/// The policy as this program reads it. What a source understands was settled when it judged.
pub fn load_kept(name: &str, text: &str) -> Result<Policy, String> {
    let any = |_: &str| Some(SourceKind::VictoriaMetrics);
    let documents = policy::load_kept(name, text, Some(&any)).map_err(|problems| {
        format!(
            "policy `{name}` cannot be loaded by this program any more:\n{}",
            problems.render(false)
        )
    })?;
    documents
        .into_iter()
        .map(|document| document.policy)
        .find(|policy| policy.name == name)
        .ok_or_else(|| format!("the text of policy `{name}` holds no policy of this name"))
}

fn kept_blocks(
    bundle: &Bundle,
    part: u32,
    objective: &Objective,
) -> Result<Vec<(i64, Block)>, BundleError> {
    let seen = bundle.inputs.observed.get(part as usize);
    let wanted = seen.and_then(|seen| seen.blocks);
    let kept = bundle.blocks.iter().find(|blocks| blocks.part == part);
    match (wanted, kept) {
        (None, None) => Ok(Vec::new()),
        (Some((first, last)), Some(kept))
            if kept.first == first && kept.blocks.len() as i64 == last - first + 1 =>
        {
            Ok((first..).zip(kept.blocks.read()).collect())
        }
        _ => Err(BundleError::Inconsistent {
            detail: format!(
                "the blocks of objective `{}` are not those of the inputs",
                objective.name
            ),
        }),
    }
}

/// Where blocks made of samples differ from the kept ones. Equal text is equal bits.
fn other_blocks(
    objective: &Objective,
    kept: &[(i64, Block)],
    again: &[(i64, Block)],
) -> Option<String> {
    let text = |pair: &(i64, Block)| format!("{pair:?}");
    let name = &objective.name;
    if kept.len() != again.len() {
        return Some(format!(
            "objective `{name}`: {} blocks are kept, the samples make {}",
            kept.len(),
            again.len()
        ));
    }
    kept.iter()
        .zip(again)
        .find(|(kept, again)| text(kept) != text(again))
        .map(|((index, _), _)| {
            format!("objective `{name}`: block {index} made of the kept samples is another than the kept block")
        })
}
