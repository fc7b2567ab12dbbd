//! A real Alertmanager: an alert fires, and is resolved when the rollout recovers.

use super::{
    endpoint::until,
    message::{EVIL, message},
    notifier,
};
use crate::support::{
    http::get,
    process::{Process, Start, program},
};
use rollout_judge::domain::{Clock, EventKind, Message, SystemClock};
use serde_json::Value;
use std::{fs, time::Duration};
use tempfile::TempDir;

fn start(data: &TempDir) -> Process {
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
        port: None,
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
    let server = tokio::task::block_in_place(|| start(&data));
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
