//! What a question makes of the policy: where the canary is looked for, and what cannot be planned.

use super::{MINUTE, SPEC, START, Shelf, ask, judge_of, question, shop};
use crate::{
    domain::{Code, Outcome},
    service::{Judge, JudgeError},
};
use std::sync::{Arc, atomic::Ordering};

#[tokio::test]
async fn an_absent_gauge_does_not_hide_a_canary_that_a_query_finds() {
    let text = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: p }
spec:
  tracks: { label: hash }
  objectives:
    - { name: g, gauge: queue_depth }
    - { name: q, query: 'sum(requests{$track})' }
";
    let judge = judge_of(text, Shelf::of(shop(15_000)));
    let verdict = ask(&judge, START + 40 * MINUTE).await;
    assert_eq!(verdict.findings[0].code, Code::NoCanaryData);
    let found = &verdict.findings[1];
    assert_eq!(
        (found.outcome, found.code),
        (Outcome::Pass, Code::NoHarm),
        "{found:?}"
    );
    assert!((verdict.window.start - START).abs() <= MINUTE);
    // nothing is there before
    let verdict = ask(&judge, START - 20 * MINUTE - 3 * 3_600_000).await;
    let codes = verdict.findings.iter().map(|finding| finding.code);
    assert!(
        codes.clone().all(|code| code == Code::NoCanaryData),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn an_absent_gauge_does_not_hide_how_often_is_scraped() {
    let text = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: p }
spec:
  tracks: { label: hash }
  objectives:
    - { name: g, gauge: absent, watch: true }
    - { name: e, errorRatio: { errors: errors, total: requests } }
";
    let judge = judge_of(text, Shelf::of(shop(60_000)));
    let verdict = ask(&judge, START + 30 * MINUTE).await;
    // blocks of two minutes
    let found = &verdict.findings[1];
    assert!((10..=15).contains(&found.evidence.blocks), "{found:?}");
}

#[tokio::test]
async fn a_variable_that_nobody_gives_cannot_be_planned() {
    let text = SPEC.replace("REST", "params: [zone]\n  match: '{zone=\"$zone\"}'");
    let judge = judge_of(&text, Shelf::of(shop(15_000)));
    let error = judge
        .judge(question(START + 30 * MINUTE))
        .await
        .unwrap_err();
    let JudgeError::CannotPlan { detail } = error else {
        panic!("{error}");
    };
    assert!(
        detail.starts_with("objective `e`: ") && detail.contains("zone"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_start_that_was_found_stays_found_while_the_source_is_slow() {
    let text = SPEC.replace("REST", "horizon: 2h");
    let shelf = Shelf::of(shop(15_000));
    let (slow, looks) = (Arc::clone(&shelf.slow), Arc::clone(&shelf.looks));
    slow.store(true, Ordering::SeqCst);
    let judge = judge_of(&text, shelf);
    let at = START + 70 * MINUTE;
    let verdict = ask(&judge, at).await;
    assert_eq!(verdict.findings[0].code, Code::SourceDown);
    let looked = looks.load(Ordering::SeqCst);
    assert!(looked > 0);
    slow.store(false, Ordering::SeqCst);
    let verdict = ask(&judge, at + MINUTE).await;
    assert_eq!(looks.load(Ordering::SeqCst), looked);
    let fresh = ask(&judge_of(&text, Shelf::of(shop(15_000))), at + MINUTE).await;
    assert_eq!(format!("{verdict:?}"), format!("{fresh:?}"));
}
