//! The command line: help pages, usage errors, exit codes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const POLICY: &str = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: shop }
spec:
  objectives:
    - name: error-rate
      errorRatio: { errors: 'http_requests_total{code=~\"5..\"}', total: http_requests_total }
";

#[test]
fn pages() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollout-judge"));
    command.env_remove("ROLLOUT_JUDGE_CONFIG");
    command
}

/// Answers every request with one body.
fn source(body: &'static str) -> String {
    answering(move |_| (200, body))
}

/// Answers by what is asked: a status and a body.
fn answering(by: impl Fn(&str) -> (u16, &'static str) + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read) = stream.read(&mut buffer) {
                seen.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&seen).to_lowercase();
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, rest)| {
                    let length = head
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|l| l.lines().next()?.parse().ok());
                    rest.len() >= length.unwrap_or(0)
                });
                if read == 0 || whole {
                    break;
                }
            }
            let (status, body) = by(&String::from_utf8_lossy(&seen));
            let _ = write!(
                stream,
                "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

#[test]
fn judge_exits_with_3_when_inconclusive_and_prints_both_forms() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    std::fs::write(&file, POLICY).unwrap();
    let url = source(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#);
    let run = |output: &str, hash: &str| {
        program()
            .args([
                "judge",
                "--source",
                &url,
                "--source-kind",
                "prometheus",
                "--namespace",
                "shop",
                "--rollout",
                "checkout",
            ])
            .args([
                "--canary-hash",
                hash,
                "--stable-hash",
                "def",
                "--weight",
                "5",
                "--output",
                output,
                "--policy-file",
            ])
            .arg(&file)
            .output()
            .unwrap()
    };
    let json = run("json", "abc");
    let text = String::from_utf8_lossy(&json.stdout);
    assert_eq!(
        json.status.code(),
        Some(3),
        "{text} {}",
        String::from_utf8_lossy(&json.stderr)
    );
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&value["verdict"], &value["action"]),
        (&"inconclusive".into(), &"hold".into())
    );
    let page = run("text", "abc");
    let text = String::from_utf8_lossy(&page.stdout);
    assert_eq!(page.status.code(), Some(3));
    assert!(
        text.starts_with("INCONCLUSIVE") && text.contains("error-rate") && !text.contains('\u{1b}'),
        "{text}"
    );
    let same = run("text", "def");
    assert_eq!(same.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&same.stderr).contains("both `def`"));
}

#[test]
fn check_against_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    let query = "    - { name: misses, query: 'sum(misses{$track})' }\n";
    std::fs::write(&file, format!("{POLICY}{query}")).unwrap();
    let run = |body: &'static str| {
        program()
            .args([
                "check",
                "--source",
                &source(body),
                "--source-kind",
                "prometheus",
                "--namespace",
                "shop",
                "--rollout",
                "checkout",
            ])
            .args([
                "--canary-hash",
                "abc",
                "--stable-hash",
                "def",
                "--at",
                "1767312000",
                "--output",
                "json",
            ])
            .arg(&file)
            .output()
            .unwrap()
    };
    let none = run(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#);
    let text = String::from_utf8_lossy(&none.stdout);
    assert_eq!(
        none.status.code(),
        Some(1),
        "{text}{}",
        String::from_utf8_lossy(&none.stderr)
    );
    assert!(
        text.contains("no series on canary") && text.contains("no series on stable"),
        "{text}"
    );
    // errors may be absent, what a query gives may not
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let found = value["files"][0]["selectors"].as_array().unwrap();
    let told = |i: usize, key: &str| found[i][key].to_string();
    assert_eq!(found.len(), 3, "{text}");
    assert!(
        told(0, "errors") == "[]" && told(0, "warnings").contains("either arm"),
        "{text}"
    );
    assert!(told(2, "errors").contains("nothing on canary"), "{text}");
    let both = run(
        r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"rollouts_pod_template_hash":"abc","pod":"a","code":"500"},"values":[[1767311900,"1"],[1767311915,"2"],[1767311930,"3"]]},
        {"metric":{"rollouts_pod_template_hash":"def","pod":"b","code":"500"},"values":[[1767311900,"1"],[1767311915,"2"],[1767311930,"3"]]}]}}"#,
    );
    let text = String::from_utf8_lossy(&both.stdout);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let found = &value["files"][0]["selectors"][0];
    assert_eq!(
        (
            both.status.code(),
            &found["canarySeries"],
            &found["stableSeries"]
        ),
        (Some(0), &1.into(), &1.into()),
        "{text}"
    );
    assert_eq!(found["scrapeSeconds"], 15.0);
}

