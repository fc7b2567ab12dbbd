//! What SQLite says in its own way.

use crate::{domain::StoreError, store::lock::Lock};
use std::future::{Ready, ready};

/// The dialect.
pub type Db = sqlx::Sqlite;
/// A connection.
pub type Conn = sqlx::SqliteConnection;

/// Pages given back to the disk in one transaction: 16 MiB.
const SHRINK: &str = "PRAGMA incremental_vacuum(4096)";

/// There is one writer: it holds everything.
pub fn lock(_conn: &mut Conn, lock: Lock<'_>) -> Ready<Result<(), StoreError>> {
    let _ = lock.key();
    ready(Ok(()))
}

/// The same with others who share it.
pub fn share(conn: &mut Conn, shared: Lock<'_>) -> Ready<Result<(), StoreError>> {
    lock(conn, shared)
}

/// Statements as one.
pub fn joined(statements: &[String]) -> String {
    statements.join("; ")
}

/// Up to which place the log has no holes that are still to be filled: one writer leaves none.
pub fn settled(_conn: &mut Conn) -> Ready<Result<i64, StoreError>> {
    ready(Ok(i64::MAX))
}

/// Bytes of the file.
pub async fn bytes(conn: &mut Conn) -> Result<u64, StoreError> {
    pages(
        conn,
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    )
    .await
}

/// Are the pages in use more than this many bytes?
pub async fn too_large(conn: &mut Conn, max_bytes: u64) -> Result<bool, StoreError> {
    let used = pages(
        conn,
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .await?;
    Ok(used > max_bytes)
}

async fn pages(conn: &mut Conn, text: &'static str) -> Result<u64, StoreError> {
    let bytes: i64 = sqlx::query_scalar::<Db, i64>(text).fetch_one(conn).await?;
    Ok(bytes.unsigned_abs())
}

/// Gives free pages back to the disk.
pub async fn shrink(conn: &mut Conn) -> Result<(), StoreError> {
    // each step frees a page, so it must be read to its end
    sqlx::query::<Db>(SHRINK).fetch_all(conn).await?;
    Ok(())
}

/// Writes something small.
pub async fn writable(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO cursors (reader, seq) VALUES ('', 1) ON CONFLICT (reader) DO UPDATE SET seq = cursors.seq + 1",
    )
    .execute(conn)
    .await?;
    Ok(())
}
