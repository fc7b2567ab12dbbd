//! A real mail server: what arrives is parsed, in all three kinds of protection.

use super::{
    Secrets,
    message::{hostile, message},
    notifier,
};
use crate::support::process::{free_port, program};
use base64::{Engine, engine::general_purpose::STANDARD};
use rollout_judge::domain::{EventKind, NotifyError};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A mail server; dropping it kills it.
struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    fn start(mode: &str, more: &[&str]) -> Self {
        let python = program("/usr/bin/python3", "python3-aiosmtpd");
        let folder = TempDir::with_prefix("mails").unwrap();
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/alerts/smtp.py");
        let child = Command::new(python)
            .arg(script)
            .args([
                &port.to_string(),
                &folder.path().display().to_string(),
                mode,
            ])
            .args(more)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            port,
            folder,
        };
        let end = Instant::now() + Duration::from_mins(1);
        while !server.folder.path().join("ready").exists() {
            let gone = server.child.try_wait().unwrap();
            assert!(
                gone.is_none() && Instant::now() < end,
                "no mail server (apt-get install python3-aiosmtpd): {gone:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn mails(&self) -> Vec<Value> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        names.retain(|path| path.extension().is_some_and(|e| e == "json"));
        names.sort();
        names
            .iter()
            .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Header lines, unfolded, and the decoded text.
fn parse(data: &str) -> (Vec<(String, String)>, String) {
    let (head, body) = data.split_once("\r\n\r\n").expect("a mail has a body");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers: Vec<(String, String)> = unfolded
        .split("\r\n")
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no header: {line}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let encoding = header(&headers, "content-transfer-encoding").to_ascii_lowercase();
    let text = match encoding.as_str() {
        "base64" => {
            let joined: String = body.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(joined).unwrap()).unwrap()
        }
        "quoted-printable" => quoted_printable(body),
        _ => body.to_owned(),
    };
    (headers, text.replace("\r\n", "\n"))
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut out = Vec::new();
    let mut bytes = joined.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

fn header(headers: &[(String, String)], name: &str) -> String {
    let found: Vec<&String> = headers
        .iter()
        .filter(|(n, _)| n == name)
        .map(|(_, v)| v)
        .collect();
    assert!(found.len() <= 1, "{name} is there {} times", found.len());
    found.first().map_or_else(String::new, |v| (*v).clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_everything_and_no_name_makes_a_header() {
    let server = tokio::task::block_in_place(|| Server::start("none", &[]));
    let receiver = |to: &str| {
        notifier(&format!(
            "{{ email: {{ host: 127.0.0.1, port: {}, tls: none, from: 'Judge <judge@example.org>', to: [{to}] }} }}",
            server.port
        ))
    };
    let both = receiver("sre@example.org, dev@example.org");
    both.tell(&message(EventKind::Fail)).await.unwrap();
    both.tell(&hostile()).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0]["from"], "judge@example.org");
    assert_eq!(
        mails[0]["to"],
        serde_json::json!(["sre@example.org", "dev@example.org"])
    );
    let (headers, text) = parse(mails[0]["data"].as_str().unwrap());
    assert_eq!(
        header(&headers, "subject"),
        "shop/checkout: canary 6c9f8d7b5 failed at 5 %"
    );
    let id = message(EventKind::Fail).id;
    assert_eq!(
        header(&headers, "message-id"),
        format!("<{id}@example.org>")
    );
    assert_eq!(header(&headers, "auto-submitted"), "auto-generated");
    assert!(header(&headers, "content-type").starts_with("text/plain"));
    for part in [
        "error-rate: canary 1.32 %, stable 0.144 %, +817 % (fail)",
        "To override:",
        "/override",
        "https://judge.example.org/verdicts/f1",
        "\n-- \nrollout-judge: critical",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let (headers, text) = parse(mails[1]["data"].as_str().unwrap());
    assert_eq!(
        mails[1]["to"],
        serde_json::json!(["sre@example.org", "dev@example.org"])
    );
    assert_eq!(header(&headers, "bcc"), "");
    // the mail was not cut short by a line with a single dot
    assert!(
        text.trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("rollout-judge: critical"),
        "{text}"
    );
    let refused = receiver("nobody@example.org")
        .tell(&message(EventKind::Fail))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, NotifyError::Refused { .. }),
        "{refused:?}"
    );
    let busy = receiver("busy@example.org")
        .tell(&message(EventKind::Fail))
        .await
        .unwrap_err();
    assert!(matches!(busy, NotifyError::Later { .. }), "{busy:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_go_through_tls_only() {
    let secrets = Secrets::new();
    let (cert, key) = (
        secrets.path().join("cert.pem"),
        secrets.path().join("key.pem"),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let good = secrets.keep("good", "p4ss w0rd");
    let bad = secrets.keep("bad", "wr0ngpass");
    for mode in ["starttls", "tls"] {
        let server = tokio::task::block_in_place(|| {
            Server::start(mode, &[&cert, &key, "judge", "p4ss w0rd"])
        });
        let receiver = |password: &str, ca: &str| {
            notifier(&format!(
                "{{ email: {{ host: localhost, port: {}, tls: {mode}, from: judge@example.org, to: [sre@example.org], auth: {{ username: judge, password: {password} }} }}{ca} }}",
                server.port
            ))
        };
        let trust = format!(", ca: '{cert}'");
        receiver(&good, &trust)
            .tell(&message(EventKind::Fail))
            .await
            .unwrap();
        let mail = &server.mails()[0];
        assert_eq!(
            (&mail["tls"], &mail["user"]),
            (&Value::from(true), &Value::from("judge"))
        );
        let wrong = receiver(&bad, &trust)
            .tell(&message(EventKind::Fail))
            .await
            .unwrap_err();
        assert!(!wrong.to_string().contains("wr0ngpass"), "{wrong}");
        let untrusted = receiver(&good, "")
            .tell(&message(EventKind::Fail))
            .await
            .unwrap_err();
        assert!(
            matches!(untrusted, NotifyError::Later { .. }),
            "{untrusted:?}"
        );
        assert_eq!(server.mails().len(), 1, "{mode}");
    }
}
