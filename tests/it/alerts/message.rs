//! Messages to tell.

use rollout_judge::domain::{
    Action, ArmSummary, Code, Effect, Event, EventKind, EvidenceSummary, Finding, Message, Needs,
    Outcome, RolloutRef, Verdict, Window,
};
use uuid::Uuid;

/// 2026-01-02T15:04:05Z
pub const AT: i64 = 1_767_366_245_000;

pub fn event(kind: EventKind) -> Event {
    Event {
        seq: 1,
        id: Uuid::from_u128(0xE0 + kind as u128),
        at: AT,
        kind,
        namespace: "shop".to_owned(),
        rollout: "checkout".to_owned(),
        policy: "http-service".to_owned(),
        canary_hash: "6c9f8d7b5".to_owned(),
        weight: 5.0,
        // a canary that recovered does not fail any more
        outcome: Some(match kind {
            EventKind::Recovered => Outcome::Inconclusive,
            _ => Outcome::Fail,
        }),
        verdict: Some(Uuid::from_u128(0xF1)),
        author: None,
        ruling: None,
        still: Vec::new(),
        reason: "error-rate: canary 1.32 % against 0.144 % on stable, ratio 9.22 (2.49 to 28.3)"
            .to_owned(),
    }
}

fn finding(name: &str, outcome: Outcome, unit: &str, canary: f64, stable: f64) -> Finding {
    Finding {
        name: name.to_owned(),
        kind: "errorRatio".to_owned(),
        outcome,
        code: Code::WorseThanStable,
        reason: "because".to_owned(),
        critical: true,
        watch: false,
        unit: unit.to_owned(),
        canary: ArmSummary {
            value: Some(canary),
            ..ArmSummary::default()
        },
        stable: ArmSummary {
            value: Some(stable),
            ..ArmSummary::default()
        },
        effect: Effect {
            relative: Some(canary / stable - 1.0),
            ..Effect::default()
        },
        margin: None,
        limit: None,
        evidence: EvidenceSummary::default(),
        needs: Needs::NOTHING,
        fixed_horizon: None,
    }
}

pub fn verdict() -> Verdict {
    Verdict {
        id: Uuid::from_u128(0xF1),
        outcome: Outcome::Fail,
        score: 0.0,
        reason: event(EventKind::Fail).reason,
        action: Action::Abort,
        weight: 5.0,
        next_weight: 0.0,
        policy: "http-service".to_owned(),
        revision: "sha256:0123456789abcdef".to_owned(),
        rollout: RolloutRef {
            namespace: "shop".to_owned(),
            name: "checkout".to_owned(),
            canary_hash: "6c9f8d7b5".to_owned(),
            stable_hash: "7d4b9c6f8".to_owned(),
        },
        window: Window {
            start: AT - 300_000,
            end: AT,
        },
        findings: vec![
            finding("p99-latency", Outcome::Pass, "seconds", 0.25, 0.2),
            finding("error-rate", Outcome::Fail, "ratio", 0.0132, 0.00144),
        ],
        warnings: vec![],
    }
}

/// A message about one event.
pub fn message(kind: EventKind) -> Message {
    Message {
        id: Uuid::from_u128(0xABCD),
        event: event(kind),
        earlier: vec![],
        verdict: Some(verdict()),
        url: "https://judge.example.org/verdicts/f1".to_owned(),
        how_to_override:
            "curl -X POST https://judge.example.org/v1/rollouts/shop/checkout/override".to_owned(),
    }
}

/// What strangers write where they can.
pub const EVIL: &str = "<!channel> <@U024BE7LH> @everyone <at>all</at> **b** _i_ [x](http://evil.example) ` ``` & \"\u{202e}\r\nBcc: all@example.org\r\n\r\n.\r\n";

/// A message in which every text is hostile and long.
pub fn hostile() -> Message {
    let mut message = message(EventKind::Fail);
    let long = format!("{EVIL}{}", "long \\ ` * _ & < > ".repeat(1500));
    let event = &mut message.event;
    EVIL.clone_into(&mut event.rollout);
    EVIL.clone_into(&mut event.namespace);
    EVIL.clone_into(&mut event.policy);
    long.clone_into(&mut event.canary_hash);
    long.clone_into(&mut event.reason);
    event.author = Some(long.clone());
    message.earlier = vec![message.event.clone(); 50];
    let mut verdict = verdict();
    for finding in &mut verdict.findings {
        long.clone_into(&mut finding.name);
        long.clone_into(&mut finding.unit);
    }
    verdict.findings = (0..40).map(|i| verdict.findings[i % 2].clone()).collect();
    message.verdict = Some(verdict);
    message.how_to_override = long;
    message
}