/// Two answers of Prometheus: nothing found, and refused.
const NOTHING: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
const REFUSED: &str =
    r#"{"status":"error","errorType":"bad_data","error":"unknown function zork"}"#;

#[test]
fn check_goes_on_behind_a_refused_query() {
    let dir = tempfile::tempdir().unwrap();
    let files = ["a.yaml", "b.yaml"].map(|name| dir.path().join(name));
    let query = "    - { name: misses, query: 'sum(misses{$track})' }\n    - { name: memory, gauge: memory_bytes }\n";
    std::fs::write(&files[0], format!("{POLICY}{query}")).unwrap();
    std::fs::write(&files[1], POLICY.replace("shop", "bank")).unwrap();
    let run = |url: &str, output: &str| {
        let out = program()
            .args(["check", "--source", url, "--source-kind", "prometheus"])
            .args(["--namespace", "shop", "--rollout", "checkout"])
            .args(["--canary-hash", "abc", "--stable-hash", "def"])
            .args(["--output", output])
            .args(&files)
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(1), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    let refusing = answering(|asked| {
        let refused = asked.contains("misses");
        if refused {
            (400, REFUSED)
        } else {
            (200, NOTHING)
        }
    });
    let text = run(&refusing, "text");
    let place = format!("wrong {}:8:30: misses: `sum(misses", files[0].display());
    assert!(
        text.contains(&place) && text.contains("unknown function zork"),
        "{text}"
    );
    // what stands behind it is asked
    assert_eq!(text.matches("no series on canary").count(), 3, "{text}");
    let place = format!(
        "{}:7:72: error-rate: `http_requests_total`",
        files[1].display()
    );
    assert!(text.contains(&place), "{text}");
    let value: serde_json::Value = serde_json::from_str(&run(&refusing, "json")).unwrap();
    let found = value["files"][0]["selectors"].as_array().unwrap();
    assert_eq!((&value["valid"], found.len()), (&false.into(), 4));
    let refused = found.iter().find(|one| one["objective"] == "misses");
    let refused = refused.unwrap();
    assert!(
        refused["line"] == 8 && refused.get("canarySeries").is_none(),
        "{refused}"
    );

    // nobody is there: every selector says so, in both forms
    for output in ["text", "json"] {
        let text = run("http://127.0.0.1:1", output);
        assert_eq!(text.matches("cannot be reached").count(), 6, "{text}");
    }
}

#[test]
fn check_goes_on_behind_a_file_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("a.yaml"), [0xff, 0xfe, b'a']).unwrap();
    std::fs::write(at("b.yaml"), POLICY).unwrap();
    std::os::unix::fs::symlink("nowhere", at("c.yaml")).unwrap();
    let run = |output: &str| {
        let args = ["check", "--output", output];
        let out = program().args(args).arg(dir.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{out:?}");
        [out.stdout, out.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let [text, told] = run("text");
    assert!(
        text.contains("a.yaml: 1 mistake") && text.contains("b.yaml: shop"),
        "{text}"
    );
    assert!(told.contains("the file is not UTF-8"), "{told}");
    let [text, _] = run("json");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = value["files"].as_array().unwrap();
    assert_eq!((files.len(), &value["valid"]), (2, &false.into()));
    assert_eq!(files[0]["diagnostics"][0]["code"], "unreadable");
}

/// The service, the rest of its log, and where it listens.
fn started(
    dir: &Path,
    config: &Path,
) -> (Child, impl Iterator<Item = String> + Send + use<>, String) {
    let mut child = program()
        .args(["serve", "--config"])
        .arg(config)
        .env("ROLLOUT_JUDGE__TELEMETRY__LOG__FORMAT", "json")
        .env("STATE_DIRECTORY", dir)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let address = loop {
        let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        if line["message"] == "listening" {
            break line["address"].as_str().unwrap().to_owned();
        }
    };
    (child, lines, address)
}

#[test]
fn a_hangup_stops_it_gracefully_too() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("p.yaml");
    std::fs::write(&policy, POLICY).unwrap();
    let config = dir.path().join("judge.yaml");
    let text = format!(
        "server: {{ listen: '127.0.0.1:0' }}\nsources: {{ default: {{ kind: prometheus, url: 'http://127.0.0.1:1' }} }}\npolicies: {{ paths: ['{}'] }}\n",
        policy.display()
    );
    std::fs::write(&config, text).unwrap();
    let (mut child, lines, _) = started(dir.path(), &config);
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().unwrap();
    assert!(sent.success());
    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said:?}");
    for word in ["SIGHUP", "not ready from now on", "\"stopped\""] {
        assert!(said.iter().any(|line| line.contains(word)), "{said:?}");
    }
}

