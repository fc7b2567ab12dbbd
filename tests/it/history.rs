//! History, overrides and live events of the program itself: over a restart, and between two replicas.

use crate::{
    store::postgres::Postgres,
    support::{
        openapi::component,
        scripted::{Reply, Scripted},
        service::{Service, Setup},
    },
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// No data is a fail at once.
const POLICY: &str = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: strict }
spec:
  onNoData: fail
  noDataPatience: 0s
  objectives:
    - { name: errors, errorRatio: { errors: errors_total, total: requests_total } }
";

const OVERRIDE: &str = "/v1/rollouts/shop/checkout/override";

fn source() -> Scripted {
    // in the order of the databases
    let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    Scripted::start(move |_| Reply::Json(200, empty.to_owned()))
}

fn setup(source: &Scripted) -> Setup {
    Setup::default()
        .source("default", "prometheus", source.url())
        .policy_text("strict", POLICY)
}

fn question() -> Value {
    json!({
        "policy": "strict", "namespace": "shop", "rollout": "checkout", "canaryHash": "new", "stableHash": "old",
        "weight": "5", "labels": {"modelVersion": "7"},
    })
}

/// Asks until the answer is this verdict.
fn until(service: &Service, verdict: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = service.ask(&question());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let value = answer.json();
        if value["verdict"] == verdict {
            return value;
        }
        assert!(Instant::now() < end, "not {verdict}: {value}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn read(service: &Service, path: &str) -> Value {
    let answer = service.send("GET", path, &[], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn overrule(service: &Service, method: &str, status: u16, body: &Value) -> Value {
    let headers = [("content-type", "application/json")];
    let answer = service.send(method, OVERRIDE, &headers, &body.to_string());
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.json()
}

/// A client of the stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(service: &Service, query: &str) -> Self {
        let url = service.url("");
        let host = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(
            stream,
            "GET /v1/events{query} HTTP/1.1\r\nhost: {host}\r\n\r\n"
        )
        .unwrap();
        let mut events = Self(BufReader::new(stream));
        let head = events.line();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        while !events.line().starts_with("retry: ") {}
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
        line.trim_end().to_owned()
    }

    /// The next event of this kind.
    fn next(&mut self, kind: &str) -> Value {
        while self.line() != format!("event: {kind}") {}
        let line = self.line();
        let value = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(component("EventAnswer", &value), [""; 0]);
        value
    }
}

#[test]
fn what_was_decided_outlives_the_process() {
    let (source, folder) = (source(), tempfile::tempdir().unwrap());
    let service = setup(&source).start_in(folder.path());
    let failed = until(&service, "fail");
    // what a full disk under a limit sends: writing fails then, the program goes on
    service.process.signal("XFSZ");
    let made = overrule(
        &service,
        "POST",
        201,
        &json!({"verdict": "pass", "reason": "the source is empty on purpose", "expires": "1h"}),
    );
    assert_eq!(made["author"], "anonymous");
    let passed = until(&service, "pass");
    let warned = passed["warnings"].to_string();
    assert!(
        warned.contains("the source is empty on purpose"),
        "{passed}"
    );
    drop(service);

    let service = setup(&source).start_in(folder.path());
    let latest = read(
        &service,
        "/v1/verdicts/latest?namespace=shop&rollout=checkout",
    );
    assert_eq!(latest["verdict"], "pass");
    let mut one = read(
        &service,
        &format!("/v1/verdicts/{}", failed["id"].as_str().unwrap()),
    );
    let record = one.as_object_mut().unwrap().remove("record").unwrap();
    assert_eq!(one, failed, "the answer as it was given");
    assert_eq!(record["labels"]["modelVersion"], "7");
    let page = read(&service, "/v1/verdicts?label.modelVersion=7&verdict=fail");
    assert_eq!(page["verdicts"][0]["reason"], failed["reason"]);
    let lineage = read(&service, "/v1/lineage?label.modelVersion=7");
    assert_eq!(lineage["versions"][0]["newest"]["id"], latest["id"]);
    let rollout = read(&service, "/v1/rollouts/shop/checkout");
    assert_eq!(rollout["overrides"][0]["inForce"], true);
    let kinds: Vec<&str> = rollout["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    for kind in ["started", "fail", "override", "changed", "recovered"] {
        assert!(kinds.contains(&kind), "{kinds:?} lacks {kind}");
    }
    until(&service, "pass");
    overrule(&service, "DELETE", 200, &Value::Null);
    let rollout = read(&service, "/v1/rollouts/shop/checkout");
    let reason = rollout["latest"]["reason"].as_str().unwrap();
    assert!(reason.contains("was taken back by anonymous"), "{reason}");
    until(&service, "fail");
}

#[test]
fn a_repeated_question_names_the_override_and_keeps_its_labels() {
    let (source, folder) = (source(), tempfile::tempdir().unwrap());
    let service = setup(&source).start_in(folder.path());
    let at = until(&service, "fail")["window"]["end"].clone();
    let ask = |label: &str| {
        let mut question = question();
        question["at"] = at.clone();
        question["labels"] = json!({"gitRevision": label});
        let answer = service.ask(&question);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let first = ask("aaa");
    let body = json!({"verdict": "pass", "reason": "on purpose", "expires": "1h"});
    overrule(&service, "POST", 201, &body);
    for label in ["aaa", "bbb"] {
        let again = ask(label);
        assert_eq!(
            (&again["id"], &again["verdict"]),
            (&first["id"], &first["verdict"])
        );
        let warned = again["warnings"].to_string();
        assert!(warned.contains("pass by override of anonymous"), "{again}");
        let page = read(&service, &format!("/v1/verdicts?label.gitRevision={label}"));
        let found = page["verdicts"].as_array().unwrap();
        assert!(found.iter().any(|v| v["id"] == first["id"]), "{page}");
    }
    // another value of a label that was kept
    for (version, differs) in [("7", false), ("8", true)] {
        let mut question = question();
        question["at"] = at.clone();
        question["labels"] = json!({"modelVersion": version});
        let again = service.ask(&question).json();
        let words = "label `modelVersion` is `8` here and was `7` when this was judged";
        let warned = again["warnings"].to_string();
        assert_eq!(warned.contains(words), differs, "{again}");
        let lineage = read(
            &service,
            &format!("/v1/lineage?label.modelVersion={version}"),
        );
        let newest = &lineage["versions"][0]["newest"];
        assert_eq!(
            (&newest["id"], &newest["labels"]["modelVersion"]),
            (&first["id"], &version.into()),
            "{lineage}"
        );
    }
    // the record stays what it was
    let id = first["id"].as_str().unwrap();
    let record = read(&service, &format!("/v1/verdicts/{id}"));
    assert_eq!(record["warnings"], first["warnings"]);
}

#[test]
fn replicas_tell_each_other_s_events() {
    let (source, server) = (source(), Postgres::shared());
    let store = json!({"url": server.database()});
    let start = || setup(&source).section("store", store.clone()).start();
    let (one, two) = (start(), start());
    let mut events = Events::open(&two, "?namespace=shop");
    let failed = until(&one, "fail");
    let told = events.next("fail");
    assert_eq!(told["verdictId"], failed["id"]);
    let body = json!({"verdict": "pass", "reason": "on purpose", "expires": "1h"});
    overrule(&one, "POST", 201, &body);
    let ruled = events.next("override");
    assert_eq!(ruled["author"], "anonymous");
    // the other replica answers by it, and tells the first
    let mut others = Events::open(&one, &format!("?lastEventId={}", ruled["seq"]));
    let passed = until(&two, "pass");
    assert_eq!(others.next("changed")["verdictId"], passed["id"]);
    // who comes back on another replica misses nothing
    let mut again = Events::open(&one, &format!("?lastEventId={}", told["seq"]));
    assert_eq!(again.next("override")["seq"], ruled["seq"]);
}

#[test]
fn open_streams_do_not_hold_up_the_end() {
    let source = source();
    let mut service = setup(&source).server("deadline", json!("30s")).start();
    let mut events = Events::open(&service, "");
    service.process.terminate();
    let mut rest = String::new();
    // the end of a chunked body, not a broken connection
    while !rest.ends_with("0\r\n\r\n") {
        let read = events.0.read_line(&mut rest).unwrap();
        assert_ne!(read, 0, "broken off: {rest:?}");
    }
    // far less than the grace that calls under way have
    let end = Instant::now() + Duration::from_secs(20);
    while service.process.exited().is_none() {
        assert!(Instant::now() < end, "still running");
        thread::sleep(Duration::from_millis(20));
    }
}
