//! Why blocks could not be closed.

use super::Role;

/// The pieces handed to [`super::Condenser::close`] do not make blocks. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// No piece for a role that the kind needs.
    #[error("no piece for the role {role:?}")]
    MissingRole {
        /// The role.
        role: Role,
    },
    /// A role that the kind has no use for.
    #[error("the role {role:?} has no place in this kind of block")]
    UnexpectedRole {
        /// The role.
        role: Role,
    },
    /// The pieces are not of the same blocks, or of no block, or of another grid.
    #[error("the pieces do not cover the same blocks")]
    Misaligned,
    /// Blocks that were closed before.
    #[error("block {first} was closed before; the next is {next}")]
    AlreadyClosed {
        /// First block of the pieces.
        first: i64,
        /// The first block that is still open.
        next: i64,
    },
}
