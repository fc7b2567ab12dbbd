//! What every store must do: one suite, run whole on SQLite and on a real PostgreSQL.

#[path = "../../support/postgres.rs"]
pub mod postgres;

mod broken;
mod conformance;
mod old;
mod place;
pub mod sample;
mod wal;
mod wire;
