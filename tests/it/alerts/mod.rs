//! Alerts from outside: every receiver against a server of its own wire format, and the outbox over the real store.

mod alertmanager;
mod email;
mod endpoint;
mod message;
mod misbehaving;
mod outbox;
mod receivers;
mod vendors;

use rollout_judge::{
    config::{Settings, load_from},
    domain::{Clock, Notifier, SystemClock},
    notify,
};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// Settings with these receivers, as somebody would write them.
fn settings(rest: &str) -> Settings {
    let file = format!(
        "sources: {{ default: {{ kind: prometheus, url: 'http://127.0.0.1:1' }} }}\npolicies: {{ paths: [policies/] }}\n{rest}"
    );
    load_from(Some(("judge.yaml", &file)), &[]).unwrap()
}

/// One receiver from the text of its settings.
fn notifier(receiver: &str) -> Arc<dyn Notifier> {
    let settings = settings(&format!("receivers:\n  it: {receiver}\n"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    notify::build("it", &settings.receivers["it"], &clock).unwrap()
}

/// A folder with secrets in files.
struct Secrets(TempDir);

impl Secrets {
    fn new() -> Self {
        Self(TempDir::with_prefix("secrets").unwrap())
    }

    /// Writes a secret; gives `{ file: PATH }`.
    fn keep(&self, name: &str, value: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, format!("{value}\n")).unwrap();
        format!("{{ file: '{}' }}", path.display())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}
