//! Every verdict that a service kept of the recorded rollouts is replayed by the program, byte for byte.

use crate::support::{
    databases::Databases,
    recording::Recording,
    rollouts::{bundle, kept, question, verdict},
    service::Setup,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// The bundle that every later version must be able to read.
const FIXTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/wire/v1/bundle.json.gz"
);

fn replay(files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rollout-judge"))
        .args(["replay", "--output", "json"])
        .args(files)
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        let (out, err) = (&output.stdout, &output.stderr);
        let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        panic!("{e}: {out}{err}")
    })
}

fn setup(folder: &Path, keep_samples: bool) -> Setup {
    let [(kind, url), _] = Databases::shared().sources();
    let database = folder.join("judge.db");
    let store = json!({"url": format!("sqlite://{}", database.display()), "keepSamples": keep_samples, "maxAge": "3650d"});
    Setup::default()
        .source("default", kind, &url)
        .policy("scenario/shop.yaml")
        .section("store", store)
}

/// Asks about a recording from its start on; `every` seconds.
fn moments(recording: &Recording, every: i64) -> impl Iterator<Item = i64> {
    let last = recording.end() - recording.t0;
    (recording.rollout.start_s + 30..=last).step_by(every as usize)
}

/// Downloads every bundle and replays them all; returns how many verdicts there are, and the reports.
fn replay_all(service: &crate::support::service::Service, folder: &Path) -> Vec<Value> {
    let ids = kept(service);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let files: Vec<PathBuf> = ids
        .iter()
        .map(|id| {
            let answer = bundle(service, id, &[("accept-encoding", "identity")]);
            assert_eq!(answer.status, 200, "{}", answer.text());
            let file = folder.join(format!("{id}.json.gz"));
            fs::write(&file, &answer.body).unwrap();
            file
        })
        .collect();
    let output = replay(&files);
    let report = report(&output);
    let wrong: Vec<&Value> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["equal"] != true)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(output.status.code(), Some(0));
    report["files"].as_array().unwrap().clone()
}

