//! Evidence and what is remembered become a verdict. Pure.

use super::{
    bundle::Inputs,
    cache::RolloutEvidence,
    identity::verdict_id,
    read::{ObjectiveEvidence, ReadError},
    reading::closed,
    standing,
};
use crate::{
    domain::{
        Millis, Question, Standing, Verdict,
        text::{shortened, unmarked},
        time::rfc3339,
        units::duration_text,
    },
    judge::{
        Case, Force, ObjectiveState, Observed,
        evaluate::{self, requests},
        explain::{MAX_REASON, clean},
        weight,
    },
    policy::Policy,
};
use std::iter;

/// Blocks of a rollout whose start is not known yet.
const UNKNOWN_BLOCK: Millis = 30_000;
/// So many characters of a reason may stand around the name of an objective and its cause.
const LEAD: usize = 30;

/// The question with what is remembered about it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The question.
    pub question: &'a Question,
    /// What was known before.
    pub standing: &'a Standing,
}

/// What was concluded.
#[derive(Debug)]
pub struct Concluded {
    /// The verdict.
    pub verdict: Verdict,
    /// What else it was made of, for the store.
    pub inputs: Vec<u8>,
    /// Did the source fail?
    pub failed: bool,
}

/// Judges.
pub fn conclude(
    asked: &Asked<'_>,
    evidence: &RolloutEvidence,
    error: Option<&ReadError>,
) -> Concluded {
    let Asked {
        policy,
        question,
        standing,
    } = *asked;
    let state = standing.state.as_ref();
    let block = evidence.found.map_or(UNKNOWN_BLOCK, |found| found.block);
    // what was never read has seen nothing
    let unread = policy.objectives.iter().skip(evidence.objectives.len());
    let empty: Vec<ObjectiveState> = unread
        .map(|o| ObjectiveState::new(o, block, policy.horizon))
        .collect();
    let read = evidence.objectives.iter().map(Some);
    let states = read.clone().flatten().map(|o| &o.state).chain(&empty);
    let read = read.chain(iter::repeat_n(None, empty.len()));
    let hidden: Vec<Option<ReadError>> = evidence
        .objectives
        .iter()
        .map(ObjectiveEvidence::hidden)
        .collect();
    let problem = |i: usize| {
        let read = evidence.objectives.get(i);
        error
            .or_else(|| read.and_then(|o| o.problem.as_ref()))
            .or_else(|| hidden.get(i)?.as_ref())
    };
    let objectives = policy.objectives.iter().enumerate();
    let causes: Vec<Option<String>> = objectives
        .map(|(i, objective)| problem(i).map(|why| cause(why, &objective.name)))
        .collect();
    let observe = |(i, (state, read)): (usize, (_, Option<&ObjectiveEvidence>))| Observed {
        state,
        problem: problem(i).map(ReadError::code),
        cause: causes.get(i).and_then(Option::as_deref),
        series: read.map_or((0, 0), |o| (o.notes.canary_series, o.notes.stable_series)),
    };
    let observed: Vec<Observed<'_>> = states.zip(read).enumerate().map(observe).collect();
    // a source that has no samples of a series did answer
    let failed = (0..observed.len())
        .any(|i| problem(i).is_some_and(|why| !matches!(why, ReadError::Blind { .. })));
    let weight = weight::assumed(policy, question, requests(&observed));
    let case = Case {
        policy,
        question,
        id: verdict_id(&policy.revision, question),
        sighted: evidence.sighted,
        start: evidence.found.map(|found| found.anchor),
        exposed_since: evidence.found.map(|found| found.start),
        block,
        closed: evidence
            .found
            .map_or(-1, |found| closed(&found, question.at)),
        step_since: Some(standing::step_since(state, question, weight, policy)),
        asked_since: Some(standing::asked_since(state, question, policy.horizon)),
        observed,
        warnings: warnings(asked, evidence, error),
        force: Force {
            latch: standing.latch.as_ref(),
            ruling: standing.ruling.as_ref(),
        },
    };
    Concluded {
        verdict: evaluate::evaluate(&case),
        inputs: Inputs::new(&case, evidence).to_bytes(),
        failed,
    }
}

/// Why blocks of an objective are missing, short enough for both ends of it to stay in the reason.
fn cause(why: &ReadError, objective: &str) -> String {
    let room = MAX_REASON.saturating_sub(objective.chars().count() + LEAD);
    clean(&shortened(&unmarked(&why.to_string()), room))
}

/// What a person should know beside the verdict.
fn warnings(
    asked: &Asked<'_>,
    evidence: &RolloutEvidence,
    error: Option<&ReadError>,
) -> Vec<String> {
    // what several objectives say in the same words is said once, with their names
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for (objective, read) in asked.policy.objectives.iter().zip(&evidence.objectives) {
        let problem = read.problem.iter().map(ToString::to_string);
        let notes = read.notes.warnings();
        for text in problem.chain(read.warnings.iter().cloned()).chain(notes) {
            let name = objective.name.as_str();
            match said.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) if names.last() == Some(&name) => {}
                Some((_, names)) => names.push(name),
                None => said.push((text, vec![name])),
            }
        }
    }
    let all = error.iter().map(ToString::to_string);
    all.chain(cut(asked, evidence))
        .chain(evidence.said.iter().cloned())
        .chain(
            said.iter()
                .map(|(text, names)| format!("{}: {text}", names.join(", "))),
        )
        .map(|text| clean(&shortened(&unmarked(&text), MAX_REASON)))
        .collect()
}

/// The exposure began before the horizon: not all of it is judged, and the error rates hold for what is.
fn cut(asked: &Asked<'_>, evidence: &RolloutEvidence) -> Option<String> {
    let found = evidence.found?;
    let horizon = duration_text(asked.policy.horizon);
    let anchor = rfc3339(found.anchor);
    let asked_for = asked
        .question
        .since
        .is_some_and(|since| since < found.anchor);
    if asked_for {
        return Some(format!(
            "`since` is longer ago than the policy's horizon of {horizon}: data before {anchor} is not judged"
        ));
    }
    (found.start < found.anchor).then(|| {
        format!(
            "the canary has been there for longer than the policy's horizon of {horizon}: data before {anchor} is not judged, and `falseAbortRate` holds for each horizon by itself"
        )
    })
}
