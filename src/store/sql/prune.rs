//! Retention: the oldest go first, a batch in a transaction.

use super::{
    dialect::{self, Conn, Db},
    row::id,
};
use crate::{
    domain::{Millis, Retention, StoreError},
    store::{lock::Lock, moment},
};
use uuid::Uuid;

/// Age counts from when a verdict was kept: a judgement of an earlier moment stays as long as any other.
const KEPT_LONG_AGO: &str = "DELETE FROM verdicts WHERE id IN (SELECT id FROM verdicts WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)";

/// What goes with verdicts of the same age, in the order in which `keep` writes: `$1` is a moment, `$2` a number of rows.
const WITH_VERDICTS: [&str; 3] = [
    // a reading is over when its last verdict is
    "DELETE FROM runs WHERE run IN (SELECT run FROM runs r WHERE newest < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.run = r.run) ORDER BY newest LIMIT $2) AND newest < $1",
    "DELETE FROM deliveries WHERE place IN (SELECT place FROM deliveries WHERE progress <> 'pending'
         AND queued_at < $1 ORDER BY queued_at LIMIT $2)",
    // what is still to be told stays
    "DELETE FROM events WHERE seq IN (SELECT seq FROM events e WHERE kept_at < $1
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.id) ORDER BY kept_at LIMIT $2)",
];

/// What only age removes. A latch, a label and a revision stay for as long as their verdicts; an override at least until
/// it expires.
const BY_AGE: [&str; 5] = [
    "DELETE FROM policies WHERE revision IN (SELECT revision FROM policies p WHERE newest < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.policy = p.name AND v.revision = p.revision) LIMIT $2)",
    "DELETE FROM lineage WHERE newest < $1 AND (label, value, namespace, rollout, canary_hash) IN
         (SELECT label, value, namespace, rollout, canary_hash FROM lineage l WHERE newest < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.id = l.verdict) ORDER BY newest LIMIT $2)",
    "DELETE FROM latches WHERE at < $1 AND (namespace, rollout, canary_hash, policy, revision) IN
         (SELECT namespace, rollout, canary_hash, policy, revision FROM latches l WHERE at < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.id = l.verdict) ORDER BY at LIMIT $2)",
    "DELETE FROM rollouts WHERE kept_at < $1 AND (namespace, name) IN
         (SELECT namespace, name FROM rollouts WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)",
    "DELETE FROM overrides WHERE id IN (SELECT id FROM overrides WHERE expires < $1 ORDER BY expires LIMIT $2)",
];

/// See [`crate::domain::VerdictStore::prune`].
pub async fn prune(conn: &mut Conn, retention: Retention, now: Millis) -> Result<u64, StoreError> {
    dialect::lock(conn, Lock::Pruning).await?;
    let batch = i64::from(retention.batch.max(1));
    let old = now.saturating_sub(retention.max_age);
    let mut removed = rows(conn, KEPT_LONG_AGO, old, batch).await?;
    for text in BY_AGE {
        removed += rows(conn, text, old, batch.saturating_sub(removed as i64)).await?;
    }
    for text in WITH_VERDICTS {
        removed += rows(conn, text, old, batch.saturating_sub(removed as i64)).await?;
    }
    if removed == 0 && dialect::too_large(conn, retention.max_bytes).await? {
        removed = oldest(conn, batch).await?;
    }
    dialect::shrink(conn).await?;
    Ok(removed)
}

/// Removes the oldest of everything that makes the store large.
async fn oldest(conn: &mut Conn, batch: i64) -> Result<u64, StoreError> {
    // half a batch of verdicts; the rest is what goes with them
    let end = sqlx::query::<Db>("SELECT id FROM verdicts ORDER BY id LIMIT 1 OFFSET $1")
        .bind((batch / 2).max(1))
        .fetch_optional(&mut *conn)
        .await?;
    let end = end.map_or(Ok(Uuid::max()), |row| id(&row, 0))?;
    let mut removed = verdicts(conn, end, batch).await?;
    let moment = if end.is_max() {
        Millis::MAX
    } else {
        moment::of_id(end)
    };
    for text in WITH_VERDICTS {
        removed += rows(conn, text, moment, batch.saturating_sub(removed as i64)).await?;
    }
    Ok(removed)
}

async fn verdicts(conn: &mut Conn, before: Uuid, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query::<Db>(
        "DELETE FROM verdicts WHERE id IN (SELECT id FROM verdicts WHERE id < $1 ORDER BY id LIMIT $2)",
    )
    .bind(before.as_bytes().as_slice())
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn rows(
    conn: &mut Conn,
    text: &'static str,
    before: Millis,
    limit: i64,
) -> Result<u64, StoreError> {
    if limit <= 0 {
        return Ok(0);
    }
    let done = sqlx::query::<Db>(text)
        .bind(before)
        .bind(limit)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
