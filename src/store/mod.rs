//! Memory on disk: SQLite in a file, or PostgreSQL shared by replicas.
//!
//! ```text
//!            VerdictStore (domain)
//!                  │
//!        sql/  one text of SQL, compiled once for each dialect
//!         ├── sqlite/    one writer with group commit, readers beside it
//!         └── postgres/  a pool; advisory locks
//!                  │
//!        wire/ what is inside the columns, with its version
//! ```

mod error;
mod lock;
mod moment;
mod open;
mod postgres;
mod schema;
mod sqlite;
pub mod wire;

pub use open::open;
