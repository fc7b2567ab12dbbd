//! A database of an earlier version is opened and brought up; nothing that was in it is lost.

use crate::store::{
    old::{DELIVERIES, EVENTS, NEWEST, RUN, event_id, failed, judged, make},
    place::Place,
    sample::{self, T0, draft, labels, latch, rollout},
    wire::paper,
};
use rollout_judge::{
    domain::{
        Delivery, Event, Filter, Kept, Outcome, Posted, Progress, Question, StoreError, Tried,
        Verdict, VerdictStore,
    },
    store::wire::{read, v1},
};
use uuid::Uuid;

const AT: i64 = T0 + 60_000;

pub async fn a_database_of_the_first_version_is_brought_up(place: Place) {
    make(&place, 1).await;
    is_brought_up(&place).await;
}

pub async fn a_database_of_the_second_version_is_brought_up(place: Place) {
    make(&place, 2).await;
    is_brought_up(&place).await;
}

pub async fn programs_that_start_together_bring_it_up_once(place: Place) {
    make(&place, 1).await;
    let stores = tokio::join!(place.open(), place.open(), place.open());
    assert_eq!(place.versions().await, [1, 2, 3]);
    for store in [stores.0, stores.1, stores.2] {
        holds_all(&*store).await;
    }
}

pub async fn a_database_of_a_later_version_is_refused_and_left_as_it_is(place: Place) {
    make(&place, NEWEST).await;
    let later = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT {}, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        NEWEST + 1
    );
    place.execute(later).await;
    let Err(error) = place.try_open().await else {
        panic!("opened");
    };
    assert!(matches!(error, StoreError::TooNew { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the store was written by a newer version of rollout-judge: its migration 4 is not known here, the newest is 3; \
         run the newer version"
    );
    place
        .execute("DELETE FROM _sqlx_migrations WHERE version = 4")
        .await;
    let store = place.open().await;
    assert!(store.record(failed()).await.unwrap().is_some());
}

async fn is_brought_up(place: &Place) {
    let store = place.open().await;
    assert_eq!(place.versions().await, [1, 2, 3]);
    holds_all(&*store).await;
    goes_on(&*store).await;
    drop(store);
    // nothing is done twice
    let store = place.open().await;
    let told = store.deliveries(Some(Progress::Pending), Some("pager"), None, 9);
    assert_eq!(told.await.unwrap()[0].tries, 0);
    let held = &store.deliveries(None, Some("mail"), None, 9).await.unwrap()[0];
    assert_eq!((held.tries, held.took), (4, Some(250)));
}

/// Everything that was put in, through the port.
async fn holds_all(store: &dyn VerdictStore) {
    verdicts(store).await;
    rollouts(store).await;
    log(store).await;
    outbox(store).await;
}

async fn verdicts(store: &dyn VerdictStore) {
    let everything = Filter::default();
    let judged = judged().map(|paper| read::<v1::Judged>(&paper).unwrap());
    for (verdict, question) in &judged {
        let record = store.record(verdict.id).await.unwrap().unwrap();
        assert_eq!((&record.verdict, &record.question), (verdict, question));
        assert_eq!(
            (record.inputs, record.run, record.kept_at),
            (b"inputs".to_vec(), Some(RUN), AT)
        );
    }
    let lines = store.history(&everything, None, 9).await.unwrap();
    let found: Vec<(Uuid, Outcome)> = lines.iter().map(|line| (line.id, line.outcome)).collect();
    let newest_first = |(verdict, _): &(Verdict, Question)| (verdict.id, verdict.outcome);
    assert_eq!(
        found,
        judged.iter().rev().map(newest_first).collect::<Vec<_>>()
    );
    assert_eq!((lines[0].score, lines[0].weight), (77.25, 5.0));
    assert!(lines[1].score.is_nan(), "it was kept as nothing");
    let of_canary = Filter {
        namespace: Some("shop".to_owned()),
        rollout: Some("cart".to_owned()),
        canary_hash: Some("c1".to_owned()),
        labels: labels(&[("image", "shop:1.2")]),
        ..Filter::default()
    };
    assert_eq!(store.history(&of_canary, None, 9).await.unwrap().len(), 2);
    let looks = store.looks(&of_canary, 9).await.unwrap();
    let looks: Vec<_> = looks
        .into_iter()
        .map(|(asked, said)| (said, asked))
        .collect();
    assert_eq!(looks, judged);
    let chunks = store.chunks(RUN).await.unwrap();
    assert_eq!(chunks.iter().map(|c| c.part).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((chunks[1].last, &chunks[1].payload), (9, &vec![7; 4]));
    let revision = store.policy("rev-1").await.unwrap().unwrap();
    assert_eq!(
        (&*revision.name, &*revision.text, revision.first),
        ("http", "kind: JudgePolicy", T0)
    );
    assert_eq!(store.revisions("http", 9).await.unwrap(), [revision]);
    let lineage = store.lineage(&of_canary, 9).await.unwrap();
    assert_eq!(lineage.len(), 1);
    assert_eq!(
        (lineage[0].first, lineage[0].last, lineage[0].verdict),
        (T0, AT, failed())
    );
}

async fn rollouts(store: &dyn VerdictStore) {
    let state = read::<v1::RolloutState>(&paper("state")).unwrap();
    let found = store.rollout("shop", "cart").await.unwrap();
    assert_eq!(found, Some((4, state.clone())));
    assert_eq!(store.rollout("shop", "early").await.unwrap(), None);
    let of_policy = Filter {
        policy: Some("http".to_owned()),
        ..Filter::default()
    };
    let page = store.rollouts(&of_policy, None, 9).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&state));
    let ruling = read::<v1::Override>(&paper("override-revoked")).unwrap();
    let rulings = store.overrides("shop", "cart", 9).await.unwrap();
    assert_eq!(rulings, std::slice::from_ref(&ruling));
    let (verdict, question) = read::<v1::Judged>(&paper("judged-fail")).unwrap();
    let standing = store.recall(&question, "rev-1", verdict.id).await.unwrap();
    assert_eq!((standing.version, standing.state), (4, Some(state)));
    assert_eq!(standing.latch, Some(latch(&verdict, AT)));
    assert_eq!(standing.ruling, Some(ruling));
    assert_eq!(standing.known, Some(Box::new(verdict)));
    let early = sample::question(&rollout("early", "c1"), AT);
    let standing = store.recall(&early, "rev-1", Uuid::nil()).await.unwrap();
    assert_eq!((standing.version, standing.state), (1, None));
}

