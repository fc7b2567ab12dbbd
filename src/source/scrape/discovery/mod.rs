//! Where targets come from: each way is asked again and again; one that fails keeps what it found before.

mod file;
mod group;
mod http;
mod kubernetes;
mod pods;

use super::{
    pool::Pool,
    target::{Target, TargetError},
};
use crate::config::scrape::ScrapeSettings;
use group::Group;
use kubernetes::Cluster;
use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

/// One answer must be there after this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest list of targets or pods.
const LONGEST: u64 = 64 << 20;

/// One way to targets, and what it found last.
struct Way {
    by: By,
    found: Vec<Group>,
    problem: Option<String>,
}

enum By {
    Http(String),
    File(PathBuf),
    Pods(Box<Cluster>),
}

impl By {
    fn word(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::File(_) => "file",
            Self::Pods(_) => "kubernetes",
        }
    }

    async fn look(&mut self, settings: &ScrapeSettings) -> Result<Vec<Group>, String> {
        match self {
            Self::Http(url) => http::look(url, settings).await,
            Self::File(path) => file::look(path).await,
            Self::Pods(cluster) => cluster.look().await,
        }
    }
}

/// All ways of a source.
pub(super) struct Discovery {
    ways: Vec<Way>,
}

impl Discovery {
    pub(super) fn new(settings: &ScrapeSettings) -> Self {
        let discovery = &settings.discovery;
        let http = discovery.http.iter().cloned().map(By::Http);
        let files = discovery.file.iter().cloned().map(By::File);
        let pods = discovery.kubernetes.iter().cloned();
        let pods = pods.map(|pods| By::Pods(Box::new(Cluster::new(pods))));
        let way = |by| Way {
            by,
            found: Vec::new(),
            problem: None,
        };
        Self {
            ways: http.chain(files).chain(pods).map(way).collect(),
        }
    }

    /// Is there anything to look for?
    pub(super) fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    /// Looks for ever.
    pub(super) async fn run(mut self, pool: Weak<Pool>) {
        loop {
            let Some(here) = pool.upgrade() else { return };
            let pause = here.settings.discovery.refresh_interval.0;
            self.round(&here).await;
            drop(here);
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks every way once, all at the same time.
    async fn round(&mut self, pool: &Arc<Pool>) {
        let looks = self.ways.iter_mut().map(|way| async {
            let look = tokio::time::timeout(PATIENCE, way.by.look(&pool.settings)).await;
            let found = look.unwrap_or_else(|_| Err("no answer within 10s".to_owned()));
            pool.tally
                .discovered(&pool.name, way.by.word(), found.is_ok());
            match found {
                Ok(found) => {
                    way.found = found;
                    way.problem = None;
                }
                Err(problem) => {
                    if way.problem.as_ref() != Some(&problem) {
                        tracing::warn!(
                            source = pool.name,
                            by = way.by.word(),
                            "looking for targets failed, those found before stay: {problem}"
                        );
                    }
                    way.problem = Some(problem);
                }
            }
        });
        futures_util::future::join_all(looks).await;
        let mut problems: Vec<String> = Vec::new();
        for way in &self.ways {
            let word = way.by.word();
            let problem = way.problem.iter();
            problems.extend(problem.map(|problem| format!("discovery by {word}: {problem}")));
        }
        let mut targets = known(&pool.name, &pool.settings).unwrap_or_default();
        for group in self.ways.iter().flat_map(|way| &way.found) {
            for address in &group.targets {
                match Target::new(address, &group.labels, job(pool), &pool.settings) {
                    Ok(target) => targets.push(target),
                    Err(error) => problems.push(error.to_string()),
                }
            }
        }
        let (count, limit) = (targets.len(), pool.settings.target_limit);
        if count > limit {
            problems.insert(
                0,
                format!("{count} targets are more than {limit} (`targetLimit`), so that the list before stays"),
            );
        } else {
            pool.set(targets);
        }
        pool.trouble(problems.into_iter().next());
    }
}

fn job(pool: &Pool) -> &str {
    pool.settings.job_name.as_deref().unwrap_or(&pool.name)
}

/// The targets of `static`.
pub(super) fn known(name: &str, settings: &ScrapeSettings) -> Result<Vec<Target>, TargetError> {
    let job = settings.job_name.as_deref().unwrap_or(name);
    let mut targets = Vec::new();
    for group in &settings.targets {
        for address in &group.targets {
            targets.push(Target::new(address, &group.labels, job, settings)?);
        }
    }
    Ok(targets)
}
