//! Statements that travel together: one way to the database and back instead of one for each.

use super::{
    dialect::{self, Conn, Db},
    row::Row,
};
use crate::domain::StoreError;
use sqlx::{Arguments as _, AssertSqlSafe, Database, Encode, Type, error::BoxDynError};
use std::fmt::Write as _;

/// Statements with their values. None sees what the others write.
#[derive(Default)]
pub struct Together {
    pub(in super::super) texts: Vec<String>,
    values: <Db as Database>::Arguments,
    wrong: Option<BoxDynError>,
}

/// A statement whose values are still to be told, `$1` first.
pub struct Said<'t>(&'t mut Together);

impl Together {
    /// Adds a statement. Its placeholders `$1`, `$2` and so on are its own.
    pub fn say(&mut self, text: &str) -> Said<'_> {
        let before = self.values.len();
        self.texts.push(renumbered(text, before));
        Said(self)
    }

    /// Runs all; gives the rows of the last one that has any.
    pub async fn run(self, conn: &mut Conn) -> Result<Vec<Row>, StoreError> {
        if let Some(wrong) = self.wrong {
            return Err(sqlx::Error::Encode(wrong).into());
        }
        if self.texts.is_empty() {
            return Ok(Vec::new());
        }
        let text = dialect::joined(&self.texts);
        let query = sqlx::query_with::<Db, _>(AssertSqlSafe(text), self.values);
        Ok(query.fetch_all(conn).await?)
    }
}

impl Said<'_> {
    /// The value of the next placeholder.
    pub fn bind<'v>(self, value: impl Encode<'v, Db> + Type<Db>) -> Self {
        if let Err(error) = self.0.values.add(value) {
            self.0.wrong.get_or_insert(error);
        }
        self
    }
}

/// Placeholders of so many rows: `($1, $2), ($3, $4)`.
pub fn rows_of(columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns)
            .map(|column| format!("${}", row * columns + column))
            .collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// The text with its placeholders moved behind those that are there already.
fn renumbered(text: &str, before: usize) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let number: usize = number.parse().unwrap_or_default();
        // writing to a string cannot fail
        let _ = write!(out, "${}{rest}", number + before);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_its_own_placeholders() {
        let mut all = Together::default();
        let _ = all.say("A ($1, $2, $1)").bind(1_i64).bind(2_i64);
        let _ = all.say("B $1, $10").bind(3_i64);
        assert_eq!(all.texts, ["A ($1, $2, $1)", "B $3, $12"]);
        assert_eq!(all.values.len(), 3);
        assert_eq!(rows_of(2, 2), "($1, $2), ($3, $4)");
    }
}
