//! Lineage: which version had which param or label.

use super::{
    dialect::{Conn, Db},
    filter::{Narrow, Table},
    row::{self, column, id, text},
    together::Together,
};
use crate::domain::{Filter, Lineage, Outcome, Question, StoreError};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Notes the params and labels of a question.
pub fn seen(all: &mut Together, question: &Question, verdict: Uuid) {
    let rollout = &question.rollout;
    // a label of the same name and value as a param is the same row
    let mut told: Vec<(&String, &String)> =
        question.params.iter().chain(&question.labels).collect();
    told.sort_unstable();
    told.dedup();
    for (label, value) in told {
        all.say(
            "INSERT INTO lineage (label, value, namespace, rollout, canary_hash, oldest, newest, verdict)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
             ON CONFLICT (label, value, namespace, rollout, canary_hash) DO UPDATE SET
                 oldest = CASE WHEN excluded.oldest < lineage.oldest THEN excluded.oldest ELSE lineage.oldest END,
                 verdict = CASE WHEN excluded.newest < lineage.newest THEN lineage.verdict ELSE excluded.verdict END,
                 newest = CASE WHEN excluded.newest < lineage.newest THEN lineage.newest ELSE excluded.newest END",
        )
        .bind(text(label))
        .bind(text(value))
        .bind(text(&rollout.namespace))
        .bind(text(&rollout.name))
        .bind(text(&rollout.canary_hash))
        .bind(question.at)
        .bind(verdict.as_bytes().as_slice());
    }
}

/// See [`crate::domain::VerdictStore::lineage`]: rows of the labels that are asked for, of versions that have them all.
pub async fn lineage(
    conn: &mut Conn,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Lineage>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT t.label, t.value, t.namespace, t.rollout, t.canary_hash, t.oldest, t.newest, t.verdict
         FROM lineage t WHERE 1 = 1",
    );
    if !filter.labels.is_empty() {
        let mut or = " AND (";
        for (label, value) in &filter.labels {
            query.push(or).push("(t.label = ").push_bind(text(label));
            query.push(" AND t.value = ").push_bind(text(value));
            query.push(")");
            or = " OR ";
        }
        query.push(")");
    }
    query.narrow(filter, Table::LINEAGE);
    if filter.policy.is_some() || filter.outcome.is_some() {
        query.push(" AND EXISTS (SELECT 1 FROM verdicts v WHERE v.id = t.verdict");
        query.equal("v.policy", filter.policy.as_deref());
        query.equal("v.outcome", filter.outcome.map(Outcome::as_str));
        query.push(")");
    }
    query.push(" ORDER BY t.newest DESC, t.verdict DESC, t.label, t.value LIMIT ");
    query.push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, |row| {
        Ok(Lineage {
            key: column(row, 0)?,
            value: column(row, 1)?,
            namespace: column(row, 2)?,
            rollout: column(row, 3)?,
            canary_hash: column(row, 4)?,
            first: column(row, 5)?,
            last: column(row, 6)?,
            verdict: id(row, 7)?,
        })
    })
}
