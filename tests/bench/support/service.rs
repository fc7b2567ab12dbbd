//! The release binary as a service, and calls to it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A program that is ended when it is dropped.
pub struct Running {
    child: Child,
    /// Host and port.
    pub address: String,
    _dir: Option<TempDir>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a program and waits until `ready` answers with 200.
    pub fn start(
        command: &mut Command,
        address: String,
        ready: &str,
        dir: Option<TempDir>,
    ) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Self {
            child,
            address,
            _dir: dir,
        };
        let begun = Instant::now();
        while !matches!(call(&running.address, "GET", ready, "", ""), Ok((200, _))) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "not ready: {command:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// The service with one policy and one source; `more` are further settings of the source.
    pub fn service(policy: &str, kind: &str, url: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let policies = dir.path().join("policy.yaml");
        std::fs::write(&policies, policy).unwrap();
        let config = dir.path().join("config.yaml");
        let text = format!(
            "server: {{ listen: '{address}' }}\nsources:\n  default: {{ kind: {kind}, url: '{url}'{more} }}\npolicies: {{ paths: ['{}'] }}\nstore: {{ url: 'sqlite://{}' }}\n",
            policies.display(),
            dir.path().join("judge.db").display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollout-judge"));
        command.arg("serve").arg("--config").arg(&config);
        Self::start(&mut command, address, "/readyz", Some(dir))
    }

    /// Largest resident memory since the start or the last `forget_peak`, in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.status("VmHWM")
    }

    /// Resident memory, in MiB.
    pub fn resident_mib(&self) -> f64 {
        self.status("VmRSS")
    }

    /// The peak begins anew (Linux).
    pub fn forget_peak(&self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    /// Processor seconds so far, user and system.
    pub fn processor_seconds(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = text
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }

    fn status(&self, name: &str) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            / 1024.0
    }

    /// Sum of a metric of `/metrics` over its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, page) = call(&self.address, "GET", "/metrics", "", "").unwrap();
        page.lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

/// A loopback address with a port that was free a moment ago.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// One blocking HTTP/1.1 call on a connection of its own: status and body, which must not be chunked or is left so.
pub fn call(
    address: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|s| s.parse().ok());
    Ok((status.unwrap_or(0), body.to_owned()))
}

/// Body of a question.
pub fn question(rollout: &str, canary: &str, stable: &str, at: i64) -> String {
    format!(
        r#"{{"policy":"shop","namespace":"shop","rollout":"{rollout}","canaryHash":"{canary}","stableHash":"{stable}","weight":"5","at":"{}"}}"#,
        at / 1000
    )
}

/// A share of sorted values: 0.5 is the median.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a bench has a clock of its own")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as i64
}
