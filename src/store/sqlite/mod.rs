//! SQLite: a file of its own, write-ahead log, one writer with group commit, a few readers beside it.

mod dialect;
mod file;
mod gate;
mod writer;

#[path = "../sql/mod.rs"]
mod sql;

use super::{
    error::unavailable,
    schema::{self, Script},
};
use crate::{config::store::StoreSettings, domain::StoreError};
use backon::{ConstantBuilder, Retryable as _};
use gate::Gate;
use sqlx::{
    ConnectOptions as _, Connection as _,
    error::DatabaseError,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{fs, path::Path, time::Duration};

const SCRIPTS: &[Script] = &[
    (
        1,
        "memory",
        include_str!("../migrations/sqlite/0001_memory.sql"),
    ),
    (
        2,
        "canaries",
        include_str!("../migrations/sqlite/0002_canaries.sql"),
    ),
    (
        3,
        "tries",
        include_str!("../migrations/sqlite/0003_tries.sql"),
    ),
];

/// Between two tries to open a file that somebody else is making.
const AGAIN: Duration = Duration::from_millis(20);

/// The log shrinks to this after a peak.
const LOG_BYTES: &str = "67108864";

/// Opens the file, or makes it.
pub async fn open(path: &Path, settings: &StoreSettings) -> Result<sql::Store, StoreError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)
            .map_err(|error| unavailable(&format!("cannot make {}: {error}", folder.display())))?;
    }
    let timeout = settings.timeout.0;
    let reader = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // below the patience of the callers, so that they hear what is wrong
        .busy_timeout(timeout * 3 / 4)
        .disable_statement_logging();
    let writer = reader
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("journal_size_limit", LOG_BYTES);
    migrate(&writer, timeout).await?;
    let file = file::Opened::new(path)?;
    Ok(sql::Store::new(Gate::open(file, reader, writer, settings)))
}

async fn migrate(options: &SqliteConnectOptions, patience: Duration) -> Result<(), StoreError> {
    // only here: it takes the lock of the writer each time that it is said
    let options = options
        .clone()
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental);
    // a file becomes one with a write-ahead log once; who comes meanwhile is refused without the wait of `busy_timeout`
    let again = ConstantBuilder::default()
        .with_delay(AGAIN)
        .with_max_times(patience.div_duration_f64(AGAIN) as usize);
    let mut connection = (|| options.connect()).retry(again).when(is_busy).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    schema::migrate(&mut *transaction, SCRIPTS).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Has somebody else the file now?
fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == BUSY)
}
