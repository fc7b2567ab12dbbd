//! Retention: the oldest go first, a batch in a transaction.

use super::{
    dialect::{self, Conn, Db},
    row::column,
};
use crate::{
    domain::{Millis, Pruned, Retention, StoreError},
    store::lock::Lock,
};

/// A transaction under way on another replica may still use what is younger than this.
const UNDER_WAY: Millis = 10_000;

/// Age counts from when a verdict was kept: a judgement of an earlier moment stays as long as any other.
const VERDICTS: &str = "DELETE FROM verdicts WHERE id IN (SELECT id FROM verdicts WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)";

/// What came with verdicts and is needed by none any more. `$1` is a moment before all that are kept, `$2` a number of rows.
const ORPHANS: [&str; 4] = [
    "DELETE FROM runs WHERE run IN (SELECT run FROM runs r WHERE newest < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.run = r.run) ORDER BY newest LIMIT $2) AND newest < $1",
    "DELETE FROM lineage WHERE newest < $1 AND (label, value, namespace, rollout, canary_hash) IN
         (SELECT label, value, namespace, rollout, canary_hash FROM lineage l WHERE newest < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.id = l.verdict) ORDER BY newest LIMIT $2)",
    // a fail stays for as long as anything about its canary is kept
    "DELETE FROM latches WHERE at < $1 AND (namespace, rollout, canary_hash, policy, revision) IN
         (SELECT namespace, rollout, canary_hash, policy, revision FROM latches l WHERE at < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.namespace = l.namespace AND v.rollout = l.rollout
             AND v.canary_hash = l.canary_hash) ORDER BY at LIMIT $2)",
    "DELETE FROM rollouts WHERE kept_at < $1 AND (namespace, name) IN
         (SELECT namespace, name FROM rollouts r WHERE kept_at < $1
         AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.namespace = r.namespace AND v.rollout = r.name)
         ORDER BY kept_at LIMIT $2)",
];

const DELIVERIES: &str = "DELETE FROM deliveries WHERE place IN (SELECT place FROM deliveries WHERE progress <> 'pending'
     AND queued_at < $1 ORDER BY queued_at LIMIT $2)";

/// What is still to be told stays.
const EVENTS: &str = "DELETE FROM events WHERE seq IN (SELECT seq FROM events e WHERE kept_at < $1
     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.id) ORDER BY kept_at LIMIT $2)";

/// An override stays at least until it expires.
const OVERRIDES: &str = "DELETE FROM overrides WHERE id IN (SELECT id FROM overrides WHERE expires < $1 ORDER BY expires LIMIT $2)";

/// Few, and all that says what a verdict was judged by: only age removes them.
const POLICIES: &str = "DELETE FROM policies WHERE revision IN (SELECT revision FROM policies p WHERE newest < $1
     AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.policy = p.name AND v.revision = p.revision) LIMIT $2)";

/// See [`crate::domain::VerdictStore::prune`].
pub async fn prune(
    conn: &mut Conn,
    retention: Retention,
    now: Millis,
) -> Result<Pruned, StoreError> {
    dialect::lock(conn, Lock::Pruning).await?;
    let batch = i64::from(retention.batch.max(1));
    let old = now.saturating_sub(retention.max_age);
    let mut all = Batch::new(batch);
    // what a batch before this one left
    all.orphans(conn, now).await?;
    all.before(conn, old).await?;
    all.remove(conn, POLICIES, old).await?;
    if all.pruned.rows == 0 && dialect::too_large(conn, retention.max_bytes).await? {
        all.pruned.by_size = true;
        if let Some(last) = some_of_the_oldest(conn, (batch / 4).max(1)).await? {
            all.before(conn, last.saturating_add(1)).await?;
            all.orphans(conn, now).await?;
        }
    }
    dialect::shrink(conn).await?;
    Ok(all.pruned)
}

/// One batch of removals.
struct Batch {
    left: i64,
    pruned: Pruned,
}

impl Batch {
    fn new(rows: i64) -> Self {
        Self {
            left: rows,
            pruned: Pruned::default(),
        }
    }

    /// Everything from before a moment that is nobody's property.
    async fn before(&mut self, conn: &mut Conn, moment: Millis) -> Result<(), StoreError> {
        self.pruned.verdicts += self.remove(conn, VERDICTS, moment).await?;
        self.remove(conn, DELIVERIES, moment).await?;
        self.pruned.events += self.remove(conn, EVENTS, moment).await?;
        self.remove(conn, OVERRIDES, moment).await?;
        Ok(())
    }

    /// What belonged to verdicts that are gone: older than the oldest that is kept.
    async fn orphans(&mut self, conn: &mut Conn, now: Millis) -> Result<(), StoreError> {
        let row = sqlx::query::<Db>("SELECT MIN(kept_at) FROM verdicts")
            .fetch_one(&mut *conn)
            .await?;
        let oldest: Option<Millis> = column(&row, 0)?;
        let end = now.saturating_sub(UNDER_WAY);
        let end = oldest.map_or(end, |oldest| oldest.min(end));
        for text in ORPHANS {
            self.remove(conn, text, end).await?;
        }
        Ok(())
    }

    async fn remove(
        &mut self,
        conn: &mut Conn,
        text: &'static str,
        before: Millis,
    ) -> Result<u64, StoreError> {
        if self.left <= 0 {
            return Ok(0);
        }
        let done = sqlx::query::<Db>(text)
            .bind(before)
            .bind(self.left)
            .execute(conn)
            .await?;
        let removed = done.rows_affected();
        self.left = self.left.saturating_sub_unsigned(removed);
        self.pruned.rows += removed;
        Ok(removed)
    }
}

/// The moment of the `some`-th oldest row among verdicts and among events, the earlier of the two; of few rows the middle one.
async fn some_of_the_oldest(conn: &mut Conn, some: i64) -> Result<Option<Millis>, StoreError> {
    let row = sqlx::query::<Db>(
        "WITH v AS (SELECT kept_at FROM verdicts ORDER BY kept_at LIMIT $1),
              e AS (SELECT kept_at FROM events e WHERE NOT EXISTS
                  (SELECT 1 FROM deliveries d WHERE d.event = e.id AND d.progress = 'pending')
                  ORDER BY kept_at LIMIT $1)
         SELECT (SELECT kept_at FROM v ORDER BY kept_at LIMIT 1 OFFSET (SELECT COUNT(*) / 2 FROM v)),
                (SELECT kept_at FROM e ORDER BY kept_at LIMIT 1 OFFSET (SELECT COUNT(*) / 2 FROM e))",
    )
    .bind(some.saturating_mul(2))
    .fetch_one(conn)
    .await?;
    let (verdict, event): (Option<Millis>, Option<Millis>) = (column(&row, 0)?, column(&row, 1)?);
    Ok(verdict.into_iter().chain(event).min())
}
