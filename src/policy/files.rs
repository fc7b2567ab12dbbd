//! Which files hold policies.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Folders inside folders.
const MAX_FOLDERS: usize = 16;
/// Files of all paths together.
pub(super) const MAX_FILES: usize = 2_000;
/// Walks while somebody swaps folders.
const TRIES: usize = 3;

/// What was found under the configured paths.
#[derive(Debug, Default)]
pub struct Found {
    /// Files in the order of their paths, each once.
    pub files: Vec<PathBuf>,
    /// Paths that could not be read.
    pub errors: Vec<(PathBuf, io::Error)>,
    /// Links inside folders that lead nowhere: perhaps just being replaced.
    pub dangling: Vec<PathBuf>,
    /// A folder was swapped for another while it was walked.
    swapped: bool,
}

/// Walks the paths: a file counts whatever its name, a folder gives its `*.yaml` and `*.yml`, recursively.
///
/// Names that begin with a dot are skipped: a mounted ConfigMap keeps its versions in `..data` and `..2026_...`.
pub fn walk(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for _ in 0..TRIES {
        found = Found::default();
        let mut above = Vec::new();
        for path in paths {
            visit(path, &mut above, true, &mut found);
        }
        // half of one folder and half of another is neither
        if !found.swapped {
            break;
        }
    }
    found.files.sort();
    found.files.dedup();
    found.files.truncate(MAX_FILES);
    found
}

/// `above`: the folders that lead here, to see a link that leads back into one of them.
fn visit(path: &Path, above: &mut Vec<PathBuf>, named: bool, found: &mut Found) {
    let kind = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if !named && error.kind() == io::ErrorKind::NotFound => {
            if path.is_symlink() {
                found.dangling.push(path.to_owned());
            }
            return;
        }
        Err(error) => return found.errors.push((path.to_owned(), error)),
    };
    if kind.is_file() {
        if named || is_yaml(path) {
            found.files.push(path.to_owned());
        }
        return;
    }
    if !kind.is_dir() || above.len() > MAX_FOLDERS || found.files.len() > MAX_FILES {
        return;
    }
    let entries = match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return found.errors.push((path.to_owned(), error)),
    };
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if above.contains(&real) {
        return;
    }
    above.push(real);
    for entry in entries {
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            visit(&entry.path(), above, false, found);
        }
    }
    above.pop();
    let now = fs::metadata(path).ok();
    found.swapped |= now.is_none_or(|now| (now.dev(), now.ino()) != (kind.dev(), kind.ino()));
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "yaml" || end == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_back_is_walked_once() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a.yaml"), "").unwrap();
        std::os::unix::fs::symlink(folder.path(), inner.join("loop")).unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("self")).unwrap();
        let found = walk(&[folder.path().to_owned()]);
        assert_eq!(found.files, [inner.join("a.yaml")]);
        assert!(found.errors.is_empty());
    }
}