#[test]
fn every_kept_verdict_is_replayed_byte_for_byte() {
    let databases = Databases::shared();
    let folder = TempDir::new().unwrap();
    let setup = setup(folder.path(), false);
    let mut asked = BTreeSet::new();
    let mut ask_all = |service: &crate::support::service::Service, first: bool| {
        for recording in &databases.recordings {
            let all: Vec<i64> = moments(recording, 90).collect();
            let (before, after) = all.split_at(all.len() / 2);
            for &at in if first { before } else { after } {
                let answer = verdict(service, &question(recording, at));
                asked.insert(answer["id"].as_str().unwrap().to_owned());
            }
        }
    };
    let service = setup.start_in(folder.path());
    ask_all(&service, true);
    drop(service);
    // a restart reads anew: another run
    let service = setup.start_in(folder.path());
    ask_all(&service, false);
    // an earlier moment, a silent beginning, a dry run, an override, and a question under it
    let recording = databases
        .recordings
        .iter()
        .find(|r| r.name == "error_step")
        .unwrap();
    let start = recording.rollout.start_s;
    let mut more = vec![verdict(&service, &question(recording, start + 615))];
    let mut early = question(recording, start + 5);
    more.push(verdict(&service, &early));
    early["dryRun"] = json!("true");
    early["at"] = json!((recording.t0 + start + 60).to_string());
    verdict(&service, &early);
    let ruling = json!({"verdict": "pass", "reason": "known", "expires": "1h"});
    let path = "/v1/rollouts/shop/error-step/override";
    let json_type = [("content-type", "application/json")];
    let made = service.send("POST", path, &json_type, &ruling.to_string());
    assert!(made.status < 300, "{}", made.text());
    let mut now = question(recording, start + 615);
    now["at"] = json!("");
    // moments are whole seconds: the override is in force from the next one on
    for _ in 0..100 {
        let answer = verdict(&service, &now);
        let ruled = answer["reason"].as_str().unwrap().contains("by override");
        more.push(answer);
        if ruled {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(more[more.len() - 1]["verdict"], "pass");
    asked.extend(more.iter().map(|v| v["id"].as_str().unwrap().to_owned()));
    let reports = replay_all(&service, folder.path());
    let replayed = reports.iter().map(|r| r["id"].as_str().unwrap().to_owned());
    assert_eq!(replayed.collect::<BTreeSet<_>>(), asked);
    let outcomes: BTreeSet<&str> = reports
        .iter()
        .map(|r| r["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, BTreeSet::from(["fail", "inconclusive", "pass"]));
    let some = reports.iter().filter(|r| r["blocks"].as_u64() > Some(0));
    assert!(some.count() * 10 > reports.len() * 9);
}

#[test]
fn samples_are_kept_where_they_are_wanted_and_make_the_same_blocks() {
    let databases = Databases::shared();
    let folder = TempDir::new().unwrap();
    let service = setup(folder.path(), true).start_in(folder.path());
    for name in ["error_step", "low_traffic_healthy"] {
        let recording = databases
            .recordings
            .iter()
            .find(|r| r.name == name)
            .unwrap();
        for at in moments(recording, 180) {
            verdict(&service, &question(recording, at));
        }
    }
    let reports = replay_all(&service, folder.path());
    for report in &reports {
        assert_eq!(report["blocks"], report["resampled"], "{report}");
    }
    assert!(reports.iter().any(|r| r["resampled"].as_u64() > Some(300)));
    if std::env::var_os("UPDATE").is_some() {
        let failed = reports
            .iter()
            .rev()
            .find(|r| r["verdict"] == "fail")
            .unwrap();
        fs::create_dir_all(Path::new(FIXTURE).parent().unwrap()).unwrap();
        fs::copy(failed["file"].as_str().unwrap(), FIXTURE).unwrap();
    }
}

#[test]
fn a_bundle_is_served_as_a_file_with_its_digest() {
    let databases = Databases::shared();
    let folder = TempDir::new().unwrap();
    let service = setup(folder.path(), false).start_in(folder.path());
    let recording = &databases.recordings[0];
    let answer = verdict(
        &service,
        &question(recording, recording.rollout.start_s + 600),
    );
    let id = answer["id"].as_str().unwrap();
    let file = bundle(&service, id, &[]);
    assert_eq!(file.header("content-type"), Some("application/gzip"));
    assert_eq!(file.header("content-encoding"), None);
    let name = format!("attachment; filename=\"rollout-judge-{id}.json.gz\"");
    assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    let tag = file.header("etag").unwrap().to_owned();
    let mut text = String::new();
    GzDecoder::new(&file.body[..])
        .read_to_string(&mut text)
        .unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{:?}", value["digest"].as_str().unwrap()), tag);
    assert_eq!(value["verdict"]["id"], id);
    let known = bundle(&service, id, &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    for wrong in ["nonsense", "01950000-0000-7000-8000-000000000000"] {
        let answer = bundle(&service, wrong, &[]);
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["code"], "unknown-verdict");
    }
    // standard input, and files that are none
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollout-judge"))
        .args(["replay", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&file.body).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.starts_with("equal -: verdict"),
        "{said}"
    );
    let altered = folder.path().join("altered.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed
        .write_all(text.replacen("\"weight\":5", "\"weight\":7", 1).as_bytes())
        .unwrap();
    fs::write(&altered, packed.finish().unwrap()).unwrap();
    let output = replay(&[altered, folder.path().join("none.gz")]);
    assert_eq!(output.status.code(), Some(2));
    let report = report(&output);
    let error = |i: usize| report["files"][i]["error"].as_str().unwrap().to_owned();
    assert!(error(0).contains("it was altered"), "{}", error(0));
    assert!(error(1).contains("No such file"), "{}", error(1));
}

#[test]
fn the_first_bundle_of_all_is_read_for_ever() {
    let output = replay(&[FIXTURE.into()]);
    let report = report(&output);
    let file = &report["files"][0];
    assert!(file["error"].is_null(), "{file}");
    assert!(file["blocks"].as_u64() > Some(100), "{file}");
    assert_eq!(file["blocks"], file["resampled"], "{file}");
    // a later version may judge otherwise, but must say so
    let same = file["judgedBy"] == file["replayedBy"];
    assert!(file["equal"] == true || !same, "{file}");
}
