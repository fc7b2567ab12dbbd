//! Server-sent events over real connections: resume, filters, gaps, heartbeats, the end.

use super::{
    double::{NOW, get, problem},
    ground::{Ground, Judged},
    history::with_token,
    openapi::{Told, mistakes},
};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use rollout_judge::{
    domain::{EventKind, Retention, VerdictStore},
    http::Limits,
};
use serde_json::Value;
use std::time::Duration;
use tower::ServiceExt;

/// One client that reads.
struct Client {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Frame {
    id: i64,
    kind: String,
    data: Value,
}

impl Client {
    async fn open(ground: &Ground, request: Request<Body>) -> Self {
        let answer = ground.router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        let mut client = Self {
            body: answer.into_body(),
            text: String::new(),
        };
        assert!(client.more().await);
        assert!(
            client.text.starts_with("retry: 1000\n\n"),
            "{}",
            client.text
        );
        client.text = client.text.split_off("retry: 1000\n\n".len());
        client
    }

    /// Waits for more; `false` at the end of the stream.
    async fn more(&mut self) -> bool {
        let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame());
        match frame.await.unwrap() {
            Some(frame) => {
                let bytes = frame.unwrap().into_data().unwrap();
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
                true
            }
            None => false,
        }
    }

    async fn next(&mut self) -> Frame {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let one = std::mem::replace(&mut self.text, rest);
                let mut told = Frame {
                    id: 0,
                    kind: String::new(),
                    data: Value::Null,
                };
                for line in one.trim_end().lines() {
                    match line.split_once(": ").unwrap() {
                        ("id", id) => told.id = id.parse().unwrap(),
                        ("event", kind) => kind.clone_into(&mut told.kind),
                        ("data", data) => told.data = serde_json::from_str(data).unwrap(),
                        other => panic!("{other:?}"),
                    }
                }
                let wrong = mistakes(Told {
                    method: "GET",
                    path: "/v1/events",
                    status: 200,
                    content_type: "text/event-stream",
                    body: one.as_bytes(),
                });
                assert_eq!(wrong, [""; 0]);
                return told;
            }
            assert!(self.more().await, "the stream ended");
        }
    }
}

fn judged(minute: i64) -> Judged {
    Judged {
        at: NOW + minute * 60_000,
        ..Judged::default()
    }
}

#[tokio::test]
async fn what_happens_is_told_at_once_and_once() {
    let ground = Ground::new().await;
    ground.keep(judged(0)).await;
    let mut client = Client::open(&ground, get("/v1/events")).await;
    for minute in 1..4 {
        let kept = ground.keep(judged(minute)).await;
        let told = client.next().await;
        assert_eq!((told.id, told.kind.as_str()), (minute + 1, "verdict"));
        assert_eq!(told.data["verdictId"], kept.id.to_string());
        assert_eq!(told.data["seq"], told.id);
        assert_eq!(told.data["rollout"], "checkout");
    }
    // as another replica writes: nobody pokes
    let quiet = Ground::over(&ground);
    quiet.keep(judged(4)).await;
    assert_eq!(client.next().await.id, 5);
}

#[tokio::test]
async fn a_client_that_comes_back_misses_nothing() {
    let ground = Ground::new().await;
    for minute in 0..450 {
        ground.keep(judged(minute)).await; // more than two pages of the log
    }
    let mut request = get("/v1/events?lastEventId=1");
    request
        .headers_mut()
        .insert("last-event-id", "7".parse().unwrap());
    let mut client = Client::open(&ground, request).await;
    for seq in 8..=450 {
        assert_eq!(client.next().await.id, seq);
    }
    let mut client = Client::open(&ground, get("/v1/events?lastEventId=0")).await;
    assert_eq!(client.next().await.id, 1);
    let mut client = Client::open(&ground, get("/v1/events?lastEventId=450")).await;
    ground.keep(judged(450)).await;
    assert_eq!(client.next().await.id, 451);
}

