//! Columns become things.

use super::dialect::Db;
use crate::{domain::StoreError, store::error::corrupt};
use sqlx::{ColumnIndex, Database, Decode, Row as _, Type};
use std::borrow::Cow;
use uuid::Uuid;

/// A row of this dialect.
pub type Row = <Db as Database>::Row;

/// A column by its place.
pub fn column<'r, T>(row: &'r Row, place: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Db> + Type<Db>,
    usize: ColumnIndex<Row>,
{
    Ok(row.try_get(place)?)
}

/// An id: sixteen bytes.
pub fn id(row: &Row, place: usize) -> Result<Uuid, StoreError> {
    let bytes: Vec<u8> = column(row, place)?;
    Uuid::from_slice(&bytes).map_err(|_| corrupt("an id is not sixteen bytes long"))
}

/// An id that may be absent.
pub fn maybe_id(row: &Row, place: usize) -> Result<Option<Uuid>, StoreError> {
    let bytes: Option<Vec<u8>> = column(row, place)?;
    bytes
        .map(|bytes| {
            Uuid::from_slice(&bytes).map_err(|_| corrupt("an id is not sixteen bytes long"))
        })
        .transpose()
}

/// A number; databases keep NaN as nothing.
pub fn number(row: &Row, place: usize) -> Result<f64, StoreError> {
    let number: Option<f64> = column(row, place)?;
    Ok(number.unwrap_or(f64::NAN))
}

/// A number as it is kept.
pub fn kept_number(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}

/// A text as it is kept and looked for: PostgreSQL has no NUL.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Every row through one reader.
pub fn all<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}
