//! The ways in: readers of their own, and the queue of the writer.

use super::{
    dialect::Conn,
    file::Opened,
    sql::{row::Row, together::Together},
    writer::Writer,
};
use crate::{
    config::store::StoreSettings,
    domain::{RolloutRef, StoreError, ports::BoxFuture},
    store::error::unavailable,
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use std::time::Duration;

/// More readers than this only wait for the same disk, and each keeps pages in memory.
const READERS: u32 = 4;

/// A log that is smaller than this is left as it is.
const SMALL_LOG: u64 = 1 << 20;
/// The longest wait for readers of the log: writers wait too meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// The ways into an open file.
pub struct Gate {
    file: Opened,
    readers: SqlitePool,
    writer: Writer,
    tidier: SqliteConnectOptions,
    timeout: Duration,
}

impl Gate {
    /// Starts the writer; readers are opened when they are needed.
    pub fn open(
        file: Opened,
        reader: SqliteConnectOptions,
        writer: SqliteConnectOptions,
        settings: &StoreSettings,
    ) -> Self {
        let timeout = settings.timeout.0;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.max_connections.clamp(1, READERS))
            .acquire_timeout(timeout)
            // a file has no connection that is lost
            .test_before_acquire(false)
            .connect_lazy_with(reader.pragma("query_only", "ON"));
        Self {
            file,
            readers,
            tidier: writer.clone().busy_timeout(PAUSE),
            writer: Writer::start(writer),
            timeout,
        }
    }

    /// Moves what is in a large log into the file and gives its room back. What cannot be done now is done the next time.
    pub async fn tidy(&self) {
        if self.file.log_bytes() < SMALL_LOG || self.file.is_still_there().is_err() {
            return;
        }
        if let Ok(mut connection) = self.tidier.connect().await {
            // not in a transaction, so not a job for the writer
            let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
            let moved = moved.fetch_all(&mut connection).await;
            if let Err(error) = moved {
                tracing::debug!(%error, "the log of the store could not be made smaller now");
            }
            let _ = connection.close().await;
        }
    }

    /// A connection that only reads.
    pub async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.file.is_still_there()?;
        Ok(self.readers.acquire().await?)
    }

    /// What this gives inside the patience of the store.
    pub async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or_else(|_| Err(unavailable("no answer in time")))
    }

    /// The same with statements that nothing else is asked between.
    pub async fn write_at_once(
        &self,
        _: &RolloutRef,
        all: Together,
    ) -> Result<Vec<Row>, StoreError> {
        self.file.is_still_there()?;
        let answer = self.patiently(self.writer.run_at_once(all)).await;
        self.file.is_still_there()?;
        answer
    }

    /// Hands a job to the writer; gives its answer once it is on the disk.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.file.is_still_there()?;
        let answer = self.patiently(self.writer.run(job)).await;
        // what went into a file that nobody will find again is not kept
        self.file.is_still_there()?;
        answer
    }
}
