//! The loaded policies: read without locks, replaced as a whole, never by something worse.

use super::{
    diagnostic::{Mistake, Place, Problems},
    files,
    load::{Document, SourceLookup, load, taken},
    model::Policy,
    place::Text,
    revision,
    tree::{MAX_FILE_BYTES, too_large},
};
use crate::domain::Millis;
use arc_swap::ArcSwap;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A policy that is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedPolicy {
    /// The checked policy.
    pub policy: Policy,
    /// Its document as written.
    pub text: String,
    /// The file it came from.
    pub file: String,
    /// When this revision came into force.
    pub loaded_at: Millis,
    /// Where the names in `alerts.to` stand.
    pub receivers: Vec<Place>,
}

/// A file that is not in force as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct FileProblem {
    /// What is wrong.
    pub problems: Problems,
    /// When it was first seen.
    pub since: Millis,
    /// Policies of an earlier version of the file that stay in force.
    pub kept: Vec<String>,
}

/// Everything at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// By name.
    pub policies: BTreeMap<String, Arc<LoadedPolicy>>,
    /// By file.
    pub problems: Vec<FileProblem>,
}

/// What a reload did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReloadReport {
    /// Names of policies that are new or have another revision.
    pub changed: Vec<String>,
    /// Names of policies that are gone.
    pub removed: Vec<String>,
    /// Files with a problem that was not there before, rendered.
    pub problems: Vec<String>,
}

/// The policies of a running service.
#[derive(Debug, Default)]
pub struct Registry {
    snapshot: ArcSwap<Snapshot>,
    files: Mutex<BTreeMap<String, FileState>>,
}

/// What is known of one file.
#[derive(Debug, Default)]
struct FileState {
    digest: String,
    body: String,
    good: Vec<(Arc<LoadedPolicy>, std::ops::Range<usize>)>,
    problem: Option<(Problems, Millis)>,
    /// Was it missed at the last look, together with all others of its folder?
    missed: bool,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The policy of a name.
    pub fn get(&self, name: &str) -> Option<Arc<LoadedPolicy>> {
        self.snapshot.load().policies.get(name).cloned()
    }

    /// Everything at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// All policies in force, by name.
    pub fn policies(&self) -> Vec<Arc<LoadedPolicy>> {
        self.snapshot.load().policies.values().cloned().collect()
    }

    /// All files with problems, by file.
    pub fn problems(&self) -> Vec<FileProblem> {
        self.snapshot.load().problems.clone()
    }

    /// Reads files and folders again.
    ///
    /// Unchanged files are not parsed; a bad new version leaves the old policies of its file in force; a file that is gone
    /// from a folder takes its policies with it; a file or folder that cannot be read, or is away as a whole, keeps them.
    pub fn reload(
        &self,
        paths: &[PathBuf],
        now: Millis,
        sources: Option<SourceLookup<'_>>,
    ) -> ReloadReport {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let found = files::walk(paths);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for path in &found.files {
            let name = path.display().to_string();
            let state = files.entry(name.clone()).or_default();
            read(state, path, &name, now, sources);
            state.missed = false;
            seen.insert(name);
        }
        for (path, error) in &found.errors {
            let name = path.display().to_string();
            seen.extend(below(&files, path));
            let state = files.entry(name.clone()).or_default();
            state.digest.clear();
            state.fail(unreadable(&name, error), now);
            seen.insert(name);
        }
        for path in &found.dangling {
            // a link that never led to a policy is nobody's loss
            let kept = below(&files, path);
            let gone = io::Error::from(io::ErrorKind::NotFound);
            for (name, state) in files.iter_mut().filter(|(name, _)| kept.contains(*name)) {
                state.digest.clear();
                state.fail(unreadable(name, &gone), now);
            }
            seen.extend(kept);
        }
        for path in paths {
            seen.extend(emptied(&mut files, path, &seen));
        }
        files.retain(|name, _| seen.contains(name));
        let old = self.snapshot.load_full();
        let new = compose(&files, &old, now);
        let report = compare(&old, &new);
        self.snapshot.store(Arc::new(new));
        report
    }
}

/// Files with policies at a path or under it.
fn below(files: &BTreeMap<String, FileState>, path: &Path) -> Vec<String> {
    let held = files.iter().filter(|(_, state)| !state.good.is_empty());
    held.map(|(name, _)| name)
        .filter(|name| Path::new(name).starts_with(path))
        .cloned()
        .collect()
}

/// A folder that lost all of its files at once may be in the midst of being filled again: they stay for one more look.
fn emptied(
    files: &mut BTreeMap<String, FileState>,
    path: &Path,
    seen: &BTreeSet<String>,
) -> Vec<String> {
    let held = below(files, path);
    if held.iter().any(|name| seen.contains(name)) {
        return Vec::new();
    }
    held.into_iter()
        .filter(|name| {
            files
                .get_mut(name)
                .is_some_and(|state| !std::mem::replace(&mut state.missed, true))
        })
        .collect()
}

impl FileState {
    fn fail(&mut self, problems: Problems, now: Millis) {
        let since = match &self.problem {
            Some((before, since)) if *before == problems => *since,
            _ => now,
        };
        self.problem = Some((problems, since));
    }

