//! Verdicts, latches, overrides, changes.

use crate::store::{
    place::Place,
    sample::{self, T0, draft, rollout},
};
use rollout_judge::domain::{
    Change, Chunk, EventKind, Kept, Outcome, RolloutRef, Standing, StoreError, VerdictStore,
};
use uuid::Uuid;

async fn standing(store: &dyn VerdictStore, rollout: &RolloutRef) -> Standing {
    let question = sample::question(rollout, T0 + 999_999);
    store.recall(&question, "rev-1", Uuid::nil()).await.unwrap()
}

pub async fn a_verdict_is_kept_with_all_that_comes_with_it(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    assert_eq!(standing(&*store, &rollout).await, Standing::default());
    let mut draft = draft(&rollout, T0, 0, Outcome::Fail);
    draft
        .events
        .push(sample::event(&draft.verdict, EventKind::Fail, T0));
    let Kept::Written(events) = store.keep(draft.clone()).await.unwrap() else {
        panic!("not written");
    };
    assert!(events[0].seq < events[1].seq && events[0].seq > 0);
    assert_eq!(store.events(0, 10).await.unwrap(), events);
    assert_eq!(store.last_event().await.unwrap(), events[1].seq);

    // a store that is opened again knows the same
    drop(store);
    let store = place.open().await;
    let found = standing(&*store, &rollout).await;
    assert_eq!(
        (found.version, &found.state, &found.latch),
        (1, &draft.state, &draft.latch)
    );
    assert_eq!(found.known, None);
    let found = store
        .recall(&draft.question, "rev-1", draft.verdict.id)
        .await
        .unwrap();
    assert_eq!(found.known.as_deref(), Some(&draft.verdict));
    let found = store
        .recall(&draft.question, "rev-2", Uuid::nil())
        .await
        .unwrap();
    assert_eq!(found.latch, None, "another revision judges for itself");

    let record = store.record(draft.verdict.id).await.unwrap().unwrap();
    assert_eq!(
        (&record.verdict, &record.question, &record.inputs),
        (&draft.verdict, &draft.question, &draft.inputs)
    );
    assert_eq!((record.run, record.kept_at), (draft.run, T0));
    assert_eq!(store.record(Uuid::nil()).await.unwrap(), None);
    let chunks = store.chunks(draft.run.unwrap()).await.unwrap();
    assert_eq!(chunks, draft.chunks);
    let state = store.rollout("shop", "cart").await.unwrap();
    assert_eq!(state, draft.state.map(|state| (1, state)));
    assert_eq!(store.rollout("shop", "none").await.unwrap(), None);
}

pub async fn the_same_question_is_known_and_an_old_version_is_stale(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    let first = draft(&rollout, T0, 0, Outcome::Inconclusive);
    store.keep(first.clone()).await.unwrap();

    let mut again = first.clone();
    again.version = 7;
    again.verdict.outcome = Outcome::Pass;
    let known = Kept::Known(Box::new(first.verdict));
    assert_eq!(store.keep(again).await.unwrap(), known);

    let late = draft(&rollout, T0 + 1, 0, Outcome::Pass);
    assert_eq!(store.keep(late.clone()).await.unwrap(), Kept::Stale);
    assert_eq!(store.record(late.verdict.id).await.unwrap(), None);
    assert_eq!(store.events(0, 10).await.unwrap().len(), 1);

    let next = draft(&rollout, T0 + 1, 1, Outcome::Pass);
    assert!(matches!(store.keep(next).await.unwrap(), Kept::Written(_)));
    assert_eq!(standing(&*store, &rollout).await.version, 2);
}

pub async fn a_question_about_an_earlier_moment_leaves_the_state(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    let first = draft(&rollout, T0 + 10, 0, Outcome::Inconclusive);
    store.keep(first.clone()).await.unwrap();
    let mut earlier = draft(&rollout, T0, 1, Outcome::Pass);
    earlier.state = None;
    assert!(matches!(
        store.keep(earlier.clone()).await.unwrap(),
        Kept::Written(_)
    ));
    let found = standing(&*store, &rollout).await;
    assert_eq!((found.version, found.state), (1, first.state.clone()));

    let mut stale = draft(&rollout, T0 + 1, 0, Outcome::Pass);
    stale.state = None;
    assert_eq!(store.keep(stale).await.unwrap(), Kept::Stale);

    // a latch is news to everybody who is judging now
    let mut latched = draft(&rollout, T0 + 2, 1, Outcome::Fail);
    latched.state = None;
    store.keep(latched.clone()).await.unwrap();
    let found = standing(&*store, &rollout).await;
    assert_eq!((found.version, found.state), (2, first.state));
    assert_eq!(found.latch, latched.latch);
}

