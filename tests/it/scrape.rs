//! The service's own scraper against a real Prometheus: both scrape the same pods every second, and each feeds a service of
//! its own. The same policy is asked the same questions of both, a healthy and a harmful canary.
//!
//! What is compared, at the same `at` and `since`: the outcome and the code of every objective, the action, and that each
//! measured value agrees within 10 %: the two scrape at different moments of a second, so a block of five seconds holds up to
//! a fifth more or less of its requests at each end, errors and requests alike.

use crate::support::{
    prometheus::Prometheus,
    service::{Service, Setup},
};
use rollout_judge::domain::{Clock, SystemClock};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const POLICY: &str = r#"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: shop }
spec:
  match: '{app="shop"}'
  block: 5s
  lag: 16s
  lookBack: 15s
  warmUp: 5s
  minBlocks: 4
  steps: [{ weight: 50, minDuration: 5s }, { weight: 100 }]
  objectives:
    - name: error-rate
      errorRatio:
        errors: http_requests_total{code=~"5.."}
        total: http_requests_total
    - name: p99-latency
      latencyQuantile:
        histogram: http_request_duration_seconds_bucket
        quantile: 0.9
"#;

/// The pods of the test: two of stable, two of each canary.
fn pods(begun: Instant) -> Vec<Value> {
    let mut groups = Vec::new();
    for (hash, kind, seed) in [("stable", WELL, 7), ("well", WELL, 77), ("ill", ILL, 777)] {
        for i in 0..2 {
            let address = serve(Pod::new(begun, seed + 1000 * i, kind));
            groups.push(json!({
                "targets": [address],
                "labels": {"app": "shop", "pod": format!("{hash}-{i}"), "rollouts_pod_template_hash": hash},
            }));
        }
    }
    groups
}

/// Upper edges of the histogram, in seconds.
const EDGES: [&str; 5] = ["0.1", "0.2", "0.4", "0.8", "+Inf"];
/// Slots of a tenth of a second for which the pods have requests.
const SLOTS: usize = 6000;

/// What a pod does: requests a second, share of errors, share of requests by bucket.
#[derive(Clone, Copy)]
struct Kind {
    errors: f64,
    slow: f64,
}

const WELL: Kind = Kind {
    errors: 0.01,
    slow: 0.05,
};
const ILL: Kind = Kind {
    errors: 0.08,
    slow: 0.3,
};

/// A pod whose counters are a function of time alone, so that whoever looks sees the same pod.
struct Pod {
    begun: Instant,
    /// Good requests, errors, and the buckets (not cumulative), so far, for each slot.
    so_far: Vec<[u64; 7]>,
}

impl Pod {
    fn new(begun: Instant, seed: u64, kind: Kind) -> Self {
        let mut state = seed;
        let mut chance = move || {
            // xorshift: any sequence that is not regular will do
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut sum = [0; 7];
        let so_far = (0..SLOTS)
            .map(|_| {
                for _ in 0..30 {
                    sum[usize::from(chance() < kind.errors)] += 1;
                    let slow = chance() < kind.slow;
                    let bucket = match (slow, chance()) {
                        (false, x) if x < 0.7 => 0,
                        (false, _) => 1,
                        (true, x) if x < 0.6 => 2,
                        (true, x) if x < 0.95 => 3,
                        _ => 4,
                    };
                    sum[2 + bucket] += 1;
                }
                sum
            })
            .collect();
        Self { begun, so_far }
    }

    fn page(&self) -> String {
        let slot = (self.begun.elapsed().as_millis() / 100) as usize;
        let now = self.so_far[slot.min(SLOTS - 1)];
        let mut text = "# TYPE http_requests_total counter\n".to_owned();
        for (code, count) in [("200", now[0]), ("503", now[1])] {
            writeln!(text, "http_requests_total{{code=\"{code}\"}} {count}").unwrap();
        }
        text.push_str("# TYPE http_request_duration_seconds histogram\n");
        let mut sum = 0;
        for (edge, count) in EDGES.iter().zip(&now[2..]) {
            sum += count;
            writeln!(
                text,
                "http_request_duration_seconds_bucket{{le=\"{edge}\"}} {sum}"
            )
            .unwrap();
        }
        writeln!(
            text,
            "http_request_duration_seconds_sum {}",
            sum as f64 * 0.1
        )
        .unwrap();
        writeln!(text, "http_request_duration_seconds_count {sum}").unwrap();
        text
    }
}

/// Serves a pod on a free port for as long as the tests run.
fn serve(pod: Pod) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let pod = Arc::new(pod);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pod = Arc::clone(&pod);
            thread::spawn(move || converse(&stream, &pod));
        }
    });
    address
}

/// Answers every request of one connection.
fn converse(mut stream: &TcpStream, pod: &Pod) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            let page = pod.page();
            let sent = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            );
            if sent.is_err() {
                return;
            }
        }
    }
}

fn now() -> f64 {
    SystemClock.now() as f64 / 1000.0
}

