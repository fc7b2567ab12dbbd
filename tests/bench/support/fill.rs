//! Many verdicts at once, past the store: the columns as the store writes them.

use crate::sample::T0;

/// Two hundred rollouts in twenty namespaces, one verdict a second in turn, a new version every 240 verdicts.
const VERDICTS: &str = "
INSERT INTO verdicts (id, at, kept_at, namespace, rollout, canary_hash, stable_hash, policy, revision, outcome, score,
    weight, reason, run, size)
SELECT {id}, {t0} + n * 1000, {t0} + n * 1000, 'ns' || (n % 20), 'r' || (n % 200),
    'c' || (n % 200) || 'x' || (n / 48000), 'stable', 'p' || (n % 7), 'rev-1',
    CASE WHEN n % 997 = 0 THEN 'fail' WHEN n % 5 = 0 THEN 'pass' ELSE 'inconclusive' END, 77.25, 5.0,
    'error-rate needs about 1200 more requests of the canary, four more minutes at its present rate', NULL, 4000
FROM {numbers};
INSERT INTO bodies (id, body, inputs)
SELECT v.id, b.body, b.inputs FROM verdicts v, (SELECT body, inputs FROM bodies LIMIT 1) b WHERE v.revision = 'rev-1'
    AND v.size = 4000;
INSERT INTO events (id, kept_at, kind, namespace, rollout, body)
SELECT v.id, v.at, 'verdict', v.namespace, v.rollout, e.body
FROM verdicts v, (SELECT body FROM events LIMIT 1) e WHERE v.size = 4000 ORDER BY v.id;
INSERT INTO lineage (label, value, namespace, rollout, canary_hash, oldest, newest, verdict)
SELECT 'commit', canary_hash, namespace, rollout, canary_hash, MIN(at), MAX(at), {largest}
FROM verdicts WHERE size = 4000 GROUP BY namespace, rollout, canary_hash;
INSERT INTO lineage (label, value, namespace, rollout, canary_hash, oldest, newest, verdict)
SELECT 'team', REPLACE(policy, 'p', 't'), namespace, rollout, canary_hash, MIN(at), MAX(at), {largest}
FROM verdicts WHERE size = 4000 GROUP BY policy, namespace, rollout, canary_hash;
";

/// Fills the database of a store.
pub async fn fill(url: &str, verdicts: i64) {
    let text = VERDICTS.replace("{t0}", &T0.to_string());
    if url.starts_with("sqlite") {
        let text = text
            .replace("{id}", &format!("unhex(printf('%012x7000800000000000%04x', {T0} + n * 1000, n % 65536))"))
            .replace("{largest}", "MAX(id)")
            .replace(
                "{numbers}",
                &format!("(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {verdicts}) SELECT n FROM s)"),
            );
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(text))
            .execute(&pool)
            .await
            .unwrap();
        // gigabytes in one transaction are the fill's own; the service never has such a log to carry over
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        return;
    }
    let text = text
        .replace(
            "{id}",
            &format!(
                "decode(lpad(to_hex({T0} + n * 1000), 12, '0') || '7000800000000000' || lpad(to_hex(n % 65536), 4, '0'), 'hex')"
            ),
        )
        // bytes have no largest there
        .replace("{largest}", "decode(MAX(encode(id, 'hex')), 'hex')")
        .replace("{numbers}", &format!("generate_series(1::BIGINT, {verdicts}) AS s(n)"));
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    // what so large a fill leaves behind is done before anything is measured
    for text in [text.as_str(), "VACUUM ANALYZE", "CHECKPOINT"] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned()))
            .execute(&pool)
            .await
            .unwrap();
    }
    pool.close().await;
}
