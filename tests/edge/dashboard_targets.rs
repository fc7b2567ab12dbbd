//! The targets of a source that scrapes, on the page of the sources.

use super::{
    dashboard::{page, shown},
    double::{NOW, call, get},
    ground::Ground,
    history::with_token,
};
use rollout_judge::{
    domain::{
        Labels, MetricSource, PlannedQuery, ReadReport, SampleSink, SourceError, SourceKind,
        TargetSeen, ports::BoxFuture,
    },
    http::{About, SourceAbout},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

struct Scraper(Vec<TargetSeen>, bool);

impl MetricSource for Scraper {
    fn kind(&self) -> SourceKind {
        SourceKind::Scrape
    }
    fn name(&self) -> &'static str {
        "pods"
    }
    fn replica_labels(&self) -> &[String] {
        &[]
    }
    fn targets(&self) -> Option<Vec<TargetSeen>> {
        Some(self.0.clone())
    }
    fn read<'a>(
        &'a self,
        _: &'a PlannedQuery,
        _: Instant,
        _: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        let refused = SourceError::TooLarge {
            name: "pods".into(),
            detail: "refused".into(),
        };
        let answer = if self.1 {
            Ok(ReadReport::default())
        } else {
            Err(refused)
        };
        Box::pin(async { answer })
    }
}

fn up(number: usize) -> TargetSeen {
    TargetSeen {
        address: format!("http://10.0.0.{number}:9090/metrics"),
        labels: Labels::new([("job", "pods"), ("namespace", "shop")]),
        up: Some(true),
        at: Some(NOW - 5000),
        took: Duration::from_millis(12),
        samples: 3456,
        dropped: 0,
        series: 78,
        error: None,
    }
}

async fn with(targets: Vec<TargetSeen>) -> Ground {
    with_answer(targets, true).await
}

async fn with_answer(targets: Vec<TargetSeen>, answers: bool) -> Ground {
    let ground = Ground::new().await.about(About {
        sources: vec![SourceAbout {
            name: "pods".into(),
            kind: SourceKind::Scrape,
            address: None,
            link: None,
        }],
        ..About::default()
    });
    let source: Arc<dyn MetricSource> = Arc::new(Scraper(targets, answers));
    ground.health.probe(&[source], &*ground.clock).await;
    ground
}

#[tokio::test]
async fn targets_are_listed_and_what_is_down_comes_first() {
    let mut targets: Vec<TargetSeen> = (100..360).map(up).collect();
    let hostile = "<img src=x onerror=alert(1)>\u{202e}";
    targets.push(TargetSeen {
        address: "http://10.9.9.9:1/metrics".into(),
        labels: Labels::new([("pod", hostile)]),
        up: Some(false),
        samples: 0,
        error: Some((NOW - 60_000, "malformed", format!("line 3: {hostile}"))),
        ..up(1)
    });
    targets.push(TargetSeen {
        address: "http://10.9.9.8:1/metrics".into(),
        dropped: 3400,
        up: None,
        at: None,
        ..up(1)
    });
    let text = shown(&with(targets).await.router(), "/sources").await;
    for word in [
        "260 up, 1 down, 1 not scraped yet",
        "partly, 260 of 262 targets",
        "1 of 262 targets give no samples: 1 malformed",
        "3\u{2009}400 dropped",
        "and 62 more",
        "3\u{2009}456",
        "12\u{202f}ms",
        "malformed",
        "line 3: ",
        "&lt;img src=x",
        "U+202E",
    ] {
        assert!(text.contains(word), "no {word}: {text}");
    }
    assert!(!text.contains("<img") && !text.contains('\u{202e}'));
    let place = |address: &str| text.find(address).unwrap();
    assert!(place("10.9.9.9:1") < place("10.9.9.8:1"));
    assert!(place("10.9.9.8:1") < place("10.0.0.100:9090"));
    assert!(!text.contains("10.0.0.359:9090"));
}

#[tokio::test]
async fn the_page_and_readyz_agree_on_a_source_that_is_partly_down() {
    let down = |number, word: &'static str| TargetSeen {
        up: Some(false),
        error: Some((NOW, word, "because".into())),
        ..up(number)
    };
    let some = vec![
        up(1),
        down(2, "timeout"),
        down(3, "status"),
        down(4, "status"),
    ];
    let none = some[1..].to_vec();
    for (targets, answers, up, word) in [
        (some.clone(), true, true, "partly, 1 of 4 targets"),
        // one refused target is an error of the whole source, though others answer
        (some, false, true, "partly, 1 of 4 targets"),
        (none, false, false, "down"),
    ] {
        let ground = with_answer(targets, answers).await;
        let router = ground.router();
        let (_, body) = call(router.clone(), get("/readyz")).await;
        let ready: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let seen = &ready["sources"]["pods"];
        assert_eq!(seen["up"], up, "{ready}");
        let detail = seen["detail"].as_str().unwrap();
        let expected = if answers {
            "3 of 4 targets give no samples: 2 status, 1 timeout"
        } else {
            "refused"
        };
        assert!(detail.contains(expected), "{detail}");
        let page = shown(&router, "/sources").await;
        let (badge, note) = (format!(">{word}<"), format!(">{detail}<"));
        assert!(page.contains(&badge) && page.contains(&note), "{page}");
    }
}

#[tokio::test]
async fn targets_of_other_namespaces_are_only_counted() {
    let other = TargetSeen {
        address: "http://bank-1:9090/metrics".into(),
        labels: Labels::new([("namespace", "bank")]),
        ..up(1)
    };
    let router = with(vec![up(1), other]).await.tokens().router();
    for (token, sees) in [("shop", false), ("all", true)] {
        let (status, text) = page(&router, with_token(get("/sources"), token)).await;
        assert_eq!(status, 200);
        assert_eq!(text.contains("bank-1"), sees, "{text}");
        assert_eq!(
            text.contains("1 of namespaces that your token is not for"),
            !sees
        );
        assert!(text.contains("10.0.0.1:9090"));
    }
}
