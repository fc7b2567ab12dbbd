//! A sink for one query's answer.

use super::{
    Identity, Notes, Role,
    identity::Nameless,
    memory::{Index, Newcomer, SeriesKey},
    native::{Native, NativeCell},
    slot::Slot,
    strand::{Span, Strands, Taken, Who},
};
use crate::domain::{Labels, LabelsDigest, Millis, NativeHistogram, SampleSink, Track};
use std::sync::Arc;

/// One query's answer for some blocks. It grows with series times blocks, never with samples.
#[derive(Debug)]
pub struct Piece {
    pub(super) role: Role,
    pub(super) span: Span,
    pub(super) strands: Strands,
    pub(super) notes: Notes,
    arm: Option<Track>,
    identity: Arc<Identity>,
    /// The series met before this piece.
    known: Arc<Index>,
    /// The text that was asked about and is not known.
    unknown: Option<LabelsDigest>,
    /// Samples of the present series of which this kind is of use.
    wanted: Wanted,
}

/// What is wanted of the present series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Nothing: it is nobody's.
    Nothing,
    /// Native histograms.
    Natives,
    /// Plain samples.
    Floats,
}

impl Piece {
    pub(super) fn new(
        role: Role,
        arm: Option<Track>,
        span: Span,
        identity: Arc<Identity>,
        known: Arc<Index>,
    ) -> Self {
        Self {
            role,
            span,
            strands: Strands::default(),
            notes: Notes::default(),
            arm,
            identity,
            known,
            unknown: None,
            wanted: Wanted::Nothing,
        }
    }

    /// The last block with a sample, of whichever arm.
    pub fn last_block(&self) -> Option<i64> {
        self.strands.last_block()
    }

    /// Ends earlier, with this block: there is no sample in those after it.
    pub fn end_with(&mut self, last: i64) {
        self.span.last = last;
    }

    fn key(&self, written: LabelsDigest) -> SeriesKey {
        SeriesKey {
            written,
            role: self.role,
            arm: self.arm,
        }
    }

    /// A sample that cannot be: of a counter, nobody knows what it hides.
    fn drop(&mut self, at: Millis) {
        self.notes.dropped += 1;
        if self.role != Role::Level {
            self.strands.spoil(at, &self.span);
        }
    }

    fn begin(&mut self, who: Who, bare: bool) {
        self.strands.begin(who, bare);
        self.wanted = if bare {
            Wanted::Natives
        } else {
            Wanted::Floats
        };
    }
}

impl SampleSink for Piece {
    fn restart(&mut self) {
        self.strands.clear();
        self.notes = Notes::default();
        self.unknown = None;
        self.wanted = Wanted::Nothing;
    }

    fn recall(&mut self, written: LabelsDigest) -> Option<LabelsDigest> {
        self.wanted = Wanted::Nothing;
        let known = self.known.get(&self.key(written)).copied();
        self.unknown = known.is_none().then_some(written);
        let known = known?;
        self.begin(Who::Known(known.place), known.bare);
        Some(known.digest)
    }

    fn series(&mut self, labels: Labels) {
        let digest = labels.digest();
        // who was not asked is asked now
        if self.unknown.is_none() && self.recall(digest).is_some() {
            return;
        }
        let written = self.unknown.take().unwrap_or(digest);
        match self.identity.name(self.role, self.arm, labels) {
            Err(Nameless::Foreign) => self.notes.ignored_series += 1,
            Err(Nameless::Unusable) => self.notes.unusable_series += 1,
            Ok(name) => {
                let bare = self.role == Role::Histogram && name.slot == Slot::Plain;
                let newcomer = Newcomer {
                    key: self.key(written),
                    digest,
                    name,
                    bare,
                };
                self.begin(Who::New(Box::new(newcomer)), bare);
            }
        }
    }

    fn sample(&mut self, at: Millis, value: f64) {
        if self.wanted != Wanted::Floats {
            return;
        }
        if value >= self.role.floor() && value <= self.role.ceiling() {
            self.strands
                .take(at, value, self.role == Role::Level, &self.span);
        } else {
            self.drop(at);
        }
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        match self.role {
            Role::Histogram => {}
            Role::Sum => return self.sample(at, value.sum),
            Role::Trials | Role::Count => return self.sample(at, value.count),
            Role::Events | Role::Squares | Role::Level => {
                self.drop(at);
                return;
            }
        }
        match self.wanted {
            Wanted::Nothing => return,
            Wanted::Natives => {}
            Wanted::Floats => {
                self.drop(at);
                return;
            }
        }
        let count = value.count;
        let Some(native) = Native::new(value) else {
            self.drop(at);
            return;
        };
        match self.strands.take(at, count, false, &self.span) {
            Taken::Ignored => {}
            Taken::Opened => self.strands.push_native(NativeCell::new(native)),
            Taken::Went => {
                if let Some(cell) = self.strands.last_native() {
                    cell.push(native);
                }
            }
        }
    }
}
