//! `rollout-judge demo` from outside: its news as they are printed, its API while it stays, and its end.

use crate::support::http::get;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A scene must have ended after this long, also on a busy machine.
const WITHIN: Duration = Duration::from_secs(90);

/// A running demonstration; dropping it kills it.
struct Demo {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    /// Nothing was read yet.
    first: bool,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollout-judge"))
            .args(["demo", "--output", "json", "--seed", "1"])
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // a demonstration that hangs is killed, which ends its lines
        let id = child.id();
        thread::spawn(move || {
            thread::sleep(WITHIN);
            // it may be long gone
            let _ = Command::new("kill")
                .args(["-KILL", &id.to_string()])
                .stderr(Stdio::null())
                .status();
        });
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        Self {
            child,
            lines,
            first: true,
        }
    }

    /// News up to and with the first of this kind.
    fn until(&mut self, event: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        for line in self.lines.as_mut().unwrap() {
            let line = line.unwrap();
            let news: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if all.is_empty() && self.first {
                // where everything is comes first
                assert_eq!(news["event"], "ready", "{news}");
                assert!(
                    std::path::Path::new(news["dataDir"].as_str().unwrap()).is_dir(),
                    "{news}"
                );
                assert!(
                    news["url"]
                        .as_str()
                        .unwrap()
                        .starts_with("http://127.0.0.1:"),
                    "{news}"
                );
                self.first = false;
            }
            all.push(news);
            if all.last().unwrap()["event"] == event {
                return all;
            }
        }
        panic!("it ended without `{event}`: {all:#?}");
    }

    fn code(&mut self) -> Option<i32> {
        let end = Instant::now() + WITHIN;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(30));
        }
        panic!("it does not end");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(url: &str) -> Value {
    let answer = get(url).unwrap();
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    answer.json()
}

fn of<'a>(news: &'a [Value], event: &str, rollout: &str) -> Vec<&'a Value> {
    let mine = |one: &&Value| one["event"] == event && one["rollout"] == rollout;
    news.iter().filter(mine).collect()
}

#[test]
fn one_rollout_walks_and_another_is_aborted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo").display().to_string();
    let scenes = ["--scenario", "healthy,error-rate", "--speed", "4", "--keep"];
    let mut demo = Demo::start(&[&scenes[..], &["--data-dir", &data]].concat());
    let ready = demo.until("ready");
    let base = ready[0]["url"]
        .as_str()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let news = demo.until("end");
    assert_eq!(
        news.last().unwrap()["text"],
        "every scene ended as it should"
    );
    assert_eq!(of(&news, "promoted", "catalog").len(), 1);
    assert_eq!(of(&news, "weight", "catalog").len(), 3);
    let aborted = of(&news, "aborted", "checkout");
    let text = aborted[0]["text"].as_str().unwrap();
    assert!(text.contains("error-rate: canary"), "{text}");

    // the service says the same
    let healthy = json(&format!(
        "{base}/v1/verdicts/latest?namespace=shop&rollout=catalog"
    ));
    assert_eq!(
        (&healthy["verdict"], &healthy["weight"]),
        (&"pass".into(), &100.0.into())
    );
    let bad = json(&format!(
        "{base}/v1/verdicts/latest?namespace=shop&rollout=checkout"
    ));
    assert_eq!(
        (&bad["verdict"], &bad["action"]),
        (&"fail".into(), &"abort".into())
    );
    let judged = bad["objectives"].as_array().unwrap().iter();
    let failed: Vec<&Value> = judged
        .filter(|o| o["outcome"] == "fail")
        .map(|o| &o["name"])
        .collect();
    assert_eq!(failed, ["error-rate"]);

    // its files are ordinary ones
    for file in [
        "config.yaml",
        "policies/shop.yaml",
        "targets.json",
        "judge.db",
        "rollout-judge.log",
    ] {
        assert!(Path::new(&data).join(file).is_file(), "{file}");
    }
    demo.signal("-TERM");
    assert_eq!(demo.code(), Some(0));
    assert!(
        Path::new(&data).join("judge.db").is_file(),
        "a given folder is kept"
    );
}

#[test]
fn it_is_stopped_at_any_time_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollout-judge"));
    child.args(["demo", "--output", "json", "--listen", "127.0.0.1:0"]);
    child.env("TMPDIR", temporary.path()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
    let mut demo = Demo {
        child,
        lines,
        first: true,
    };
    demo.until("ready");
    assert_eq!(temporary.path().read_dir().unwrap().count(), 1);
    demo.signal("-INT");
    assert_eq!(demo.code(), Some(130));
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
}

#[test]
fn it_ends_by_itself_in_a_pipe() {
    let mut demo = Demo::start(&["--scenario", "error-rate", "--speed", "8"]);
    demo.until("end");
    assert_eq!(demo.code(), Some(0));
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let out = Command::new(env!("CARGO_BIN_EXE_rollout-judge"))
        .args(["demo", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(
        text.contains(&address) && text.contains("--listen"),
        "{text}"
    );
}
