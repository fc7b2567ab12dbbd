//! kill -9 at random moments under load: what was answered stays, a fail stays a fail, every alert arrives.
//!
//! `KILLS=200 cargo test --test it kills` for the long run; the default is short.

use crate::store::postgres::Postgres;
use crate::support::{
    http::{Answer, Call, get},
    scripted::{Reply, Scripted, Seen},
    service::{Service, Setup},
};
use rollout_judge::domain::{Clock, SystemClock};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// No data is a fail at once, so a poll costs nothing; a source that refuses gives inconclusive.
const POLICY: &str = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: strict }
spec:
  onNoData: fail
  noDataPatience: 0s
  objectives:
    - { name: errors, errorRatio: { errors: errors_total, total: requests_total } }
alerts: { on: [fail], to: [hook] }
";

/// Rollouts that are asked about side by side.
const ROLLOUTS: usize = 8;
/// Questions about one canary.
const QUESTIONS: u64 = 6;

/// A stream of numbers that looks random and is the same in each run.
struct Dice(AtomicU64);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        let x = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % sides
    }
}

/// What was answered with 200.
#[derive(Debug, Clone)]
struct Acknowledged {
    rollout: String,
    canary: String,
    at: u64,
    id: String,
    verdict: String,
    body: Value,
}

/// The clock of the service, in whole seconds.
fn seconds() -> u64 {
    SystemClock.now() as u64 / 1000
}

/// Where the service listens now.
type Address = Arc<Mutex<Option<String>>>;

fn ask(address: &Address, question: &Value) -> Option<Answer> {
    let url = address.lock().unwrap().clone()?;
    let call = Call {
        method: "POST",
        url: &format!("{url}/v1/verdicts"),
        headers: &[("content-type".to_owned(), "application/json".to_owned())],
        body: question.to_string().into(),
        timeout: Duration::from_secs(10),
    };
    call.send().ok()
}

