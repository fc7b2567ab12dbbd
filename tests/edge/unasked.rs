//! Rollouts that nobody asks about any more: what waited for an answer is told to be over.

use super::{
    double::{NOW, Shelf},
    ground::{Ground, Judged},
    history::json,
};
use rollout_judge::{
    domain::{Action, Change, EventKind, Outcome, RolloutState, Standing, VerdictStore},
    service::{Policies, cache::RolloutEvidence, transitions::Given, watch::look},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

const MINUTE: i64 = 60_000;

async fn standing(ground: &Ground, change: impl FnOnce(&mut RolloutState)) -> RolloutState {
    let (version, mut state) = ground
        .store
        .rollout("shop", "checkout")
        .await
        .unwrap()
        .unwrap();
    change(&mut state);
    let change = Change {
        state: Some((version, state.clone())),
        ..Change::default()
    };
    ground.store.change(change).await.unwrap();
    state
}

/// The log but for verdicts, oldest first.
async fn log(ground: &Ground) -> Vec<EventKind> {
    let log = ground.store.timeline("shop", "checkout", None, true, 100);
    let mut kinds: Vec<EventKind> = log.await.unwrap().iter().map(|e| e.kind).collect();
    kinds.reverse();
    kinds
}

#[tokio::test]
async fn what_waits_for_an_answer_is_over_when_nobody_asks() {
    use EventKind::{Recovered, Vanished};
    use Outcome::{Fail, Inconclusive, Pass};
    for (outcome, weight, open, told, left) in [
        (
            Inconclusive,
            5.0,
            &["source-down http-service"][..],
            &[Vanished, Recovered][..],
            &["vanished"][..],
        ),
        (
            Inconclusive,
            5.0,
            &[
                "inconclusive http-service",
                "promotion-without-evidence http-service",
            ],
            &[Vanished, Recovered],
            &["promotion-without-evidence http-service", "vanished"],
        ),
        (Inconclusive, 5.0, &[], &[Vanished], &["vanished"]),
        // decided, and yet the source was told to be down
        (
            Fail,
            5.0,
            &["fail http-service", "source-down http-service"],
            &[Recovered],
            &["fail http-service"],
        ),
        (
            Pass,
            100.0,
            &["pass http-service", "source-down http-service"],
            &[Recovered],
            &["pass http-service"],
        ),
        (
            Fail,
            5.0,
            &["fail http-service"],
            &[],
            &["fail http-service"],
        ),
    ] {
        let ground = Ground::new().await;
        let judged = Judged {
            outcome,
            weight,
            ..Judged::default()
        };
        ground.keep(judged).await;
        let since: BTreeMap<String, i64> = open.iter().map(|k| ((*k).to_owned(), NOW)).collect();
        standing(&ground, |state| {
            state.open.clone_from(&since);
            if outcome == Pass {
                state.action = Action::Advance;
            }
        })
        .await;
        ground.watch(NOW + 14 * MINUTE).await;
        assert_eq!(log(&ground).await, [], "{open:?}");
        for minutes in [16, 17, 40] {
            ground.watch(NOW + minutes * MINUTE).await;
            assert_eq!(log(&ground).await, told, "{open:?}");
        }
        let state = standing(&ground, |_| {}).await;
        let open_now: Vec<&str> = state.open.keys().map(String::as_str).collect();
        assert_eq!(open_now, left);
        let found = ground.store.timeline("shop", "checkout", None, true, 1);
        if let Some(newest) = found.await.unwrap().first() {
            for kind in [
                EventKind::Fail,
                EventKind::Inconclusive,
                EventKind::SourceDown,
                EventKind::PromotionWithoutEvidence,
            ] {
                let stays = left.iter().any(|key| key.starts_with(kind.as_str()));
                let ends = newest.kind == Recovered && !stays;
                assert_eq!(newest.ends(kind), ends, "{open:?} {kind:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_receivers_of_each_policy_hear_of_it() {
    let ground = Ground::new().await;
    let judged = Judged {
        outcome: Outcome::Inconclusive,
        ..Judged::default()
    };
    ground.keep(judged).await;
    standing(&ground, |state| {
        let key = "source-down http-service".to_owned();
        state.open = BTreeMap::from([(key, NOW)]);
    })
    .await;
    let mut keeper = ground.keeper();
    keeper.addressees = Arc::new(|_, policy| policy.map(|p| p.name.clone()).into_iter().collect());
    look(&keeper, &Shelf, NOW + 16 * MINUTE).await.unwrap();
    let told = ground.store.deliveries(None, None, None, 10).await.unwrap();
    let mut told: Vec<(&str, EventKind)> = told
        .iter()
        .map(|posted| (posted.delivery.receiver.as_str(), posted.event.kind))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("http-service", EventKind::Recovered),
            ("http-service", EventKind::Vanished)
        ]
    );
}

#[tokio::test]
async fn the_first_answer_ends_what_was_told_before_it() {
    let ground = Ground::new().await;
    let judged = Judged {
        outcome: Outcome::Inconclusive,
        ..Judged::default()
    };
    let (question, verdict) = judged.question();
    let policy = Shelf.policy("http-service").unwrap();
    let keeper = ground.keeper();
    let deadline = Instant::now() + Duration::from_secs(30);
    let standing = Standing::default();
    let given = |silent| Given {
        standing: &standing,
        question: &question,
        verdict: &verdict,
        policy: &policy,
        patience: keeper.patience,
        silent,
        now: NOW + MINUTE,
    };
    keeper
        .source_down(&given(60 * MINUTE), deadline)
        .await
        .unwrap();
    assert_eq!(log(&ground).await, [EventKind::SourceDown]);
    let mut evidence = RolloutEvidence::default();
    let all = (&mut evidence, Vec::new());
    keeper.keep(&given(0), all, deadline).await.unwrap();
    let all = [
        EventKind::SourceDown,
        EventKind::Started,
        EventKind::Recovered,
    ];
    assert_eq!(log(&ground).await, all);
}

#[tokio::test]
async fn asked_in_vain_is_asked() {
    use EventKind::{Recovered, SourceDown, Vanished};
    let ground = Ground::new().await;
    let judged = Judged {
        outcome: Outcome::Inconclusive,
        ..Judged::default()
    };
    let (question, verdict) = judged.question();
    ground.keep(judged).await;
    standing(&ground, |state| state.open.clear()).await;
    let policy = Shelf.policy("http-service").unwrap();
    let ask = async |minute: i64| {
        let now = NOW + minute * MINUTE;
        let mut question = question.clone();
        question.at = now;
        let keeper = ground.keeper();
        let deadline = Instant::now() + Duration::from_secs(30);
        let id = verdict.id;
        let known = keeper.recall(&question, "sha256:0123456789abcdef", id, deadline);
        let standing = known.await.unwrap();
        let given = Given {
            standing: &standing,
            question: &question,
            verdict: &verdict,
            policy: &policy,
            patience: keeper.patience,
            silent: (minute + 1) * MINUTE,
            now,
        };
        keeper.source_down(&given, deadline).await.unwrap();
    };
    // long past `alerts.vanishedAfter`, but somebody asks
    for minute in (10..60).step_by(2) {
        ask(minute).await;
        ground.watch(NOW + minute * MINUTE).await;
        assert_eq!(log(&ground).await, [SourceDown], "minute {minute}");
    }
    ground.watch(NOW + 75 * MINUTE).await;
    assert_eq!(log(&ground).await, [SourceDown, Vanished, Recovered]);
    let found = json(&ground.router(), "/v1/rollouts/shop/checkout").await;
    assert!(found["open"]["vanished"].is_string(), "{found}");
    // the same silence again is told again
    ask(80).await;
    ask(82).await;
    let all = [SourceDown, Vanished, Recovered, SourceDown];
    assert_eq!(log(&ground).await, all);
    ground.watch(NOW + 100 * MINUTE).await;
    assert_eq!(log(&ground).await[4..], [Vanished, Recovered]);
}
