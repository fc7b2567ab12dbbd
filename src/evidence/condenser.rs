//! The through-time state of one objective.

use super::{
    Block, EvidenceError, Grid, Identity, Kind, Notes, Piece, Role, memory::Memory, strand::Span,
    walk::Walk,
};
use crate::domain::Track;
use std::sync::Arc;

/// Turns the pieces of one objective into closed blocks, and remembers what the next blocks need: the last sample of
/// each series, the pods, and when each was first seen. Series and pods not seen for an hour are forgotten.
#[derive(Clone, Debug)]
pub struct Condenser {
    kind: Kind,
    grid: Grid,
    identity: Arc<Identity>,
    memory: Memory,
    /// The first block that is still open; `None` before the first close.
    next: Option<i64>,
}

/// Closed blocks, one for each index of the pieces, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Index and contents.
    pub blocks: Vec<(i64, Block)>,
    /// What was noticed on the way.
    pub notes: Notes,
}

impl Condenser {
    /// A condenser that has seen nothing.
    pub fn new(kind: Kind, grid: Grid, identity: Identity) -> Self {
        Self {
            kind,
            grid,
            identity: Arc::new(identity),
            memory: Memory::default(),
            next: None,
        }
    }

    /// The first block that is still open; `None` before the first close.
    pub fn next_block(&self) -> Option<i64> {
        self.next
    }

    /// Number and name of each pod that has given a sample, of either arm.
    pub fn pods(&self) -> impl Iterator<Item = (u32, &str)> {
        let places = self.memory.pods.iter();
        places.filter_map(|place| Some((place.pod.as_ref()?.number, &*place.name)))
    }

    /// The number that the next new pod gets.
    pub fn next_pod(&self) -> u32 {
        self.memory.next_pod
    }

    /// How many of the newest blocks hold nothing of an arm but pods that were left out because not all of their counters
    /// are known.
    pub fn blind(&self, track: Track) -> u32 {
        self.memory.blind.get(&track).copied().unwrap_or_default()
    }

    /// A sink for one query's answer about the blocks `first..=last`; samples at or before the start of `first` only set
    /// baselines. The first read, and each one after a gap, must start [`super::LOOKBACK`] before `first`.
    /// `arm`: `None` if the track label tells the arms apart, else the arm of all series.
    pub fn piece(&self, role: Role, arm: Option<Track>, first: i64, last: i64) -> Piece {
        let span = Span {
            grid: self.grid,
            first,
            last,
        };
        Piece::new(
            role,
            arm,
            span,
            self.identity.clone(),
            self.memory.index.clone(),
        )
    }

    /// Closes the blocks once all roles' pieces are there. On error nothing has changed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "pieces are spent: closing them twice would be an error"
    )]
    pub fn close(&mut self, pieces: Vec<Piece>) -> Result<Closed, EvidenceError> {
        let span = self.check(&pieces)?;
        let begins = self.next != Some(span.first);
        let closed = Walk::new(&pieces, &mut self.memory, self.kind, span, begins).run();
        self.memory.forget(self.grid.end_of(span.last));
        self.next = Some(span.last.saturating_add(1));
        Ok(closed)
    }

    fn check(&self, pieces: &[Piece]) -> Result<Span, EvidenceError> {
        if let Some(piece) = pieces.iter().find(|p| !self.kind.takes(p.role)) {
            return Err(EvidenceError::UnexpectedRole { role: piece.role });
        }
        let there = |role| pieces.iter().any(|p| p.role == role);
        if let Some(&role) = self.kind.needs().iter().find(|r| !there(**r)) {
            return Err(EvidenceError::MissingRole { role });
        }
        let span = pieces
            .first()
            .map(|p| p.span)
            .filter(|span| span.grid == self.grid && span.first <= span.last)
            .filter(|span| pieces.iter().all(|p| p.span == *span))
            .ok_or(EvidenceError::Misaligned)?;
        match self.next {
            Some(next) if span.first < next => Err(EvidenceError::AlreadyClosed {
                first: span.first,
                next,
            }),
            _ => Ok(span),
        }
    }
}
