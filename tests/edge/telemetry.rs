//! The metrics page and the traces.

use super::double::{Double, GOOD, NOW, app, call, get, plain, policy, post, verdict};
use rollout_judge::{
    domain::{
        Labels, MetricSource, Millis, NativeHistogram, PlannedQuery, ReadReport, SampleSink, Shape,
        SourceError, SourceKind, Window, ports::BoxFuture,
    },
    http::{Auth, Health, Limits, VerdictRequest},
    telemetry::{Measured, Metrics, OtlpOptions, Scraped, metrics::LIST, traces},
};
use std::{
    collections::HashMap,
    io::{Read, Write},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tracing_subscriber::layer::SubscriberExt;

struct Fake(bool);

impl MetricSource for Fake {
    fn kind(&self) -> SourceKind {
        SourceKind::Prometheus
    }
    fn name(&self) -> &'static str {
        if self.0 { "good" } else { "bad" }
    }
    fn replica_labels(&self) -> &[String] {
        &[]
    }
    fn read<'a>(
        &'a self,
        _: &'a PlannedQuery,
        _: Instant,
        _: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        Box::pin(async {
            if self.0 {
                Ok(ReadReport {
                    bytes: 42,
                    ..ReadReport::default()
                })
            } else {
                Err(SourceError::Timeout { name: "bad".into() })
            }
        })
    }
}

struct Nothing;
impl SampleSink for Nothing {
    fn restart(&mut self) {}
    fn series(&mut self, _: Labels) {}
    fn sample(&mut self, _: Millis, _: f64) {}
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {}
}

async fn filled() -> (String, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new(2));
    let query = PlannedQuery {
        text: "x".into(),
        extra_filters: vec![],
        shape: Shape::Raw { at: NOW },
        window: Window { start: 0, end: NOW },
    };
    for good in [true, false] {
        let source = Measured::new(Arc::new(Fake(good)), Arc::clone(&metrics));
        let _ = source.read(&query, Instant::now(), &mut Nothing).await;
    }
    for name in ["a", "b", "c"] {
        let body = GOOD.replace("checkout", name);
        metrics.verdict(
            &verdict(
                &VerdictRequest::read(body.as_bytes())
                    .unwrap()
                    .question(NOW)
                    .unwrap(),
            ),
            true,
            NOW,
        );
    }
    metrics.evaluated(Duration::from_millis(30));
    metrics.request("/v1/verdicts", 200);
    metrics.reloaded(true);
    metrics.reloaded(false);
    metrics.policies(3);
    metrics.deliveries("chat", "delivered", 1);
    metrics.write_back("remoteWrite", "written", 1);
    metrics.removed("verdicts", "size", 1);
    metrics.scraped("pods", "ok", Duration::from_millis(3));
    metrics.scrape_dropped("pods", "out-of-order", 1);
    metrics.scrape_discovered("pods", "kubernetes", true);
    metrics.scrape_standing("pods", Scraped::default());
    metrics.pending("chat", 2, Duration::from_secs(3));
    (metrics.render(NOW), metrics)
}

#[tokio::test]
async fn every_metric_is_listed_and_promtool_agrees() {
    let (page, _) = filled().await;
    for metric in LIST {
        assert!(
            page.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind)),
            "{} in\n{page}",
            metric.name
        );
        assert!(
            page.contains(&format!("# HELP {} {}\n", metric.name, metric.help)),
            "{}",
            metric.name
        );
    }
    let types = page.lines().filter(|l| l.starts_with("# TYPE")).count();
    assert_eq!(types, LIST.len(), "{page}");
    let Ok(mut child) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        return;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.trim().is_empty(),
        "{said}\n{page}"
    );
}

