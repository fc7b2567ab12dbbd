//! What the state of a rollout says about a question: when its step began, and since when data is awaited. Pure.

use crate::{
    domain::{Millis, Question, RolloutState, StepSeen},
    judge::weight::{Weight, same_step},
    policy::Policy,
};

/// Is this state about the question's canary?
fn same<'a>(state: Option<&'a RolloutState>, question: &Question) -> Option<&'a RolloutState> {
    state.filter(|state| state.canary_hash == question.rollout.canary_hash)
}

/// Start of the present step: as told, else the first question with this weight, or in this step where the traffic tells the
/// weight; else now. So no answer comes before the step's times because something was left out of the question.
pub fn step_since(
    state: Option<&RolloutState>,
    question: &Question,
    weight: Weight,
    policy: &Policy,
) -> Millis {
    let percent = weight.percent();
    let here = |seen: &StepSeen| match weight {
        Weight::Told(_) => seen.weight == Some(percent),
        Weight::Seen(_) | Weight::Unknown(_) => seen
            .weight
            .is_none_or(|known| same_step(policy, known, percent)),
    };
    let known = walk(state, question)
        .filter(|seen| here(seen))
        .copied()
        .reduce(over);
    question
        .step_since
        .unwrap_or_else(|| first(known.as_ref(), question.at, policy.horizon))
}

/// One stretch of questions that spans two.
fn over(one: StepSeen, other: StepSeen) -> StepSeen {
    StepSeen {
        first: one.first.min(other.first),
        last: one.last.max(other.last),
        ..one
    }
}

/// The first question about this canary.
pub fn asked_since(state: Option<&RolloutState>, question: &Question, horizon: Millis) -> Millis {
    let whole = walk(state, question).copied().reduce(over);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Action, Outcome},
        policy,
        service::tests::question,
    };
    use std::collections::BTreeMap;

    const MINUTE: Millis = 60_000;

    fn state(steps: Vec<StepSeen>) -> RolloutState {
        RolloutState {
            namespace: "n".into(),
            name: "r".into(),
            policy: "p".into(),
            revision: "rev".into(),
            canary_hash: "ccc111".into(),
            stable_hash: "sss222".into(),
            weight: 5.0,
            next_weight: 25.0,
            step: None,
            verdict: uuid::Uuid::nil(),
            outcome: Outcome::Pass,
            action: Action::Advance,
            score: 100.0,
            reason: String::new(),
            at: 0,
            kept_at: 0,
            outcome_since: 0,
            outcomes: BTreeMap::new(),
            presents: BTreeMap::new(),
            looks: BTreeMap::new(),
            since: 0,
            steps,
            open: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn a_step_begins_as_told_else_as_remembered_else_now() {
        let text = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: p }\nspec:\n  objectives:\n    - { name: e, errorRatio: { errors: errors, total: requests } }\n";
        let policy = &policy::load("p.yaml", text, None).unwrap()[0].policy;
        let seen = |weight, first, last| StepSeen {
            weight: Some(weight),
            first: first * MINUTE,
            last: last * MINUTE,
            passed: false,
        };
        // before traffic came, at 5 %, at 25 %
        let state = state(vec![seen(0.0, 1, 3), seen(5.0, 4, 20), seen(25.0, 21, 29)]);
        let at = 30 * MINUTE;
        for (weight, told, known, expected) in [
            (Weight::Told(25.0), None, true, 21),
            (Weight::Told(25.0), None, false, 30),
            (Weight::Told(5.0), None, true, 4),
            (Weight::Told(30.0), None, true, 30),
            (Weight::Told(25.0), Some(7), true, 7),
            (Weight::Seen(25.0), None, true, 21),
            (Weight::Seen(25.0), None, false, 30),
            (Weight::Seen(5.0), None, true, 1),
            (Weight::Seen(5.0), Some(9), true, 9),
            (Weight::Seen(50.0), None, true, 30),
        ] {
            let mut question = question(at);
            question.step_since = told.map(|minute| minute * MINUTE);
            let since = step_since(known.then_some(&state), &question, weight, policy);
            assert_eq!(since, expected * MINUTE, "{weight:?} {told:?} {known}");
        }
    }
}
