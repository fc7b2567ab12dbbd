//! A real Prometheus over blocks that `promtool` made.

use super::{
    process::{Process, Start, program},
    recording::{Recording, openmetrics_text},
};
use serde_json::{Value, json};
use std::{fs, process::Command, time::Duration};
use tempfile::TempDir;

/// A server; without a configuration it scrapes nothing.
pub struct Prometheus {
    process: Process,
    _data: TempDir,
}

impl Prometheus {
    /// Makes blocks of the recordings, then starts on them.
    pub fn start(recordings: &[(Recording, Vec<(String, String)>)]) -> Self {
        Self::with(recordings, &[], &json!({}))
    }

    /// An empty one that takes remote write.
    pub fn receiving() -> Self {
        Self::with(&[], &["--web.enable-remote-write-receiver"], &json!({}))
    }

    /// One with a configuration that scrapes.
    pub fn scraping(config: &Value) -> Self {
        Self::with(&[], &[], config)
    }

    fn with(
        recordings: &[(Recording, Vec<(String, String)>)],
        more: &[&str],
        config: &Value,
    ) -> Self {
        let server = program("/usr/bin/prometheus", "prometheus");
        let tool = program("/usr/bin/promtool", "prometheus");
        let data = TempDir::with_prefix("prometheus").unwrap();
        let blocks = data.path().join("data");
        fs::create_dir(&blocks).unwrap();
        if !recordings.is_empty() {
            let text = data.path().join("recordings.om");
            fs::write(&text, openmetrics_text(recordings)).unwrap();
            let made = Command::new(tool)
                .args(["tsdb", "create-blocks-from", "--quiet", "openmetrics"])
                .args([&text, &blocks])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "promtool: {said}");
            fs::remove_file(&text).unwrap();
        }
        let file = data.path().join("prometheus.yml");
        // JSON is YAML
        fs::write(&file, config.to_string()).unwrap();
        let (config, blocks) = (file.display(), blocks.display());
        let arguments = |port: u16| {
            let mut arguments = vec![
                format!("--config.file={config}"),
                format!("--storage.tsdb.path={blocks}"),
                // recordings carry their own dates
                "--storage.tsdb.retention.time=100y".to_owned(),
                format!("--web.listen-address=127.0.0.1:{port}"),
                "--log.level=warn".to_owned(),
            ];
            arguments.extend(more.iter().map(|&flag| flag.to_owned()));
            arguments
        };
        let process = Process::start(&Start {
            name: "prometheus",
            program: server,
            arguments: &arguments,
            ready: "/-/ready",
            within: Duration::from_mins(1),
            port: None,
        });
        Self {
            process,
            _data: data,
        }
    }

    /// Base address.
    pub fn url(&self) -> String {
        self.process.url("")
    }
}
