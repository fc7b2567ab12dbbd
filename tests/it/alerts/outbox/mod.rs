//! The outbox over the real SQLite store: order, at least once, nobody delayed by somebody else.

mod dead;
mod order;
mod patience;
mod world;
