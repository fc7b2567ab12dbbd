//! The outbox over the real SQLite store: order, at least once, nobody delayed by somebody else.

use super::{
    Secrets,
    endpoint::{Act, Endpoint, Seen, status, until},
    message, settings,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rollout_judge::{
    cli::serve::alerts,
    config::store::StoreSettings,
    domain::{
        Change, Clock, Delivery, Event, EventKind, ManualClock, Posted, Progress, SystemClock,
        VerdictStore,
    },
    service::{
        identity::{delivery_id, event_id},
        outbox::Workers,
    },
    store,
    telemetry::Metrics,
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, atomic::Ordering},
};
use tempfile::TempDir;

/// A store, a clock, and secrets of receivers.
struct World {
    folder: TempDir,
    store: Arc<dyn VerdictStore>,
    secrets: Secrets,
    metrics: Arc<Metrics>,
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::with_prefix("outbox").unwrap();
        let settings = StoreSettings {
            url: Some(format!(
                "sqlite://{}",
                folder.path().join("judge.db").display()
            )),
            ..StoreSettings::default()
        };
        Self {
            store: store::open(&settings).await.unwrap(),
            folder,
            secrets: Secrets::new(),
            metrics: Arc::new(Metrics::default()),
        }
    }

    /// The settings of webhooks at these addresses; `more` are the numbers of all of them.
    fn webhooks(&self, places: &[(&str, String)], more: &str) -> String {
        let key = self
            .secrets
            .keep("key", &format!("whsec_{}", STANDARD.encode([7; 32])));
        let mut text = "receivers:\n".to_owned();
        for (name, url) in places {
            writeln!(
                text,
                "  {name}: {{ webhook: {{ url: '{url}', secrets: [{key}] }}, {more} }}"
            )
            .unwrap();
        }
        text
    }

    fn start(&self, text: &str, clock: Arc<dyn Clock>) -> Workers {
        let store = Arc::clone(&self.store);
        let metrics = Arc::clone(&self.metrics);
        let settings = settings(text);
        let wrote = Arc::new(|| {});
        let (_, workers) = alerts::start(
            &settings,
            store,
            clock,
            metrics,
            "https://judge.example.org",
            wrote,
        )
        .unwrap();
        workers
    }

    /// Something happens to a rollout; these are told.
    async fn happens(&self, kind: EventKind, rollout: &str, at: i64, to: &[&str]) -> Event {
        let about = format!("{rollout} {at}");
        let event = Event {
            seq: 0,
            id: event_id(kind, at, &about),
            at,
            rollout: rollout.to_owned(),
            reason: about,
            verdict: None,
            ..message::event(kind)
        };
        let deliveries = to
            .iter()
            .map(|receiver| Delivery {
                id: delivery_id(event.id, at, receiver),
                event: event.id,
                receiver: (*receiver).to_owned(),
                order: format!("shop/{rollout}"),
                due: at,
            })
            .collect();
        let change = Change {
            events: vec![event.clone()],
            deliveries,
            ..Change::default()
        };
        self.store.change(change).await.unwrap();
        event
    }

    async fn are(&self, progress: Progress) -> Vec<Posted> {
        self.store
            .deliveries(Some(progress), None, None, 1000)
            .await
            .unwrap()
    }

    async fn all_delivered(&self, count: usize) {
        until("everything is delivered", async || {
            self.are(Progress::Delivered).await.len() == count
        })
        .await;
    }
}

/// What a webhook was told about a rollout, in order: the earlier ones of each message, then its own.
fn told(seen: &[Seen], rollout: &str) -> Vec<String> {
    let mut all = Vec::new();
    for seen in seen {
        let data = &seen.json()["data"];
        if data["rollout"] == rollout {
            let earlier = data["earlier"].as_array().unwrap().iter();
            all.extend(earlier.map(|e| e["reason"].as_str().unwrap().to_owned()));
            all.push(data["reason"].as_str().unwrap().to_owned());
        }
    }
    all
}