pub async fn the_earliest_latch_stays_until_an_override_lifts_it(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    for (version, at) in [(0, T0 + 20), (1, T0 + 10), (2, T0 + 30)] {
        let kept = store
            .keep(draft(&rollout, at, version, Outcome::Fail))
            .await;
        assert!(matches!(kept.unwrap(), Kept::Written(_)));
    }
    let latch = standing(&*store, &rollout).await.latch.unwrap();
    assert_eq!(latch.at, T0 + 10);

    let rule = |outcome, at| Change {
        ruling: Some(sample::ruling(&rollout, outcome, at)),
        ..Change::default()
    };
    store.change(rule(Outcome::Fail, T0 + 40)).await.unwrap();
    let found = standing(&*store, &rollout).await;
    assert_eq!(found.latch, Some(latch), "a fail by a person lifts nothing");
    assert_eq!(found.ruling.unwrap().at, T0 + 40);
    store.change(rule(Outcome::Pass, T0 + 50)).await.unwrap();
    let found = standing(&*store, &rollout).await;
    assert_eq!((found.latch, found.ruling.unwrap().at), (None, T0 + 50));

    // taken back: the same id
    let mut back = sample::ruling(&rollout, Outcome::Pass, T0 + 50);
    back.revoked = Some((T0 + 60, "berta".to_owned()));
    let change = Change {
        ruling: Some(back.clone()),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    assert_eq!(standing(&*store, &rollout).await.ruling, Some(back.clone()));
    let all = store.overrides("shop", "cart", 10).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0], all[1].at), (&back, T0 + 40));
    assert_eq!(store.overrides("shop", "cart", 1).await.unwrap().len(), 1);
    let other = crate::store::sample::rollout("cart", "c2");
    assert_eq!(standing(&*store, &other).await.ruling, None);
}

