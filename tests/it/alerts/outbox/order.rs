//! Each rollout's messages in their order, at least once, under one key, whoever dies.

use super::world::{FREE, QUICK, World, told};
use crate::alerts::endpoint::{Act, Endpoint, status, until};
use rollout_judge::domain::{Clock, EventKind, ManualClock, SystemClock};
use std::{collections::BTreeMap, sync::Arc};

#[tokio::test(flavor = "multi_thread")]
async fn each_rollouts_events_arrive_in_their_order() {
    let world = World::new().await;
    let server = Endpoint::start(|_| status(200)).await;
    let text = world.webhooks(&[("a", server.url("/"))], QUICK) + FREE;
    let workers = world.start(&text, Arc::new(SystemClock));
    let now = SystemClock.now();
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for i in 0..60 {
        let rollout = format!("r{}", i % 3);
        let event = world
            .happens(EventKind::Changed, &rollout, now + i, &["a"])
            .await;
        expected.entry(rollout).or_default().push(event.reason);
        workers.poke();
    }
    world.all_delivered(60).await;
    for (rollout, events) in expected {
        assert_eq!(told(&server.seen(), &rollout), events);
    }
    // the log has a line for each
    let log = world.store.events(0, 1000).await.unwrap();
    assert_eq!(
        log.iter()
            .filter(|e| e.kind == EventKind::Delivered)
            .count(),
        60
    );
    assert!(
        world
            .metrics
            .render(now)
            .contains(r#"rollout_judge_deliveries_total{receiver="a",result="delivered"} 60"#)
    );
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_message_keeps_its_key_whatever_came_after_it() {
    let world = World::new().await;
    let server = Endpoint::start(|_| status(500)).await;
    let text = world.webhooks(&[("a", server.url("/"))], QUICK) + FREE;
    let now = SystemClock.now();
    let workers = world.start(&text, Arc::new(SystemClock));
    world
        .happens(EventKind::Inconclusive, "web", now, &["a"])
        .await;
    workers.poke();
    until("the first is tried", async || !server.seen().is_empty()).await;
    world
        .happens(EventKind::Recovered, "web", now + 1, &["a"])
        .await;
    let tries = server.seen().len();
    until("it is tried again", async || {
        server.seen().len() > tries + 1
    })
    .await;
    server.behave(|_| status(200));
    world.all_delivered(2).await;
    let seen = server.seen();
    let (last, retried) = seen.split_last().unwrap();
    assert_eq!(last.json()["type"], "rollout-judge.recovered");
    let first = retried[0].header("webhook-id");
    for seen in retried {
        assert_eq!(seen.header("webhook-id"), first);
        assert_eq!(seen.json()["data"]["earlier"], serde_json::json!([]));
    }
    assert_ne!(last.header("webhook-id"), first);
    workers.stop().await;
}

#[test]
fn a_message_survives_the_death_of_who_was_telling_it() {
    let other = tokio::runtime::Runtime::new().unwrap();
    let (world, server) =
        other.block_on(async { (World::new().await, Endpoint::start(|_| Act::Hang).await) });
    let text = world.webhooks(&[("a", server.url("/"))], "timeout: 30s") + FREE;
    let now = SystemClock.now();
    let killed = tokio::runtime::Runtime::new().unwrap();
    let workers = killed.block_on(async { world.start(&text, Arc::new(SystemClock)) });
    other.block_on(async {
        world.happens(EventKind::Fail, "web", now, &["a"]).await;
        workers.poke();
        until("it is being told", async || server.seen().len() == 1).await;
    });
    // nothing of it runs on: no settlement, no clean end
    killed.shutdown_background();
    other.block_on(async {
        server.behave(|_| status(200));
        // leases of the dead have run out by then
        let clock = Arc::new(ManualClock::at(now + 10 * 60_000));
        let next = world.start(&text, clock);
        world.all_delivered(1).await;
        let seen = server.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
        next.stop().await;
    });
    assert!(world.folder.path().join("judge.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_tell_everything_once() {
    let world = World::new().await;
    let server = Endpoint::start(|_| status(200)).await;
    let text = world.webhooks(
        &[("a", server.url("/"))],
        "perMinute: 6000, maxConcurrent: 4",
    ) + FREE;
    let replicas = [
        world.start(&text, Arc::new(SystemClock)),
        world.start(&text, Arc::new(SystemClock)),
    ];
    let now = SystemClock.now();
    for i in 0..100 {
        world
            .happens(EventKind::Fail, &format!("r{i}"), now, &["a"])
            .await;
        replicas[i % 2].poke();
    }
    world.all_delivered(100).await;
    assert_eq!(server.seen().len(), 100);
    for replica in replicas {
        replica.stop().await;
    }
}
