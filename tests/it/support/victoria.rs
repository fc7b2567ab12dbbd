//! A real VictoriaMetrics.

use super::{
    http::{get, post},
    process::{Process, Start, program},
    recording::Recording,
};
use std::time::Duration;
use tempfile::TempDir;

/// A single node with its own data folder.
pub struct Victoria {
    pub process: Process,
    _data: TempDir,
}

impl Victoria {
    pub fn start() -> Self {
        let data = TempDir::with_prefix("victoria").unwrap();
        let folder = data.path().display().to_string();
        let arguments = |port: u16| {
            vec![
                format!("-httpListenAddr=127.0.0.1:{port}"),
                format!("-storageDataPath={folder}"),
                // recordings carry their own dates
                "-retentionPeriod=100y".to_owned(),
                "-memory.allowedBytes=256MB".to_owned(),
                "-loggerLevel=WARN".to_owned(),
            ]
        };
        let process = Process::start(&Start {
            name: "victoria-metrics",
            program: program("/usr/bin/victoria-metrics", "victoria-metrics"),
            arguments: &arguments,
            ready: "/health",
            within: Duration::from_mins(1),
            port: None,
        });
        Self {
            process,
            _data: data,
        }
    }

    /// Takes the recordings in and makes them visible to queries.
    pub fn fill(&self, recordings: &[(Recording, Vec<(String, String)>)]) {
        for (recording, extra) in recordings {
            let url = self.process.url("/api/v1/import/prometheus");
            let answer = post(&url, "text/plain", recording.prometheus_text(extra)).unwrap();
            assert_eq!(answer.status, 204, "import: {}", answer.text());
        }
        let answer = get(&self.process.url("/internal/force_flush")).unwrap();
        assert_eq!(answer.status, 200, "flush: {}", answer.text());
    }

    /// Base address.
    pub fn url(&self) -> String {
        self.process.url("")
    }
}
