//! Verdicts with their bodies, and the blocks that they were made of.

use super::{
    dialect::{Conn, Db},
    row::{self, column, maybe_id, text},
    together::{Together, rows_of},
};
use crate::{
    domain::{Chunk, Millis, Question, Record, StoreError, Verdict},
    store::wire::{self, v1::Judged},
};
use uuid::Uuid;

/// What a row with its indexes takes beside its body.
const ROW: usize = 1200;
/// Chunks in one statement.
const TOGETHER: usize = 100;

/// Writes a verdict, and gives it back. The row is refused where there is one of this id already, or where the rollout's
/// state has another version than this: then it has no size.
pub fn write(
    all: &mut Together,
    judged: (Verdict, Question),
    inputs: Vec<u8>,
    run: Option<Uuid>,
    (version, kept_at): (i64, Millis),
) -> Result<(Verdict, Question), StoreError> {
    let body = wire::pack(&wire::write::<Judged>(&judged)?);
    let (verdict, question) = judged;
    let size = (ROW + body.len() + inputs.len()) as i64;
    let rollout = &question.rollout;
    all.say(
        "INSERT INTO verdicts (id, at, kept_at, namespace, rollout, canary_hash, stable_hash, policy, revision,
             outcome, score, weight, reason, run, size)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
             CASE COALESCE((SELECT version FROM rollouts WHERE namespace = $4 AND name = $5), 0) WHEN $16 THEN $15 END)",
    )
    .bind(verdict.id.as_bytes().as_slice())
    .bind(question.at)
    .bind(kept_at)
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&rollout.canary_hash))
    .bind(text(&rollout.stable_hash))
    .bind(text(&verdict.policy))
    .bind(text(&verdict.revision))
    .bind(verdict.outcome.as_str())
    .bind(row::kept_number(verdict.score))
    .bind(row::kept_number(verdict.weight))
    .bind(text(&verdict.reason))
    .bind(run.map(|run| run.as_bytes().to_vec()))
    .bind(size)
    .bind(version);
    all.say("INSERT INTO bodies (id, body, inputs) VALUES ($1, $2, $3)")
        .bind(verdict.id.as_bytes().as_slice())
        .bind(body)
        .bind(inputs);
    Ok((verdict, question))
}

/// Writes blocks that are not there yet, and that their reading is still used.
pub fn chunks(all: &mut Together, run: Option<Uuid>, chunks: &[Chunk], kept_at: Millis) {
    let mut runs: Vec<Uuid> = run
        .into_iter()
        .chain(chunks.iter().map(|chunk| chunk.run))
        .collect();
    runs.sort_unstable();
    runs.dedup();
    for run in runs {
        let of_run = chunks.iter().filter(|chunk| chunk.run == run);
        let size: usize = of_run.map(|chunk| chunk.payload.len() + 150).sum();
        all.say(
            "INSERT INTO runs (run, newest, size) VALUES ($1, $2, $3)
             ON CONFLICT (run) DO UPDATE SET size = runs.size + excluded.size,
                 newest = CASE WHEN excluded.newest > runs.newest THEN excluded.newest ELSE runs.newest END",
        )
        .bind(run.as_bytes().as_slice())
        .bind(kept_at)
        .bind(size as i64);
    }
    for some in chunks.chunks(TOGETHER) {
        let mut rows = all.say(&format!(
            "INSERT INTO chunks (run, part, first_block, last_block, payload) VALUES {}
             ON CONFLICT (run, part, first_block) DO NOTHING",
            rows_of(5, some.len())
        ));
        for chunk in some {
            rows = rows
                .bind(chunk.run.as_bytes().as_slice())
                .bind(i64::from(chunk.part))
                .bind(chunk.first)
                .bind(chunk.last)
                .bind(chunk.payload.as_slice());
        }
    }
}

/// The blocks of a reading.
pub async fn read_chunks(conn: &mut Conn, run: Uuid) -> Result<Vec<Chunk>, StoreError> {
    let rows = sqlx::query::<Db>(
        "SELECT part, first_block, last_block, payload FROM chunks WHERE run = $1 ORDER BY part, first_block",
    )
    .bind(run.as_bytes().as_slice())
    .fetch_all(conn)
    .await?;
    row::all(&rows, |row| {
        Ok(Chunk {
            run,
            part: u32::try_from(column::<i64>(row, 0)?).unwrap_or_default(),
            first: column(row, 1)?,
            last: column(row, 2)?,
            payload: column(row, 3)?,
        })
    })
}

/// One kept verdict with everything.
pub async fn record(conn: &mut Conn, verdict: Uuid) -> Result<Option<Record>, StoreError> {
    let found = sqlx::query::<Db>(
        "SELECT b.body, b.inputs, v.run, v.kept_at FROM verdicts v JOIN bodies b ON b.id = v.id WHERE v.id = $1",
    )
    .bind(verdict.as_bytes().as_slice())
    .fetch_optional(conn)
    .await?;
    found
        .map(|row| {
            let (verdict, question) = body(&row)?;
            Ok(Record {
                verdict,
                question,
                inputs: column(&row, 1)?,
                run: maybe_id(&row, 2)?,
                kept_at: column(&row, 3)?,
            })
        })
        .transpose()
}

/// The body in the first column.
pub fn body(row: &row::Row) -> Result<(Verdict, Question), StoreError> {
    let packed: Vec<u8> = column(row, 0)?;
    unpacked(&packed)
}

/// What a body says.
pub fn unpacked(packed: &[u8]) -> Result<(Verdict, Question), StoreError> {
    Ok(wire::read::<Judged>(&wire::unpack(packed)?)?)
}
