//! What a warm verdict costs beside its bare queries, and what the second poll of a rollout reads beside the first.
//! The database is a real VictoriaMetrics, the service is the release binary, and every call is a `curl` of its own.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]
#![expect(dead_code, reason = "the support files serve other programs too")]

#[path = "../support/scripted.rs"]
mod scripted;
#[path = "support/service.rs"]
mod service;
#[path = "support/shop.rs"]
mod shop;

use scripted::{Reply, Scripted};
use service::{Running, call, free_address, now, quantile, question};
use shop::{CANARY, POLICY, STABLE, Shop};
use std::{
    fmt::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

const MINUTE: i64 = 60_000;
const POLLS: i64 = 80;
/// Rollouts of the same pods, each read and judged for itself: so many pairs that their medians are worth something.
const ROLLOUTS: [&str; 4] = ["checkout", "cart", "search", "payment"];
const WARM_UP: usize = 5;
const DATABASE: &str = "/usr/bin/victoria-metrics";

fn main() {
    if !std::path::Path::new(DATABASE).exists() {
        println!("skipped: no {DATABASE}");
        return;
    }
    let end = (now() - MINUTE).div_euclid(MINUTE) * MINUTE;
    let start = end - 90 * MINUTE;
    let canary = end - 48 * MINUTE + 4_000;
    let first = end - (POLLS - 1) * 30_000;
    let database = database(&Shop::new(start, canary), start, end);
    let url = format!("http://{}", database.address);
    let asked = record(&database.address, first);
    let service = Running::service(POLICY, "victoriametrics", &url, "");

    let bytes = || service.metric("rollout_judge_source_bytes_total");
    let (mut verdicts, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = bytes();
    for (poll, forms) in asked.iter().enumerate() {
        let at = first + poll as i64 * 30_000;
        let body = question(ROLLOUTS[0], CANARY, STABLE, at);
        if poll < 2 {
            let answer = call(
                &service.address,
                "POST",
                "/v1/verdicts",
                "application/json",
                &body,
            )
            .unwrap();
            let read = bytes() - last;
            println!(
                "poll {}: HTTP {}, {} queries, {:.0} kB of answers",
                poll + 1,
                answer.0,
                forms.len(),
                read / 1e3
            );
            if poll == 1 {
                println!(
                    "second poll / first poll: {:.4} of the bytes",
                    read / ratios[0]
                );
                ratios.clear();
            } else {
                ratios.push(read);
            }
            last = bytes();
            continue;
        }
        let target = format!("http://{}/v1/verdicts", service.address);
        let ask = |rollout: &str| {
            let body = question(rollout, CANARY, STABLE, at);
            let kind = "content-type: application/json";
            curl(&["-H", kind, "--data", &body, &target])
        };
        let mut options = vec![
            "--no-progress-meter".to_owned(),
            "--parallel".to_owned(),
            "--parallel-immediate".to_owned(),
        ];
        for (i, (path, form)) in forms.iter().enumerate() {
            if i > 0 {
                options.push("--next".to_owned());
            }
            options.extend(["-s", "-o", "/dev/null", "--data", form].map(str::to_owned));
            options.push(format!("{url}{path}"));
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        for (n, rollout) in ROLLOUTS.iter().enumerate() {
            let (verdict, bare) = if (poll + n) % 2 == 0 {
                let verdict = ask(rollout);
                (verdict, curl(&options))
            } else {
                let bare = curl(&options);
                (ask(rollout), bare)
            };
            if poll >= WARM_UP {
                verdicts.push(verdict);
                bares.push(bare);
                ratios.push(verdict / bare);
            }
        }
    }
    let (verdict, bare) = (quantile(&mut verdicts, 0.5), quantile(&mut bares, 0.5));
    println!(
        "warm verdict {:.1} ms, bare queries {:.1} ms over {} pairs: ratio of medians {:.3}, median of ratios {:.3}",
        verdict * 1e3,
        bare * 1e3,
        verdicts.len(),
        verdict / bare,
        quantile(&mut ratios, 0.5)
    );
    let (_, answer) = call(
        &service.address,
        "GET",
        "/v1/verdicts/latest?namespace=shop&rollout=checkout",
        "",
        "",
    )
    .unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    println!("last verdict: {} {}", answer["verdict"], answer["reason"]);
}

/// Seconds of one `curl`.
fn curl(options: &[&str]) -> f64 {
    let begun = Instant::now();
    let status = Command::new("curl")
        .args(["-s", "-o", "/dev/null"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert!(status.success(), "curl: {status}");
    took
}

/// A database of its own with the shop's samples.
fn database(shop: &Shop, start: i64, end: i64) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = Command::new(DATABASE);
    command
        .arg(format!("-httpListenAddr={address}"))
        .arg(format!("-storageDataPath={}", dir.path().display()))
        .args(["-retentionPeriod=1y", "-loggerLevel=ERROR"]);
    let database = Running::start(&mut command, address, "/health", Some(dir));
    let mut lines = String::new();
    for series in &shop.series {
        let (moments, values): (Vec<i64>, Vec<f64>) = shop.samples(series, start, end).unzip();
        let _ = writeln!(
            lines,
            r#"{{"metric":{},"values":{values:?},"timestamps":{moments:?}}}"#,
            series.metric
        );
    }
    let (status, _) = call(&database.address, "POST", "/api/v1/import", "", &lines).unwrap();
    assert!(status < 300, "import: {status}");
    call(&database.address, "GET", "/internal/force_flush", "", "").unwrap();
    database
}

/// The queries of each poll, path and form, as another service sends them through a proxy.
fn record(database: &str, first: i64) -> Vec<Vec<(String, String)>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(8)
        .enable_all()
        .build()
        .unwrap();
    let behind = database.to_owned();
    let proxy = runtime.block_on(Scripted::start(move |seen| {
        let kind = "application/x-www-form-urlencoded";
        match call(&behind, &seen.method, &seen.path, kind, &encode(&seen.form)) {
            Ok((status, body)) => {
                Reply::new(status, body).header("content-type", "application/json")
            }
            Err(_) => Reply::reset(),
        }
    }));
    let service = Running::service(POLICY, "victoriametrics", proxy.url(), "");
    let mut known = proxy.seen().len();
    (0..POLLS)
        .map(|poll| {
            let body = question("checkout", CANARY, STABLE, first + poll * 30_000);
            let kind = "application/json";
            let (status, answer) =
                call(&service.address, "POST", "/v1/verdicts", kind, &body).unwrap();
            assert_eq!(status, 200, "{answer}");
            let seen = proxy.seen();
            let forms = seen
                .iter()
                .skip(known)
                .filter(|s| s.field("query") != Some("vector(1)"));
            let forms = forms.map(|s| (s.path.clone(), encode(&s.form))).collect();
            known = seen.len();
            forms
        })
        .collect()
}

fn encode(form: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in form {
        let and = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{and}{}={}", percent(name), percent(value));
    }
    text
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
