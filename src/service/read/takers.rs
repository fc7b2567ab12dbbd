//! One answer read once, for all who take it.

use crate::{
    domain::{Labels, LabelsDigest, Millis, NativeHistogram, SampleSink},
    evidence::Piece,
    service::bundle::Tape,
};

/// One answer for several takers.
pub(super) struct All {
    pub(super) pieces: Vec<Piece>,
    pub(super) tape: Option<Tape>,
    /// Takers that do not know the series that begins; `None`: nobody has asked.
    strangers: Option<Vec<usize>>,
}

impl All {
    /// Gives the answer to these, and records it when asked to.
    pub(super) fn new(pieces: Vec<Piece>, record: bool) -> Self {
        Self {
            pieces,
            tape: record.then(Tape::new),
            strangers: None,
        }
    }
}

impl SampleSink for All {
    fn restart(&mut self) {
        self.pieces.iter_mut().for_each(SampleSink::restart);
        self.tape.iter_mut().for_each(SampleSink::restart);
    }

    fn recall(&mut self, written: LabelsDigest) -> Option<LabelsDigest> {
        let mut strangers = Vec::new();
        let mut digest = None;
        for (i, piece) in self.pieces.iter_mut().enumerate() {
            match piece.recall(written) {
                Some(known) => digest = Some(known),
                None => strangers.push(i),
            }
        }
        // a tape wants every series in full
        let known = strangers.is_empty() && self.tape.is_none();
        self.strangers = (!known).then_some(strangers);
        digest.filter(|_| known)
    }

    fn series(&mut self, labels: Labels) {
        let strangers = self.strangers.take();
        for (i, piece) in self.pieces.iter_mut().enumerate() {
            if strangers.as_ref().is_none_or(|s| s.contains(&i)) {
                piece.series(labels.clone());
            }
        }
        if let Some(tape) = &mut self.tape {
            tape.series(labels);
        }
    }

    fn sample(&mut self, at: Millis, value: f64) {
        if let Some(tape) = &mut self.tape {
            tape.sample(at, value);
        }
        for piece in &mut self.pieces {
            piece.sample(at, value);
        }
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        if let Some(tape) = &mut self.tape {
            tape.histogram(at, value.clone());
        }
        if let Some((last, others)) = self.pieces.split_last_mut() {
            for piece in others {
                piece.histogram(at, value.clone());
            }
            last.histogram(at, value);
        }
    }
}