#[test]
fn check_takes_folders_as_the_service_does() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let run = || {
        let out = program().arg("check").arg(dir.path()).output().unwrap();
        let words = [out.stdout, out.stderr].map(|text| String::from_utf8(text).unwrap());
        (out.status.code(), words.concat())
    };
    let (code, text) = run();
    assert!(
        code == Some(2) && text.contains("holds no policy file"),
        "{text}"
    );
    std::fs::create_dir(at("more")).unwrap();
    std::fs::write(at("a.yaml"), POLICY).unwrap();
    std::fs::write(at("more/b.yml"), POLICY.replace("shop", "bank")).unwrap();
    std::fs::write(at("notes.txt"), "no policy").unwrap();
    std::fs::write(at(".hidden.yaml"), "no policy").unwrap();
    let (code, text) = run();
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("a.yaml: shop") && text.contains("b.yml: bank"),
        "{text}"
    );
    // a name belongs to one file of a folder
    std::fs::write(at("c.yaml"), POLICY).unwrap();
    let (code, text) = run();
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("two policies are called `shop`")
            && text.contains("a.yaml has the one in force"),
        "{text}"
    );
    // a file that is named is read whatever it is called
    let one = program()
        .arg("check")
        .arg(at("notes.txt"))
        .output()
        .unwrap();
    assert_eq!(one.status.code(), Some(1));
}

#[test]
fn check_prints_notes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    let mean = "    - { name: wait, mean: { sum: wait_seconds_sum, count: wait_seconds_count } }\n";
    std::fs::write(&file, format!("{POLICY}{mean}")).unwrap();
    let out = program().arg("check").arg(&file).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(0), "{text}");
    assert!(
        text.contains("note") && text.contains("p.yaml:8:21: `wait` looks like a time"),
        "{text}"
    );
}

#[test]
fn serve_answers_and_stops_gracefully() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.yaml"), POLICY).unwrap();
    let config = dir.path().join("judge.yaml");
    let text = format!(
        "server: {{ listen: '127.0.0.1:0' }}\nsources: {{ default: {{ kind: prometheus, url: 'http://127.0.0.1:1' }} }}\npolicies: {{ paths: ['{}'], reload: 100ms }}\n",
        dir.path().join("p.yaml").display()
    );
    std::fs::write(&config, text).unwrap();
    let (mut child, lines, address) = started(dir.path(), &config);
    let drained = std::thread::spawn(move || lines.collect::<Vec<_>>());
    let ask = |path: &str, host: &str| -> String {
        let Ok(mut stream) = TcpStream::connect(&address) else {
            return "refused".to_owned();
        };
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    };
    let get = |path: &str| ask(path, &address);
    assert!(get("/readyz").starts_with("HTTP/1.1 200"));
    let healthy = program()
        .args(["healthcheck", "--url", &format!("http://{address}/readyz")])
        .status()
        .unwrap();
    assert_eq!(healthy.code(), Some(0));
    let url = format!("http://{address}");
    let healthy = program().args(["healthcheck", "--url", &url]).status();
    assert_eq!(healthy.unwrap().code(), Some(0));
    // a bad version of the file leaves the old policy in force, and is counted
    std::fs::write(dir.path().join("p.yaml"), "kind: Nonsense\n").unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !get("/metrics").contains("rollout_judge_policy_reloads_total{result=\"error\"} 1") {
        assert!(Instant::now() < until, "{}", get("/metrics"));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(get("/v1/policies").contains("\"shop\""));
    let stranger = ask("/v1/policies", "evil.example:8080");
    assert!(
        stranger.starts_with("HTTP/1.1 403") && stranger.contains("wrong-host"),
        "{stranger}"
    );
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let until = Instant::now() + Duration::from_millis(900);
    while !get("/readyz").starts_with("HTTP/1.1 503") {
        assert!(Instant::now() < until);
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(
        drained
            .join()
            .unwrap()
            .iter()
            .any(|line| line.contains("\"stopped\""))
    );
}