const QUICK: &str = "timeout: 300ms, minBackoff: 100ms, maxBackoff: 200ms, perMinute: 6000";
const FREE: &str = "alerts: { poll: 100ms, maxMessages: 1000, within: 1s }\n";

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
        let ids: std::collections::BTreeSet<&str> =
            seen.iter().map(|s| s.header("webhook-id")).collect();
        assert_eq!(ids.len(), 10, "{name}: every try of a message has its id");
    }
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
async fn what_is_refused_is_a_dead_letter_others_hear_of_and_a_person_retries() {
    let world = World::new().await;
    let refuses = Endpoint::start(|_| Act::Answer(410, vec![], "gone".to_owned())).await;
    let other = Endpoint::start(|_| status(200)).await;
    let text = world.webhooks(
        &[("refuses", refuses.url("/")), ("other", other.url("/"))],
        QUICK,
    ) + FREE
        + "routes: [{ match: { events: [dead-letter] }, to: [other, refuses] }]\n";
    let workers = world.start(&text, Arc::new(SystemClock));
    world
        .happens(EventKind::Fail, "web", SystemClock.now(), &["refuses"])
        .await;
    until("it is given up", async || {
        world.are(Progress::Dead).await.len() == 1
    })
    .await;
    let dead = world.are(Progress::Dead).await.remove(0);
    assert_eq!(
        (dead.tries, dead.error.as_deref()),
        (1, Some("answered 410 Gone: gone"))
    );
    until("others hear of it", async || other.seen().len() == 1).await;
    let heard = other.last().json();
    assert_eq!(heard["type"], "rollout-judge.dead-letter");
    assert!(
        heard["data"]["reason"]
            .as_str()
            .unwrap()
            .contains("`refuses` was not told of fail"),
        "{heard}"
    );
    assert_eq!(
        refuses.seen().len(),
        1,
        "who is dead is not told of its own death"
    );
    refuses.behave(|_| status(200));
    assert!(
        world
            .store
            .retry(dead.delivery.id, SystemClock.now())
            .await
            .unwrap()
    );
    world.all_delivered(2).await;
    assert_eq!(
        refuses.seen()[0].header("webhook-id"),
        refuses.seen()[1].header("webhook-id")
    );
    workers.stop().await;
}

/// What a PagerDuty was told since: action, class and key of each.
fn incidents(seen: &[Seen]) -> Vec<String> {
    let words = seen.iter().map(Seen::json).map(|body| {
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let (action, key) = (word(&body["event_action"]), word(&body["dedup_key"]));
        format!("{action} {} {key}", word(&body["payload"]["class"]))
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fail_leads_whatever_waits_with_it_and_dead_letters_stay_apart() {
    let world = World::new().await;
    let (pd, other) = (
        Endpoint::start(|_| status(500)).await,
        Endpoint::start(|_| status(500)).await,
    );
    let refuses = Endpoint::start(|_| status(400)).await;
    let places = [("other", other.url("/")), ("refuses", refuses.url("/"))];
    let key = world
        .secrets
        .keep("routing", "0123456789abcdef0123456789abcdef");
    let text = world.webhooks(&places, QUICK)
        + &format!(
            "  pd: {{ pagerduty: {{ routingKey: {key}, url: '{}' }}, {QUICK} }}\n",
            pd.url("")
        )
        + "alerts: { poll: 100ms, maxMessages: 2, within: 1h }\n"
        + "routes: [{ match: { events: [dead-letter] }, to: [pd] }, { to: [other] }]\n";
    let workers = world.start(&text, Arc::new(SystemClock));
    let now = SystemClock.now();
    let all = ["pd", "other", "refuses"];
    for (i, kind) in [EventKind::Fail, EventKind::Recovered, EventKind::Fail]
        .into_iter()
        .enumerate()
    {
        world.happens(kind, "web", now + i as i64, &all).await;
        workers.poke();
        until("one more is given up", async || {
            world.are(Progress::Dead).await.len() == i + 1
        })
        .await;
    }
    let (before, heard) = (pd.seen().len(), other.seen().len());
    pd.behave(|_| status(202));
    other.behave(|_| status(200));
    // three of each, and the three dead letters of `refuses` for `pd`, which asked for them
    world.all_delivered(9).await;
    let told = incidents(&pd.seen()[before..]);
    let web = |word: &str| {
        let own = |line: &&String| line.ends_with("rollout-judge/shop/web");
        let lines: Vec<_> = told.iter().filter(own).collect();
        lines.iter().filter(|line| line.starts_with(word)).count() * 10 + lines.len()
    };
    // each fail opens the incident anew, nothing else is said in its place
    assert_eq!(web("trigger fail"), 22, "{told:?}");
    let apart = |line: &&String| line.ends_with("/dead-letter");
    assert!(told.iter().filter(apart).count() >= 1, "{told:?}");
    let kinds: Vec<String> = other.seen()[heard..]
        .iter()
        .map(|seen| seen.json()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["rollout-judge.fail", "rollout-judge.fail"]);
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_use_up_nothing_of_the_rollout() {
    let world = World::new().await;
    let refuses = Endpoint::start(|_| status(400)).await;
    let other = Endpoint::start(|_| status(200)).await;
    let text = world.webhooks(
        &[("refuses", refuses.url("/")), ("other", other.url("/"))],
        QUICK,
    ) + "alerts: { poll: 100ms, maxMessages: 1, within: 1h }\n"
        + "routes: [{ match: { events: [dead-letter] }, to: [other] }]\n";
    let workers = world.start(&text, Arc::new(SystemClock));
    let now = SystemClock.now();
    world
        .happens(EventKind::Fail, "web", now, &["refuses"])
        .await;
    until("the dead letter is told", async || other.seen().len() == 1).await;
    world
        .happens(EventKind::Inconclusive, "web", now + 1, &["other"])
        .await;
    until("the rollout's own is not held", async || {
        other.seen().len() == 2
    })
    .await;
    assert_eq!(other.last().json()["type"], "rollout-judge.inconclusive");
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
