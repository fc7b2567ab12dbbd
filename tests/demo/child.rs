//! A program that runs as long as its owner: killed when dropped.

use anyhow::{Context, Result, bail};
use reqwest::Client;
use std::{
    ffi::OsStr,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a program may take until it answers.
const PATIENCE: Duration = Duration::from_mins(1);

/// A free port may be taken before the program binds it.
const TRIES: usize = 3;

/// A running program that serves HTTP on a loopback port.
pub struct Server {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Server {
    /// Starts it and waits until `ready` answers 200. Its output goes to a file in `folder`.
    pub async fn start(
        client: &Client,
        program: &OsStr,
        folder: &Path,
        ready: &str,
        arguments: impl Fn(u16) -> Result<Vec<String>>,
    ) -> Result<Self> {
        let mut problem = None;
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut server = Self::spawn(program, folder, port, arguments(port)?)?;
            match server.wait(client, ready).await {
                Ok(()) => return Ok(server),
                Err(error) => {
                    let log = fs::read_to_string(&server.log).unwrap_or_default();
                    let taken = log.contains("in use");
                    problem = Some(error.context(log).context(program.display().to_string()));
                    if !taken {
                        break;
                    }
                }
            }
        }
        Err(problem.unwrap_or_else(|| anyhow::anyhow!("not tried")))
    }

    fn spawn(program: &OsStr, folder: &Path, port: u16, arguments: Vec<String>) -> Result<Self> {
        let log = folder.join(format!("{port}.log"));
        let out = File::create(&log)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, port, log })
    }

    async fn wait(&mut self, client: &Client, ready: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended before it was ready: {status}");
            }
            let answer = client.get(self.url(ready)).send().await;
            if answer.is_ok_and(|a| a.status() == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(30)).await;
        }
        bail!("not ready after {} s", PATIENCE.as_secs())
    }

    /// Address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
