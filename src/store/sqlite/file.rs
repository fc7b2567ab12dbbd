//! The file behind the open connections. They go on reading and writing after it was removed or replaced, and all of that
//! would be lost at the next start.

use crate::{domain::StoreError, store::error::unavailable};
use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A file as it was when it was opened.
pub struct Opened {
    path: PathBuf,
    identity: (u64, u64),
}

impl Opened {
    /// Remembers which file this path leads to.
    pub fn new(path: &Path) -> Result<Self, StoreError> {
        let identity = fs::metadata(path).map(|found| identity(&found));
        let identity = identity.map_err(|error| gone(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            identity,
        })
    }

    /// Bytes of the write-ahead log beside it.
    pub fn log_bytes(&self) -> u64 {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        fs::metadata(log).map_or(0, |found| found.len())
    }

    /// Does its path still lead to it? Costs one look at the folder, no reading of the disk.
    pub fn is_still_there(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity => Ok(()),
            Ok(_) => Err(unavailable(&format!(
                "{} was replaced by another file while it was open; restart to use the new one, or put the old one back",
                self.path.display()
            ))),
            Err(error) => Err(gone(&self.path, &error)),
        }
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

fn gone(path: &Path, error: &io::Error) -> StoreError {
    unavailable(&format!(
        "{} was removed or moved while it was open: {error}; put it back, or restart to begin a new one",
        path.display()
    ))
}
