//! A rollout's life in rows: what is asked and answered, and what happens with it.

use super::*;
use crate::domain::{Action, Override, RolloutRef, Window};
use uuid::Uuid;

const MINUTE: Millis = 60_000;
const POLICY: &str = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: p }\nspec:\n  objectives:\n    - { name: e, errorRatio: { errors: errors, total: requests } }\n";

/// A rollout and what is known of it.
struct Life {
    policy: Policy,
    standing: Standing,
    silent: Millis,
}

impl Life {
    fn new() -> Self {
        Self {
            policy: crate::policy::load("p.yaml", POLICY, None)
                .unwrap()
                .remove(0)
                .policy,
            standing: Standing::default(),
            silent: 0,
        }
    }

    /// Asks at a minute about a canary at a weight, is answered so, and gives the words of what happened.
    fn ask(
        &mut self,
        minute: i64,
        canary: &str,
        weight: f64,
        outcome: Outcome,
    ) -> Vec<&'static str> {
        let at = minute * MINUTE;
        let rollout = RolloutRef {
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: canary.into(),
            stable_hash: "s".into(),
        };
        let question = Question {
            policy: "p".into(),
            rollout: rollout.clone(),
            weight: Some(weight),
            step: None,
            step_since: None,
            since: None,
            at,
            params: BTreeMap::new(),
            labels: BTreeMap::new(),
            analysis_run: None,
            dry_run: false,
        };
        let verdict = Verdict {
            id: super::super::identity::verdict_id("rev", &question),
            outcome,
            score: 50.0,
            reason: format!("{} it is", outcome.as_str()),
            action: Action::Hold,
            weight,
            next_weight: weight,
            policy: "p".into(),
            revision: "rev".into(),
            rollout,
            window: Window { start: 0, end: at },
            findings: Vec::new(),
            warnings: Vec::new(),
        };
        let aftermath = after(&Given {
            standing: &self.standing,
            question: &question,
            verdict: &verdict,
            policy: &self.policy,
            patience: Patience::default(),
            silent: self.silent,
            now: at,
        });
        let ids: std::collections::BTreeSet<Uuid> = aftermath.events.iter().map(|e| e.id).collect();
        assert_eq!(
            ids.len(),
            aftermath.events.len(),
            "every event has an id of its own"
        );
        if let Some(state) = aftermath.state {
            self.standing.version += 1;
            self.standing.state = Some(state);
        }
        if let Some(latch) = aftermath.latch {
            self.standing.latch = Some(latch);
        }
        aftermath.events.iter().map(|e| e.kind.as_str()).collect()
    }
}

#[test]
fn a_healthy_walk_is_told_once_at_its_end() {
    use Outcome::{Inconclusive, Pass};
    let mut life = Life::new();
    for (minute, weight, outcome, expected) in [
        (0, 5.0, Inconclusive, &["verdict", "started"][..]),
        (3, 5.0, Pass, &["verdict", "changed"]),
        (4, 50.0, Inconclusive, &["verdict", "weight", "changed"]),
        (6, 50.0, Pass, &["verdict", "changed"]),
        (7, 100.0, Pass, &["verdict", "weight", "pass"]),
        (8, 100.0, Pass, &["verdict"]),
    ] {
        assert_eq!(
            life.ask(minute, "c", weight, outcome),
            expected,
            "minute {minute}"
        );
    }
    let state = life.standing.state.unwrap();
    let walk: Vec<_> = state
        .steps
        .iter()
        .map(|s| (s.weight, s.first / MINUTE, s.last / MINUTE, s.passed))
        .collect();
    assert_eq!(
        walk,
        [
            (Some(5.0), 0, 3, true),
            (Some(50.0), 4, 6, true),
            (Some(100.0), 7, 8, true)
        ]
    );
    assert_eq!((state.since, state.outcome_since), (0, 6 * MINUTE));
    assert!(life.standing.latch.is_none());
}

