//! Where the demonstration keeps its files.

use crate::{cli::run::Stop, config::env};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Only who started the demonstration may look inside.
const MODE: u32 = 0o700;
/// A folder with this file is ours.
const MARK: &str = ".rollout-judge-demo";

/// A folder: given and kept, or temporary and removed when it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    temporary: bool,
    /// Held as long as the demonstration runs.
    _lock: File,
}

impl Folder {
    /// Uses the given folder, or makes a temporary one.
    pub fn open(given: Option<&Path>) -> Result<Self, Stop> {
        let (path, temporary) = match given {
            Some(path) => (path.to_owned(), false),
            None => (temporary(), true),
        };
        let made = DirBuilder::new()
            .recursive(!temporary)
            .mode(MODE)
            .create(&path);
        // a folder that was given is a wrong argument
        let wrong = |text| {
            if temporary {
                Stop::failed(text)
            } else {
                Stop::usage(text)
            }
        };
        let path = made
            .and_then(|()| fs::canonicalize(&path))
            .map_err(|error| {
                let shown = path.display();
                wrong(format!(
                    "the folder `{shown}` cannot be made: {error}; give another with `--data-dir`"
                ))
            })?;
        let lock = own(&path).map_err(wrong)?;
        Ok(Self {
            path,
            temporary,
            _lock: lock,
        })
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Is it removed at the end?
    pub fn temporary(&self) -> bool {
        self.temporary
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // what cannot be removed stays in the folder for temporary files
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Marks the folder as ours and takes it for this run. A folder with other files is left alone: they might have our names.
fn own(path: &Path) -> Result<File, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        format!("the folder `{shown}` cannot be used: {error}; give another with `--data-dir`")
    };
    let mark = path.join(MARK);
    let mut files = fs::read_dir(path).map_err(failed)?;
    if !mark.exists() && files.next().is_some() {
        return Err(format!(
            "the folder `{shown}` holds files that are not of a demonstration; give an empty or a new one with `--data-dir`"
        ));
    }
    let mark = File::create(mark).map_err(failed)?;
    match mark.try_lock() {
        Ok(()) => Ok(mark),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another demonstration runs in `{shown}`; give another folder with `--data-dir`"
        )),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn temporary() -> PathBuf {
    let base = env::var("TMPDIR").filter(|path| !path.is_empty());
    let base = base.unwrap_or_else(|| "/tmp".to_owned());
    Path::new(&base).join(format!("rollout-judge-demo-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_a_given_one_stays() {
        let base = tempfile::tempdir().unwrap();
        let given = base.path().join("a/b");
        drop(Folder::open(Some(&given)).unwrap());
        assert!(given.is_dir());
        // the same again, but not twice at once, and never beside files of others
        let again = Folder::open(Some(&given)).unwrap();
        let twice = Folder::open(Some(&given)).unwrap_err();
        assert!(
            twice.message.contains("another demonstration"),
            "{}",
            twice.message
        );
        drop(again);
        std::fs::write(base.path().join("config.yaml"), "mine").unwrap();
        let foreign = Folder::open(Some(base.path())).unwrap_err();
        assert!(
            foreign.message.contains("not of a demonstration"),
            "{}",
            foreign.message
        );
        let folder = Folder::open(None).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir() && folder.temporary());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_in_the_way_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stop = Folder::open(Some(file.path())).unwrap_err();
        assert!(stop.message.contains("--data-dir"), "{}", stop.message);
        assert_eq!(stop.code, 2);
    }
}