/// Asks about one rollout until it is stopped; a question without an answer is asked again.
fn caller(
    name: &str,
    first: u64,
    address: &Address,
    stop: &AtomicBool,
    seen: &Mutex<Vec<Acknowledged>>,
) {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let canary = format!("c{}", n / QUESTIONS);
        let at = first + n;
        let question = json!({
            "policy": "strict", "namespace": "shop", "rollout": name, "canaryHash": canary,
            "stableHash": "s", "weight": 5, "at": at,
        });
        match ask(address, &question) {
            Some(answer) if answer.status == 200 => {
                let body = answer.json();
                let text = |key: &str| body[key].as_str().unwrap().to_owned();
                seen.lock().unwrap().push(Acknowledged {
                    rollout: name.to_owned(),
                    canary,
                    at,
                    id: text("id"),
                    verdict: text("verdict"),
                    body,
                });
                n += 1;
            }
            Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Kills services of this setup under load and holds what is left against what was answered.
fn survive(setup: &Setup, folder: &Path, alerts: &Scripted) {
    let kills: usize =
        env::var_os("KILLS").map_or(5, |n| n.into_string().unwrap().parse().unwrap());
    let dice = Dice(AtomicU64::new(7));
    let address: Address = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let seen: Arc<Mutex<Vec<Acknowledged>>> = Arc::default();
    let now = seconds();
    let callers: Vec<_> = (0..ROLLOUTS)
        .map(|i| {
            let (address, stop, seen) =
                (Arc::clone(&address), Arc::clone(&stop), Arc::clone(&seen));
            thread::spawn(move || caller(&format!("r{i}"), now - 80_000, &address, &stop, &seen))
        })
        .collect();
    for _ in 0..kills {
        let service = setup.start_in(folder);
        *address.lock().unwrap() = Some(service.url(""));
        // some answers, and then somewhere between two of them
        let enough = seen.lock().unwrap().len() + 10 + dice.roll(40) as usize;
        let end = Instant::now() + Duration::from_secs(30);
        while seen.lock().unwrap().len() < enough {
            assert!(
                Instant::now() < end,
                "no answers: {}",
                service.process.log_text()
            );
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(dice.roll(20_000)));
        *address.lock().unwrap() = None;
        drop(service); // kill -9
    }
    let service = setup.start_in(folder);
    *address.lock().unwrap() = Some(service.url(""));
    thread::sleep(Duration::from_millis(200));
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.join().unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    kept(&service, &seen);
    let failed = latched(&seen);
    told(alerts, &failed);
    println!(
        "{kills} kills, {} answers, {} canaries failed and told",
        seen.len(),
        failed.len()
    );
}

/// Every answer is readable and the same.
fn kept(service: &Service, seen: &[Acknowledged]) {
    for one in seen {
        let answer = get(&service.url(&format!("/v1/verdicts/{}", one.id))).unwrap();
        assert_eq!(answer.status, 200, "{one:?}: {}", answer.text());
        let body = answer.json();
        for key in [
            "id",
            "verdict",
            "reason",
            "score",
            "action",
            "objectives",
            "window",
        ] {
            assert_eq!(body[key], one.body[key], "{key} of {one:?}");
        }
    }
}

/// After its first fail a canary only fails. Gives the canaries that failed.
fn latched(seen: &[Acknowledged]) -> BTreeSet<(String, String)> {
    let mut first: BTreeMap<(String, String), u64> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.verdict == "fail") {
        let key = (one.rollout.clone(), one.canary.clone());
        let at = first.entry(key).or_insert(one.at);
        *at = one.at.min(*at);
    }
    for one in seen {
        let key = (one.rollout.clone(), one.canary.clone());
        if first.get(&key).is_some_and(|at| one.at >= *at) {
            assert_eq!(one.verdict, "fail", "after the fail: {one:?}");
        }
    }
    assert!(!first.is_empty());
    assert!(seen.iter().any(|one| one.verdict == "inconclusive"));
    first.into_keys().collect()
}

/// Each canary that failed was told at least once.
fn told(alerts: &Scripted, failed: &BTreeSet<(String, String)>) {
    let end = Instant::now() + Duration::from_mins(2);
    loop {
        let arrived = messages(&alerts.seen());
        let missing: Vec<_> = failed.difference(&arrived).collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "never told: {missing:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The canaries whose fail arrived, alone or with others.
fn messages(seen: &[Seen]) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for one in seen {
        // one that was cut off by a kill is no message
        let Ok(body) = serde_json::from_str::<Value>(&one.body) else {
            continue;
        };
        let data = &body["data"];
        let earlier = data["earlier"].as_array().into_iter().flatten();
        for event in std::iter::once(data)
            .chain(earlier)
            .filter(|e| e["event"] == "fail")
        {
            let rollout = data["rollout"].as_str().unwrap();
            let canary = event["canaryHash"].as_str().unwrap();
            out.insert((rollout.to_owned(), canary.to_owned()));
        }
    }
    out
}

/// A source that has no data for a while, then refuses for a while: a canary fails first and is undecided later.
fn source() -> Scripted {
    let asked = AtomicU64::new(0);
    Scripted::start(move |_| {
        if (asked.fetch_add(1, Ordering::Relaxed) / 24).is_multiple_of(3) {
            // in the order of the databases
            let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
            Reply::Json(200, empty.to_owned())
        } else {
            let error = json!({"status": "error", "errorType": "bad_data", "error": "as told"});
            Reply::Json(400, error.to_string())
        }
    })
}

fn receiver() -> Scripted {
    Scripted::start(|_| Reply::Json(200, "{}".to_owned()))
}

fn setup(source: &Scripted, alerts: &Scripted, folder: &Path) -> Setup {
    let key = folder.join("key");
    fs::write(&key, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
    let webhook = json!({"url": alerts.url(), "secrets": [{"file": key}]});
    let hook = json!({"webhook": webhook, "perMinute": 6000});
    Setup::default()
        .source("default", "prometheus", source.url())
        .policy_text("strict", POLICY)
        .section("receivers", json!({"hook": hook}))
}

#[test]
fn sqlite_survives_kills() {
    let (source, alerts) = (source(), receiver());
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&source, &alerts, folder.path());
    survive(&setup, folder.path(), &alerts);
}

#[test]
fn postgres_survives_kills() {
    let (source, alerts) = (source(), receiver());
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::shared();
    let setup =
        setup(&source, &alerts, folder.path()).section("store", json!({"url": server.database()}));
    survive(&setup, folder.path(), &alerts);
}

/// Two replicas behind one address, one of them killed while it tells: the same answers from both, and every alert.
#[test]
fn a_replica_that_dies_while_it_tells_loses_nothing() {
    let source = source();
    let alerts = Scripted::start(|_| {
        thread::sleep(Duration::from_millis(150));
        Reply::Json(200, "{}".to_owned())
    });
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let server = Postgres::shared();
    let store = json!({"url": server.database()});
    let start = |folder: &tempfile::TempDir| {
        setup(&source, &alerts, folder.path())
            .section("store", store.clone())
            .start_in(folder.path())
    };
    let mut replicas: Vec<Service> = folders.iter().map(start).collect();
    let now = seconds();
    let mut failed = BTreeSet::new();
    for n in 0..60_u64 {
        let (rollout, canary) = (format!("r{}", n % 6), format!("c{}", n / 12));
        let question = json!({
            "policy": "strict", "namespace": "shop", "rollout": rollout, "canaryHash": canary,
            "stableHash": "s", "weight": 5, "at": now - 10_000 + n,
        });
        let turn = n as usize % replicas.len();
        let first = replicas[turn].ask(&question);
        assert_eq!(first.status, 200, "{}", first.text());
        let other = &replicas[(turn + 1) % replicas.len()];
        assert_eq!(other.ask(&question).json(), first.json());
        if first.json()["verdict"] == "fail" {
            failed.insert((rollout, canary));
        }
        if n == 30 {
            drop(replicas.remove(0)); // kill -9 with messages on their way
        }
    }
    assert!(failed.len() > 3, "{failed:?}");
    told(&alerts, &failed);
    let mut keys: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut messages = 0;
    for one in alerts.seen() {
        let Ok(body) = serde_json::from_str::<Value>(&one.body) else {
            continue;
        };
        let text = |key: &str| body["data"][key].as_str().unwrap().to_owned();
        let key = (text("event") + &text("rollout"), text("canaryHash"));
        keys.entry(key).or_default().insert(text("id"));
        messages += 1;
    }
    println!("{} alerts in {messages} messages", keys.len());
    for (event, ids) in keys {
        assert_eq!(ids.len(), 1, "{event:?} came under several keys");
    }
}
