//! The source that scrapes: against targets that misbehave, lists of targets that change, and an API server over TLS.

use crate::{
    Kept,
    real::certificates,
    scripted::{Piece, Reply, Scripted, Seen},
};
use rollout_judge::{
    config::{
        scrape::{DiscoverySettings, PodPort, PodSettings, ScrapeSettings, StaticTargets},
        secrets::Secret,
        source::Auth,
        units::{HumanBytes, HumanDuration},
    },
    domain::{Clock, MetricSource, Millis, PlannedQuery, ReadReport, Shape, SystemClock, Window},
    source::{
        self,
        scrape::{Scraper, Silent, Standing, Tally},
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Long enough for a busy machine; nothing is asserted about time.
const PATIENCE: Duration = Duration::from_mins(1);

fn quick() -> ScrapeSettings {
    ScrapeSettings {
        scrape_interval: HumanDuration(Duration::from_millis(200)),
        discovery: DiscoverySettings {
            refresh_interval: HumanDuration(Duration::from_millis(100)),
            ..DiscoverySettings::default()
        },
        ..ScrapeSettings::default()
    }
}

fn group(address: &str, pod: &str) -> StaticTargets {
    StaticTargets {
        targets: vec![address.to_owned()],
        labels: BTreeMap::from([("pod".to_owned(), pod.to_owned())]),
    }
}

fn start(settings: &ScrapeSettings) -> Scraper {
    Scraper::start("pods", settings, Arc::new(SystemClock), Arc::new(Silent)).unwrap()
}

/// The raw samples of the last minutes.
async fn raw(scraper: &Scraper, selector: &str) -> (ReadReport, Kept) {
    let end = SystemClock.now();
    let query = PlannedQuery {
        text: format!("{selector}[600000ms]"),
        extra_filters: Vec::new(),
        shape: Shape::Raw { at: end },
        window: Window {
            start: end - 600_000,
            end,
        },
    };
    let mut kept = Kept::default();
    let until = Instant::now() + PATIENCE;
    let report = scraper.read(&query, until, &mut kept).await.unwrap();
    (report, kept)
}

/// Series of a selector, by pod, with their values.
async fn by_pod(scraper: &Scraper, selector: &str) -> BTreeMap<String, Vec<f64>> {
    let (_, kept) = raw(scraper, selector).await;
    let values = |samples: &[(Millis, f64)]| samples.iter().map(|(_, value)| *value).collect();
    kept.series
        .iter()
        .map(|(labels, samples)| {
            (
                labels.get("pod").unwrap_or_default().to_owned(),
                values(samples),
            )
        })
        .collect()
}

/// Waits until something is so.
async fn eventually(what: &str, so: impl AsyncFn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Default)]
struct Results(Mutex<BTreeMap<&'static str, u64>>, Mutex<Standing>);

impl Tally for Results {
    fn scraped(&self, _: &str, result: &'static str, _: Duration) {
        *self.0.lock().unwrap().entry(result).or_default() += 1;
    }
    fn dropped(&self, _: &str, reason: &'static str, count: u64) {
        *self.0.lock().unwrap().entry(reason).or_default() += count;
    }
    fn discovered(&self, _: &str, _: &'static str, _: bool) {}
    fn standing(&self, _: &str, standing: Standing) {
        *self.1.lock().unwrap() = standing;
    }
}

/// Ten thousand targets of bad manners would not be worse than these.
#[tokio::test(flavor = "multi_thread")]
async fn it_says_how_often_it_scrapes() {
    // blocks close by this where no samples of before the canary tell it
    let settings = quick();
    let every = settings.scrape_interval.0.as_millis() as i64;
    assert_eq!(start(&settings).scrape_interval(), Some(every));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_target_hurts_another() {
    let gigabyte = bytes::Bytes::from("m 1\n".repeat(1 << 18));
    let server = Scripted::start(move |seen| match seen.path.as_str() {
        "/good" => Reply::new(200, format!("# TYPE m counter\nm {}\n", seen.count)),
        "/hang" => Reply::hang(),
        "/error" => Reply::new(500, "no"),
        "/moved" => Reply::new(302, "").header("location", "/good"),
        "/reset" => Reply::reset(),
        "/html" => Reply::new(200, "<html><body>m 1</body></html>\n"),
        "/binary" => Reply::new(200, vec![0_u8, 159, 146, 150, b'\n', 7]),
        "/cut" => Reply::new(200, "m{pod=\"x"),
        "/many" => Reply::new(
            200,
            (0..200).fold(String::new(), |text, i| {
                text + &format!("m{{i=\"{i}\"}} 1\n")
            }),
        ),
        "/drip" => {
            let mut bytes = b"m 1\nm 2\n".iter().cycle();
            let mut wait = false;
            Reply::stream(move || {
                wait = !wait;
                Some(if wait {
                    Piece::Wait(Duration::from_millis(30))
                } else {
                    Piece::Bytes(vec![*bytes.next().unwrap()].into())
                })
            })
        }
        "/gigabyte" => {
            let (chunk, mut left) = (gigabyte.clone(), 1024);
            Reply::stream(move || {
                left -= 1;
                (left > 0).then(|| Piece::Bytes(chunk.clone()))
            })
        }
        "/endless" => Reply::stream(|| Some(Piece::Bytes(vec![b'x'; 1 << 16].into()))),
        _ => Reply::new(404, ""),
    })
    .await;
    let bad = [
        "hang", "error", "moved", "reset", "html", "binary", "cut", "many", "drip", "gigabyte",
        "endless", "none",
    ];
    let mut settings = quick();
    settings.sample_limit = 100;
    settings.targets = bad
        .iter()
        .chain(&["good"])
        .map(|path| group(&format!("{}/{path}", server.url()), path))
        .collect();
    let tally = Arc::new(Results::default());
    let scraper = Scraper::start("pods", &settings, Arc::new(SystemClock), tally.clone()).unwrap();
    eventually("everything was scraped, and the good one often", || async {
        let up = by_pod(&scraper, "up").await;
        up.len() == 13 && up["good"].len() >= 10 && bad.iter().all(|pod| up[*pod].len() >= 2)
    })
    .await;
    let up = by_pod(&scraper, "up").await;
    for (pod, values) in &up {
        let expected = f64::from(u8::from(pod == "good"));
        assert!(values.iter().all(|up| *up == expected), "{pod}: {values:?}");
    }
    // nothing of a scrape that was not whole is kept
    let m = by_pod(&scraper, "m").await;
    assert_eq!(m.keys().collect::<Vec<_>>(), ["good"]);
    let rising = m["good"].windows(2).all(|pair| pair[0] < pair[1]);
    assert!(rising, "{m:?}");
    let results = tally.0.lock().unwrap().clone();
    let seen: BTreeSet<&str> = results.keys().copied().collect();
    assert_eq!(
        seen,
        BTreeSet::from([
            "malformed",
            "ok",
            "refused",
            "status",
            "timeout",
            "unreachable"
        ])
    );
    // each target says how it stands
    let seen = scraper.targets().unwrap();
    assert_eq!(seen.len(), 13);
    for one in &seen {
        let pod = one.labels.get("pod").unwrap();
        let good = pod == "good";
        assert_eq!(one.up, Some(good), "{one:?}");
        assert!(one.at.is_some() && one.took > Duration::ZERO, "{one:?}");
        assert_eq!(
            (one.samples > 0, one.error.is_none()),
            (good, good),
            "{one:?}"
        );
        // `up` and its like are series too
        assert_eq!(one.series, if good { 4 } else { 3 }, "{one:?}");
        assert!(one.address.ends_with(&format!("/{pod}")), "{one:?}");
    }
    let many = seen
        .iter()
        .find(|one| one.labels.get("pod") == Some("many"))
        .unwrap();
    let (_, word, detail) = many.error.clone().unwrap();
    assert_eq!(
        (word, detail.as_str()),
        ("refused", "more than 100 samples (`sampleLimit`)")
    );
    // the health, and the verdict's warnings, name a target that is refused by a limit
    let health = source::probe(&scraper, SystemClock.now(), Instant::now() + PATIENCE).await;
    let health = health.unwrap_err().to_string();
    assert!(
        health.starts_with("metric source `pods`: 12 of 13 targets give no samples: ")
            && health.contains("Limit`"),
        "{health}"
    );
    // who may not see a target's namespace reads this too
    assert!(!health.contains(server.url()), "{health}");
    let problem = scraper.problem().unwrap();
    assert!(problem.contains(server.url()), "{problem}");
    let (report, _) = raw(&scraper, r#"m{pod="many"}"#).await;
    let told = format!(
        "{}/many` of source `pods` gives no samples: its scrape is refused as a whole: more than 100 samples (`sampleLimit`)",
        server.url()
    );
    assert!(
        report.warnings.iter().any(|w| w.ends_with(&told)),
        "{:?}",
        report.warnings
    );
    // neither those with another value of a label, nor those without a label that others have
    let mut mixed = quick();
    mixed.targets = vec![
        group(&format!("{}/good", server.url()), "good"),
        StaticTargets {
            targets: vec!["127.0.0.1:1".to_owned()],
            labels: BTreeMap::new(),
        },
    ];
    let other = start(&mixed);
    eventually("both were scraped", || async {
        other.targets().unwrap().iter().all(|one| one.up.is_some())
    })
    .await;
    for (selector, told) in [(r#"m{pod="good"}"#, false), (r#"m{code="200"}"#, true)] {
        let (report, _) = raw(&other, selector).await;
        let about = report.warnings.iter().any(|w| w.contains("127.0.0.1:1/"));
        assert_eq!(about, told, "{selector}: {:?}", report.warnings);
    }
    let (report, _) = raw(&scraper, r#"m{pod="good"}"#).await;
    let about_targets = report.warnings.iter().any(|w| w.contains("target"));
    assert!(!about_targets, "{:?}", report.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_as_prometheus_does_and_reads_both_formats() {
    let gzip = {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(b"m_total{job=\"mine\"} 3 # {id=\"x\"} 1\n# EOF\n")
            .unwrap();
        out.finish().unwrap()
    };
    let server = Scripted::start(move |seen| match seen.path.as_str() {
        "/open" => Reply::new(200, gzip.clone())
            .header("content-encoding", "gzip")
            .header(
                "content-type",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ),
        _ => Reply::new(200, "m_total 4\n").header("content-type", "text/plain; version=0.0.4"),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "secret-1\n").unwrap();
    let mut settings = quick();
    settings.job_name = Some("shop".to_owned());
    settings.auth = Some(Auth::Bearer(Secret::File(token.clone())));
    settings.targets = vec![
        group(&format!("{}/open", server.url()), "a"),
        group(&format!("{}/text", server.url()), "b"),
    ];
    let scraper = start(&settings);
    eventually("both are kept", || async {
        by_pod(&scraper, "m_total").await.len() == 2
    })
    .await;
    let (_, kept) = raw(&scraper, r#"m_total{job="shop"}"#).await;
    let instance = server.url().trim_start_matches("http://");
    for (labels, samples) in &kept.series {
        assert_eq!(labels.get("instance"), Some(instance));
        let open = labels.get("pod") == Some("a");
        assert_eq!(labels.get("exported_job"), open.then_some("mine"));
        assert_eq!(samples[0].1, if open { 3.0 } else { 4.0 });
        // due times are kept to the millisecond, or the true ones
        assert!(samples.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
    let seen: Seen = server.seen().remove(0);
    let accept = seen.header("accept").unwrap();
    assert!(
        accept.starts_with("application/openmetrics-text;version=1.0.0,"),
        "{accept}"
    );
    assert!(accept.contains("text/plain;version=0.0.4"), "{accept}");
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("authorization"), Some("Bearer secret-1"));
    assert_eq!(
        seen.header("x-prometheus-scrape-timeout-seconds"),
        Some("0.2")
    );
    std::fs::write(&token, "secret-2\n").unwrap();
    eventually("the new token is sent", || async {
        let last = server.seen().pop();
        last.is_some_and(|seen| seen.header("authorization") == Some("Bearer secret-2"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_be_kept_is_refused_as_a_whole() {
    let server = Scripted::start(|seen| {
        let text = (0..5).map(|i| format!("m{{i=\"{i}\"}} {}\n", seen.count));
        Reply::new(200, text.collect::<String>())
    })
    .await;
    let mut settings = quick();
    settings.max_samples = 60;
    settings.targets = vec![group(server.url(), "a")];
    let tally = Arc::new(Results::default());
    let scraper = Scraper::start("pods", &settings, Arc::new(SystemClock), tally.clone()).unwrap();
    eventually("the limit is reached", || async {
        tally
            .0
            .lock()
            .unwrap()
            .get("refused")
            .is_some_and(|n| *n > 3)
    })
    .await;
    let (report, kept) = raw(&scraper, "m").await;
    // five samples of the target and three of ours at each scrape
    let counts: BTreeSet<usize> = kept
        .series
        .iter()
        .map(|(_, samples)| samples.len())
        .collect();
    assert_eq!((kept.series.len(), counts), (5, BTreeSet::from([7])));
    let told = "refused as a whole: 60 samples are kept already (`maxSamples`)";
    assert!(
        report.warnings.iter().any(|w| w.contains(told)),
        "{:?}",
        report.warnings
    );
    // what no longer fits is still seen to be down
    let up = by_pod(&scraper, "up").await;
    assert!(
        up["a"].iter().filter(|up| **up == 0.0).count() >= 3,
        "{up:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_come_and_go() {
    let list = Arc::new(Mutex::new(json!([])));
    let served = Arc::clone(&list);
    let server = Scripted::start(move |seen| match seen.path.as_str() {
        "/targets" => Reply::json(served.lock().unwrap().to_string()),
        _ => Reply::new(200, format!("m {}\n", seen.count)),
    })
    .await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let one = |pod: &str| json!({"targets": [address], "labels": {"pod": pod, "__metrics_path__": format!("/{pod}"), "__meta_x": "y"}});
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("targets.yaml");
    std::fs::write(
        &file,
        format!("- targets: ['{address}']\n  labels: {{ pod: f }}\n"),
    )
    .unwrap();
    let mut settings = quick();
    settings.target_limit = 4;
    settings.targets = vec![group(server.url(), "s")];
    settings.discovery.http = vec![format!("{}/targets", server.url())];
    settings.discovery.file = vec![file.clone()];
    let scraper = start(&settings);
    let scraped = |wanted: &'static [&'static str]| {
        let (scraper, server) = (&scraper, &server);
        async move {
            // each of them twice from now on, and nobody else
            let before = server.seen().len();
            let enough = || async move {
                let paths: Vec<String> = server.seen()[before..]
                    .iter()
                    .map(|s| s.path.clone())
                    .collect();
                let count = |path: &str| paths.iter().filter(|p| *p == path).count();
                wanted
                    .iter()
                    .all(|pod| count(&format!("/{pod}")) >= 2 || ["s", "f"].contains(pod))
            };
            eventually("all are scraped", enough).await;
            by_pod(scraper, "m").await.into_keys().collect::<Vec<_>>()
        }
    };
    let healthy = || async {
        source::probe(&scraper, SystemClock.now(), Instant::now() + PATIENCE)
            .await
            .map_err(|error| error.to_string())
    };
    *list.lock().unwrap() = json!([one("a"), one("b")]);
    assert_eq!(scraped(&["a", "b"]).await, ["a", "b", "f", "s"]);
    eventually("healthy", || async { healthy().await.is_ok() }).await;
    // one goes: its samples stay, and it is not asked again
    *list.lock().unwrap() = json!([one("b")]);
    eventually("a is left alone", || async {
        let before = server.seen().len();
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.seen()[before..].iter().all(|seen| seen.path != "/a")
    })
    .await;
    assert_eq!(scraped(&["b"]).await, ["a", "b", "f", "s"]);
    // a list that cannot be read, one that is too long, a file that is gone: what was found before stays
    for wrong in [
        json!([{"target": []}]),
        json!({}),
        json!([one("b"), one("c"), one("d")]),
    ] {
        *list.lock().unwrap() = wrong;
        eventually("it is said", || async { healthy().await.is_err() }).await;
        scraped(&["b"]).await;
        *list.lock().unwrap() = json!([one("b")]);
        eventually("healthy again", || async { healthy().await.is_ok() }).await;
    }
    std::fs::remove_file(&file).unwrap();
    eventually("it is said", || async {
        healthy()
            .await
            .is_err_and(|why| why.contains("targets.yaml"))
    })
    .await;
    scraped(&["b"]).await;
    assert_eq!(by_pod(&scraper, "m").await.len(), 4);
}

/// A scripted API server over TLS: answers `GET` with what `answer` says of the request's first line and token.
fn api_server(
    dir: &std::path::Path,
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> String {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    source::tls::install_provider();
    let chain = vec![CertificateDer::from_pem_file(dir.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(dir.join("server.key")).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (config, answer) = (Arc::new(config), Arc::new(answer));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
            std::thread::spawn(move || {
                let session = rustls::ServerConnection::new(config).unwrap();
                let mut tls = rustls::StreamOwned::new(session, stream);
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    match tls.read(&mut byte) {
                        Ok(1) => head.push(byte[0]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let line = head.lines().next().unwrap_or_default();
                let token = head
                    .lines()
                    .find_map(|line| {
                        line.to_ascii_lowercase()
                            .strip_prefix("authorization: ")
                            .map(str::to_owned)
                    })
                    .unwrap_or_default();
                let (status, body) = answer(line, &token);
                let _ = write!(
                    tls,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                tls.conn.send_close_notify();
                let _ = tls.flush();
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_an_api_server() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let server = Scripted::start(|seen| Reply::new(200, format!("m {}\n", seen.count))).await;
    let port: u16 = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let pod = move |name: &str, hash: &str, phase: &str| {
        json!({
            "metadata": {
                "name": name, "namespace": "shop",
                "labels": {"app": "shop", "rollouts-pod-template-hash": hash},
                "annotations": {"prometheus.io/path": format!("/metrics/{name}")},
            },
            "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": port}, {"name": "other", "containerPort": 1}]}]},
            "status": {"phase": phase, "podIP": "127.0.0.1"},
        })
    };
    let state: Arc<Mutex<(String, Vec<Value>)>> = Arc::default();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let (served, log) = (Arc::clone(&state), Arc::clone(&lines));
    let url = api_server(dir.path(), move |line, token| {
        log.lock().unwrap().push(line.to_owned());
        let (wanted, pods) = served.lock().unwrap().clone();
        if token == format!("bearer {wanted}") {
            (200, json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": pods}).to_string())
        } else {
            (
                401,
                json!({"kind": "Status", "message": "Unauthorized"}).to_string(),
            )
        }
    });
    *state.lock().unwrap() = (
        "t1".to_owned(),
        vec![
            pod("shop-a", "aaa", "Running"),
            pod("shop-b", "bbb", "Running"),
            pod("shop-c", "bbb", "Pending"),
        ],
    );
    let token = dir.path().join("token");
    std::fs::write(&token, "t1").unwrap();
    std::fs::write(dir.path().join("namespace"), "shop").unwrap();
    let mut settings = quick();
    settings.discovery.kubernetes = Some(PodSettings {
        label_selector: Some("app=shop".to_owned()),
        port: Some(PodPort::Name("http".to_owned())),
        api_server: Some(url.clone()),
        token_file: token.clone(),
        ca_file: dir.path().join("ca.pem"),
        ..PodSettings::default()
    });
    let scraper = start(&settings);
    let pods = || async { by_pod(&scraper, "m").await.into_keys().collect::<Vec<_>>() };
    eventually("two pods", || async { pods().await.len() == 2 }).await;
    let (_, kept) = raw(
        &scraper,
        r#"m{namespace="shop",rollouts_pod_template_hash=~"aaa|bbb"}"#,
    )
    .await;
    let hashes: BTreeSet<_> = kept
        .series
        .iter()
        .map(|(labels, _)| {
            (
                labels.get("pod").unwrap(),
                labels.get("rollouts_pod_template_hash").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        hashes,
        BTreeSet::from([("shop-a", "aaa"), ("shop-b", "bbb")])
    );
    assert_eq!(
        lines.lock().unwrap()[0],
        "GET /api/v1/namespaces/shop/pods?resourceVersion=0&labelSelector=app%3Dshop HTTP/1.1"
    );
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| seen.path.starts_with("/metrics/shop-"))
    );
    // the token is rotated while the service runs
    let health = || async {
        source::probe(&scraper, SystemClock.now(), Instant::now() + PATIENCE)
            .await
            .map_err(|error| error.to_string())
    };
    state.lock().unwrap().0 = "t2".to_owned();
    eventually("the old token is refused", || async {
        health()
            .await
            .is_err_and(|why| why.contains("pods of namespace `shop` cannot be listed: 401"))
    })
    .await;
    state
        .lock()
        .unwrap()
        .1
        .push(pod("shop-d", "aaa", "Running"));
    std::fs::write(&token, "t2").unwrap();
    eventually("a new pod", || async {
        pods().await.contains(&"shop-d".to_owned())
    })
    .await;
    eventually("healthy", || async { health().await.is_ok() }).await;
    // an authority that did not sign the server's certificate
    let mut stranger = settings.clone();
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    stranger.discovery.kubernetes.as_mut().unwrap().ca_file = other.path().join("ca.pem");
    let distrustful = start(&stranger);
    eventually("no trust", || async {
        distrustful
            .problem()
            .is_some_and(|why| why.contains("certificate"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_scraped_is_told() {
    let server = Scripted::start(|_| Reply::new(200, "m 1\n")).await;
    let mut settings = quick();
    settings.body_size_limit = HumanBytes(100);
    settings.targets = vec![group(server.url(), "a")];
    let scraper = start(&settings);
    let (report, kept) = raw(&scraper, "m").await;
    assert!(kept.series.is_empty());
    assert_eq!(report.warnings, ["source `pods` has scraped nothing yet"]);
    eventually("something is kept", || async { scraper.since().is_some() }).await;
    let (report, _) = raw(&scraper, "m").await;
    assert!(
        report.warnings[0].starts_with("source `pods` scrapes since "),
        "{:?}",
        report.warnings
    );
    let end = SystemClock.now();
    // presence, as the service asks for it, and what it never asks
    let ask = |text: &str, shape| PlannedQuery {
        text: text.to_owned(),
        extra_filters: Vec::new(),
        shape,
        window: Window {
            start: end - 60_000,
            end,
        },
    };
    let range = Shape::Range {
        start: end - 4000,
        end,
        step: 1000,
    };
    let mut kept = Kept::default();
    let until = Instant::now() + PATIENCE;
    let query = ask(r#"count(count_over_time(m{pod="a"}[1000ms]))"#, range);
    eventually("a second of samples", || async {
        by_pod(&scraper, "m").await["a"].len() > 10
    })
    .await;
    scraper.read(&query, until, &mut kept).await.unwrap();
    assert_eq!(kept.series[0].0.to_string(), "{}");
    assert!(
        kept.series[0].1.iter().all(|(_, count)| *count == 1.0),
        "{kept:?}"
    );
    let query = ask("sum(rate(m[1m]))", range);
    let refused = scraper
        .read(&query, until, &mut kept)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("evaluates no expression"), "{refused}");
}