#[tokio::test]
async fn gauges_of_rollouts_are_bounded_and_forgotten() {
    let (page, metrics) = filled().await;
    assert!(page.contains(r#"rollout_judge_objective_value{namespace="shop",rollout="a",objective="error-rate",track="canary"} 0.001"#), "{page}");
    assert!(page.contains(r#"rollout_judge_objective_log_e{namespace="shop",rollout="b",objective="error-rate",side="pass"} 4.1"#));
    assert!(!page.contains(r#"rollout="c""#));
    assert!(page.contains("rollout_judge_metrics_rollouts_dropped_total 1\n"));
    assert!(!page.contains("NaN") && !page.contains("inf\n"));
    let later = metrics.render(NOW + 3_600_000);
    assert!(!later.contains("rollout_judge_objective_value{"));
    assert!(
        page.contains(r#"rollout_judge_source_errors_total{source="bad",kind="timeout"} 1"#),
        "{page}"
    );
    assert!(page.contains(r#"rollout_judge_source_bytes_total{source="good"} 42"#));
    assert!(
        page.contains(r#"rollout_judge_verdicts_total{policy="http-service",outcome="pass"} 3"#)
    );
}

#[tokio::test]
async fn answers_that_were_kept_or_shared_are_no_evaluations() {
    for known in [false, true] {
        let double = Double {
            known,
            ..Double::default()
        };
        let (router, _) = app(double, Auth::open(), Limits::default()).await;
        for _ in 0..2 {
            call(router.clone(), post("/v1/verdicts", GOOD)).await;
        }
        let (_, page) = call(router, get("/metrics")).await;
        let page = String::from_utf8(page).unwrap();
        let counted = |name: &str| {
            let line = page.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
                .unwrap_or(0)
        };
        let expected = if known { 0 } else { 2 };
        assert_eq!(
            counted("rollout_judge_evaluation_seconds_count"),
            expected,
            "{page}"
        );
        assert_eq!(counted("rollout_judge_verdicts_total"), expected, "{page}");
        assert!(page.contains("rollout_judge_objective_value{"), "{page}");
    }
}

#[tokio::test]
async fn the_page_counts_calls_by_route() {
    let (router, health) = app(Double::default(), Auth::open(), Limits::default()).await;
    call(router.clone(), post("/v1/verdicts", GOOD)).await;
    call(router.clone(), get("/v1/policies/made-up-name")).await;
    call(router.clone(), get("/made-up-path")).await;
    let sources: Vec<Arc<dyn MetricSource>> = vec![Arc::new(Fake(true)), Arc::new(Fake(false))];
    health
        .probe(&sources, &rollout_judge::domain::ManualClock::at(NOW))
        .await;
    let (_, ready) = call(router.clone(), get("/readyz")).await;
    let ready: serde_json::Value = serde_json::from_slice(&ready).unwrap();
    assert_eq!(
        (
            &ready["ready"],
            &ready["sources"]["good"]["up"],
            &ready["sources"]["bad"]["up"]
        ),
        (&true.into(), &true.into(), &false.into())
    );
    let (head, page) = call(router, get("/metrics")).await;
    let page = String::from_utf8(page).unwrap();
    assert!(
        head.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(
        page.contains(r#"rollout_judge_http_requests_total{path="/v1/verdicts",status="200"} 1"#),
        "{page}"
    );
    assert!(
        page.contains(r#"{path="/v1/policies/{name}",status="404"} 1"#),
        "{page}"
    );
    assert!(
        page.contains(r#"{path="other",status="404"} 1"#) && !page.contains("made-up"),
        "{page}"
    );
    assert!(page.contains("rollout_judge_policies 1\n"));
    let _ = (policy(), Health::default());
}

/// Hears calls on one connection, and answers each.
fn collect(mut stream: std::net::TcpStream, told: &std::sync::mpsc::Sender<String>) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&seen).to_lowercase();
        let length = text.split_once("\r\n\r\n").map(|(head, _)| {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
            head.len() + 4 + length
        });
        if length.is_some_and(|length| seen.len() >= length) {
            told.send(String::from_utf8_lossy(&seen).into_owned())
                .unwrap();
            seen.clear();
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            continue;
        }
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
}

#[test]
fn spans_reach_a_collector() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // as many calls as it takes: a busy machine may send its spans one after the other
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let told = told.clone();
            std::thread::spawn(move || collect(stream.unwrap(), &told));
        }
    });
    let options = OtlpOptions {
        endpoint: format!("http://{address}"),
        headers: HashMap::from([("x-tenant".to_owned(), "shop".to_owned())]),
        timeout: Duration::from_secs(5),
        sample: 1.0,
        service_name: "rollout-judge".into(),
    };
    let provider = traces::provider(&options).unwrap();
    let subscriber = tracing_subscriber::registry().with(traces::layer(&provider));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("a-span-of-ours").in_scope(|| ());
        // what a caller began goes on; its identifiers are sent as bytes
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let router = plain().await;
            for parent in [
                "00-6162636465666768696a6b6c6d6e6f70-7172737475767778-01",
                "00-00000000000000000000000000000000-7172737475767778-01",
                "nonsense",
                "",
            ] {
                let mut request = get("/healthz");
                let headers = request.headers_mut();
                headers.insert("traceparent", parent.parse().unwrap());
                call(router.clone(), request).await;
            }
        });
    });
    // it returns once the collector has answered
    provider.shutdown().unwrap();
    let seen: String = heard.try_iter().collect();
    assert!(seen.starts_with("POST /v1/traces HTTP/1.1"), "{seen}");
    assert!(seen.to_lowercase().contains("x-tenant: shop"));
    assert!(seen.contains("a-span-of-ours") && seen.contains("rollout-judge"));
    assert_eq!(seen.matches("abcdefghijklmnop").count(), 1);
    assert_eq!(seen.matches("qrstuvwx").count(), 1);
    assert_eq!(seen.matches("GET /healthz").count(), 4);
}
