//! What the demonstration runs on: VictoriaMetrics with the recordings, and `rollout-judge serve`.

use crate::{child::Server, recording::Recording};
use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{env, ffi::OsStr, fs, path::Path, time::Duration};
use tempfile::TempDir;

/// Both programs. The fields are dropped in this order: the folder goes last.
pub struct Services {
    client: Client,
    judge: Server,
    victoria: Server,
    _folder: TempDir,
}

impl Services {
    /// Starts both and takes the recordings in, each with the label `scenario`.
    pub async fn start(recordings: impl Iterator<Item = &Recording>) -> Result<Self> {
        rollout_judge::source::tls::install_provider();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let folder = TempDir::with_prefix("rollout-judge-demo-")?;
        let victoria = start_victoria(&client, folder.path()).await?;
        for recording in recordings {
            let label = [("scenario".to_owned(), recording.name.clone())];
            let import = client.post(victoria.url("/api/v1/import/prometheus"));
            let body = recording.prometheus_text(&label);
            import.body(body).send().await?.error_for_status()?;
        }
        // visible to queries at once
        let flush = client.get(victoria.url("/internal/force_flush"));
        flush.send().await?.error_for_status()?;
        let judge = start_judge(&client, folder.path(), &victoria).await?;
        Ok(Self {
            client,
            judge,
            victoria,
            _folder: folder,
        })
    }

    /// Where questions go.
    pub fn verdicts(&self) -> String {
        self.judge.url("/v1/verdicts")
    }

    /// One question, one answer.
    pub async fn ask(&self, question: &Value) -> Result<Value> {
        let call = self.client.post(self.verdicts());
        let call = call.header("content-type", "application/json");
        let answer = call.body(question.to_string()).send().await?;
        let status = answer.status();
        let text = String::from_utf8(answer.bytes().await?.into())?;
        ensure!(
            status == StatusCode::OK,
            "{question}\nwas answered with {status}: {text}"
        );
        serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
    }

    /// Pages worth a look; only those that this service has.
    pub async fn pages(&self) -> Vec<(&'static str, String)> {
        let pages = [
            ("dashboard", self.judge.url("/")),
            ("rollouts", self.judge.url("/v1/rollouts")),
            ("policies", self.judge.url("/v1/policies")),
            ("metrics", self.judge.url("/metrics")),
            ("OpenAPI", self.judge.url("/openapi.json")),
            ("samples", self.victoria.url("/api/v1/series/count")),
        ];
        let mut there = Vec::new();
        for (name, url) in pages {
            let answer = self.client.get(&url).send().await;
            if answer.is_ok_and(|a| a.status() == 200) {
                there.push((name, url));
            }
        }
        there
    }
}

async fn start_victoria(client: &Client, folder: &Path) -> Result<Server> {
    let program = OsStr::new("victoria-metrics");
    let data = folder.join("samples").display().to_string();
    Server::start(client, program, folder, "/health", |port| {
        Ok(vec![
            format!("-httpListenAddr=127.0.0.1:{port}"),
            format!("-storageDataPath={data}"),
            // recordings carry their own dates
            "-retentionPeriod=100y".to_owned(),
            "-memory.allowedBytes=256MB".to_owned(),
            "-loggerLevel=WARN".to_owned(),
        ])
    })
    .await
}

async fn start_judge(client: &Client, folder: &Path, victoria: &Server) -> Result<Server> {
    // this driver is DIR/examples/demo, the service DIR/rollout-judge
    let driver = env::current_exe()?;
    let built = driver.ancestors().nth(2).context("no build folder")?;
    let program = built.join("rollout-judge");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policies/scenario/shop.yaml");
    let file = folder.join("config.yaml");
    Server::start(client, program.as_os_str(), folder, "/readyz", |port| {
        let listen = format!("127.0.0.1:{port}");
        // JSON is YAML
        let config = json!({
            "server": {"listen": listen, "publicUrl": format!("http://{listen}")},
            "sources": {"default": {"kind": "victoriametrics", "url": victoria.url("")}},
            "policies": {"paths": [policy]},
            "store": {"url": format!("sqlite://{}", folder.join("judge.db").display())},
        });
        fs::write(&file, config.to_string())?;
        let path = file.display().to_string();
        Ok(vec!["serve".to_owned(), "--config".to_owned(), path])
    })
    .await
}
