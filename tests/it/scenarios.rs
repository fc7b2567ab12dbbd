//! Every recorded rollout, judged every 30 s as of its own time, on both databases: what the truth file says must come out.
//!
//! One run feeds all tests here: databases, one service for each, all recordings at once, then a restart.

use crate::support::{
    argo::{Limits, Metric, Phase, Run, Template},
    databases::Databases,
    recording::Recording,
    service::{Service, Setup},
    truth::Truth,
};
use serde_json::{Value, json};
use std::{fmt::Write, fs, sync::LazyLock, thread};

/// Seconds between two polls.
const EVERY: i64 = 30;

/// For a look at what came out.
const SUMMARY: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/scenarios.txt");

/// Recordings that may end otherwise than their truth says, with what they end as and why. Still within `acceptable_at_end`.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// One question and its answers.
struct Poll {
    /// Seconds from `t0`.
    at: i64,
    question: Value,
    /// Bodies from VictoriaMetrics and from Prometheus.
    bodies: [String; 2],
    /// The first body.
    answer: Value,
}

impl Poll {
    fn verdict(&self) -> &str {
        self.answer["verdict"].as_str().unwrap_or("no verdict")
    }
}

/// A recording and everything that was said about it.
struct Judged {
    truth: Truth,
    polls: Vec<Poll>,
    /// Polls asked again after a restart whose answer was another.
    changed: Vec<String>,
}

static JUDGED: LazyLock<Vec<Judged>> = LazyLock::new(|| {
    let databases = Databases::shared();
    let setups = databases.sources().map(|(kind, url)| {
        let setup = Setup::default().policy("scenario/shop.yaml");
        setup.source("default", kind, &url)
    });
    let [victoria, prometheus] = setups.clone().map(|setup| setup.start());
    let both = [&victoria, &prometheus];
    let polls = on_threads(&databases.recordings, |recording| poll(recording, both));
    drop(victoria);
    let again = setups[0].start();
    let judged = databases.recordings.iter().zip(polls);
    let judged: Vec<Judged> = judged
        .map(|(recording, polls)| Judged {
            truth: Truth::load(&recording.name),
            changed: changed(&again, &polls),
            polls,
        })
        .collect();
    let lines = judged
        .iter()
        .map(|j| format!("{}: {}\n", j.truth.name, j.timeline()));
    fs::write(SUMMARY, lines.collect::<String>()).unwrap();
    judged
});

