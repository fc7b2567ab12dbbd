//! Settings and secrets.
