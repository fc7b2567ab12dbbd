//! What the state of a rollout says about a question: when its step began, and since when data is awaited. Pure.

use crate::domain::{Millis, Question, RolloutState, StepSeen};

/// Is this state about the question's canary?
fn same<'a>(state: Option<&'a RolloutState>, question: &Question) -> Option<&'a RolloutState> {
    state.filter(|state| state.canary_hash == question.rollout.canary_hash)
}

/// Start of the present step: as told, else the first question with this weight.
pub fn step_since(
    state: Option<&RolloutState>,
    question: &Question,
    horizon: Millis,
) -> Option<Millis> {
    question.step_since.or_else(|| {
        let weight = question.weight?;
        Some(first(
            walk(state, question).find(|s| s.weight == Some(weight)),
            question.at,
            horizon,
        ))
    })
}

/// The first question about this canary.
pub fn asked_since(state: Option<&RolloutState>, question: &Question, horizon: Millis) -> Millis {
    let whole = walk(state, question).copied().reduce(|all, one| StepSeen {
        first: all.first.min(one.first),
        last: all.last.max(one.last),
        ..all
    });
    first(whole.as_ref(), question.at, horizon)
}

fn walk<'a>(
    state: Option<&'a RolloutState>,
    question: &Question,
) -> impl Iterator<Item = &'a StepSeen> {
    same(state, question)
        .map_or(&[][..], |state| &state.steps)
        .iter()
}

/// Questions further apart than the horizon belong to different deployments: a later one begins anew, and a replay of an
/// earlier moment must not make the present step older.
fn first(known: Option<&StepSeen>, at: Millis, horizon: Millis) -> Millis {
    match known {
        Some(known)
            if at >= known.first.saturating_sub(horizon)
                && at <= known.last.saturating_add(horizon) =>
        {
            known.first.min(at)
        }
        _ => at,
    }
}

/// Most weights remembered of one canary; more are a caller that counts up in tiny steps.
const MAX_STEPS: usize = 100;

/// The walk after this question. A gap of more than the horizon is another deployment of the same version.
pub fn steps_after(
    state: Option<&RolloutState>,
    question: &Question,
    weight: f64,
    passed: bool,
    horizon: Millis,
) -> Vec<StepSeen> {
    let at = question.at;
    let mut steps: Vec<StepSeen> = walk(state, question).copied().collect();
    let newest = steps.iter().map(|s| s.last).max();
    if newest.is_some_and(|newest| at > newest.saturating_add(horizon)) {
        steps.clear();
    }
    if let Some(step) = steps.iter_mut().find(|s| s.weight == Some(weight)) {
        step.first = step.first.min(at);
        step.last = step.last.max(at);
        step.passed |= passed;
    } else {
        if steps.len() >= MAX_STEPS {
            steps.remove(0);
        }
        steps.push(StepSeen {
            weight: Some(weight),
            first: at,
            last: at,
            passed,
        });
    }
    steps
}
