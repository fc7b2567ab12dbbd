//! Verdicts written back to real databases and to a server that speaks Grafana's annotations strictly.

use crate::support::{
    databases::Databases,
    http::{encode, get},
    prometheus::Prometheus,
    recording::Recording,
    rollouts::{question, verdict},
    scripted::{Reply, Scripted, Seen},
    service::{Service, Setup},
    victoria::Victoria,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Asks again until it is so.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < end, "{what}: {seen}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Raw samples of a selector, of all its series: moment and value.
fn samples(base: &str, selector: &str, recording: &Recording) -> Vec<(i64, f64)> {
    let query = encode(&format!("{selector}[3h]"));
    let url = format!("{base}/api/v1/query?query={query}&time={}", recording.end());
    let answer = get(&url).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let series = json["data"]["result"].as_array().unwrap();
    let pair = |v: &Value| {
        let value: f64 = v[1].as_str().unwrap().parse().unwrap();
        (v[0].as_f64().unwrap() as i64, value)
    };
    let mut all: Vec<(i64, f64)> = series
        .iter()
        .flat_map(|s| s["values"].as_array().unwrap().iter().map(pair))
        .collect();
    all.sort_by_key(|s| s.0);
    all
}

/// A Grafana that refuses whatever the real one would, and keeps what it takes.
struct Grafana {
    server: Scripted,
    taken: Arc<Mutex<Vec<Value>>>,
    down: Arc<AtomicBool>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Grafana {
    fn start() -> Self {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let wrong = Arc::new(Mutex::new(Vec::new()));
        let down = Arc::new(AtomicBool::new(true));
        let (kept, odd, off) = (Arc::clone(&taken), Arc::clone(&wrong), Arc::clone(&down));
        let server = Scripted::start(move |seen| {
            if off.load(Ordering::SeqCst) {
                return Reply::Json(500, r#"{"message":"database is locked"}"#.to_owned());
            }
            annotation(seen, &kept).unwrap_or_else(|why| {
                odd.lock().unwrap().push(why.clone());
                Reply::Json(400, json!({"message": why}).to_string())
            })
        });
        Self {
            server,
            taken,
            down,
            wrong,
        }
    }
}

fn annotation(seen: &Seen, taken: &Mutex<Vec<Value>>) -> Result<Reply, String> {
    let has = |header: &str| seen.headers.iter().any(|h| h == header);
    if !has("authorization: bearer s3cret") {
        return Err(format!("no token: {:?}", seen.headers));
    }
    if let Some(query) = seen.line.strip_prefix("GET /api/annotations?tags=") {
        let tag = query.split('&').next().unwrap_or_default();
        let tag = tag.replace("%3A", ":");
        let all = taken.lock().unwrap();
        let found: Vec<&Value> = all
            .iter()
            .filter(|a| {
                a["tags"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|t| t == &json!(tag))
            })
            .collect();
        return Ok(Reply::Json(200, json!(found).to_string()));
    }
    if seen.line != "POST /api/annotations HTTP/1.1" || !has("content-type: application/json") {
        return Err(format!("what is {} {:?}", seen.line, seen.headers));
    }
    let body: Value = serde_json::from_str(&seen.body).map_err(|e| e.to_string())?;
    let known = ["dashboardUID", "time", "tags", "text"];
    let map = body.as_object().ok_or("no object")?;
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key {key}"));
    }
    let tags = body["tags"].as_array().ok_or("no tags")?;
    let sound = |tag: &Value| tag.as_str().is_some_and(|t| (1..=100).contains(&t.len()));
    if !(tags.iter().all(sound) && body["time"].is_i64() && body["text"].is_string()) {
        return Err(format!("odd: {body}"));
    }
    taken.lock().unwrap().push(body);
    Ok(Reply::Json(
        200,
        r#"{"message":"Annotation added","id":1}"#.to_owned(),
    ))
}

fn setup(folder: &Path, write_back: Value) -> Setup {
    let [(kind, url), _] = Databases::shared().sources();
    let database = folder.join("judge.db");
    Setup::default()
        .source("default", kind, &url)
        .policy("scenario/shop.yaml")
        .section(
            "store",
            json!({"url": format!("sqlite://{}", database.display()), "maxAge": "3650d"}),
        )
        .section("writeBack", write_back)
}

fn counted(service: &Service, target: &str, result: &str) -> u64 {
    let page = service.send("GET", "/metrics", &[], "").text();
    let head = format!("rollout_judge_writeback_total{{target=\"{target}\",result=\"{result}\"}} ");
    let line = page.lines().find_map(|l| l.strip_prefix(head.as_str()));
    line.map_or(0, |n| n.parse().unwrap())
}

#[test]
fn verdicts_can_be_read_back_from_both_databases_and_annotations_arrive_once() {
    let databases = Databases::shared();
    let recording = databases
        .recordings
        .iter()
        .find(|r| r.name == "error_step")
        .unwrap();
    let (victoria, prometheus) = (Victoria::start(), Prometheus::receiving());
    let grafana = Grafana::start();
    let folder = TempDir::new().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "s3cret\n").unwrap();
    let setup = setup(
        folder.path(),
        json!({
            "remoteWrite": {"url": format!("{}/api/v1/write", prometheus.url())},
            "import": {"url": format!("{}/api/v1/import", victoria.url()), "headers": {"X-Test": "1"}},
            "grafana": {"url": grafana.server.url(), "token": {"file": token}, "dashboardUid": "shop"},
            "labels": {"cluster": "eu-1"},
        }),
    );
    let start = recording.rollout.start_s;
    let service = setup.start_in(folder.path());
    let moments: Vec<i64> = (start + 600..=start + 3000).step_by(120).collect();
    let (before, after) = moments.split_at(12);
    let mut answers: Vec<(i64, Value)> = Vec::new();
    let ask = |service: &Service, at: i64| {
        let answer = verdict(service, &question(recording, at));
        (recording.t0 + at, answer)
    };
    answers.extend(before.iter().map(|at| ask(&service, *at)));
    // Grafana is down all the while; it holds up nobody
    let series = r#"{cluster="eu-1",namespace="shop",rollout="error-step",policy="shop"}"#;
    let bases = [victoria.url(), prometheus.url()];
    let arrived = |answers: &[(i64, Value)]| {
        for base in &bases {
            let expected: Vec<(i64, f64)> = answers
                .iter()
                .map(|(at, answer)| (*at, answer["score"].as_f64().unwrap()))
                .collect();
            until("scores", || {
                let found = samples(
                    base,
                    &format!("rollout_judge_verdict_score{series}"),
                    recording,
                );
                if found == expected {
                    Ok(())
                } else {
                    Err(format!("{base}: {found:?}"))
                }
            });
        }
    };
    arrived(&answers);
    assert!(grafana.taken.lock().unwrap().is_empty());
    until("tries", || match counted(&service, "grafana", "failed") {
        0 => Err("none".to_owned()),
        n => Ok(n),
    });
    drop(service);
    let service = setup.start_in(folder.path());
    answers.extend(after.iter().map(|at| ask(&service, *at)));
    arrived(&answers);
    let last = &answers[answers.len() - 1].1;
    let objective = &last["objectives"][0];
    let name = objective["name"].as_str().unwrap();
    for base in &bases {
        // VictoriaMetrics keeps some fifteen digits
        let digits = |value: f64| format!("{value:.9e}");
        let newest = |name: &str, labels: &str| {
            let selector = format!("rollout_judge_verdict{name}{{rollout=\"error-step\"{labels}}}");
            let all = samples(base, &selector, recording);
            all.last().map(|s| digits(s.1))
        };
        let of = |more: &str| format!(",objective=\"{name}\"{more}");
        let number = |value: &Value| value.as_f64().map(digits);
        assert_eq!(newest("", ""), Some(digits(-1.0)), "{last}");
        assert_eq!(newest("_weight", ""), number(&last["weight"]));
        assert_eq!(newest("_next_weight", ""), Some(digits(0.0)));
        assert_eq!(
            newest("_objective_value", &of(",track=\"canary\"")),
            number(&objective["canary"]["value"])
        );
        assert_eq!(
            newest("_objective_value", &of(",track=\"stable\"")),
            number(&objective["stable"]["value"])
        );
        assert_eq!(
            newest("_effect", &of(",bound=\"lower\"")),
            number(&objective["effect"]["lower"])
        );
        assert_eq!(
            newest("_evidence_log_e_fail", &of("")),
            number(&objective["evidence"]["logEFail"])
        );
        assert_eq!(
            newest("_evidence_log_e_pass", &of("")),
            number(&objective["evidence"]["logEPass"])
        );
    }
    // Prometheus takes nothing so old; what comes after it arrives
    ask(&service, start + 60);
    until("a drop", || {
        match counted(&service, "remote-write", "dropped") {
            1 => Ok(()),
            n => Err(n.to_string()),
        }
    });
    answers.push(ask(&service, start + 3120));
    let newest = recording.t0 + start + 3120;
    for base in &bases {
        until("after the drop", || {
            let all = samples(
                base,
                &format!("rollout_judge_verdict_score{series}"),
                recording,
            );
            let there = all.iter().any(|s| s.0 == newest);
            if there {
                Ok(())
            } else {
                Err(format!("{base}: {all:?}"))
            }
        });
    }
    // now Grafana is back: everything that happened is there, once
    grafana.down.store(false, Ordering::SeqCst);
    let events = until("annotations", || {
        let taken = grafana.taken.lock().unwrap().clone();
        let failed = taken
            .iter()
            .any(|a| a["tags"].as_array().unwrap().contains(&json!("fail")));
        if failed {
            Ok(taken)
        } else {
            Err(format!("{taken:?}"))
        }
    });
    let text = serde_json::to_string(&events).unwrap();
    for part in [
        "rollout:error-step",
        "cluster:eu-1",
        "\"started\"",
        "/verdicts/",
        "\"dashboardUID\":\"shop\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    drop(service);
    let service = setup.start_in(folder.path());
    let ruling = json!({"verdict": "pass", "reason": "known", "expires": "1h"});
    let json_type = [("content-type", "application/json")];
    let path = "/v1/rollouts/shop/error-step/override";
    let made = service.send("POST", path, &json_type, &ruling.to_string());
    assert!(made.status < 300, "{}", made.text());
    let all = until("the override", || {
        let taken = grafana.taken.lock().unwrap().clone();
        let there = taken
            .iter()
            .any(|a| a["text"].as_str().unwrap().contains("by anonymous"));
        if there {
            Ok(taken)
        } else {
            Err(format!("{taken:?}"))
        }
    });
    let marks: Vec<String> = all
        .iter()
        .map(|a| a["tags"].as_array().unwrap().last().unwrap().to_string())
        .collect();
    assert_eq!(
        marks.iter().collect::<BTreeSet<_>>().len(),
        marks.len(),
        "{marks:?}"
    );
    assert_eq!(*grafana.wrong.lock().unwrap(), Vec::<String>::new());
    assert!(!service.process.log_text().contains("s3cret"));
}

#[test]
fn victoria_takes_remote_write_too() {
    let databases = Databases::shared();
    let recording = &databases.recordings[1];
    let victoria = Victoria::start();
    let folder = TempDir::new().unwrap();
    let target = json!({"remoteWrite": {"url": format!("{}/api/v1/write", victoria.url())}});
    let service = setup(folder.path(), target).start_in(folder.path());
    let answer = verdict(
        &service,
        &question(recording, recording.rollout.start_s + 900),
    );
    let found = until("a score", || {
        let found = samples(&victoria.url(), "rollout_judge_verdict_score", recording);
        if found.is_empty() {
            Err("nothing".to_owned())
        } else {
            Ok(found)
        }
    });
    assert_eq!(
        found,
        [(
            recording.t0 + recording.rollout.start_s + 900,
            answer["score"].as_f64().unwrap()
        )]
    );
    until("a count", || {
        match counted(&service, "remote-write", "written") {
            0 => Err("none".to_owned()),
            _ => Ok(()),
        }
    });
}
