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
    /// What happened last.
    told: Vec<Event>,
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
            told: Vec::new(),
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
        self.ask_by("p", minute, canary, weight, outcome)
    }

    /// Asks by a policy of this name.
    fn ask_by(
        &mut self,
        policy: &str,
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
            policy: policy.into(),
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
            policy: policy.into(),
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
        self.told = aftermath.events;
        self.told.iter().map(|e| e.kind.as_str()).collect()
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
        ruling: None,
        still: Vec::new(),
        reason: "not asked about".into(),
    };
    let promoted = EventKind::PromotionWithoutEvidence.as_str();
    assert!(state.open.keys().any(|key| key.starts_with(promoted)));
    state.open.insert("inconclusive p".into(), MINUTE);
    state.open.insert("source-down p".into(), MINUTE);
    let event = over(&mut state, vanished.clone()).unwrap();
    assert_eq!(
        (event.kind, event.reason.as_str()),
        (
            EventKind::Recovered,
            "no longer inconclusive or source-down, nobody asks any more: not asked about"
        )
    );
    assert!(event.is_unasked() && !vanished.is_unasked());
    assert!(event.ends(EventKind::Inconclusive) && event.ends(EventKind::SourceDown));
    // a promotion without evidence stays
    assert!(!event.ends(EventKind::PromotionWithoutEvidence));
    assert_eq!(state.open.len(), 1);
    assert_ne!(event.id, vanished.id);
    assert_eq!(over(&mut state, vanished), None);
}

#[test]
fn the_worst_of_several_policies_is_the_rollouts() {
    use Outcome::{Fail, Inconclusive, Pass};
    let mut life = Life::new();
    for (minute, policy, outcome, worst, policies) in [
        (0, "zz-ok", Pass, ("zz-ok", Pass), &["zz-ok"][..]),
        (
            1,
            "aa-bad",
            Inconclusive,
            ("aa-bad", Inconclusive),
            &["aa-bad", "zz-ok"],
        ),
        (2, "aa-bad", Fail, ("aa-bad", Fail), &["aa-bad", "zz-ok"]),
        (3, "zz-ok", Pass, ("aa-bad", Fail), &["aa-bad", "zz-ok"]),
        (40, "zz-ok", Pass, ("aa-bad", Fail), &["aa-bad", "zz-ok"]),
        // of two that pass the one that does so for longest
        (41, "aa-bad", Pass, ("zz-ok", Pass), &["aa-bad", "zz-ok"]),
        (42, "zz-ok", Pass, ("zz-ok", Pass), &["aa-bad", "zz-ok"]),
        // not asked for an hour
        (102, "zz-ok", Pass, ("zz-ok", Pass), &["zz-ok"]),
    ] {
        life.ask_by(policy, minute, "c", 5.0, outcome);
        let state = life.standing.state.as_ref().unwrap();
        let names: Vec<&str> = state.presents.keys().map(String::as_str).collect();
        assert_eq!(names, policies, "minute {minute}");
        assert_eq!(
            (state.policy.as_str(), state.outcome),
            worst,
            "minute {minute}"
        );
        let one = state.answer_of(worst.0).unwrap();
        assert_eq!((state.verdict, &state.reason), (one.verdict, &one.reason));
        assert_eq!(state.at, minute * MINUTE);
    }
    // another canary, another life
    life.ask_by("aa-bad", 103, "d", 5.0, Inconclusive);
    let state = life.standing.state.as_ref().unwrap();
    assert_eq!(state.presents.len(), 1);
}

#[test]
fn what_was_said_before_an_override_came_or_went_is_over() {
    use Outcome::{Fail, Pass};
    let mut life = Life::new();
    life.ask_by("a", 0, "c", 5.0, Fail);
    life.ask_by("b", 1, "c", 5.0, Pass);
    let policies = |life: &Life| -> Vec<String> {
        let state = life.standing.state.as_ref().unwrap();
        state.presents.keys().cloned().collect()
    };
    life.standing.ruling = Some(Override {
        id: Uuid::nil(),
        namespace: "n".into(),
        name: "r".into(),
        canary_hash: "c".into(),
        outcome: Pass,
        reason: "known".into(),
        author: "ann".into(),
        at: 2 * MINUTE,
        expires: 5 * MINUTE,
        revoked: None,
    });
    life.ask_by("b", 3, "c", 5.0, Pass);
    assert_eq!(policies(&life), ["b"]);
    life.ask_by("a", 4, "c", 5.0, Pass);
    assert_eq!(policies(&life), ["a", "b"]);
    life.ask_by("a", 6, "c", 5.0, Pass);
    assert_eq!(policies(&life), ["a"]);
}

