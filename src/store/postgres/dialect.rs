//! What PostgreSQL says in its own way.

use crate::{
    domain::StoreError,
    store::{error::unavailable, lock::Lock},
};

use sqlx::Row as _;

/// The dialect.
pub type Db = sqlx::Postgres;
/// A connection.
pub type Conn = sqlx::PgConnection;

/// Our tables.
const TABLES: &str =
    "'verdicts', 'bodies', 'runs', 'chunks', 'policies', 'rollouts', 'latches', 'overrides',
    'lineage', 'events', 'deliveries', 'cursors'";

/// Bytes of a line of the log, of the outbox, of lineage, of a latch or a state with its indexes.
const LINE: i64 = 900;

/// Holds something until the transaction ends.
pub async fn lock(conn: &mut Conn, lock: Lock<'_>) -> Result<(), StoreError> {
    let (kind, name) = lock.key();
    sqlx::query::<Db>("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(kind)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Holds something until the transaction ends, with others who share it.
pub async fn share(conn: &mut Conn, lock: Lock<'_>) -> Result<(), StoreError> {
    let (kind, name) = lock.key();
    sqlx::query::<Db>("SELECT pg_advisory_xact_lock_shared($1, $2)")
        .bind(kind)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Statements as one: all but the last go before it as common table expressions.
pub fn joined(statements: &[String]) -> String {
    let Some((last, before)) = statements.split_last() else {
        return String::new();
    };
    let named = (0..)
        .zip(before)
        .map(|(n, text): (u32, _)| format!("s{n} AS ({text})"));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return last.clone();
    }
    format!("WITH {} {last}", named.join(", "))
}

/// Up to which place the log has no holes that are still to be filled.
///
/// Places are given while the log is shared, and it is shared until the commit. Who has had it alone for a moment has
/// waited for everybody with a place up to the one that he read, before or after. So commits need not wait for each
/// other, only readers that find something new wait for those under way.
pub async fn settled(conn: &mut Conn) -> Result<i64, StoreError> {
    let (kind, name) = Lock::Log.key();
    let row = sqlx::query::<Db>(
        "SELECT pg_advisory_xact_lock($1, $2),
             COALESCE(pg_sequence_last_value(pg_get_serial_sequence('events', 'seq')::regclass), 0)",
    )
    .bind(kind)
    .bind(name)
    .fetch_one(conn)
    .await?;
    Ok(row.try_get(1)?)
}

/// Bytes of our tables on the disk, dead rows and free room included.
pub async fn bytes(conn: &mut Conn) -> Result<u64, StoreError> {
    let text = format!(
        "SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::BIGINT FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname IN ({TABLES})"
    );
    let bytes: i64 = sqlx::query_scalar::<Db, i64>(sqlx::AssertSqlSafe(text))
        .fetch_one(conn)
        .await?;
    Ok(bytes.unsigned_abs())
}

/// Is there more than this many bytes? Tables do not shrink when rows go, so rows are counted once the disk is over it;
/// a fifth is left for dead rows and indexes.
pub async fn too_large(conn: &mut Conn, max_bytes: u64) -> Result<bool, StoreError> {
    if bytes(conn).await? <= max_bytes {
        return Ok(false);
    }
    let rows: i64 = sqlx::query_scalar::<Db, i64>(
        "SELECT ((SELECT COALESCE(SUM(size), 0) FROM verdicts) + (SELECT COALESCE(SUM(size), 0) FROM runs)
             + $1 * ((SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM deliveries) + (SELECT COUNT(*) FROM lineage)
                 + (SELECT COUNT(*) FROM latches) + 2 * (SELECT COUNT(*) FROM rollouts)))::BIGINT",
    )
    .bind(LINE)
    .fetch_one(conn)
    .await?;
    Ok(rows.unsigned_abs() > max_bytes / 5 * 4)
}

/// Dead rows are PostgreSQL's own to clean up.
pub fn shrink(_conn: &mut Conn) -> std::future::Ready<Result<(), StoreError>> {
    std::future::ready(Ok(()))
}

/// Is this a server that takes writes?
pub async fn writable(conn: &mut Conn) -> Result<(), StoreError> {
    let read_only: String = sqlx::query_scalar::<Db, String>("SHOW transaction_read_only")
        .fetch_one(conn)
        .await?;
    if read_only == "off" {
        Ok(())
    } else {
        Err(unavailable("the server only reads"))
    }
}
