//! Deliveries.

use crate::store::{
    place::Place,
    sample::{self, T0, rollout},
};
use rollout_judge::domain::{
    Change, Claimed, Delivery, EventKind, Millis, Outcome, Progress, Tried, VerdictStore,
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Queues one message about a rollout to each receiver; gives its deliveries.
async fn queue(store: &dyn VerdictStore, name: &str, n: i64, receivers: &[&str]) -> Vec<Delivery> {
    queue_kind(store, name, n, receivers, EventKind::Fail).await
}

async fn queue_kind(
    store: &dyn VerdictStore,
    name: &str,
    n: i64,
    receivers: &[&str],
    kind: EventKind,
) -> Vec<Delivery> {
    let question = sample::question(&rollout(name, "c"), T0 + n);
    let verdict = sample::verdict(&question, 1, Outcome::Fail);
    let mut event = sample::event(&verdict, kind, T0 + n);
    event.id = sample::named(&[name, &n.to_string()]);
    let deliveries: Vec<Delivery> = receivers
        .iter()
        .map(|receiver| sample::delivery(&event, receiver, T0 + n))
        .collect();
    let change = Change {
        events: vec![event],
        deliveries: deliveries.clone(),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    deliveries
}

fn ids(claimed: &[Claimed]) -> Vec<(Uuid, Vec<Uuid>)> {
    claimed
        .iter()
        .map(|claimed| {
            let behind = claimed.behind.iter().map(|posted| posted.delivery.id);
            (claimed.first.delivery.id, behind.collect())
        })
        .collect()
}

const NOW: Millis = T0 + 1000;

pub async fn the_oldest_of_each_order_is_claimed_with_what_waits_behind_it(place: Place) {
    let store = place.open().await;
    let a1 = queue(&*store, "a", 1, &["chat", "mail"]).await;
    let b1 = queue(&*store, "b", 2, &["chat"]).await;
    let a2 = queue(&*store, "a", 3, &["chat"]).await;
    assert_eq!(store.claim("pager", NOW, NOW + 10, 9).await.unwrap(), []);
    assert_eq!(
        store.claim("chat", T0, T0 + 1, 9).await.unwrap(),
        [],
        "not due"
    );
    let one = store.claim("chat", NOW, NOW + 10, 1).await.unwrap();
    assert_eq!(ids(&one), [(a1[0].id, vec![a2[0].id])]);
    assert_eq!(one[0].first.delivery, a1[0]);
    assert_eq!(one[0].first.queued_at, T0 + 1);
    assert_eq!(one[0].first.event.rollout, "a");
    let rest = store.claim("chat", NOW, NOW + 10, 9).await.unwrap();
    assert_eq!(ids(&rest), [(b1[0].id, vec![])]);
    let mail = store.claim("mail", NOW, NOW + 10, 9).await.unwrap();
    assert_eq!(
        ids(&mail),
        [(a1[1].id, vec![])],
        "a receiver has its own queue"
    );

    // no more than fifty behind
    for n in 10..70 {
        queue(&*store, "c", n, &["chat"]).await;
    }
    let many = store.claim("chat", NOW, NOW + 10, 9).await.unwrap();
    assert_eq!((many.len(), many[0].behind.len()), (1, 50));
}

pub async fn a_lease_hides_until_it_is_over(place: Place) {
    let store = place.open().await;
    let first = queue(&*store, "a", 1, &["chat"]).await;
    let claim = async |now| ids(&store.claim("chat", now, now + 100, 9).await.unwrap());
    assert_eq!(claim(NOW).await, [(first[0].id, vec![])]);
    let second = queue(&*store, "a", 2, &["chat"]).await;
    assert_eq!(claim(NOW + 99).await, [], "the second waits for the first");
    let both = [(first[0].id, vec![second[0].id])];
    assert_eq!(claim(NOW + 100).await, both, "the taker died");
    // the first arrived; the second is still leased with it
    store
        .settle(first[0].id, Tried::Delivered, NOW, None)
        .await
        .unwrap();
    assert_eq!(claim(NOW + 150).await, []);
    assert_eq!(claim(NOW + 200).await, [(second[0].id, vec![])]);
}

pub async fn tries_are_noted(place: Place) {
    let store = place.open().await;
    let first = queue(&*store, "a", 1, &["chat"]).await;
    let second = queue(&*store, "a", 2, &["chat"]).await;
    let (id, both) = (first[0].id, [(first[0].id, vec![second[0].id])]);
    let claim = async |now| ids(&store.claim("chat", now, now + 100, 9).await.unwrap());
    assert_eq!(claim(NOW).await, both);
    let later = |due| Tried::Later {
        due,
        error: "answered 500".to_owned(),
    };
    store
        .settle(id, later(NOW + 50), NOW + 1, None)
        .await
        .unwrap();
    assert_eq!(
        claim(NOW + 49).await,
        [],
        "not due, and nothing overtakes it"
    );
    assert_eq!(claim(NOW + 50).await, both);
    let all = store.deliveries(None, None, None, 9).await.unwrap();
    let posted = all.iter().find(|posted| posted.delivery.id == id).unwrap();
    assert_eq!((posted.tries, posted.tried_at), (1, Some(NOW + 1)));
    assert_eq!(posted.error.as_deref(), Some("answered 500"));
    assert_eq!(
        (posted.progress, posted.delivery.due),
        (Progress::Pending, NOW + 50)
    );
    store
        .settle(id, Tried::Delivered, NOW + 60, None)
        .await
        .unwrap();
    store.settle(id, later(NOW), NOW + 70, None).await.unwrap();
    store
        .settle(Uuid::nil(), Tried::Delivered, NOW, None)
        .await
        .unwrap();
    let done = store
        .deliveries(Some(Progress::Delivered), None, None, 9)
        .await
        .unwrap();
    assert_eq!((done.len(), done[0].tries, &done[0].error), (1, 2, &None));
}

pub async fn a_new_fail_waits_for_nothing_that_was_put_off(place: Place) {
    let store = place.open().await;
    let claim = async |now| ids(&store.claim("chat", now, now + 1, 9).await.unwrap());
    let later = |due| Tried::Held { due };
    let put_off = async |id, due| store.settle(id, later(due), NOW, None).await.unwrap();
    let first = queue_kind(&*store, "a", 1, &["chat"], EventKind::Inconclusive).await[0].id;
    put_off(first, NOW + 500).await;
    let second = queue_kind(&*store, "a", 2, &["chat"], EventKind::Recovered).await[0].id;
    assert_eq!(claim(NOW).await, [], "nothing urgent waits behind it");
    let fail = queue(&*store, "a", 3, &["chat"]).await[0].id;
    let all = [(first, vec![second, fail])];
    assert_eq!(claim(NOW).await, all, "in order, with what was put off");
    for id in [first, second, fail] {
        put_off(id, NOW + 500).await;
    }
    assert_eq!(claim(NOW + 499).await, [], "it was put off");
    assert_eq!(claim(NOW + 500).await, all);
    // the end of an override does not wait either
    let made = queue_kind(&*store, "b", 4, &["chat"], EventKind::Override).await[0].id;
    put_off(made, NOW + 900).await;
    let ended = queue_kind(&*store, "b", 5, &["chat"], EventKind::OverrideEnded).await[0].id;
    let found = claim(NOW + 10).await;
    assert_eq!(found, [(made, vec![ended])]);
}

pub async fn a_dead_delivery_blocks_nobody_and_can_be_retried(place: Place) {
    let store = place.open().await;
    let first = queue(&*store, "a", 1, &["chat"]).await[0].id;
    let second = queue_kind(&*store, "a", 2, &["chat"], EventKind::Recovered).await[0].id;
    let claim = async |now| ids(&store.claim("chat", now, now + 1, 9).await.unwrap());
    assert!(!store.retry(first, NOW).await.unwrap(), "not dead");
    let dead = Tried::Dead {
        error: "answered 404".to_owned(),
    };
    store.settle(first, dead, NOW, None).await.unwrap();
    assert_eq!(claim(NOW).await, [(second, vec![])]);
    let list = store
        .deliveries(Some(Progress::Dead), None, None, 9)
        .await
        .unwrap();
    assert_eq!((list.len(), list[0].delivery.id), (1, first));
    assert!(store.retry(first, NOW + 5).await.unwrap());
    assert!(!store.retry(first, NOW + 5).await.unwrap());
    assert_eq!(claim(NOW + 4).await, [], "due at the retry");
    assert_eq!(claim(NOW + 5).await, [(first, vec![second])]);
    assert!(!store.retry(Uuid::nil(), NOW).await.unwrap());
}

pub async fn a_retry_ends_with_how_things_stand(place: Place) {
    let store = place.open().await;
    let claim = async |now| ids(&store.claim("chat", now, now + 1, 9).await.unwrap());
    let dead = || Tried::Dead {
        error: "answered 400".to_owned(),
    };
    let (fail, over) = (EventKind::Fail, EventKind::Recovered);
    let mut queued = Vec::new();
    for (n, kind) in (1..).zip([fail, over, over, EventKind::Vanished, over]) {
        queued.push(queue_kind(&*store, "a", n, &["chat"], kind).await[0].id);
    }
    for (place, tried) in [dead(), dead(), Tried::Delivered, Tried::Delivered, dead()]
        .into_iter()
        .enumerate()
    {
        store.settle(queued[place], tried, NOW, None).await.unwrap();
    }
    assert!(store.retry(queued[1], NOW + 5).await.unwrap());
    let since = [(queued[1], vec![queued[2], queued[4]])];
    assert_eq!(
        claim(NOW + 5).await,
        since,
        "not what came before it, and no news"
    );
}

pub async fn lists_of_deliveries(place: Place) {
    let store = place.open().await;
    let a = queue(&*store, "a", 1, &["chat", "mail"]).await;
    let b = queue(&*store, "b", 2, &["chat"]).await;
    store
        .settle(b[0].id, Tried::Delivered, NOW, None)
        .await
        .unwrap();
    let verdict = Some(sample::id(T0 + 1, 1));
    for (progress, receiver, verdict, expected) in [
        (None, None, None, vec![b[0].id, a[1].id, a[0].id]),
        (Some(Progress::Pending), None, None, vec![a[1].id, a[0].id]),
        (None, Some("chat"), None, vec![b[0].id, a[0].id]),
        (None, None, verdict, vec![a[1].id, a[0].id]),
        (Some(Progress::Dead), None, None, vec![]),
    ] {
        let list = store
            .deliveries(progress, receiver, verdict, 9)
            .await
            .unwrap();
        let found: Vec<Uuid> = list.iter().map(|posted| posted.delivery.id).collect();
        assert_eq!(found, expected, "{progress:?} {receiver:?} {verdict:?}");
    }
    assert_eq!(
        store.deliveries(None, None, None, 2).await.unwrap().len(),
        2
    );
    // page by page, whatever is queued meanwhile
    let page = async |receiver, before| {
        let page = store.deliveries_before(None, receiver, before, 2);
        let page = page.await.unwrap();
        let ids: Vec<Uuid> = page.iter().map(|(_, posted)| posted.delivery.id).collect();
        (page.last().map(|(place, _)| *place), ids)
    };
    let (last, ids) = page(None, None).await;
    assert_eq!(ids, [b[0].id, a[1].id]);
    let c = queue(&*store, "c", 3, &["chat"]).await;
    assert_eq!(page(None, last).await.1, [a[0].id]);
    let (last, ids) = page(Some("chat"), None).await;
    assert_eq!(ids, [c[0].id, b[0].id]);
    let (last, ids) = page(Some("chat"), last).await;
    assert_eq!(ids, [a[0].id]);
    assert_eq!(page(Some("chat"), last).await, (None, vec![]));
}

pub async fn claimers_at_the_same_time_get_different_deliveries(place: Place) {
    let store = place.open().await;
    // two replicas
    let other = place.open().await;
    for n in 0..40 {
        queue(&*store, &format!("r{}", n % 20), n, &["chat"]).await;
    }
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &store } else { &other });
            tokio::spawn(async move { store.claim("chat", NOW, NOW + 1000, 3).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for task in tasks {
        for claimed in task.await.unwrap() {
            taken.push(claimed.first.delivery.id);
            taken.extend(claimed.behind.iter().map(|posted| posted.delivery.id));
        }
    }
    let different: BTreeSet<Uuid> = taken.iter().copied().collect();
    assert_eq!((taken.len(), different.len()), (40, 40));
}
