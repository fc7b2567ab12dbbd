//! Receivers that misbehave delay nobody; what flaps is told as one; what is too old is given up.

use super::world::{FREE, QUICK, World};
use crate::alerts::endpoint::{Act, Endpoint, status, until};
use rollout_judge::domain::{Clock, EventKind, ManualClock, Posted, Progress, SystemClock};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_misbehaves_delays_nobody_and_is_told_once_it_recovers() {
    let world = World::new().await;
    let good = Endpoint::start(|_| status(200)).await;
    let hangs = Endpoint::start(|_| Act::Hang).await;
    let fails = Endpoint::start(|_| status(500)).await;
    let redirects = Endpoint::start(|_| {
        Act::Answer(
            302,
            vec![("location", "http://127.0.0.1:1/".to_owned())],
            String::new(),
        )
    })
    .await;
    let closes = Endpoint::start(|_| Act::Close).await;
    let floods = Endpoint::start(|_| Act::Flood(500)).await;
    let bad = [
        ("hangs", &hangs),
        ("fails", &fails),
        ("redirects", &redirects),
        ("closes", &closes),
        ("floods", &floods),
    ];
    let mut places = vec![("good", good.url("/"))];
    places.extend(bad.iter().map(|(name, server)| (*name, server.url("/"))));
    let workers = world.start(
        &(world.webhooks(&places, QUICK) + FREE),
        Arc::new(SystemClock),
    );
    let names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
    let now = SystemClock.now();
    for i in 0..10 {
        world
            .happens(EventKind::Fail, &format!("r{i}"), now, &names)
            .await;
    }
    workers.poke();
    until("the good one is told", async || good.seen().len() == 10).await;
    for (name, server) in &bad {
        until(&format!("{name} is tried again"), async || {
            server.seen().len() > 12
        })
        .await;
        let count = server.seen().len() as u64;
        assert!(
            server.flooded.load(Ordering::Relaxed) / count < 16 << 20,
            "a gigabyte was read"
        );
    }
    assert_eq!(world.are(Progress::Delivered).await.len(), 10);
    for (_, server) in &bad {
        server.behave(|_| status(200));
    }
    world.all_delivered(60).await;
    for (name, server) in &bad {
        let seen = server.seen();
        let ids: BTreeSet<&str> = seen.iter().map(|s| s.header("webhook-id")).collect();
        assert_eq!(ids.len(), 10, "{name}: every try of a message has its id");
    }
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flapping_rollout_is_told_as_one_but_a_fail_at_once() {
    let world = World::new().await;
    let server = Endpoint::start(|_| status(200)).await;
    let text = world.webhooks(&[("a", server.url("/"))], QUICK)
        + "alerts: { poll: 100ms, maxMessages: 3, within: 5m }\n";
    let start = SystemClock.now();
    let clock = Arc::new(ManualClock::at(start));
    let workers = world.start(&text, clock.clone());
    for i in 0..3 {
        world
            .happens(EventKind::Inconclusive, "web", start + i, &["a"])
            .await;
        clock.set(start + 10 + i);
        until("the first are told one by one", async || {
            server.seen().len() as i64 == i + 1
        })
        .await;
        world.all_delivered(usize::try_from(i).unwrap() + 1).await;
    }
    world
        .happens(EventKind::Recovered, "web", start + 10, &["a"])
        .await;
    let held = async || {
        let told = |p: &Posted| p.held && p.error.is_none() && p.tries == 0;
        world.are(Progress::Pending).await.iter().any(told)
    };
    until("the next is held", held).await;
    // another rollout is not
    world
        .happens(EventKind::Inconclusive, "api", start + 10, &["a"])
        .await;
    until("others are told", async || server.seen().len() == 4).await;
    world
        .happens(EventKind::Fail, "web", start + 11, &["a"])
        .await;
    until("a fail is told at once", async || server.seen().len() == 5).await;
    let last = server.last().json();
    assert_eq!(
        (&last["type"], &last["data"]["earlier"][0]["event"]),
        (&"rollout-judge.fail".into(), &"recovered".into())
    );
    world.all_delivered(6).await;
    for i in 0..2 {
        world
            .happens(EventKind::Changed, "web", start + 12 + i, &["a"])
            .await;
    }
    until("held again", held).await;
    assert_eq!(server.seen().len(), 5);
    world
        .happens(EventKind::OverrideEnded, "web", start + 12, &["a"])
        .await;
    until("the end of an override is told at once", async || {
        server.seen().len() == 6
    })
    .await;
    let last = server.last().json();
    assert_eq!(
        (
            &last["type"],
            last["data"]["earlier"].as_array().unwrap().len()
        ),
        (&"rollout-judge.override-ended".into(), 2)
    );
    world.all_delivered(9).await;
    for i in 0..2 {
        world
            .happens(EventKind::Changed, "web", start + 5 + i, &["a"])
            .await;
    }
    until("held once more", held).await;
    assert_eq!(server.seen().len(), 6);
    clock.set(start + 6 * 60_000);
    until("told as one when it is over", async || {
        server.seen().len() == 7
    })
    .await;
    assert_eq!(
        server.last().json()["data"]["earlier"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    world.all_delivered(11).await;
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_message_is_given_up_and_patience_is_kept() {
    let world = World::new().await;
    let server = Endpoint::start(|_| {
        Act::Answer(429, vec![("retry-after", "120".to_owned())], String::new())
    })
    .await;
    let text = world.webhooks(
        &[("a", server.url("/"))],
        "maxAge: 1h, minBackoff: 100ms, maxBackoff: 5m",
    ) + FREE;
    let start = SystemClock.now();
    let clock = Arc::new(ManualClock::at(start));
    let workers = world.start(&text, clock.clone());
    world.happens(EventKind::Fail, "web", start, &["a"]).await;
    let tried = async |n: u32| {
        until("it is tried", async || {
            world
                .are(Progress::Pending)
                .await
                .first()
                .is_some_and(|p| p.tries == n)
        })
        .await;
    };
    tried(1).await;
    assert_eq!(
        world.are(Progress::Pending).await[0].delivery.due,
        start + 120_000
    );
    clock.set(start + 120_000);
    tried(2).await;
    clock.set(start + 2 * 3_600_000);
    until("it is given up", async || {
        world.are(Progress::Dead).await.len() == 1
    })
    .await;
    assert_eq!(server.seen().len(), 3);
    workers.stop().await;
}
