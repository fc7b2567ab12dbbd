//! Children: started on a free port, waited for, killed when dropped.

use super::http::Call;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How to start a program that serves HTTP.
pub struct Start<'a> {
    /// For messages and the log file.
    pub name: &'a str,
    pub program: &'a Path,
    /// Arguments for a port.
    pub arguments: &'a dyn Fn(u16) -> Vec<String>,
    /// Path that answers 200 once the program is ready.
    pub ready: &'a str,
    pub within: Duration,
    /// This port instead of a free one: to come back where it was.
    pub port: Option<u16>,
}

/// A running child. Dropping it kills it; its log stays in `target/tmp` when the test panics.
pub struct Process {
    name: String,
    child: Child,
    port: u16,
    log: PathBuf,
}

/// Tries, because a free port may be taken by another process before the child binds it.
const TRIES: usize = 3;

impl Process {
    /// Starts it and waits until it is ready; panics with the end of its log otherwise.
    pub fn start(start: &Start<'_>) -> Self {
        for left in (0..TRIES).rev() {
            let mut process = Self::spawn(start);
            match process.wait(start) {
                Ok(()) => return process,
                Err(problem) if left == 0 || !process.log_text().contains("in use") => {
                    panic!("{problem}\n{}", process.last_lines())
                }
                Err(_) => {}
            }
        }
        unreachable!("the last try returns or panics")
    }

    fn spawn(start: &Start<'_>) -> Self {
        let port = start.port.unwrap_or_else(free_port);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it-logs");
        fs::create_dir_all(&folder).unwrap();
        let log = folder.join(format!("{}-{}-{port}.log", start.name, std::process::id()));
        let out = File::create(&log).unwrap();
        let child = Command::new(start.program)
            .args((start.arguments)(port))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}", start.program.display()));
        Self {
            name: start.name.to_owned(),
            child,
            port,
            log,
        }
    }

    fn wait(&mut self, start: &Start<'_>) -> Result<(), String> {
        let url = self.url(start.ready);
        let end = Instant::now() + start.within;
        loop {
            if let Some(status) = self.exited() {
                return Err(format!("{} ended before it was ready: {status}", self.name));
            }
            let call = Call {
                method: "GET",
                url: &url,
                headers: &[],
                body: Vec::new(),
                timeout: Duration::from_secs(2),
            };
            let last = match call.send() {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => format!("{} {}", answer.status, answer.text()),
                Err(error) => error,
            };
            if Instant::now() > end {
                return Err(format!(
                    "{} was not ready after {:?}; {url} said: {last}",
                    self.name, start.within
                ));
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let (id, name) = (self.id().to_string(), format!("-{name}"));
        let sent = Command::new("kill").args([&name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit status, once it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Everything that it wrote.
    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn last_lines(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(30);
        format!(
            "end of {}:\n{}",
            self.log.display(),
            lines[from..].join("\n")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("log of {}: {}", self.name, self.log.display());
        } else {
            let _ = fs::remove_file(&self.log);
        }
    }
}

/// A loopback port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The program, or a panic that says what to install.
#[track_caller]
pub fn program<'a>(path: &'a str, package: &str) -> &'a Path {
    let path = Path::new(path);
    assert!(
        path.is_file(),
        "{} is missing; install the Debian package `{package}` (apt-get install {package})",
        path.display()
    );
    path
}