pub async fn an_override_takes_the_place_of_another(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    store
        .keep(draft(&rollout, T0, 0, Outcome::Fail))
        .await
        .unwrap();
    let mut former = sample::ruling(&rollout, Outcome::Fail, T0 + 40);
    let change = Change {
        ruling: Some(former.clone()),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    let newer = sample::ruling(&rollout, Outcome::Pass, T0 + 50);
    former.revoked = Some((T0 + 50, "berta".to_owned()));
    let change = Change {
        ruling: Some(newer.clone()),
        replaced: Some(former.clone()),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    let found = standing(&*store, &rollout).await;
    assert_eq!((found.latch, found.ruling), (None, Some(newer.clone())));
    let all = store.overrides("shop", "cart", 10).await.unwrap();
    assert_eq!(all, [newer, former]);
}

pub async fn an_override_makes_drafts_stale(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    let change = Change {
        ruling: Some(sample::ruling(&rollout, Outcome::Pass, T0)),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    let draft = draft(&rollout, T0 + 1, 0, Outcome::Fail);
    assert_eq!(store.keep(draft).await.unwrap(), Kept::Stale);
    assert_eq!(store.rollout("shop", "cart").await.unwrap(), None);
}

pub async fn changes_are_refused_when_stale_and_events_are_written_once(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    let first = draft(&rollout, T0, 0, Outcome::Inconclusive);
    store.keep(first.clone()).await.unwrap();
    let event = sample::event(&first.verdict, EventKind::Inconclusive, T0 + 5);
    let state = first.state.unwrap();
    let change = |version| Change {
        state: Some((version, state.clone())),
        events: vec![event.clone()],
        deliveries: vec![sample::delivery(&event, "chat", T0 + 5)],
        ..Change::default()
    };
    let stale = store.change(change(0)).await;
    assert_eq!(stale.unwrap_err(), StoreError::Stale);
    assert_eq!(store.events(0, 10).await.unwrap().len(), 1);
    let written = store.change(change(1)).await.unwrap();
    assert_eq!(written.len(), 1);
    // another replica saw the same
    let mut again = change(2);
    again
        .deliveries
        .push(sample::delivery(&event, "mail", T0 + 5));
    assert_eq!(store.change(again).await.unwrap(), []);
    let posted = store.deliveries(None, None, None, 10).await.unwrap();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].event, written[0]);
    assert_eq!(store.rollout("shop", "cart").await.unwrap().unwrap().0, 3);
}

pub async fn blocks_are_written_once(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    let run = sample::named(&["run"]);
    let chunk = |part, first, byte| Chunk {
        run,
        part,
        first,
        last: first + 9,
        payload: vec![byte; 10],
    };
    for (version, chunks) in [
        vec![chunk(1, 0, 1), chunk(0, 10, 2), chunk(0, 0, 3)],
        vec![chunk(0, 10, 9), chunk(0, 20, 4)],
        vec![],
    ]
    .into_iter()
    .enumerate()
    {
        let mut draft = draft(&rollout, T0 + version as i64, version as i64, Outcome::Pass);
        draft.run = Some(run);
        draft.chunks = chunks;
        store.keep(draft).await.unwrap();
    }
    let expected = [
        chunk(0, 0, 3),
        chunk(0, 10, 2),
        chunk(0, 20, 4),
        chunk(1, 0, 1),
    ];
    assert_eq!(store.chunks(run).await.unwrap(), expected);
}

pub async fn numbers_and_texts_come_back(place: Place) {
    let store = place.open().await;
    let mut rollout = rollout("cart", "c1");
    let odd = "nul \0 quote ' \" \u{1f980} \\ $1 %_";
    rollout.namespace = odd.to_owned();
    let mut draft = draft(&rollout, T0, 0, Outcome::Fail);
    draft.verdict.score = f64::NAN;
    draft.verdict.weight = 0.1 + 0.2;
    draft.verdict.reason = odd.to_owned();
    draft.question.labels = sample::labels(&[(odd, odd)]);
    let evidence = &mut draft.verdict.findings[0].evidence;
    evidence.log_e_pass = f64::NAN;
    evidence.alpha = 5e-324;
    evidence.p_fail = 1.797_693_134_862_315_7e308;
    store.keep(draft.clone()).await.unwrap();
    let record = store.record(draft.verdict.id).await.unwrap().unwrap();
    let found = &record.verdict.findings[0];
    assert!(record.verdict.score.is_nan() && found.evidence.log_e_pass.is_nan());
    assert_eq!(found.evidence.alpha, 5e-324);
    assert_eq!(found.evidence.p_fail, 1.797_693_134_862_315_7e308);
    assert_eq!(found.evidence.log_e_fail, f64::NEG_INFINITY);
    assert!(found.effect.estimate.unwrap().is_sign_negative());
    assert_eq!(found.canary.value, Some(0.1 + 0.2));
    assert_eq!(record.verdict.reason, odd);
    assert_eq!(record.question, draft.question);
    let filter = rollout_judge::domain::Filter {
        namespace: Some(odd.to_owned()),
        labels: sample::labels(&[(odd, odd)]),
        ..Default::default()
    };
    let lines = store.history(&filter, None, 10).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].score.is_nan());
    assert_eq!(lines[0].weight, 0.1 + 0.2);
    assert_eq!(
        store
            .timeline(odd, "cart", None, false, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub async fn revisions_of_policies(place: Place) {
    let store = place.open().await;
    for (at, revision) in [(0, "a"), (1, "b"), (2, "a"), (7_200_000, "a")] {
        let rollout = rollout(&format!("r{at}"), "c");
        let mut draft = draft(&rollout, T0 + at, 0, Outcome::Pass);
        draft.verdict.revision = revision.to_owned();
        draft.policy_text = format!("text {revision}").into();
        store.keep(draft).await.unwrap();
    }
    let all = store.revisions("http", 10).await.unwrap();
    let seen: Vec<_> = all.iter().map(|r| (&*r.revision, r.first - T0)).collect();
    assert_eq!(seen, [("b", 1), ("a", 0)]);
    assert_eq!(store.policy("a").await.unwrap().unwrap().text, "text a");
    assert_eq!(store.policy("c").await.unwrap(), None);
    assert_eq!(store.revisions("other", 10).await.unwrap(), []);
}

pub async fn cursors_never_go_back(place: Place) {
    let store = place.open().await;
    assert_eq!(store.cursor("export").await.unwrap(), None);
    for (to, at) in [(5, 5), (3, 5), (9, 9)] {
        store.advance("export", to).await.unwrap();
        assert_eq!(store.cursor("export").await.unwrap(), Some(at));
    }
    assert_eq!(store.cursor("other").await.unwrap(), None);
}

pub async fn ping_and_bytes(place: Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    store.ping().await.unwrap();
    assert!(store.bytes().await.unwrap() > 10_000);
    assert_eq!(store.last_event().await.unwrap(), 0);
}
