//! Against the real programs, where they are installed; otherwise each test says that it was skipped.

use crate::{ask, settings};
use rollout_judge::{
    config::{
        secrets::Secret,
        source::{Auth, Basic, ClientCertificate, Kind, SourceSettings},
    },
    domain::{PlannedQuery, RolloutRef, Shape, SourceKind, Track, Window},
    query::{Arms, Binding, Planner, Scope, Tracks},
    source,
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Hostile and long, as a label's value may be.
const ODD: &str = "a\"b\\c\nd{}|.*é😀<&>$";
/// `pass-word`, as Prometheus wants it.
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuudBIGi88QUaH8UOst3i3n1jdKYDf0WW";
/// Between two samples, in milliseconds.
const STEP: i64 = 10_000;

pub struct Database {
    child: Child,
    pub url: String,
    _dir: TempDir,
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub fn installed(program: &str) -> bool {
    let there = Path::new("/usr/bin").join(program).exists();
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

pub fn spawn(dir: TempDir, program: &str, port: u16, arguments: &[String]) -> Database {
    let child = Command::new(program)
        .args(arguments)
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Database {
        child,
        url: format!("http://127.0.0.1:{port}"),
        _dir: dir,
    }
}

pub async fn until_it_answers(settings: &SourceSettings, now: i64) {
    let source = source::build("default", settings).unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let until = Instant::now() + Duration::from_secs(1);
        match source::probe(&*source, now, until).await {
            Ok(()) => return,
            Err(error) if Instant::now() > patience => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// A whole minute, `ago` before now, in milliseconds.
fn moment(ago: Duration) -> i64 {
    use rollout_judge::domain::{Clock, SystemClock};
    (SystemClock.now() - ago.as_millis() as i64) / 60_000 * 60_000
}

/// The six series of the tests: `(labels, samples)`; value `i` at `end - (29 - i) * STEP`.
fn series() -> Vec<(Vec<(&'static str, String)>, f64)> {
    let mut out = Vec::new();
    for (hash, slope) in [("7d9f", 1.5), ("5c4b", 1e6), ("dead", 1.0)] {
        for namespace in ["shop", "other"] {
            let labels = vec![
                ("namespace", namespace.to_owned()),
                ("hash", hash.to_owned()),
                ("odd", ODD.to_owned()),
                ("long", "x".repeat(1000)),
            ];
            out.push((labels, slope));
        }
    }
    out
}

async fn victoria_metrics(end: i64) -> (Database, SourceSettings) {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let arguments = [
        format!("-httpListenAddr=127.0.0.1:{port}"),
        format!("-storageDataPath={}", dir.path().join("data").display()),
        "-retentionPeriod=10y".to_owned(),
    ];
    let database = spawn(dir, "victoria-metrics", port, &arguments);
    let settings = settings(&database.url);
    until_it_answers(&settings, end).await;
    let mut lines = String::new();
    for (labels, slope) in series() {
        let mut metric = serde_json::Map::new();
        metric.insert("__name__".into(), "hits_total".into());
        metric.extend(labels.into_iter().map(|(n, v)| (n.to_owned(), v.into())));
        let values: Vec<f64> = (0..30).map(|i| f64::from(i) * slope).collect();
        let times: Vec<i64> = (0..30).map(|i| end - (29 - i) * STEP).collect();
        let line = serde_json::json!({"metric": metric, "values": values, "timestamps": times});
        writeln!(lines, "{line}").unwrap();
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let import = format!("{}/api/v1/import", database.url);
    let answer = client.post(import).body(lines).send().await.unwrap();
    assert!(answer.status().is_success());
    let flush = format!("{}/internal/force_flush", database.url);
    client.get(flush).send().await.unwrap();
    (database, settings)
}

/// TLS with a client certificate and a password: what of it is asked for is told by Prometheus' own web configuration.
#[tokio::test]
async fn prometheus_behind_tls() {
    if !(installed("prometheus") && installed("openssl")) {
        return;
    }
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let at = |name: &str| dir.path().join(name);
    certificates(dir.path());
    let web = format!(
        "tls_server_config: {{ cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert }}\nbasic_auth_users: {{ judge: '{BCRYPT}' }}\n"
    );
    std::fs::write(at("web.yml"), web).unwrap();
    std::fs::write(at("prometheus.yml"), "global: {}\n").unwrap();
    std::fs::write(at("password"), "pass-word\n").unwrap();
    let arguments = [
        format!("--config.file={}", at("prometheus.yml").display()),
        format!("--web.config.file={}", at("web.yml").display()),
        format!("--storage.tsdb.path={}", at("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let (ca, cert, key, password) = (
        at("ca.pem"),
        at("client.pem"),
        at("client.key"),
        at("password"),
    );
    let _database = spawn(dir, "prometheus", port, &arguments);
    let mut right = SourceSettings::new(Kind::Prometheus, format!("https://127.0.0.1:{port}"));
    right.ca = Some(ca.clone());
    right.client_certificate = Some(ClientCertificate { cert, key });
    right.auth = Some(Auth::Basic(Basic {
        username: "judge".into(),
        password: Secret::File(password),
    }));
    until_it_answers(&right, 0).await;

    let says = async |settings: &SourceSettings| {
        let until = Instant::now() + Duration::from_secs(3);
        let source = source::build("default", settings).unwrap();
        source::probe(&*source, 0, until)
            .await
            .unwrap_err()
            .to_string()
    };
    let mut wrong = right.clone();
    wrong.auth = None;
    assert!(says(&wrong).await.contains("401"));
    let mut wrong = right.clone();
    wrong.client_certificate = None;
    assert!(says(&wrong).await.contains("cannot be reached"));
    let mut wrong = right.clone();
    wrong.ca = None;
    let error = says(&wrong).await;
    assert!(error.contains("certificate"), "{error}");
    wrong.ca = Some("/nowhere".into());
    assert!(source::build("default", &wrong).is_err());
}

/// An authority, a server of 127.0.0.1 and a client, made in `dir`.
pub fn certificates(dir: &Path) {
    let run = |arguments: &str| {
        let made = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    };
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    run(&format!(
        "{new} -subj /CN=authority -keyout ca.key -out ca.pem"
    ));
    for (name, usage) in [("server", "serverAuth"), ("client", "clientAuth")] {
        run(&format!(
            "{new} -CA ca.pem -CAkey ca.key -subj /CN={name} -keyout {name}.key -out {name}.pem -addext subjectAltName=IP:127.0.0.1 -addext extendedKeyUsage={usage} -addext basicConstraints=critical,CA:FALSE"
        ));
    }
}

async fn prometheus(end: i64) -> (Database, SourceSettings) {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let data = dir.path().join("data");
    let mut text = "# TYPE hits counter\n".to_owned();
    for (labels, slope) in series() {
        let labels: Vec<String> = labels
            .iter()
            .map(|(n, v)| {
                let v = v
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                format!("{n}=\"{v}\"")
            })
            .collect();
        let labels = labels.join(",");
        for i in 0..30 {
            let at = (end - (29 - i) * STEP) as f64 / 1000.0;
            let value = i as f64 * slope;
            writeln!(text, "hits_total{{{labels}}} {value} {at}").unwrap();
        }
    }
    text.push_str("# EOF\n");
    let metrics = dir.path().join("metrics.txt");
    std::fs::write(&metrics, text).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&metrics, &data])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let config = dir.path().join("prometheus.yml");
    std::fs::write(&config, "global: { scrape_interval: 1h }\n").unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        "--storage.tsdb.retention.time=100d".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let database = spawn(dir, "prometheus", port, &arguments);
    let settings = SourceSettings::new(Kind::Prometheus, &database.url);
    until_it_answers(&settings, end).await;
    (database, settings)
}

fn rollout() -> RolloutRef {
    RolloutRef {
        namespace: "shop".into(),
        name: ODD.into(),
        canary_hash: "7d9f".into(),
        stable_hash: "5c4b".into(),
    }
}

/// Everything that holds for both databases.
async fn both_arms(settings: &SourceSettings, kind: SourceKind, end: i64) {
    let (rollout, params) = (
        rollout(),
        BTreeMap::from([("long".into(), "x".repeat(1000))]),
    );
    let tracks = Tracks::Label("hash".into());
    let scope = Scope::parse(&tracks, Some(r#"{namespace="$namespace", odd="$rollout"}"#)).unwrap();
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, kind);
    let window = Window {
        start: end - 6 * STEP,
        end,
    };
    let planned = planner.raw(r#"hits_total{long=~"$long"}"#, window).unwrap();
    assert_eq!(planned.len(), 1);
    let (arms, query) = &planned[0];
    assert_eq!(*arms, Arms::Both);
    let (answer, kept) = ask(settings, query).await;
    let report = answer.unwrap();
    assert_eq!(
        (report.series, report.samples, report.partial),
        (2, 12, false)
    );
    for (labels, samples) in &kept.series {
        assert_eq!(labels.get("odd"), Some(ODD));
        assert_eq!(labels.get("__name__"), Some("hits_total"));
        let slope = match labels.get("hash") {
            Some("7d9f") => 1.5,
            Some("5c4b") => 1e6,
            other => panic!("{other:?}"),
        };
        // the sample on the left edge is not in, the one on the right edge is
        let expected: Vec<(i64, f64)> = (24..30)
            .map(|i| (end - (29 - i) * STEP, i as f64 * slope))
            .collect();
        assert_eq!(samples, &expected);
    }

    // the same odd value inside a regular expression stands for itself
    let narrow = Scope::parse(&tracks, Some(r#"{namespace="$namespace"}"#)).unwrap();
    let odd = Planner::new(&narrow, binding, kind)
        .raw(r#"hits_total{odd=~"$rollout"}"#, window)
        .unwrap();
    let (answer, _) = ask(settings, &odd[0].1).await;
    assert_eq!(answer.map(|r| r.series), Ok(2));

    let start = end - 5 * STEP;
    let query = planner
        .presence("hits_total", Track::Canary, start, end, STEP)
        .unwrap();
    let (answer, kept) = ask(settings, &query).await;
    answer.unwrap();
    assert_eq!(kept.series.len(), 1);
    let ones: Vec<(i64, f64)> = (0..6).map(|i| (start + i * STEP, 1.0)).collect();
    assert_eq!(kept.series[0].1, ones);

    let text =
        r#"sum(rate(hits_total{$track}[1m])) / sum(rate(hits_total{odd="$rollout",$track}[1m]))"#;
    let query = planner
        .expression(text, false, Track::Stable, start, end, STEP)
        .unwrap();
    let (answer, kept) = ask(settings, &query).await;
    answer.unwrap();
    assert!(kept.series[0].1.iter().all(|(_, v)| *v == 1.0));

    let broken = PlannedQuery {
        text: "sum(".to_owned(),
        ..query
    };
    let error = ask(settings, &broken).await.0.unwrap_err().to_string();
    assert!(error.contains("refused the query: 4"), "{error}");
}

#[tokio::test]
async fn victoria_metrics_answers() {
    if !installed("victoria-metrics") {
        return;
    }
    let end = moment(Duration::from_hours(24));
    let (_database, settings) = victoria_metrics(end).await;
    both_arms(&settings, SourceKind::VictoriaMetrics, end).await;
    opaque(&settings, end).await;
}

/// MetricsQL that our parser does not know is scoped by `extra_filters[]`.
async fn opaque(settings: &SourceSettings, end: i64) {
    let (rollout, params) = (rollout(), BTreeMap::new());
    let tracks = Tracks::Label("hash".into());
    let scope = Scope::parse(&tracks, Some(r#"{namespace="$namespace", odd="$rollout"}"#)).unwrap();
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, SourceKind::VictoriaMetrics);
    let text = "count(last_over_time(hits_total{$track}[1m])) default 7";
    let query = planner
        .expression(text, true, Track::Canary, end - STEP, end, STEP)
        .unwrap();
    let (answer, kept) = ask(settings, &query).await;
    answer.unwrap();
    assert_eq!(kept.series[0].1, [(end - STEP, 1.0), (end, 1.0)]);
}

/// Raw samples are there at once: `-search.latencyOffset` (30 s) does not hold them back.
#[tokio::test]
async fn victoria_metrics_holds_nothing_back() {
    if !installed("victoria-metrics") {
        return;
    }
    let end = moment(Duration::ZERO);
    let (_database, settings) = victoria_metrics(end).await;
    let window = Window {
        start: end - 3 * STEP,
        end,
    };
    let query = PlannedQuery {
        text: "hits_total[30000ms]".to_owned(),
        extra_filters: vec![r#"{hash="7d9f",namespace="shop"}"#.to_owned()],
        shape: Shape::Raw { at: end },
        window,
    };
    let (answer, kept) = ask(&settings, &query).await;
    answer.unwrap();
    let times: Vec<i64> = kept.series[0].1.iter().map(|s| s.0).collect();
    assert_eq!(times, [end - 2 * STEP, end - STEP, end]);
}

#[tokio::test]
async fn prometheus_answers() {
    if !(installed("prometheus") && installed("promtool")) {
        return;
    }
    let end = moment(Duration::from_hours(24));
    let (_database, settings) = prometheus(end).await;
    both_arms(&settings, SourceKind::Prometheus, end).await;
}
