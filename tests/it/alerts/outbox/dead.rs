//! What is given up: who hears of it, what it takes from the rollout's own messages, and how it is put back.

use super::world::{FREE, QUICK, World};
use crate::alerts::endpoint::{Act, Endpoint, Seen, status, until};
use rollout_judge::domain::{Clock, EventKind, Progress, SystemClock};
use std::sync::Arc;

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