/// Outcome, codes and action: what must be the same.
fn said(answer: &Value) -> Value {
    let objectives: Vec<Value> = answer["objectives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["name"], one["outcome"], one["code"]]))
        .collect();
    json!({"verdict": answer["verdict"], "action": answer["action"], "objectives": objectives})
}

fn ask(service: &Service, canary: &str, since: f64, at: f64) -> Value {
    let answer = service.ask(&json!({
        "policy": "shop", "namespace": "shop", "rollout": format!("shop-{canary}"),
        "canaryHash": canary, "stableHash": "stable", "weight": "50",
        "since": since.to_string(), "stepSince": since.to_string(), "at": at.to_string(),
    }));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn the_same_verdicts_as_prometheus() {
    let groups = pods(Instant::now());
    let prometheus = Prometheus::scraping(&json!({
        "scrape_configs": [{"job_name": "shop", "scrape_interval": "1s", "static_configs": groups}],
    }));
    let scraping =
        json!({"kind": "scrape", "jobName": "shop", "scrapeInterval": "1s", "static": groups});
    let setup = Setup::default().policy_text("shop", POLICY);
    let theirs = setup
        .clone()
        .source("default", "prometheus", &prometheus.url())
        .start();
    let ours = setup.source_with("default", scraping).start();
    // stable has been watched for long enough to look back
    let since = now().floor() + 22.0;
    let end = Instant::now() + Duration::from_mins(4);
    let mut decided: Vec<(&str, Value)> = Vec::new();
    let mut at = since + 40.0;
    while decided.len() < 2 {
        assert!(Instant::now() < end, "nothing was decided: {decided:?}");
        while now() < at {
            thread::sleep(Duration::from_millis(100));
        }
        for (canary, expected) in [("well", "pass"), ("ill", "fail")] {
            if decided.iter().any(|(name, _)| *name == canary) {
                continue;
            }
            let [a, b] = [&theirs, &ours].map(|service| ask(service, canary, since, at));
            // both have decided: near the boundary one may be a block ahead of the other
            if [&a, &b]
                .iter()
                .any(|answer| answer["verdict"] == "inconclusive")
            {
                continue;
            }
            assert_eq!(a["verdict"], expected, "{a:#}\n{b:#}");
            assert_eq!(said(&a), said(&b), "{a:#}\n{b:#}");
            assert_eq!(a["window"], b["window"]);
            for (x, y) in a["objectives"]
                .as_array()
                .unwrap()
                .iter()
                .zip(b["objectives"].as_array().unwrap())
            {
                for arm in ["canary", "stable"] {
                    let [x, y] = [x, y].map(|one| one[arm]["value"].as_f64().unwrap());
                    assert!(
                        (x - y).abs() <= 0.1 * x.max(y),
                        "{canary} {arm}: {x} and {y}"
                    );
                }
                assert_eq!(x["canary"]["series"], y["canary"]["series"]);
            }
            decided.push((canary, b));
        }
        at += 5.0;
    }
    for (_, answer) in &decided {
        let warnings = answer["warnings"].to_string();
        assert!(!warnings.contains("gives no samples"), "{warnings}");
        // five minutes before the look-back are read for baselines, and memory does not reach so far
        assert!(
            warnings.contains("source `default` scrapes since "),
            "{warnings}"
        );
    }
    // where nothing is found of a canary, the verdict says what it was looked for in
    let answer = ours.ask(&json!({
        "policy": "shop", "namespace": "shop", "rollout": "none", "canaryHash": "none", "stableHash": "stable",
    }));
    let warnings = answer.json()["warnings"].to_string();
    assert!(
        warnings.contains("source `default` scrapes since "),
        "{warnings}"
    );
}

#[test]
fn check_scrapes_for_itself() {
    let folder = TempDir::with_prefix("rollout-judge").unwrap();
    let mut groups = pods(Instant::now());
    groups.push(json!({"targets": ["127.0.0.1:1"], "labels": {"app": "shop", "rollouts_pod_template_hash": "stable"}}));
    let scraping = json!({"kind": "scrape", "scrapeInterval": "1s", "static": groups});
    let config = json!({"sources": {"default": scraping}, "policies": {"paths": ["."]}});
    let at = |name: &str| folder.path().join(name);
    fs::write(at("config.yaml"), config.to_string()).unwrap();
    fs::write(at("policy.yaml"), POLICY).unwrap();
    let check = |canary: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_rollout-judge"))
            .args([
                "check",
                "--source-kind",
                "scrape",
                "--output",
                "json",
                "--source",
            ])
            .arg(at("config.yaml"))
            .args(["--namespace", "shop", "--rollout", "shop"])
            .args(["--canary-hash", canary, "--stable-hash", "stable"])
            .arg(at("policy.yaml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let report: Value =
            serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{said}"));
        (out.status.code(), report)
    };
    let (code, report) = check("well");
    assert_eq!(code, Some(0), "{report:#}");
    let selectors = report["files"][0]["selectors"].as_array().unwrap();
    assert_eq!(selectors.len(), 3);
    // the first are the errors, and a service may have none
    assert!(
        report["files"][0]["selectors"][0]["errors"] == json!([]),
        "{report:#}"
    );
    for found in &selectors[1..] {
        assert!(
            found["canarySeries"].as_u64() >= Some(4) && found["stableSeries"].as_u64() >= Some(4),
            "{found:#}"
        );
        assert!(found["scrapeSeconds"].as_f64() > Some(0.5), "{found:#}");
        let warnings = found["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{found:#}");
        let told = "target `http://127.0.0.1:1/metrics` of source `default` gives no samples: its last scrape failed (unreachable)";
        assert_eq!(warnings[0], told);
    }
    let (code, report) = check("none");
    assert_eq!(code, Some(1), "{report:#}");
}