#[tokio::test]
async fn filters_and_namespaces_of_a_token() {
    let ground = Ground::new().await.tokens();
    let path = "/v1/events?kinds=fail,%20override&rollout=checkout";
    let mut narrow = Client::open(&ground, with_token(get(path), "all")).await;
    let mut shop = Client::open(&ground, with_token(get("/v1/events"), "shop")).await;
    for (minute, namespace, rollout, kind) in [
        (1, "bank", "checkout", EventKind::Started),
        (2, "shop", "checkout", EventKind::Verdict),
        (3, "shop", "cart", EventKind::Fail),
        (4, "bank", "checkout", EventKind::Fail),
    ] {
        let one = Judged {
            namespace: namespace.into(),
            rollout: rollout.into(),
            kinds: vec![kind],
            ..judged(minute)
        };
        ground.keep(one).await;
    }
    assert_eq!(narrow.next().await.id, 4);
    assert_eq!((shop.next().await.id, shop.next().await.id), (2, 3));
    for (query, cure) in [
        ("kinds=fial", "did you mean `fail`?"),
        ("lastEventId=x", "0 for all"),
        ("lastEventId=-1", "0 for all"),
        ("since=1", "there is"),
    ] {
        let request = with_token(get(&format!("/v1/events?{query}")), "all");
        let (status, code, _, value) = problem(ground.router(), request).await;
        assert_eq!((status, code.as_str()), (400, "invalid-query"), "{query}");
        assert!(value["detail"].as_str().unwrap().contains(cure), "{value}");
    }
}

#[tokio::test]
async fn what_retention_removed_is_a_gap() {
    let ground = Ground::new().await;
    for minute in 0..10 {
        ground.keep(judged(minute)).await;
    }
    let retention = Retention {
        max_age: 1,
        max_bytes: u64::MAX,
        batch: 1000,
    };
    ground.prune(retention, NOW + 5 * 60_000).await;
    let first = ground.store.events(0, 1).await.unwrap()[0].seq;
    assert!(first > 2, "{first}");
    for (asked, after) in [(1, first - 1), (1000, 10)] {
        let path = format!("/v1/events?lastEventId={asked}");
        let mut client = Client::open(&ground, get(&path)).await;
        let gap = client.next().await;
        assert_eq!((gap.kind.as_str(), gap.id), ("gap", after));
        assert_eq!(gap.data["after"], asked);
        assert_eq!(gap.data["resumedAfter"], after);
        if asked == 1 {
            assert_eq!(client.next().await.id, first);
        }
    }
    // nothing is missing after these
    for asked in [first - 1, first, 10] {
        let path = format!("/v1/events?lastEventId={asked}");
        let mut client = Client::open(&ground, get(&path)).await;
        let next = ground.keep(judged(20 + asked)).await;
        let mut told = client.next().await;
        while told.data["verdictId"] != next.id.to_string() {
            assert_eq!(told.kind, "verdict");
            told = client.next().await;
        }
    }
}

#[tokio::test]
async fn a_silent_stream_has_a_heartbeat() {
    assert_eq!(Limits::default().heartbeat, Duration::from_secs(15));
    let limits = Limits {
        heartbeat: Duration::from_millis(50),
        ..Limits::default()
    };
    let ground = Ground::new().await.limits(limits);
    let mut client = Client::open(&ground, get("/v1/events")).await;
    for beats in 1..4 {
        assert!(client.more().await);
        assert_eq!(client.text, ": heartbeat\n\n".repeat(beats));
    }
}

#[tokio::test]
async fn streams_are_counted_and_end_with_the_service() {
    let limits = Limits {
        max_streams: 2,
        ..Limits::default()
    };
    let ground = Ground::new().await.limits(limits);
    let router = ground.router();
    let open = || async {
        let answer = router.clone().oneshot(get("/v1/events")).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body()
    };
    let (mut first, second) = (open().await, open().await);
    for path in ["/v1/events", "/v1/verdicts?format=ndjson"] {
        let (status, code, _, value) = problem(router.clone(), get(path)).await;
        assert_eq!((status, code.as_str()), (429, "too-many-streams"));
        let cure = value["detail"].as_str().unwrap();
        assert!(cure.starts_with("2 ") && cure.contains("`server.maxStreams`"));
    }
    drop(second); // the client goes
    let third = open().await;
    drop(third);
    ground.health.stop();
    let end = async { while first.frame().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(30), end)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_that_is_away_for_a_moment_ends_nothing() {
    let ground = Ground::new().await;
    let mut client = Client::open(&ground, get("/v1/events")).await;
    ground.store.cut(true);
    ground.pulse.poke();
    tokio::task::yield_now().await;
    ground.store.cut(false);
    ground.keep(judged(1)).await;
    assert_eq!(client.next().await.id, 1);
}