/// One thread for each recording; a panic in one is a panic here.
fn on_threads<T: Send>(recordings: &[Recording], work: impl Fn(&Recording) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = recordings
            .iter()
            .map(|recording| scope.spawn(move || work(recording)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// As Argo Rollouts asks: every value is a string.
fn question(recording: &Recording, at: i64) -> Value {
    let (index, step) = recording.step_at(at);
    json!({
        "policy": "shop",
        "namespace": "shop",
        "rollout": recording.name.replace('_', "-"),
        "canaryHash": recording.hash("canary"),
        "stableHash": recording.hash("stable"),
        "weight": step.weight.to_string(),
        "step": index.to_string(),
        "stepSince": (recording.t0 + step.from_s).to_string(),
        "at": at.to_string(),
        "params": {"scenario": recording.name},
    })
}

fn poll(recording: &Recording, services: [&Service; 2]) -> Vec<Poll> {
    let first = recording.rollout.start_s + EVERY;
    let last = recording.end() - recording.t0;
    (first..=last)
        .step_by(EVERY as usize)
        .map(|at| {
            let question = question(recording, recording.t0 + at);
            let bodies = services.map(|service| body(service, &question));
            Poll {
                at,
                question,
                answer: serde_json::from_str(&bodies[0]).unwrap_or(Value::Null),
                bodies,
            }
        })
        .collect()
}

/// The body of a 200; of another status a text that is no JSON.
fn body(service: &Service, question: &Value) -> String {
    let answer = service.ask(question);
    match answer.status {
        200 => answer.text(),
        status => format!("status {status}: {}", answer.text()),
    }
}

/// Asks a service that knows nothing again, the newest moment first.
fn changed(service: &Service, polls: &[Poll]) -> Vec<String> {
    let first_fail = polls.iter().position(|p| p.verdict() == "fail");
    let chosen = |i: usize| i % 10 == 9 || Some(i) == first_fail;
    let asked = polls.iter().enumerate().rev().filter(|(i, _)| chosen(*i));
    asked
        .filter_map(|(_, poll)| {
            let now = body(service, &poll.question);
            let same = now == poll.bodies[0];
            (!same).then(|| format!("at {} s: {}", poll.at, difference(&poll.bodies[0], &now)))
        })
        .collect()
}

/// Where two bodies differ.
fn difference(before: &str, after: &str) -> String {
    let parsed = (serde_json::from_str(before), serde_json::from_str(after));
    let (Ok(a), Ok(b)) = parsed else {
        return format!("{before}\n    and {after}");
    };
    let mut out = Vec::new();
    differ("$", &a, &b, &mut out);
    if out.is_empty() {
        return "same values, other bytes".to_owned();
    }
    out.join("; ")
}

fn differ(path: &str, a: &Value, b: &Value, out: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for key in x.keys().chain(y.keys().filter(|k| !x.contains_key(*k))) {
                let (x, y) = (x.get(key), y.get(key));
                let null = &Value::Null;
                differ(
                    &format!("{path}.{key}"),
                    x.unwrap_or(null),
                    y.unwrap_or(null),
                    out,
                );
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                differ(&format!("{path}[{i}]"), x, y, out);
            }
        }
        _ if a == b => {}
        _ => out.push(format!("{path}: {a} and {b}")),
    }
}

impl Judged {
    /// `inconclusive 1830..2100, pass 2130..5400`, and the last reason.
    fn timeline(&self) -> String {
        let mut out = String::new();
        for group in self.polls.chunk_by(|a, b| a.verdict() == b.verdict()) {
            let (from, to) = (group[0].at, group[group.len() - 1].at);
            write!(out, "{} {from}..{to}, ", group[0].verdict()).unwrap();
        }
        let last = self.polls.last().unwrap();
        let reason = last.answer["reason"].as_str();
        out + reason.unwrap_or(&last.bodies[0])
    }

    fn first_fail(&self) -> Option<&Poll> {
        self.polls.iter().find(|p| p.verdict() == "fail")
    }
}

/// Collects what is wrong with each recording and fails with all of it.
#[track_caller]
fn check(complain: impl Fn(&Judged) -> Vec<String>) {
    let mut out = String::new();
    for judged in JUDGED.iter() {
        for complaint in complain(judged) {
            let name = &judged.truth.name;
            write!(out, "\n  {name}: {complaint}\n    {}", judged.timeline()).unwrap();
        }
    }
    assert!(out.is_empty(), "{out}\n");
}

#[test]
fn every_poll_is_answered_with_a_verdict() {
    check(|judged| {
        let known = ["pass", "fail", "inconclusive"];
        let wrong = judged.polls.iter().find(|p| !known.contains(&p.verdict()));
        wrong
            .map(|p| format!("at {} s: {}", p.at, p.bodies[0]))
            .into_iter()
            .collect()
    });
}

#[test]
fn the_end_is_the_truth() {
    check(|judged| {
        let truth = &judged.truth;
        let end = judged.polls.last().unwrap().verdict();
        let exception = EXCEPTIONS.iter().find(|(name, _, _)| *name == truth.name);
        let expected = exception.map_or(truth.verdict.as_str(), |(_, verdict, _)| verdict);
        let mut complaints = Vec::new();
        if end != expected {
            complaints.push(format!("ends as {end}, the truth is {expected}"));
        }
        if !truth.acceptable_at_end.iter().any(|v| v == end) {
            complaints.push(format!("{end} is not acceptable at the end"));
        }
        complaints
    });
}

#[test]
fn what_must_never_be_said_is_never_said() {
    check(|judged| {
        let never = &judged.truth.must_never;
        let said = judged
            .polls
            .iter()
            .find(|p| never.iter().any(|v| v == p.verdict()));
        said.map(|p| format!("{} at {} s: {}", p.verdict(), p.at, p.answer["reason"]))
            .into_iter()
            .collect()
    });
}

#[test]
fn regressions_fail_in_time_and_by_their_metric() {
    check(|judged| {
        let truth = &judged.truth;
        let Some((from, to)) = truth.fail_between_s else {
            return Vec::new();
        };
        let Some(fail) = judged.first_fail() else {
            return vec!["never failed".to_owned()];
        };
        let mut complaints = Vec::new();
        if !(from..=to).contains(&fail.at) {
            complaints.push(format!("first fail at {} s, not in {from}..{to}", fail.at));
        }
        let failed: Vec<&str> = fail.answer["objectives"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|o| o["outcome"] == "fail")
            .filter_map(|o| o["name"].as_str())
            .collect();
        let wanted = truth.objective().unwrap();
        if !failed.contains(&wanted) {
            complaints.push(format!("failed by {failed:?} instead of {wanted}"));
        }
        complaints
    });
}

#[test]
fn a_fail_is_final() {
    check(|judged| {
        let failed = judged.polls.iter().skip_while(|p| p.verdict() != "fail");
        let after = failed.clone().find(|p| p.verdict() != "fail");
        after
            .map(|p| format!("{} at {} s after a fail", p.verdict(), p.at))
            .into_iter()
            .collect()
    });
}

#[test]
fn both_databases_give_the_same_answers() {
    check(|judged| {
        let other = judged.polls.iter().filter(|p| p.bodies[0] != p.bodies[1]);
        let count = other.clone().count();
        other
            .take(1)
            .map(|p| {
                let difference = difference(&p.bodies[0], &p.bodies[1]);
                format!("{count} polls differ, first at {} s: {difference}", p.at)
            })
            .collect()
    });
}

#[test]
fn a_restart_changes_no_answer() {
    check(|judged| judged.changed.clone());
}

/// A background analysis with `interval: 30s`, fed with the answers: Argo Rollouts aborts the regressions and nothing else.
#[test]
fn argo_rollouts_aborts_exactly_the_regressions() {
    check(|judged| {
        let template = Template::post("", &[]);
        let limits = Limits {
            interval: Some(EVERY as f64),
            inconclusive: u32::MAX,
            ..Limits::default()
        };
        let metric = Metric::new(limits, |now| {
            let poll = &judged.polls[(now / EVERY as f64) as usize];
            let read = template.read(200, poll.bodies[0].as_bytes());
            (read.map_or(Phase::Failed, |m| m.phase), 0.0)
        });
        let last = (judged.polls.len() - 1) as i64 * EVERY;
        let run = Run::until(last as f64, vec![metric]);
        let expected = if judged.truth.healthy {
            Phase::Running
        } else {
            Phase::Failed
        };
        let wrong = run.phase != expected;
        wrong
            .then(|| format!("the run is {:?} instead of {expected:?}", run.phase))
            .into_iter()
            .collect()
    });
}