#[test]
fn what_is_told_once_is_told_to_be_over() {
    use Outcome::{Fail, Inconclusive, Pass};
    let mut life = Life::new();
    for (minute, canary, weight, outcome, silent, expected) in [
        (0, "c", 5.0, Inconclusive, 0, &["verdict", "started"][..]),
        (14, "c", 5.0, Inconclusive, 0, &["verdict"]),
        (15, "c", 5.0, Inconclusive, 0, &["verdict", "inconclusive"]),
        (16, "c", 5.0, Inconclusive, 0, &["verdict"]),
        (17, "c", 5.0, Inconclusive, 6, &["verdict", "source-down"]),
        (18, "c", 5.0, Inconclusive, 7, &["verdict"]),
        (19, "c", 5.0, Inconclusive, 0, &["verdict", "recovered"]),
        (
            20,
            "c",
            25.0,
            Inconclusive,
            0,
            &["verdict", "weight", "promotion-without-evidence"],
        ),
        (21, "c", 25.0, Pass, 0, &["verdict", "changed", "recovered"]),
        (22, "c", 25.0, Fail, 0, &["verdict", "changed", "fail"]),
        (23, "c", 25.0, Fail, 0, &["verdict"]),
        (10, "c", 5.0, Fail, 0, &["verdict"]),
        // an earlier pass of this step is no evidence any more
        (
            23,
            "c",
            50.0,
            Fail,
            0,
            &["verdict", "weight", "promotion-without-evidence"],
        ),
        (
            24,
            "d",
            5.0,
            Inconclusive,
            0,
            &["verdict", "recovered", "started"],
        ),
        (
            25,
            "d",
            25.0,
            Inconclusive,
            0,
            &["verdict", "weight", "promotion-without-evidence"],
        ),
        (26, "d", 25.0, Pass, 0, &["verdict", "changed", "recovered"]),
        (27, "d", 25.0, Pass, 0, &["verdict"]),
    ] {
        life.silent = silent * MINUTE;
        assert_eq!(
            life.ask(minute, canary, weight, outcome),
            expected,
            "minute {minute}"
        );
    }
}

#[test]
fn a_fail_stays_but_not_one_by_override() {
    let mut life = Life::new();
    life.standing.ruling = Some(Override {
        id: Uuid::nil(),
        namespace: "n".into(),
        name: "r".into(),
        canary_hash: "c".into(),
        outcome: Outcome::Fail,
        reason: "bad feeling".into(),
        author: "ann".into(),
        at: 0,
        expires: 5 * MINUTE,
        revoked: None,
    });
    assert_eq!(life.ask(1, "c", 5.0, Outcome::Fail), ["verdict", "started"]);
    assert!(life.standing.latch.is_none());
    assert_eq!(
        life.ask(6, "c", 5.0, Outcome::Fail),
        ["verdict", "override-ended", "fail"]
    );
    let latch = life.standing.latch.clone().unwrap();
    assert_eq!(
        (latch.at, latch.reason.as_str()),
        (6 * MINUTE, "fail it is")
    );
    // once, and not where a person took it back
    assert_eq!(life.ask(7, "c", 5.0, Outcome::Fail), ["verdict"]);
    let ruling = life.standing.ruling.as_mut().unwrap();
    (ruling.expires, ruling.revoked) = (9 * MINUTE, Some((8 * MINUTE, "ann".into())));
    assert_eq!(life.ask(10, "c", 5.0, Outcome::Fail), ["verdict"]);
}

#[test]
fn the_last_looks_at_the_evidence_of_a_canary_are_kept() {
    let mut life = Life::new();
    let looks = |life: &Life| life.standing.state.as_ref().unwrap().looks["p"].clone();
    for minute in 1..=30 {
        life.ask(minute, "c", 5.0, Outcome::Inconclusive);
    }
    let seen: Vec<Millis> = looks(&life).iter().map(|look| look.at / MINUTE).collect();
    assert_eq!(seen, (7..=30).collect::<Vec<_>>());
    life.ask(31, "d", 5.0, Outcome::Inconclusive);
    assert_eq!(looks(&life).len(), 1);
}

#[test]
fn what_waits_for_a_question_ends_when_nobody_asks_any_more() {
    use crate::service::watch::over;
    let mut life = Life::new();
    life.ask(0, "c", 5.0, Outcome::Inconclusive);
    life.ask(1, "c", 50.0, Outcome::Inconclusive);
    let mut state = life.standing.state.unwrap();
    let vanished = Event {
        seq: 0,
        id: Uuid::nil(),
        at: 20 * MINUTE,
        kind: EventKind::Vanished,
        namespace: state.namespace.clone(),
        rollout: state.name.clone(),
        policy: state.policy.clone(),
        canary_hash: state.canary_hash.clone(),
        weight: state.weight,
        outcome: Some(state.outcome),
        verdict: Some(state.verdict),
        author: None,
        reason: "not asked about".into(),
    };
    let promoted = EventKind::PromotionWithoutEvidence.as_str();
    assert!(state.open.keys().any(|key| key.starts_with(promoted)));
    state.open.insert("inconclusive p".into(), MINUTE);
    assert_eq!(
        over(&mut state.clone(), vanished.clone()),
        None,
        "a promotion without evidence stays"
    );
    state.open.retain(|key, _| !key.starts_with(promoted));
    let event = over(&mut state, vanished.clone()).unwrap();
    assert_eq!(
        (event.kind, event.reason.as_str()),
        (EventKind::Recovered, "over: not asked about")
    );
    assert!(state.open.is_empty() && event.id != vanished.id);
    assert_eq!(over(&mut state, vanished), None);
}