async fn log(store: &dyn VerdictStore) {
    let events: Vec<Event> = (1..).zip(EVENTS).map(|(n, kind)| event(n, kind)).collect();
    assert_eq!(store.events(0, 99).await.unwrap(), events);
    assert_eq!(store.last_event().await.unwrap(), 5);
    let all = store.timeline("shop", "cart", None, false, 99);
    assert_eq!(all.await.unwrap().len(), 5);
    let changes = store
        .timeline("shop", "cart", None, true, 99)
        .await
        .unwrap();
    assert_eq!(changes, [5, 3, 2].map(|n| events[n - 1].clone()));
    let cursor = store.cursor("write-back/import").await.unwrap();
    assert_eq!(cursor, Some(5));
}

fn event(seq: i64, kind: &str) -> Event {
    let event = read::<v1::Event>(&paper(&format!("event-{kind}"))).unwrap();
    Event { seq, ..event }
}

async fn outbox(store: &dyn VerdictStore) {
    let expected = (1..).zip(DELIVERIES).map(|(n, row)| {
        let (receiver, kind, progress, tries, error) = row;
        let progress = Progress::parse(progress).unwrap();
        // what was put off was no try, and its error none
        let held = n == 4;
        let place = EVENTS.iter().position(|one| *one == kind).unwrap();
        Posted {
            delivery: Delivery {
                id: Uuid::from_u128(n),
                event: event_id(kind),
                receiver: receiver.to_owned(),
                order: "shop/cart".to_owned(),
                due: AT + 1000,
            },
            event: event(place as i64 + 1, kind),
            progress,
            tries: if held { 0 } else { tries },
            queued_at: AT,
            tried_at: (tries > 0).then_some(AT + 100),
            error: error.filter(|_| !held).map(str::to_owned),
            took: None,
            held,
            behind: n == 5,
        }
    });
    let mut expected: Vec<Posted> = expected.collect();
    expected.reverse();
    let all = store.deliveries(None, None, Some(failed()), 99).await;
    assert_eq!(all.unwrap(), expected);
}

/// What was begun before is finished.
async fn goes_on(store: &dyn VerdictStore) {
    let now = AT + 2000;
    let taken = store.claim("pager", now, now + 100, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].first.delivery.id, Uuid::from_u128(4));
    assert_eq!(taken[0].behind[0].delivery.id, Uuid::from_u128(5));
    let later = Tried::Later {
        due: now + 1000,
        error: "answered 503".to_owned(),
    };
    let mail = Uuid::from_u128(2);
    store.settle(mail, later, now, Some(250)).await.unwrap();
    let mut next = draft(&rollout("cart", "c1"), now, 4, Outcome::Fail);
    next.deliveries = vec![sample::delivery(&next.events[0], "chat", now)];
    let Kept::Written(events) = store.keep(next).await.unwrap() else {
        panic!("not written");
    };
    assert_eq!(events[0].seq, 6, "a place is never used twice");
    let told = store.deliveries_before(None, None, None, 1).await.unwrap();
    assert_eq!((told[0].0, told[0].1.event.seq), (7, 6));
    assert!(store.retry(Uuid::from_u128(6), now).await.unwrap());
    // the earliest fail stays
    let standing = store
        .recall(
            &sample::question(&rollout("cart", "c1"), now + 1),
            "rev-1",
            Uuid::nil(),
        )
        .await
        .unwrap();
    assert_eq!(standing.latch.unwrap().at, AT);
}
