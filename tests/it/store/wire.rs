//! What was written once can be read for ever: `fixtures/wire/v1` against what it means today.
//!
//! A file there is never changed. A new one is added when there is something new to be read.

use super::sample::{self, T0};
use rollout_judge::{
    domain::{
        Action, ArmSummary, Event, EventKind, FixedHorizon, Look, Millis, Outcome, Override,
        Question, RolloutState, Scale, Verdict,
    },
    store::wire::{
        Unreadable, read,
        shape::Shape,
        v1::{self, Judged},
        write,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug, fs, path::PathBuf};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/wire/v1/{name}.json"))
}

/// A paper as it was written.
pub fn paper(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

fn check<S>(name: &str, meaning: &S::Meaning)
where
    S: Shape + Serialize + DeserializeOwned,
    S::Meaning: PartialEq + Debug,
{
    let today = write::<S>(meaning).unwrap();
    let text = fs::read_to_string(file(name)).unwrap_or_else(|_| {
        panic!(
            "{} is missing; today it would be\n{today}",
            file(name).display()
        )
    });
    assert_eq!(&read::<S>(&text).unwrap(), meaning, "{name}");
    assert_eq!(&read::<S>(&today).unwrap(), meaning, "{name}, as of today");
}

fn judged(outcome: Outcome) -> (Verdict, Question) {
    let question = sample::question(&sample::rollout("cart", "c1"), T0 + 60_000);
    let mut verdict = sample::verdict(&question, 7, outcome);
    let mut full = sample::finding(outcome);
    full.stable = full.canary;
    full.limit = Some(0.02);
    full.evidence.pod_spread = Some(0.25);
    full.fixed_horizon = Some(FixedHorizon {
        method: "score".to_owned(),
        p_value: Some(0.049),
        lower: Some(-0.001),
        upper: Some(0.002),
        interval_of: "difference".to_owned(),
    });
    verdict.findings.push(full);
    (verdict, question)
}

#[test]
fn verdicts_of_each_outcome() {
    check::<Judged>("judged-pass", &judged(Outcome::Pass));
    check::<Judged>("judged-fail", &judged(Outcome::Fail));
    check::<Judged>("judged-inconclusive", &judged(Outcome::Inconclusive));
}

#[test]
fn a_verdict_without_what_may_be_absent() {
    let (mut verdict, mut question) = judged(Outcome::Pass);
    verdict.findings.truncate(1);
    let finding = &mut verdict.findings[0];
    finding.canary = ArmSummary::default();
    finding.effect = rollout_judge::domain::Effect::default();
    (finding.margin, finding.evidence.dispersion) = (None, None);
    (question.weight, question.step, question.since) = (None, None, None);
    question.analysis_run = None;
    check::<Judged>("judged-least", &(verdict, question));
}

#[test]
fn verdicts_of_each_scale() {
    let (mut verdict, question) = judged(Outcome::Inconclusive);
    let first = verdict.findings[0].clone();
    let of = |scale| {
        let mut finding = first.clone();
        finding.effect.scale = Some(scale);
        finding
    };
    verdict.findings = [Scale::Ratio, Scale::Complements, Scale::Difference]
        .map(of)
        .into();
    check::<Judged>("judged-scales", &(verdict, question));
}

fn state() -> RolloutState {
    sample::state(&judged(Outcome::Fail).0, T0 + 60_000)
}

#[test]
fn states() {
    check::<v1::RolloutState>("state", &state());
    let mut least = state();
    (least.step, least.steps[0].weight) = (None, None);
    (least.open, least.labels) = (BTreeMap::new(), BTreeMap::new());
    least.outcomes = BTreeMap::new();
    check::<v1::RolloutState>("state-least", &least);
    let mut looked = state();
    let at = looked.at;
    let look = |at, harm, safe| Look { at, harm, safe };
    let looks = vec![look(at - 30_000, 0.12, 0.5), look(at, 1.0, 0.0)];
    looked.looks = BTreeMap::from([("p".to_owned(), looks)]);
    check::<v1::RolloutState>("state-looks", &looked);
    let mut several = state();
    several.presents = several.answers();
    let mut other = several.counting();
    (other.outcome, other.action, other.since) = (Outcome::Pass, Action::Advance, at - 5);
    several.presents.insert("kpi".to_owned(), other);
    check::<v1::RolloutState>("state-presents", &several);
}

fn event(kind: EventKind) -> Event {
    sample::event(&judged(Outcome::Fail).0, kind, T0 + 60_000)
}

#[test]
fn events() {
    for kind in EventKind::ALL {
        check::<v1::Event>(&format!("event-{}", kind.as_str()), &event(*kind));
    }
    let mut source = event(EventKind::SourceDown);
    (source.outcome, source.verdict) = (None, None);
    source.author = Some("anna".to_owned());
    check::<v1::Event>("event-least", &source);
    let mut over = event(EventKind::Recovered);
    over.ruling = Some("overridden to inconclusive by anna".to_owned());
    over.still = vec![EventKind::Fail, EventKind::SourceDown];
    check::<v1::Event>("event-ruled", &over);
}

#[test]
fn overrides() {
    let rollout = sample::rollout("cart", "c1");
    let mut ruling: Override = sample::ruling(&rollout, Outcome::Pass, T0);
    check::<v1::Override>("override", &ruling);
    ruling.revoked = Some((T0 + 1 as Millis, "berta".to_owned()));
    check::<v1::Override>("override-revoked", &ruling);
}

#[test]
fn what_cannot_be_read() {
    let text = write::<v1::Override>(&sample::ruling(
        &sample::rollout("cart", "c1"),
        Outcome::Pass,
        T0,
    ))
    .unwrap();
    let read = |text: &str| read::<v1::Override>(text);
    assert!(read(&text.replace("\"reason\"", "\"later\":1,\"reason\"")).is_ok());
    assert_eq!(
        read(&text.replace("\"v\":1", "\"v\":2,\"shape\":[]")),
        Err(Unreadable::Newer(2))
    );
    for damaged in [
        "",
        "{}",
        "null",
        &text[..text.len() / 2],
        &text.replace("\"reason\"", "\"raison\""),
        &text.replace("\"pass\"", "\"perhaps\""),
    ] {
        assert!(
            matches!(read(damaged), Err(Unreadable::Damaged(_))),
            "{damaged}"
        );
    }
}
