//! What the databases say, in the words of the port.

use super::wire::Unreadable;
use crate::domain::StoreError;
use sqlx::{error::DatabaseError, sqlite::SqliteError};

/// It cannot be done now.
pub fn unavailable(detail: &(impl ToString + ?Sized)) -> StoreError {
    StoreError::Unavailable {
        detail: detail.to_string(),
    }
}

/// A row is not what it should be.
pub fn corrupt(detail: &(impl ToString + ?Sized)) -> StoreError {
    StoreError::Corrupt {
        detail: detail.to_string(),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(said) if is_content(said.as_ref()) => corrupt(said.message()),
            E::Database(said) => unavailable(said.message()),
            E::PoolTimedOut => unavailable("no connection in time"),
            E::RowNotFound
            | E::TypeNotFound { .. }
            | E::ColumnIndexOutOfBounds { .. }
            | E::ColumnNotFound(_)
            | E::ColumnDecode { .. }
            | E::Encode(_)
            | E::Decode(_) => corrupt(&error),
            _ => unavailable(&error),
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Newer(_) => Self::TooNew {
                detail: error.to_string(),
            },
            Unreadable::Damaged(_) => corrupt(&error),
        }
    }
}

/// Is it about what was written, so that trying again does not help?
fn is_content(said: &dyn DatabaseError) -> bool {
    let code = said.code().unwrap_or_default();
    if said.try_downcast_ref::<SqliteError>().is_some() {
        // ERROR, CORRUPT, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE, NOTADB
        let primary = code.parse::<u32>().unwrap_or_default() & 0xff;
        return matches!(primary, 1 | 11 | 18 | 19 | 20 | 21 | 25 | 26);
    }
    // data exception, constraint, internal error; a missing table or a full disk may be mended
    ["22", "23", "XX"]
        .iter()
        .any(|class| code.starts_with(class))
}
