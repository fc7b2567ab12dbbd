//! A real PostgreSQL with its own data folder, on a free loopback port; killed when dropped.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A running server with the superuser `judge`, who needs no password.
pub struct Postgres {
    folder: TempDir,
    port: u16,
    flush: bool,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// Weak: the last user drops the server, so nothing outlives the tests.
static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// One server for the tests that run at the same time. It does not flush the disk.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let server = Arc::new(Self::start(false));
        *shared = Arc::downgrade(&server);
        server
    }

    /// A server of one's own; `flush`: what it acknowledges is on the disk.
    pub fn start(flush: bool) -> Self {
        let folder = TempDir::with_prefix("postgres").unwrap();
        if let Some((user, group)) = postgres_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=judge"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let server = Self {
            port: free_port(),
            folder,
            flush,
            server: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        server.run();
        server
    }

    /// Starts the server and waits until it answers; after [`Postgres::kill`] it has the same port and data.
    pub fn run(&self) {
        let folder = self.folder.path();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let flush = if self.flush { "on" } else { "off" };
        let child = command("postgres")
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-k"])
            .arg(folder)
            .args(["-c", &format!("fsync={flush}"), "-c", "max_connections=200"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let old = self.server.lock().unwrap().replace(child);
        assert!(old.is_none(), "PostgreSQL is running already");
        let end = Instant::now() + Duration::from_mins(1);
        while !self
            .client("pg_isready")
            .arg("-q")
            .status()
            .unwrap()
            .success()
        {
            assert!(
                Instant::now() < end,
                "PostgreSQL is not ready: {}",
                fs::read_to_string(self.log()).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&self) {
        let Some(mut child) = self.server.lock().unwrap().take() else {
            return;
        };
        // SIGQUIT makes its children leave too, without a word to anybody
        signal("QUIT", child.id());
        let end = Instant::now() + Duration::from_secs(10);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                let _ = child.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops every process of the server where it stands; `false` lets them go on.
    pub fn freeze(&self, frozen: bool) {
        let child = self.server.lock().unwrap();
        let server = child.as_ref().unwrap().id();
        let word = if frozen { "STOP" } else { "CONT" };
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        for process in children.unwrap().split_whitespace() {
            signal(word, process.parse().unwrap());
        }
        signal(word, server);
    }

    /// URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("judge{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let made = self.client("createdb").arg(&name).output().unwrap();
        assert!(
            made.status.success(),
            "createdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        format!("postgres://judge@127.0.0.1:{}/{name}", self.port)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(path(program));
        command.args(["-h", "127.0.0.1", "-U", "judge", "-p"]);
        command.arg(self.port.to_string());
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.log()).unwrap_or_default());
        }
        self.kill();
    }
}

fn signal(word: &str, process: u32) {
    let _ = Command::new("kill")
        .args([&format!("-{word}"), &process.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// The program of the newest installed version.
fn path(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = versions
        .flatten()
        .map(|version| version.path().join("bin").join(program))
        .filter(|path| path.is_file())
        .max();
    found.expect("PostgreSQL is missing; install the Debian package `postgresql` (apt-get install postgresql)")
}

/// A program of the server. Root may not run it, so root becomes the user `postgres`.
fn command(program: &str) -> Command {
    let program = path(program);
    let Some((user, group)) = postgres_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .arg("--clear-groups")
        .arg(program);
    command
}

/// User and group of `postgres`, where we are root.
fn postgres_user() -> Option<(u32, u32)> {
    let us = fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&us) != 0 {
        return None;
    }
    let users = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line
        .expect("there is no user `postgres`")
        .split(':')
        .skip(2);
    let mut number = || fields.next().unwrap().parse().unwrap();
    Some((number(), number()))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
