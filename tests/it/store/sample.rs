//! Verdicts to keep.

use rollout_judge::domain::{
    Action, ArmSummary, Chunk, Code, Delivery, Draft, Effect, Event, EventKind, EvidenceSummary,
    Finding, Latch, Millis, Needs, Outcome, Override, Question, RolloutRef, RolloutState, StepSeen,
    Verdict, Window,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const T0: Millis = 1_767_225_600_000;

/// An id of this moment; `n` tells ids of one moment apart.
pub fn id(at: Millis, n: u64) -> Uuid {
    let moment = (at as u128) << 80;
    Uuid::from_u128(moment | (0x7 << 76) | (0b10 << 62) | u128::from(n))
}

/// An id that is a function of words.
pub fn named(words: &[&str]) -> Uuid {
    // FNV-1a, twice
    let mut sum = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in words.join("\n").bytes() {
        sum = (sum ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    Uuid::from_u128(sum)
}

pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn rollout(name: &str, canary: &str) -> RolloutRef {
    RolloutRef {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        canary_hash: canary.to_owned(),
        stable_hash: "stable".to_owned(),
    }
}

pub fn question(rollout: &RolloutRef, at: Millis) -> Question {
    Question {
        policy: "http".to_owned(),
        rollout: rollout.clone(),
        weight: Some(5.0),
        step: Some(1),
        step_since: None,
        since: Some(T0),
        at,
        params: labels(&[("region", "eu")]),
        labels: labels(&[("image", "shop:1.2")]),
        analysis_run: Some("run-1".to_owned()),
        dry_run: false,
    }
}

pub fn finding(outcome: Outcome) -> Finding {
    Finding {
        name: "error-rate".to_owned(),
        kind: "errorRatio".to_owned(),
        outcome,
        code: Code::NeedsMoreData,
        reason: "3 of 10 % needed".to_owned(),
        critical: true,
        watch: false,
        unit: "ratio".to_owned(),
        canary: ArmSummary {
            value: Some(0.1 + 0.2),
            events: Some(3.0),
            exposure: Some(10_000.0),
            series: Some(4),
        },
        stable: ArmSummary::default(),
        effect: Effect {
            estimate: Some(-0.0),
            lower: Some(f64::MIN_POSITIVE),
            upper: Some(f64::INFINITY),
            relative: Some(1.0 / 3.0),
            scale: None,
        },
        margin: Some(1.1),
        limit: None,
        evidence: EvidenceSummary {
            method: "mixture".to_owned(),
            alpha: 0.01,
            log_e_fail: f64::NEG_INFINITY,
            log_e_pass: 1.5e-300,
            p_fail: 1.0,
            p_pass: 0.3,
            dispersion: Some(1.25),
            pod_spread: None,
            blocks: 17,
        },
        needs: Needs {
            requests: Some(100.0),
            seconds: Some(30.0),
        },
        fixed_horizon: None,
    }
}

pub fn verdict(question: &Question, n: u64, outcome: Outcome) -> Verdict {
    Verdict {
        id: id(question.at, n),
        outcome,
        score: 77.25,
        reason: "checked".to_owned(),
        action: Action::Hold,
        weight: 5.0,
        next_weight: 25.0,
        policy: question.policy.clone(),
        revision: "rev-1".to_owned(),
        rollout: question.rollout.clone(),
        window: Window {
            start: T0,
            end: question.at,
        },
        findings: vec![finding(outcome)],
        warnings: vec!["counter resets seen".to_owned()],
    }
}

pub fn state(verdict: &Verdict, at: Millis) -> RolloutState {
    RolloutState {
        namespace: verdict.rollout.namespace.clone(),
        name: verdict.rollout.name.clone(),
        policy: verdict.policy.clone(),
        revision: verdict.revision.clone(),
        canary_hash: verdict.rollout.canary_hash.clone(),
        stable_hash: verdict.rollout.stable_hash.clone(),
        weight: verdict.weight,
        next_weight: verdict.next_weight,
        step: Some(1),
        verdict: verdict.id,
        outcome: verdict.outcome,
        action: verdict.action,
        score: verdict.score,
        reason: verdict.reason.clone(),
        at,
        kept_at: at,
        outcome_since: at,
        outcomes: std::iter::once(("p".to_owned(), (Outcome::Pass, 1))).collect(),
        presents: BTreeMap::new(),
        looks: BTreeMap::new(),
        since: at,
        steps: vec![StepSeen {
            weight: Some(5.0),
            first: at,
            last: at,
            passed: false,
        }],
        open: BTreeMap::from([("fail".to_owned(), at)]),
        labels: labels(&[("region", "eu")]),
    }
}

pub fn event(verdict: &Verdict, kind: EventKind, at: Millis) -> Event {
    Event {
        seq: 0,
        id: named(&[&verdict.id.to_string(), kind.as_str()]),
        at,
        kind,
        namespace: verdict.rollout.namespace.clone(),
        rollout: verdict.rollout.name.clone(),
        policy: verdict.policy.clone(),
        canary_hash: verdict.rollout.canary_hash.clone(),
        weight: verdict.weight,
        outcome: Some(verdict.outcome),
        verdict: Some(verdict.id),
        author: None,
        ruling: None,
        still: Vec::new(),
        reason: verdict.reason.clone(),
    }
}

pub fn delivery(event: &Event, receiver: &str, due: Millis) -> Delivery {
    Delivery {
        id: named(&[&event.id.to_string(), receiver]),
        event: event.id,
        receiver: receiver.to_owned(),
        order: format!("{}/{}", event.namespace, event.rollout),
        due,
    }
}

pub fn latch(verdict: &Verdict, at: Millis) -> Latch {
    Latch {
        at,
        verdict: verdict.id,
        reason: verdict.reason.clone(),
    }
}

pub fn ruling(rollout: &RolloutRef, outcome: Outcome, at: Millis) -> Override {
    Override {
        id: named(&[&rollout.name, &rollout.canary_hash, &at.to_string()]),
        namespace: rollout.namespace.clone(),
        name: rollout.name.clone(),
        canary_hash: rollout.canary_hash.clone(),
        outcome,
        reason: "known noise".to_owned(),
        author: "anna".to_owned(),
        at,
        expires: at + 3_600_000,
        revoked: None,
    }
}

/// A verdict with its state, an event and a block, asked at `at`.
pub fn draft(rollout: &RolloutRef, at: Millis, version: i64, outcome: Outcome) -> Draft {
    let question = question(rollout, at);
    let verdict = verdict(&question, 1 + fold(rollout), outcome);
    let run = named(&[
        "run",
        &rollout.namespace,
        &rollout.name,
        &rollout.canary_hash,
    ]);
    Draft {
        version,
        inputs: b"inputs".to_vec(),
        run: Some(run),
        chunks: vec![Chunk {
            run,
            part: 0,
            first: at,
            last: at + 1,
            payload: vec![7; 100],
        }],
        policy_text: "kind: JudgePolicy".into(),
        state: Some(state(&verdict, at)),
        latch: (outcome == Outcome::Fail).then(|| latch(&verdict, at)),
        events: vec![event(&verdict, EventKind::Verdict, at)],
        deliveries: Vec::new(),
        kept_at: at,
        verdict,
        question,
    }
}

/// Rollouts of one moment have ids of their own.
fn fold(rollout: &RolloutRef) -> u64 {
    let words = [&*rollout.namespace, &*rollout.name, &*rollout.canary_hash];
    named(&words).as_u64_pair().1 >> 8
}
