//! `store`: where verdicts are kept, and for how long.

use super::{
    env,
    secrets::Secret,
    units::{HumanBytes, HumanDuration},
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// `store`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreSettings {
    /// `sqlite://rollout-judge.db` or `postgres://user@host/db`; absent: SQLite in the data directory.
    pub url: Option<String>,
    /// Folder of `rollout-judge.db` where `url` is absent; absent: `$STATE_DIRECTORY`, else `data`.
    pub data_dir: Option<PathBuf>,
    /// Password of the user of a `postgres` URL.
    pub password: Option<Secret>,
    /// Verdicts, events and settled deliveries older than this are removed.
    pub max_age: HumanDuration,
    /// The oldest are removed while the store is larger than this.
    pub max_bytes: HumanBytes,
    /// Keep the raw samples too, so that a bundle has them.
    pub keep_samples: bool,
    /// Connections to PostgreSQL at the same time; readers of SQLite.
    pub max_connections: u32,
    /// A call that has to wait longer for a lock or a connection is given up.
    pub timeout: HumanDuration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: None,
            data_dir: None,
            password: None,
            max_age: HumanDuration(Duration::from_hours(24 * 90)),
            max_bytes: HumanBytes(10 << 30),
            keep_samples: false,
            max_connections: 10,
            timeout: HumanDuration(Duration::from_secs(2)),
        }
    }
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// The URL of a PostgreSQL database, without password.
    Postgres(String),
}

impl StoreSettings {
    /// Where the store is; `None` where the URL is neither of the two.
    pub fn place(&self) -> Option<Place> {
        let Some(url) = &self.url else {
            return Some(Place::File(self.folder().join("rollout-judge.db")));
        };
        if ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Some(Place::Postgres(url.clone()));
        }
        let path = url.strip_prefix("sqlite://")?;
        let odd = path.is_empty() || path.ends_with('/') || path.contains(['?', '#']);
        (!odd).then(|| Place::File(PathBuf::from(path)))
    }

    /// The place in words: a file or a URL without password.
    pub fn shown(&self) -> String {
        match self.place() {
            Some(Place::File(path)) => path.display().to_string(),
            Some(Place::Postgres(url)) => url,
            None => self.url.clone().unwrap_or_default(),
        }
    }

    fn folder(&self) -> PathBuf {
        // systemd may give several, separated by colons
        let given = || {
            let all = env::var("STATE_DIRECTORY")?;
            let first = all.split(':').next().unwrap_or_default();
            (!first.is_empty()).then(|| PathBuf::from(first))
        };
        self.data_dir
            .clone()
            .or_else(given)
            .unwrap_or_else(|| Path::new("data").to_owned())
    }

    /// Does the URL hold a password?
    pub fn password_in_url(&self) -> bool {
        let Some((_, rest)) = self.url.as_deref().and_then(|url| url.split_once("://")) else {
            return false;
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.split('/').next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
            || query
                .split(['&', '#'])
                .any(|pair| pair.starts_with("password=") || pair.starts_with("sslpassword="))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str) -> StoreSettings {
        StoreSettings {
            url: Some(url.to_owned()),
            ..StoreSettings::default()
        }
    }

    #[test]
    fn places() {
        let file = |path: &str| Some(Place::File(PathBuf::from(path)));
        for (url, place) in [
            ("sqlite://rollout-judge.db", file("rollout-judge.db")),
            (
                "sqlite:///var/lib/judge/a b.db",
                file("/var/lib/judge/a b.db"),
            ),
            ("sqlite://", None),
            ("sqlite:///var/", None),
            ("sqlite://x?mode=memory", None),
            ("sqlite:x", None),
            ("mysql://x", None),
            (
                "postgres://judge@db/judge",
                Some(Place::Postgres("postgres://judge@db/judge".to_owned())),
            ),
        ] {
            assert_eq!(with(url).place(), place, "{url}");
        }
        let settings = StoreSettings {
            data_dir: Some("/data".into()),
            ..StoreSettings::default()
        };
        assert_eq!(settings.place(), file("/data/rollout-judge.db"));
    }

    #[test]
    fn passwords_in_urls_are_seen() {
        for (url, seen) in [
            ("postgres://judge@db:5432/judge", false),
            ("postgres://judge:secret@db/judge", true),
            ("postgres://db/judge?password=secret", true),
            ("postgres://db/judge?user=a&password=secret", true),
            ("postgres://db/judge?sslmode=verify-full", false),
            ("sqlite://a:b.db", false),
        ] {
            assert_eq!(with(url).password_in_url(), seen, "{url}");
        }
    }
}
