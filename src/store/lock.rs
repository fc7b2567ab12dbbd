//! What a transaction may hold for itself. SQLite has one writer, so only PostgreSQL needs to be asked.

use sha2::{Digest, Sha256};

/// Something that one transaction at a time may touch. Taken in the order of this list, so nobody waits in a circle.
#[derive(Debug, Clone, Copy)]
pub enum Lock<'a> {
    /// Tables are made or changed.
    Schema,
    /// Old rows are removed.
    Pruning,
    /// What is decided about one rollout: namespace and name.
    Rollout(&'a str, &'a str),
    /// The queue of one receiver.
    Receiver(&'a str),
    /// The end of the log: shared by who appends, alone for a moment by who reads.
    Log,
}

impl Lock<'_> {
    /// Kind and name as two numbers. Two names with the same number only wait for each other.
    pub fn key(self) -> (i32, i32) {
        // far from the small numbers that other programs of a shared database may use
        const OURS: i32 = 0x726a_0000;
        let (kind, name) = match self {
            Self::Schema => (1, None),
            Self::Pruning => (2, None),
            Self::Rollout(namespace, name) => (3, Some((namespace, name))),
            Self::Receiver(name) => (4, Some((name, ""))),
            Self::Log => (5, None),
        };
        (OURS + kind, name.map_or(0, |(a, b)| digest(a, b)))
    }
}

fn digest(a: &str, b: &str) -> i32 {
    let digest = Sha256::new()
        .chain_update(a)
        .chain_update([0])
        .chain_update(b)
        .finalize();
    digest
        .iter()
        .take(4)
        .fold(0, |number: i32, byte| (number << 8) | i32::from(*byte))
}
