//! 200 rollouts ask at once. The source answers each query after 50 ms; the service is the release binary.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]
#![expect(dead_code, reason = "the support files serve other programs too")]

#[path = "../support/scripted.rs"]
mod scripted;
#[path = "support/service.rs"]
mod service;
#[path = "support/shop.rs"]
mod shop;

use bytes::Bytes;
use scripted::{Piece, Reply, Scripted, Seen};
use service::{Running, now, quantile, question};
use shop::{CANARY, POLICY, STABLE, Shop};
use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ROLLOUTS: usize = 200;
const WARM_ROUNDS: usize = 8;
const DELAY: Duration = Duration::from_millis(50);
const MINUTE: i64 = 60_000;

type Answers = Mutex<HashMap<(String, String), Bytes>>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "a setting of the bench alone")]
    let more = std::env::var("CROWD_SOURCE").map_or_else(|_| String::new(), |s| format!(", {s}"));
    for minutes in [2, 20] {
        runtime.block_on(crowd(minutes, &more));
    }
}

/// All rollouts are `minutes` old when they ask for the first time.
async fn crowd(minutes: i64, more: &str) {
    let begin = (now() - 60 * MINUTE).div_euclid(MINUTE) * MINUTE;
    let shop = Shop::new(begin - 180 * MINUTE, begin - minutes * MINUTE + 4_000);
    let answers = Answers::default();
    let source = Scripted::start(move |seen| reply(&shop, &answers, seen)).await;
    let service = Running::service(POLICY, "prometheus", source.url(), more);
    let idle = service.peak_mib();
    println!(
        "{ROLLOUTS} rollouts, {minutes} minutes old at the first question; idle service {idle:.0} MiB"
    );
    let mut warm = Vec::new();
    for round in 0..=WARM_ROUNDS {
        let at = begin + 30_000 * round as i64;
        let (cpu, queries) = (service.processor_seconds(), source.seen().len());
        let (mut times, verdicts) = ask_all(&service.address, at).await;
        let cpu = service.processor_seconds() - cpu;
        let queries = source.seen().len() - queries;
        println!(
            "  round {round}: p50 {:.3} s, p99 {:.3} s, max {:.3} s; {queries} queries, {cpu:.2} s of processor, resident {:.0} MiB, {verdicts}",
            quantile(&mut times, 0.5),
            quantile(&mut times, 0.99),
            quantile(&mut times, 1.0),
            service.resident_mib(),
        );
        if round == 0 {
            println!("  cold: peak {:.0} MiB", service.peak_mib());
            service.forget_peak();
        } else {
            warm.extend(times);
        }
    }
    println!(
        "  warm: p50 {:.3} s, p99 {:.3} s; peak {:.0} MiB",
        quantile(&mut warm, 0.5),
        quantile(&mut warm, 0.99),
        service.peak_mib(),
    );
}

/// Asks for every rollout at once; seconds of each call, and a count of outcomes.
async fn ask_all(address: &str, at: i64) -> (Vec<f64>, String) {
    let calls: Vec<_> = (0..ROLLOUTS)
        .map(|i| {
            let address = address.to_owned();
            let body = question(&format!("checkout-{i}"), CANARY, STABLE, at);
            tokio::spawn(async move {
                let begun = Instant::now();
                let answer = post(&address, &body).await;
                (begun.elapsed().as_secs_f64(), answer)
            })
        })
        .collect();
    let mut times = Vec::new();
    let mut outcomes: HashMap<String, usize> = HashMap::new();
    for call in calls {
        let (time, answer) = call.await.unwrap();
        times.push(time);
        *outcomes.entry(answer).or_default() += 1;
    }
    (times, format!("{outcomes:?}"))
}

/// Posts a question; the verdict and the first code, or what went wrong.
async fn post(address: &str, body: &str) -> String {
    let mut stream = match tokio::net::TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return error.to_string(),
    };
    let head = format!(
        "POST /v1/verdicts HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut text = Vec::new();
    if let Err(error) = stream.read_to_end(&mut text).await {
        return error.to_string();
    }
    let text = String::from_utf8_lossy(&text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return "no answer".to_owned();
    };
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let Some(objectives) = answer["objectives"].as_array() else {
        return head.lines().next().unwrap_or_default().to_owned();
    };
    let codes: Vec<&str> = objectives
        .iter()
        .filter_map(|o| o["code"].as_str())
        .collect();
    let verdict = answer["verdict"].as_str().unwrap_or_default();
    let warnings = answer["warnings"].as_array().map_or(0, Vec::len);
    format!("{verdict} ({}; {warnings} warnings)", codes.join(" "))
}

fn reply(shop: &Shop, answers: &Answers, seen: &Seen) -> Reply {
    let query = seen.field("query").unwrap_or_default().to_owned();
    let millis = |name: &str| {
        let text = seen.field(name).unwrap_or("0");
        (text.parse::<f64>().unwrap() * 1000.0).round() as i64
    };
    let key = (
        query.clone(),
        format!("{:?} {:?}", seen.field("time"), seen.field("start")),
    );
    let known = answers.lock().unwrap().get(&key).cloned();
    let body = known.unwrap_or_else(|| {
        let made = if query == "vector(1)" {
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#.to_owned()
        } else if seen.path.ends_with("query_range") {
            shop.presence(millis("start"), millis("end"), millis("step"))
        } else {
            shop.raw(&query, millis("time"))
        };
        let made = Bytes::from(made);
        answers.lock().unwrap().insert(key, made.clone());
        made
    });
    let mut pieces = vec![Piece::Bytes(body), Piece::Wait(DELAY)];
    Reply::stream(move || pieces.pop()).header("content-type", "application/json")
}