#[test]
fn what_is_not_over_lasts_since_it_began() {
    let mut life = Life::new();
    for minute in 0..5 {
        life.ask(minute, "c", 5.0, Outcome::Fail);
    }
    let open = &life.standing.state.as_ref().unwrap().open;
    assert_eq!(open.get("fail p"), Some(&0));
}

#[test]
fn what_happens_under_an_override_names_it() {
    let mut life = Life::new();
    life.ask(0, "c", 5.0, Outcome::Inconclusive);
    life.standing.ruling = Some(Override {
        id: Uuid::nil(),
        namespace: "n".into(),
        name: "r".into(),
        canary_hash: "c".into(),
        outcome: Outcome::Inconclusive,
        reason: "wait for bob".into(),
        author: "ann".into(),
        at: MINUTE,
        expires: 5 * MINUTE,
        revoked: None,
    });
    let said = "inconclusive by override of ann until 1970-01-01T00:05:00Z: wait for bob";
    let promoted = EventKind::PromotionWithoutEvidence;
    for (minute, weight, expected) in [(2, 25.0, Some(said)), (6, 50.0, None)] {
        life.ask(minute, "c", weight, Outcome::Inconclusive);
        let event = life.told.iter().find(|e| e.kind == promoted).unwrap();
        assert_eq!(event.ruling.as_deref(), expected);
        assert_eq!(event.told().ends_with(said), expected.is_some());
    }
}

#[test]
fn a_promotion_without_evidence_names_the_policies() {
    use Outcome::{Fail, Inconclusive, Pass};
    let reason = |life: &Life| {
        let promoted = EventKind::PromotionWithoutEvidence;
        let event = life.told.iter().find(|e| e.kind == promoted);
        event.unwrap().reason.clone()
    };
    let mut life = Life::new();
    life.ask_by("a", 0, "c", 5.0, Inconclusive);
    life.ask_by("a", 1, "c", 25.0, Inconclusive);
    let one = "the weight went from 5 to 25 % although no pass was given at 5 %";
    assert_eq!(reason(&life), one);
    let mut life = Life::new();
    life.ask_by("a", 0, "c", 5.0, Pass);
    life.ask_by("z", 1, "c", 5.0, Fail);
    life.ask_by("a", 2, "c", 25.0, Pass);
    let both = "the weight went from 5 to 25 % although its policies do not pass it: z says fail, a says pass";
    assert_eq!(reason(&life), both);
}

#[test]
fn a_recovery_says_what_is_still_wrong() {
    use Outcome::{Inconclusive, Pass};
    let mut life = Life::new();
    life.ask(0, "c", 5.0, Inconclusive);
    life.ask(1, "c", 25.0, Inconclusive);
    life.silent = 10 * MINUTE;
    life.ask(2, "c", 25.0, Inconclusive);
    life.silent = 0;
    let still = |life: &Life| {
        let recovered = life.told.iter().find(|e| e.kind == EventKind::Recovered);
        recovered.unwrap().still.clone()
    };
    let told = life.ask(3, "c", 25.0, Inconclusive);
    assert_eq!(told, ["verdict", "recovered"]);
    assert_eq!(still(&life), [EventKind::PromotionWithoutEvidence]);
    life.ask(4, "c", 25.0, Pass);
    assert_eq!(still(&life), []);
}

#[test]
fn a_rollout_passes_when_all_its_policies_do() {
    let mut life = Life::new();
    life.ask_by("p", 1, "c", 100.0, Outcome::Inconclusive);
    let told = life.ask_by("z", 2, "c", 100.0, Outcome::Pass);
    assert!(!told.contains(&"pass"), "{told:?}");
    let told = life.ask_by("p", 3, "c", 100.0, Outcome::Pass);
    assert!(told.contains(&"pass"), "{told:?}");
}
