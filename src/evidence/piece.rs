//! A sink for one query's answer.

use super::{
    Identity, Notes, Role,
    identity::Nameless,
    native::{Native, NativeCell},
    slot::Slot,
    strand::{Span, Strand, Taken},
};
use crate::domain::{Labels, Millis, NativeHistogram, SampleSink, Track};
use std::sync::Arc;

/// One query's answer for some blocks. It grows with series times blocks, never with samples.
#[derive(Debug)]
pub struct Piece {
    pub(super) role: Role,
    pub(super) span: Span,
    pub(super) strands: Vec<Strand>,
    pub(super) notes: Notes,
    arm: Option<Track>,
    identity: Arc<Identity>,
    /// Place of the present series.
    present: usize,
    /// The same, where plain samples are of use.
    floats: usize,
}

/// The place of a series that nobody wants.
const NOWHERE: usize = usize::MAX;

impl Piece {
    pub(super) fn new(role: Role, arm: Option<Track>, span: Span, identity: Arc<Identity>) -> Self {
        Self {
            role,
            span,
            strands: Vec::new(),
            notes: Notes::default(),
            arm,
            identity,
            present: NOWHERE,
            floats: NOWHERE,
        }
    }
}

impl SampleSink for Piece {
    fn restart(&mut self) {
        self.strands.clear();
        self.notes = Notes::default();
        (self.present, self.floats) = (NOWHERE, NOWHERE);
    }

    fn series(&mut self, labels: Labels) {
        (self.present, self.floats) = (NOWHERE, NOWHERE);
        match self.identity.name(self.role, self.arm, labels) {
            Err(Nameless::Foreign) => self.notes.ignored_series += 1,
            Err(Nameless::Unusable) => self.notes.unusable_series += 1,
            Ok(name) => {
                // a series that came before is found when the names are sorted
                self.present = self.strands.len();
                let bare = self.role == Role::Histogram && name.key.slot == Slot::Plain;
                self.strands.push(Strand::new(name));
                self.floats = if bare { NOWHERE } else { self.present };
            }
        }
    }

    fn sample(&mut self, at: Millis, value: f64) {
        let Some(strand) = self.strands.get_mut(self.floats) else {
            return;
        };
        if value >= self.role.floor() && value <= f64::MAX {
            strand.take(at, value, self.role == Role::Level, &self.span);
        } else {
            self.notes.dropped += 1;
        }
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        match self.role {
            Role::Histogram => {}
            Role::Sum => return self.sample(at, value.sum),
            Role::Trials | Role::Count => return self.sample(at, value.count),
            Role::Events | Role::Squares | Role::Level => {
                self.notes.dropped += 1;
                return;
            }
        }
        let Some(strand) = self.strands.get_mut(self.present) else {
            return;
        };
        if strand.name.key.slot != Slot::Plain {
            self.notes.dropped += 1;
            return;
        }
        let count = value.count;
        let Some(native) = Native::new(value) else {
            self.notes.dropped += 1;
            return;
        };
        match strand.take(at, count, false, &self.span) {
            Taken::Ignored => {}
            Taken::Opened => strand.natives.push(NativeCell::new(native)),
            Taken::Went => {
                if let Some(cell) = strand.natives.last_mut() {
                    cell.push(native);
                }
            }
        }
    }
}
