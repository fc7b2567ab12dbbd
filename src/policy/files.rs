//! Which files hold policies.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders inside folders.
const MAX_FOLDERS: usize = 16;
/// Files of all paths together.
pub(super) const MAX_FILES: usize = 2_000;

/// What was found under the configured paths.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files in the order of their paths, each once.
    pub files: Vec<PathBuf>,
    /// Paths that could not be read.
    pub errors: Vec<(PathBuf, io::Error)>,
}

/// Walks the paths: a file counts whatever its name, a folder gives its `*.yaml` and `*.yml`, recursively.
///
/// Names that begin with a dot are skipped: a mounted ConfigMap keeps its versions in `..data` and `..2026_...`.
pub(super) fn walk(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        visit(path, 0, true, &mut found);
    }
    found.files.sort();
    found.files.dedup();
    found.files.truncate(MAX_FILES);
    found
}

fn visit(path: &Path, depth: usize, named: bool, found: &mut Found) {
    let kind = match fs::metadata(path) {
        Ok(meta) => meta,
        // a dangling link inside a folder is a file in the middle of being replaced
        Err(error) if !named && error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.errors.push((path.to_owned(), error)),
    };
    if kind.is_file() {
        if named || is_yaml(path) {
            found.files.push(path.to_owned());
        }
        return;
    }
    if !kind.is_dir() || depth > MAX_FOLDERS || found.files.len() > MAX_FILES {
        return;
    }
    let entries = match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return found.errors.push((path.to_owned(), error)),
    };
    for entry in entries {
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            visit(&entry.path(), depth + 1, false, found);
        }
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "yaml" || end == "yml")
}
