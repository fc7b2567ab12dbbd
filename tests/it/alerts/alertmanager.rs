//! A real Alertmanager: an alert fires, and is resolved when the rollout recovers.

use super::{
    endpoint::until,
    message::{EVIL, event, message},
    notifier,
};
use crate::{
    store::sample,
    support::{
        http::get,
        process::{Process, Start, program},
    },
};
use rollout_judge::{
    config::store::StoreSettings,
    domain::{
        Change, Clock, Event, EventKind, Message, Outcome, RolloutState, SystemClock, VerdictStore,
    },
    policy::Policy,
    service::{
        Keeper, Patience, Policies,
        identity::event_id,
        outbox::{Links, Repeat},
    },
    store,
};
use serde_json::Value;
use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};
use tempfile::TempDir;

fn start(data: &TempDir, port: Option<u16>) -> Process {
    let config = data.path().join("alertmanager.yml");
    fs::write(
        &config,
        "route: { receiver: none }\nreceivers: [{ name: none }]\n",
    )
    .unwrap();
    let (config, data) = (
        config.display().to_string(),
        data.path().join("data").display().to_string(),
    );
    let arguments = |port: u16| {
        vec![
            format!("--config.file={config}"),
            format!("--storage.path={data}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
            "--log.level=warn".to_owned(),
        ]
    };
    Process::start(&Start {
        name: "alertmanager",
        program: program(
            "/usr/bin/prometheus-alertmanager",
            "prometheus-alertmanager",
        ),
        arguments: &arguments,
        ready: "/-/ready",
        within: Duration::from_mins(1),
        port,
    })
}

/// The events of the alerts that fire now.
async fn firing(url: String) -> Vec<(String, Value)> {
    let answer = tokio::task::spawn_blocking(move || get(&url).unwrap().json())
        .await
        .unwrap();
    let alerts = answer.as_array().unwrap().iter();
    let mut found: Vec<_> = alerts
        .map(|alert| {
            (
                alert["labels"]["event"].as_str().unwrap().to_owned(),
                alert.clone(),
            )
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn now(kind: EventKind) -> Message {
    let mut message = message(kind);
    message.event.at = SystemClock.now();
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_fires_until_the_rollout_recovers() {
    let data = TempDir::with_prefix("alertmanager").unwrap();
    let server = tokio::task::block_in_place(|| start(&data, None));
    let url = server.url("/api/v2/alerts?active=true");
    let receiver = notifier(&format!(
        "{{ alertmanager: {{ url: '{}', labels: {{ team: sre }} }} }}",
        server.url("/")
    ));
    receiver.tell(&now(EventKind::Inconclusive)).await.unwrap();
    receiver.tell(&now(EventKind::Fail)).await.unwrap();
    // the same message again is the same alert
    receiver.tell(&now(EventKind::Fail)).await.unwrap();
    until("both alerts fire", async || {
        firing(url.clone()).await.len() == 2
    })
    .await;
    let found = firing(url.clone()).await;
    assert_eq!(
        (found[0].0.as_str(), found[1].0.as_str()),
        ("fail", "inconclusive")
    );
    let alert = &found[0].1;
    for (label, value) in [
        ("alertname", "RolloutJudge"),
        ("severity", "critical"),
        ("namespace", "shop"),
        ("rollout", "checkout"),
        ("team", "sre"),
    ] {
        assert_eq!(alert["labels"][label], value);
    }
    let words = alert["annotations"].to_string();
    for part in [
        "canary 1.32 %, stable 0.144 %",
        "/override",
        "failed at 5 %",
        "https://judge.example.org/verdicts/f1",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert_eq!(
        alert["generatorURL"],
        "https://judge.example.org/verdicts/f1"
    );
    // it lasts: without an end of ours Alertmanager would end it after five minutes
    let ends: jiff::Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
    assert!(ends.as_millisecond() > SystemClock.now() + 23 * 3_600_000);
    receiver.tell(&now(EventKind::Recovered)).await.unwrap();
    until("both alerts are resolved", async || {
        firing(url.clone()).await.is_empty()
    })
    .await;
    let mut evil = now(EventKind::Fail);
    EVIL.clone_into(&mut evil.event.rollout);
    EVIL.clone_into(&mut evil.event.namespace);
    receiver.tell(&evil).await.unwrap();
    until("hostile names fire too", async || {
        firing(url.clone()).await.len() == 1
    })
    .await;
}

/// No policy is loaded.
struct Nothing;

impl Policies for Nothing {
    fn policy(&self, _: &str) -> Option<Arc<Policy>> {
        None
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A rollout and what is open there.
fn standing(open: &[(&str, i64)]) -> RolloutState {
    let now = SystemClock.now();
    let question = sample::question(&sample::rollout("checkout", "6c9f8d7b5"), now);
    let mut state = sample::state(&sample::verdict(&question, 1, Outcome::Fail), now);
    state.open = open
        .iter()
        .map(|(k, at)| ((*k).to_owned(), *at))
        .collect::<BTreeMap<_, _>>();
    state
}

fn happened(kind: EventKind, at: i64) -> Event {
    Event {
        id: event_id(kind, at, "it"),
        at,
        verdict: None,
        ..event(kind)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lasts_is_back_after_a_restart_of_alertmanager() {
    let data = TempDir::with_prefix("alertmanager").unwrap();
    let first = tokio::task::block_in_place(|| start(&data, None));
    let (base, url) = (first.url("/"), first.url("/api/v2/alerts?active=true"));
    let port = base.trim_end_matches('/').rsplit(':').next().unwrap();
    let port: u16 = port.parse().unwrap();
    let receiver = notifier(&format!("{{ alertmanager: {{ url: '{base}' }} }}"));
    let settings = StoreSettings {
        url: Some(format!("sqlite://{}/judge.db", data.path().display())),
        ..StoreSettings::default()
    };
    let store: Arc<dyn VerdictStore> = store::open(&settings).await.unwrap();
    let now = SystemClock.now();
    let (fail, down) = (
        happened(EventKind::Fail, now - 20_000),
        happened(EventKind::SourceDown, now - 10_000),
    );
    let (old, quiet) = (
        now - 25 * 3_600_000,
        happened(EventKind::Changed, now - 5000),
    );
    let open = [
        ("fail http-service", now - 20_000),
        ("source-down http-service", now - 10_000),
        ("override", old),
        ("vanished", now),
        ("pass http-service", now),
    ];
    let change = |version, open: &[(&str, i64)], events: &[&Event]| Change {
        state: Some((version, standing(open))),
        events: events.iter().map(|event| (*event).clone()).collect(),
        ..Change::default()
    };
    let events = [&fail, &down, &quiet];
    store.change(change(0, &open, &events)).await.unwrap();
    let repeat = Repeat {
        keeper: Keeper {
            store: Arc::clone(&store),
            patience: Patience::default(),
            // a route for what is critical, to this and to another receiver
            addressees: Arc::new(|event, _| match event.kind {
                EventKind::Override => Vec::new(),
                _ => vec!["other".to_owned(), "it".to_owned()],
            }),
            poke: Arc::new(|| {}),
        },
        policies: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        links: Links::new("https://judge.example.org"),
        notifier: Arc::clone(&receiver),
        every: Duration::from_mins(5),
        lasts: 24 * 3_600_000,
    };
    let kinds = async || -> Vec<String> {
        let found = firing(url.clone()).await.into_iter();
        found.map(|(kind, _)| kind).collect()
    };
    for event in [&fail, &down] {
        let mut told = message(event.kind);
        told.event = event.clone();
        receiver.tell(&told).await.unwrap();
    }
    until("both fire", async || kinds().await.len() == 2).await;
    let before = firing(url.clone()).await;
    drop(first);
    let _second = tokio::task::block_in_place(|| start(&data, Some(port)));
    assert!(kinds().await.is_empty(), "it forgot everything");
    assert_eq!(repeat.round().await.unwrap(), 2);
    until("both are back", async || {
        kinds().await == ["fail", "source-down"]
    })
    .await;
    let after = firing(url.clone()).await;
    for ((_, before), (_, after)) in before.iter().zip(&after) {
        for same in ["fingerprint", "startsAt", "labels"] {
            assert_eq!(before[same], after[same]);
        }
    }
    // over, and not told again
    let mut end = happened(EventKind::Recovered, now);
    end.outcome = Some(Outcome::Fail);
    let left = [("fail http-service", now - 20_000)];
    store.change(change(1, &left, &[&end])).await.unwrap();
    let mut told = message(EventKind::Recovered);
    told.event = end;
    receiver.tell(&told).await.unwrap();
    until("one is left", async || kinds().await == ["fail"]).await;
    assert_eq!(repeat.round().await.unwrap(), 1);
    assert_eq!(kinds().await, ["fail"]);
}