    fn accept(&mut self, documents: Vec<Document>, name: &str, now: Millis) {
        let before = std::mem::take(&mut self.good);
        for document in documents {
            let same = before.iter().find(|(old, _)| old.policy == document.policy);
            let loaded_at = same.map_or(now, |(old, _)| old.loaded_at);
            let loaded = LoadedPolicy {
                policy: document.policy,
                text: document.text,
                file: name.to_owned(),
                loaded_at,
                receivers: document.receivers,
            };
            self.good.push((Arc::new(loaded), document.name_at));
        }
        self.problem = None;
    }
}

/// Brings one file up to date.
fn read(
    state: &mut FileState,
    path: &Path,
    name: &str,
    now: Millis,
    sources: Option<SourceLookup<'_>>,
) {
    let bytes = match bytes_of(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            state.digest.clear();
            return state.fail(unreadable(name, &error), now);
        }
    };
    let digest = revision::digest(&bytes);
    if digest == state.digest {
        return;
    }
    state.digest = digest;
    let loaded = decoded(name, bytes).and_then(|body| Ok((load(name, &body, sources)?, body)));
    match loaded {
        Ok((documents, body)) => {
            state.body = body;
            state.accept(documents, name, now);
        }
        Err(problems) => state.fail(*problems, now),
    }
}

/// At most one byte more than a policy file may have.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn decoded(name: &str, bytes: Vec<u8>) -> Result<String, Box<Problems>> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Box::new(too_large(name)));
    }
    String::from_utf8(bytes).map_err(|_| {
        Box::new(Text::new(name, "").one(
            Mistake::Unreadable,
            0..0,
            "the file is not UTF-8",
            "",
            "save the file as UTF-8",
        ))
    })
}

/// The text of a policy file, or why there is none.
pub fn text_of(path: &Path, name: &str) -> Result<String, Box<Problems>> {
    let bytes = bytes_of(path).map_err(|error| Box::new(unreadable(name, &error)))?;
    decoded(name, bytes)
}

/// A file or folder that cannot be read.
pub fn unreadable(name: &str, error: &io::Error) -> Problems {
    let message = format!("cannot be read: {error}");
    Text::new(name, "").one(
        Mistake::Unreadable,
        0..0,
        &message,
        "",
        "check the path and its permissions",
    )
}

/// One set of policies from all files. A name belongs to the file that has it already, else to the first by path.
fn compose(files: &BTreeMap<String, FileState>, old: &Snapshot, now: Millis) -> Snapshot {
    let mut new = Snapshot::default();
    let holds = |file: &str, name: &str| {
        old.policies
            .get(name)
            .is_some_and(|policy| policy.file == file)
    };
    for first in [true, false] {
        for (file, state) in files {
            for (loaded, _) in &state.good {
                let name = &loaded.policy.name;
                if holds(file, name) == first && !new.policies.contains_key(name) {
                    new.policies.insert(name.clone(), Arc::clone(loaded));
                }
            }
        }
    }
    for (file, state) in files {
        if let Some((problems, since)) = &state.problem {
            // of a folder that cannot be read, all below it
            let under = |(other, _): &(&String, &FileState)| Path::new(other).starts_with(file);
            let kept = files
                .iter()
                .filter(under)
                .flat_map(|(_, state)| &state.good)
                .map(|(loaded, _)| loaded.policy.name.clone())
                .collect();
            new.problems.push(FileProblem {
                problems: problems.clone(),
                since: *since,
                kept,
            });
        }
        let doubles: Vec<_> = state
            .good
            .iter()
            .filter_map(|(loaded, at)| double(loaded, at, file, state, &new))
            .collect();
        if !doubles.is_empty() {
            let problems = Problems {
                file: file.clone(),
                text: state.body.clone(),
                diagnostics: doubles,
            };
            let since = old
                .problems
                .iter()
                .find(|known| known.problems == problems)
                .map_or(now, |known| known.since);
            new.problems.push(FileProblem {
                problems,
                since,
                kept: Vec::new(),
            });
        }
    }
    new
}

/// A policy whose name another file holds.
fn double(
    loaded: &LoadedPolicy,
    at: &std::ops::Range<usize>,
    file: &str,
    state: &FileState,
    new: &Snapshot,
) -> Option<super::diagnostic::Diagnostic> {
    let holder = new
        .policies
        .get(&loaded.policy.name)
        .filter(|holder| holder.file != file)?;
    let text = Text::new(file, &state.body);
    Some(taken(&text, at, &loaded.policy.name, &holder.file))
}

fn compare(old: &Snapshot, new: &Snapshot) -> ReloadReport {
    let revision = |snapshot: &Snapshot, name: &str| {
        snapshot
            .policies
            .get(name)
            .map(|loaded| loaded.policy.revision.clone())
    };
    let known = |problem: &&FileProblem| {
        !old.problems
            .iter()
            .any(|before| before.problems == problem.problems)
    };
    ReloadReport {
        changed: new
            .policies
            .keys()
            .filter(|name| revision(old, name) != revision(new, name))
            .cloned()
            .collect(),
        removed: old
            .policies
            .keys()
            .filter(|name| !new.policies.contains_key(*name))
            .cloned()
            .collect(),
        problems: new
            .problems
            .iter()
            .filter(known)
            .map(|problem| problem.problems.render(false))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
