//! The program itself: `rollout-judge serve`.

use super::{
    http::{Answer, Call, PATIENCE, post},
    openapi::{Told, mistakes},
    process::{Process, Start},
};
use serde_json::{Value, json};
use std::{fs, path::Path, path::PathBuf, time::Duration};
use tempfile::TempDir;

/// How links in answers begin, the same for every service of the tests.
pub const PUBLIC_URL: &str = "https://judge.example.org";

/// What a service is started with.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    sources: Vec<(String, Value)>,
    policies: Vec<PathBuf>,
    written: Vec<(String, String)>,
    server: Vec<(String, Value)>,
    more: Vec<(String, Value)>,
    /// The port to listen on, for a service that comes back where it was; else a free one.
    pub port: Option<u16>,
}

impl Setup {
    /// A metric source: `victoriametrics` or `prometheus`.
    pub fn source(self, name: &str, kind: &str, url: &str) -> Self {
        self.source_with(name, json!({"kind": kind, "url": url}))
    }

    /// A metric source with all its settings.
    pub fn source_with(mut self, name: &str, source: Value) -> Self {
        self.sources.push((name.to_owned(), source));
        self
    }

    /// A policy file of `fixtures/policies`.
    pub fn policy(mut self, path: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policies");
        self.policies.push(folder.join(path));
        self
    }

    /// A policy written for the test.
    pub fn policy_text(mut self, name: &str, text: &str) -> Self {
        self.written.push((format!("{name}.yaml"), text.to_owned()));
        self
    }

    /// A setting of `server`.
    pub fn server(mut self, key: &str, value: Value) -> Self {
        self.server.push((key.to_owned(), value));
        self
    }

    /// Another section of the configuration.
    pub fn section(mut self, key: &str, value: Value) -> Self {
        self.more.push((key.to_owned(), value));
        self
    }

    /// JSON is YAML.
    fn config(&self, folder: &Path, port: u16) -> String {
        let mut server = json!({"listen": format!("127.0.0.1:{port}"), "publicUrl": PUBLIC_URL});
        for (key, value) in &self.server {
            server[key] = value.clone();
        }
        let sources: serde_json::Map<String, Value> = self.sources.iter().cloned().collect();
        let written = self.written.iter().map(|(name, _)| folder.join(name));
        let paths: Vec<PathBuf> = self.policies.iter().cloned().chain(written).collect();
        let mut config =
            json!({"server": server, "sources": sources, "policies": {"paths": paths}});
        let database = folder.join("judge.db");
        // a machine that is busy with other tests is no reason for a 503
        config["store"] =
            json!({"url": format!("sqlite://{}", database.display()), "timeout": "6s"});
        for (key, value) in &self.more {
            config[key] = value.clone();
        }
        config.to_string()
    }

    /// Starts the program and waits until `/readyz` says yes.
    pub fn start(&self) -> Service {
        let folder = TempDir::with_prefix("rollout-judge").unwrap();
        let mut service = self.start_in(folder.path());
        service.folder = Some(folder);
        service
    }

    /// The same in a folder that outlives the service.
    pub fn start_in(&self, folder: &Path) -> Service {
        for (name, text) in &self.written {
            fs::write(folder.join(name), text).unwrap();
        }
        let config = folder.join("config.yaml");
        let arguments = |port: u16| {
            fs::write(&config, self.config(folder, port)).unwrap();
            let path = config.display().to_string();
            vec!["serve".to_owned(), "--config".to_owned(), path]
        };
        let process = Process::start(&Start {
            name: "rollout-judge",
            program: Path::new(env!("CARGO_BIN_EXE_rollout-judge")),
            arguments: &arguments,
            ready: "/readyz",
            within: Duration::from_secs(30),
            port: self.port,
        });
        Service {
            process,
            folder: None,
        }
    }
}

/// A running service; dropping it kills it.
pub struct Service {
    pub process: Process,
    folder: Option<TempDir>,
}

impl Service {
    pub fn url(&self, path: &str) -> String {
        self.process.url(path)
    }

    /// `POST /v1/verdicts`
    pub fn ask(&self, question: &Value) -> Answer {
        let url = self.url("/v1/verdicts");
        let answer = post(&url, "application/json", question.to_string()).unwrap();
        as_documented("POST", "/v1/verdicts", &answer);
        answer
    }

    /// Any call, for what `ask` cannot say.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let call = Call {
            method,
            url: &self.url(path),
            headers: &headers,
            body: body.into(),
            timeout: PATIENCE,
        };
        let answer = call.send().unwrap();
        as_documented(method, path, &answer);
        answer
    }
}

/// Fails where an answer contradicts the OpenAPI document.
#[track_caller]
pub fn as_documented(method: &str, path: &str, answer: &Answer) {
    let wrong = mistakes(Told {
        method,
        path,
        status: answer.status,
        content_type: answer.header("content-type").unwrap_or_default(),
        body: &answer.body,
    });
    assert!(wrong.is_empty(), "{wrong:#?} {}", answer.text());
}
