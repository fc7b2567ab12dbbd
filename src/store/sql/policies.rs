//! Revisions of policies that have judged.

use super::{
    dialect::{Conn, Db},
    row::{self, column, text},
    together::Together,
};
use crate::domain::{Millis, Revision, StoreError};
use std::sync::Arc;

/// How exactly it is known when a revision last judged: a write now and then, not one for each verdict.
const HOUR: Millis = 3_600_000;

/// A revision that has judged.
pub struct Judged {
    /// The revision.
    pub revision: String,
    /// Name of its policy.
    pub policy: String,
    /// Its document.
    pub text: Arc<str>,
    /// When, by our clock.
    pub at: Millis,
}

/// Notes that a revision has judged.
pub fn seen(all: &mut Together, judged: &Judged) {
    all.say(
        "INSERT INTO policies (revision, name, document, oldest, newest) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (revision) DO UPDATE SET newest = excluded.newest WHERE policies.newest + $5 < excluded.newest",
    )
    .bind(text(&judged.revision))
    .bind(text(&judged.policy))
    .bind(text(&judged.text))
    .bind(judged.at)
    .bind(HOUR);
}

/// One revision.
pub async fn policy(conn: &mut Conn, revision: &str) -> Result<Option<Revision>, StoreError> {
    let found = sqlx::query::<Db>(
        "SELECT name, revision, document, oldest FROM policies WHERE revision = $1",
    )
    .bind(text(revision))
    .fetch_optional(conn)
    .await?;
    found.map(|row| read(&row)).transpose()
}

/// Revisions of a policy, newest first.
pub async fn revisions(
    conn: &mut Conn,
    name: &str,
    limit: u32,
) -> Result<Vec<Revision>, StoreError> {
    let rows = sqlx::query::<Db>(
        "SELECT name, revision, document, oldest FROM policies WHERE name = $1
         ORDER BY oldest DESC, revision LIMIT $2",
    )
    .bind(text(name))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    row::all(&rows, read)
}

fn read(row: &row::Row) -> Result<Revision, StoreError> {
    Ok(Revision {
        name: column(row, 0)?,
        revision: column(row, 1)?,
        text: column(row, 2)?,
        first: column(row, 3)?,
    })
}
