//! The files that the service reads: configuration, policies, targets. Ordinary ones, to look at and to change.

use super::{
    pace::{self, Pace},
    stage::Stage,
};
use crate::{
    cli::run::Stop,
    demo::{Arm, Workload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Namespace of everything in the shop.
pub const NAMESPACE: &str = "shop";
/// How soon a changed list of targets is seen.
const REFRESH: f64 = 0.5;

const SHOP: &str = include_str!("papers/shop.yaml");
const ASSISTANT: &str = include_str!("papers/assistant.yaml");
const CONFIG: &str = include_str!("papers/config.yaml");

/// The files in their folder.
#[derive(Debug, Clone)]
pub struct Papers {
    folder: PathBuf,
}

impl Papers {
    /// Writes everything but the targets.
    pub fn write(
        folder: &Path,
        pace: Pace,
        listen: SocketAddr,
        hook: &str,
        key: &[u8],
    ) -> Result<Self, Stop> {
        let papers = Self {
            folder: folder.to_owned(),
        };
        let policies = papers.policies();
        fs::create_dir_all(&policies).map_err(|error| cannot(&policies, &error))?;
        for (name, text) in [("shop.yaml", SHOP), ("assistant.yaml", ASSISTANT)] {
            put(&policies.join(name), &policy(text, pace))?;
        }
        let key = format!("whsec_{}\n", BASE64_STANDARD.encode(key));
        put(&papers.key(), &key)?;
        put(&papers.config(), &papers.settings(pace, listen, hook))?;
        Ok(papers)
    }

    /// The configuration of `serve`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config.yaml")
    }

    /// The folder of policies.
    pub fn policies(&self) -> PathBuf {
        self.folder.join("policies")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("webhook.key")
    }

    fn targets(&self) -> PathBuf {
        self.folder.join("targets.json")
    }

    /// Writes who is to be scraped: the pods that run. The service looks at it all the time.
    pub fn list_targets<'a>(&self, stages: impl Iterator<Item = &'a Stage>) -> Result<(), Stop> {
        let targets: Vec<Value> = stages
            .flat_map(Stage::running)
            .map(|(identity, address)| {
                let labels: serde_json::Map<String, Value> = identity
                    .labels()
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                json!({"targets": [address.to_string()], "labels": labels})
            })
            .collect();
        let text = serde_json::to_string_pretty(&targets).unwrap_or_default();
        // a reader sees the old list or the new one
        let (file, draft) = (self.targets(), self.folder.join("targets.json.new"));
        put(&draft, &text)?;
        fs::rename(&draft, &file).map_err(|error| cannot(&file, &error))
    }

    fn settings(&self, pace: Pace, listen: SocketAddr, hook: &str) -> String {
        let refresh = pace.real(REFRESH).max(Duration::from_millis(200));
        let quoted = |path: PathBuf| Value::from(path.display().to_string()).to_string();
        let store = format!("sqlite://{}", self.folder.join("judge.db").display());
        fill(
            CONFIG,
            &[
                ("listen", listen.to_string()),
                ("scrape", pace::text(pace.scrape())),
                ("refresh", pace::text(refresh)),
                ("targets", quoted(self.targets())),
                ("policies", quoted(self.policies())),
                ("store", Value::from(store).to_string()),
                ("hook", hook.to_owned()),
                ("key", quoted(self.key())),
            ],
        )
    }
}

/// The policy of a workload.
pub fn policy_of(workload: Workload) -> &'static str {
    match workload {
        Workload::Web => "shop",
        Workload::Llm => "assistant",
    }
}

/// What a version is, for the record.
pub fn version_labels(workload: Workload, service: &str) -> Value {
    let version = workload.version(Arm::Canary);
    match workload {
        Workload::Web => json!({"image": format!("registry.example.org/{service}:{version}")}),
        Workload::Llm => json!({"modelVersion": version}),
    }
}

fn policy(text: &str, pace: Pace) -> String {
    fill(
        text,
        &[
            ("block", pace.block()),
            ("lag", pace.text(2.0)),
            ("warmUp", pace.text(6.0)),
            ("first", pace.text(30.0)),
            ("next", pace.text(20.0)),
            ("last", pace.text(10.0)),
            ("most", pace.text(300.0)),
        ],
    )
}

/// Puts values in the place of `<name>`.
fn fill(text: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("<{name}>"), value)
    })
}

fn put(path: &Path, text: &str) -> Result<(), Stop> {
    fs::write(path, text).map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Stop {
    Stop::failed(format!("cannot write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, domain::SourceKind, policy};

    #[test]
    fn what_is_written_is_accepted_at_every_speed() {
        let folder = tempfile::tempdir().unwrap();
        for speed in [0.1, 1.0, 2.0, 10.0] {
            let listen = "127.0.0.1:8080".parse().unwrap();
            let papers = Papers::write(
                folder.path(),
                Pace(speed),
                listen,
                "http://127.0.0.1:9/told",
                &[1; 24],
            )
            .unwrap();
            let settings = config::load(Some(&papers.config())).unwrap();
            assert_eq!(settings.server.public_url(), "http://127.0.0.1:8080");
            for (text, name) in [(SHOP, "shop"), (ASSISTANT, "assistant")] {
                let text = super::policy(text, Pace(speed));
                assert!(!text.contains('<'), "{text}");
                let loaded = policy::load(name, &text, Some(&|_| Some(SourceKind::Scrape)));
                assert_eq!(loaded.unwrap()[0].policy.name, name);
            }
        }
    }
}
