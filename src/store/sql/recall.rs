//! What is known before a question is judged.

use super::{
    decisions,
    dialect::{Conn, Db},
    judged, rollouts,
    row::{self, column, maybe_id, text},
};
use crate::domain::{Latch, Question, Standing, StoreError, Verdict};
use uuid::Uuid;

/// See [`crate::domain::VerdictStore::recall`]. All in one statement: it is of one moment, and one way to the database.
pub async fn recall(
    conn: &mut Conn,
    question: &Question,
    revision: &str,
    id: Uuid,
) -> Result<Standing, StoreError> {
    let rollout = &question.rollout;
    let row = sqlx::query::<Db>(
        "SELECT COALESCE(r.version, 0), r.state,
             (SELECT o.body FROM overrides o WHERE o.namespace = $1 AND o.rollout = $2 AND o.canary_hash = $3
                  ORDER BY o.at DESC, o.id DESC LIMIT 1),
             (SELECT b.body FROM bodies b WHERE b.id = $6),
             l.at, l.verdict, l.reason
         FROM (SELECT 1 AS here) one
             LEFT JOIN rollouts r ON r.namespace = $1 AND r.name = $2
             LEFT JOIN latches l ON l.namespace = $1 AND l.rollout = $2 AND l.canary_hash = $3
                 AND l.policy = $4 AND l.revision = $5",
    )
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&rollout.canary_hash))
    .bind(text(&question.policy))
    .bind(text(revision))
    .bind(id.as_bytes().as_slice())
    .fetch_one(conn)
    .await?;
    let known: Option<Vec<u8>> = column(&row, 3)?;
    let known = known.map(|body| judged::unpacked(&body)).transpose()?;
    Ok(Standing {
        version: column(&row, 0)?,
        state: rollouts::state(&row, 1)?,
        latch: latch(&row, 4)?,
        ruling: decisions::ruling(&row, 2)?,
        known: known.map(|(verdict, _)| Box::new(verdict)),
    })
}

/// The latch in three columns.
fn latch(row: &row::Row, place: usize) -> Result<Option<Latch>, StoreError> {
    let Some(verdict) = maybe_id(row, place + 1)? else {
        return Ok(None);
    };
    Ok(Some(Latch {
        at: column(row, place)?,
        verdict,
        reason: column(row, place + 2)?,
    }))
}

/// A kept verdict.
pub async fn verdict(conn: &mut Conn, id: Uuid) -> Result<Option<Verdict>, StoreError> {
    let found = sqlx::query::<Db>("SELECT body FROM bodies WHERE id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    found.map(|row| Ok(judged::body(&row)?.0)).transpose()
}
