//! The push decoder: what may follow what.

use super::{
    cursor::{Cursor, Raw, Stop, Take},
    expected::Expected,
    histogram::histogram,
    labels::{self, Collector, Seen, twice},
    limits::{Limits, WireError},
    number::{millis, quoted_float, usual},
    state::{Kind, Level, State},
    text::unescape,
};
use crate::domain::{
    LabelsDigest, Millis, PlannedQuery, ReadReport, SampleSink, text::shortened, time::rfc3339,
};

/// One key, set of labels or sample is never longer than this.
const LONGEST_UNIT: usize = 1 << 20;
/// So much of the next chunk is put behind a cut unit at first: a set of labels and some samples.
const SEAM: usize = 4096;
/// So many warnings are kept, each so long.
const WARNINGS: usize = 20;
const WARNING_CHARS: usize = 300;
/// So long are the words of a refusal here; they are cut where secrets have been struck out.
const ERROR_CHARS: usize = 8192;
/// What `isPartial` means, in words.
const PARTIAL: &str = "partial answer: a part of the storage did not answer";
/// So begin remarks of the query language about the query: no data is missing.
const REMARK: &str = "PromQL ";

/// What is said of samples that came twice.
pub(super) const REPEATED: &str =
    "samples came twice with the same time and value; each was taken once";

/// Decodes one answer.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each named"
)]
pub struct Decoder<'q> {
    limits: Limits,
    expected: Expected<'q>,
    state: State,
    /// The cut unit at the end of the last chunk.
    held: Vec<u8>,
    /// Not tried again before so many bytes are held: a cut unit costs linear time in any split.
    wake: usize,
    /// Offset of `held`, or of the next chunk, in the answer.
    base: u64,
    status: Option<bool>,
    kind: Option<Kind>,
    has_data: bool,
    /// `isPartial` was true.
    lacks: bool,
    has_result: bool,
    named: bool,
    /// Kinds of samples that the present series had: native histograms or not.
    fields: Vec<bool>,
    /// The present list of texts is that of warnings.
    warns: bool,
    error_type: String,
    error: String,
    labels: Collector,
    seen: Seen,
    /// The last sample: when, and the bits of its value.
    last: Option<(Millis, Option<u64>)>,
    /// Some sample came twice.
    repeated: bool,
    report: ReadReport,
}

impl<'q> Decoder<'q> {
    /// Ready for the first byte.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            expected: Expected::default(),
            state: State::Open,
            held: Vec::new(),
            wake: 0,
            base: 0,
            status: None,
            kind: None,
            has_data: false,
            lacks: false,
            has_result: false,
            named: false,
            fields: Vec::new(),
            warns: false,
            error_type: String::new(),
            error: String::new(),
            labels: Collector::default(),
            seen: Seen::default(),
            last: None,
            repeated: false,
            report: ReadReport::default(),
        }
    }

    /// An answer to this query: another `resultType`, series that its selector rules out and samples from before its window are refused.
    #[must_use]
    pub fn answering(mut self, query: &'q PlannedQuery) -> Self {
        self.expected = Expected::by(query);
        self
    }

    /// Takes the next bytes of the answer, however they were cut.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut dyn SampleSink) -> Result<(), WireError> {
        self.report.bytes += chunk.len() as u64;
        if self.report.bytes > self.limits.bytes {
            let limit = self.limits.bytes;
            return Err(WireError::TooLarge(format!(
                "more than {limit} bytes (`maxBytes`)"
            )));
        }
        let rest = self.mend(chunk, sink)?;
        if !rest.is_empty() {
            let used = self.run(rest, sink)?;
            self.hold(rest.get(used..).unwrap_or_default());
        }
        Ok(())
    }

    /// Takes the cut unit together with no more of the chunk than it needs, and gives what is left of the chunk.
    fn mend<'a>(
        &mut self,
        chunk: &'a [u8],
        sink: &mut dyn SampleSink,
    ) -> Result<&'a [u8], WireError> {
        let mut rest = chunk;
        while !self.held.is_empty() && !rest.is_empty() {
            let cut = self.held.len();
            let (seam, after) = rest.split_at(rest.len().min(SEAM.max(cut)));
            self.held.extend_from_slice(seam);
            if self.held.len() >= self.wake {
                self.retry(sink)?;
            }
            if self.held.len() <= seam.len() {
                // the unit is whole, and what is held is the end of the seam
                rest = rest.get(seam.len() - self.held.len()..).unwrap_or_default();
                self.held.clear();
            } else {
                rest = after;
            }
        }
        Ok(rest)
    }

    /// The answer is over.
    pub fn finish(mut self, sink: &mut dyn SampleSink) -> Result<ReadReport, WireError> {
        self.retry(sink)?;
        if !matches!(self.state, State::End) || !self.held.is_empty() {
            let position = self.report.bytes;
            let what = "the answer ends in the middle".to_owned();
            return Err(WireError::Malformed { position, what });
        }
        match self.status {
            Some(true) if self.has_result => {
                if self.repeated {
                    self.report.warnings.push(REPEATED.to_owned());
                }
                if self.lacks {
                    self.report.warnings.push(PARTIAL.to_owned());
                }
                Ok(self.report)
            }
            Some(false) => Err(WireError::Refused(match self.error_type.as_str() {
                "" => self.error,
                kind => format!("{kind}: {}", self.error),
            })),
            _ => Err(WireError::Malformed {
                position: self.report.bytes,
                what: "an answer without `status` and `result`".to_owned(),
            }),
        }
    }

    /// What `error` said, if the answer got as far.
    pub fn refusal(&self) -> Option<&str> {
        Some(self.error.as_str()).filter(|e| !e.is_empty())
    }

    fn retry(&mut self, sink: &mut dyn SampleSink) -> Result<(), WireError> {
        let mut held = std::mem::take(&mut self.held);
        let used = self.run(&held, sink)?;
        held.drain(..used);
        self.wake = held.len() * 2;
        self.held = held;
        if self.held.len() > LONGEST_UNIT {
            return Err(self.too_long());
        }
        Ok(())
    }

    fn hold(&mut self, rest: &[u8]) {
        self.held.extend_from_slice(rest);
        self.wake = rest.len() * 2;
    }

    fn too_long(&self) -> WireError {
        WireError::Malformed {
            position: self.base,
            what: format!("one key, set of labels or sample of more than {LONGEST_UNIT} bytes"),
        }
    }

    /// Takes whole units and tells how many bytes they were.
    fn run(&mut self, bytes: &[u8], sink: &mut dyn SampleSink) -> Result<usize, WireError> {
        let mut cursor = Cursor::new(bytes);
        loop {
            self.burst(&mut cursor, sink).map_err(|s| self.stopped(s))?;
            cursor.skip_space();
            let done = cursor.at;
            if done == bytes.len() {
                self.base += done as u64;
                return Ok(done);
            }
            match self.step(&mut cursor, sink) {
                Ok(()) if cursor.at - done > LONGEST_UNIT => {
                    self.base += done as u64;
                    return Err(self.too_long());
                }
                Ok(()) => {}
                Err(Stop::More) => {
                    self.base += done as u64;
                    if bytes.len() - done > LONGEST_UNIT {
                        return Err(self.too_long());
                    }
                    return Ok(done);
                }
                Err(stop) => return Err(self.stopped(stop)),
            }
            if self.report.series > self.limits.series {
                let limit = self.limits.series;
                return Err(WireError::TooLarge(format!(
                    "more than {limit} series (`maxSeries`)"
                )));
            }
        }
    }

    fn stopped(&self, stop: Stop) -> WireError {
        let (at, what) = match stop {
            Stop::Bad { at, what } => (at, what),
            Stop::More => (0, "more bytes".to_owned()),
        };
        let position = self.base + at as u64;
        WireError::Malformed { position, what }
    }

    /// The quick way through a run of usual samples; stops in front of whatever is not one.
    #[inline]
    fn burst(&mut self, c: &mut Cursor<'_>, sink: &mut dyn SampleSink) -> Take<()> {
        let State::Sample {
            first: false,
            native: false,
        } = self.state
        else {
            return Ok(());
        };
        while let Some((at, value, length)) = usual(c.rest()) {
            if self.admit(at, Some(value), c.at + 2)? {
                sink.sample(at, value);
            }
            c.at += length;
        }
        Ok(())
    }

    #[inline]
    fn step(&mut self, c: &mut Cursor<'_>, sink: &mut dyn SampleSink) -> Take<()> {
        self.state = match self.state {
            State::Sample { first, native } => {
                if item(c, b']', first)? {
                    self.sample(c, native, sink)?
                } else {
                    State::FIELD
                }
            }
            State::Single { native } => {
                self.sample(c, native, sink)?;
                State::FIELD
            }
            State::Open => {
                c.eat(b'{')?;
                State::Top { first: true }
            }
            State::Top { first } => {
                if item(c, b'}', first)? {
                    self.top(c)?
                } else {
                    State::End
                }
            }
            State::Warning { first } => {
                if item(c, b']', first)? {
                    self.warning(c)?
                } else {
                    State::TOP
                }
            }
            State::DataOpen => {
                c.eat(b'{')?;
                State::Data { first: true }
            }
            State::Data { first } => {
                if item(c, b'}', first)? {
                    self.data(c)?
                } else if self.has_result {
                    State::TOP
                } else {
                    return Err(Cursor::bad(c.at - 1, "`data` without a result"));
                }
            }
            State::Series { first } => {
                if item(c, b']', first)? {
                    c.eat(b'{')?;
                    self.named = false;
                    self.fields.clear();
                    State::Field { first: true }
                } else {
                    State::DATA
                }
            }
            State::Field { first } => {
                if item(c, b'}', first)? {
                    self.field(c, sink)?
                } else if self.named {
                    State::Series { first: false }
                } else {
                    return Err(Cursor::bad(c.at - 1, "expected `metric`, found `}`"));
                }
            }
            State::Skip { mut skip, level } => match (skip.step(c)?, level) {
                (false, _) => State::Skip { skip, level },
                (true, Level::Top) => State::TOP,
                (true, Level::Data) => State::DATA,
                (true, Level::Series) => State::FIELD,
            },
            State::End => return Err(c.expected("nothing after the answer")),
        };
        Ok(())
    }

    fn top(&mut self, c: &mut Cursor<'_>) -> Take<State> {
        let key = key(c)?;
        match key.bytes {
            b"status" => {
                let value = c.string()?;
                self.status = Some(match value.bytes {
                    b"success" => true,
                    b"error" => false,
                    _ => return Err(Cursor::bad(value.at, "expected `success` or `error`")),
                });
            }
            b"data" if self.has_data => return Err(Cursor::bad(key.at, "a second `data`")),
            b"data" => {
                self.has_data = true;
                return Ok(State::DataOpen);
            }
            b"errorType" => self.error_type = shortened(&unescape(c.string()?)?, WARNING_CHARS),
            b"error" => self.error = shortened(&unescape(c.string()?)?, ERROR_CHARS),
            b"isPartial" => {
                self.lacks |= c.boolean()?;
                self.report.partial |= self.lacks;
            }
            b"warnings" | b"infos" => {
                self.warns = key.bytes == b"warnings";
                c.eat(b'[')?;
                return Ok(State::Warning { first: true });
            }
            _ => return Ok(State::skip(Level::Top)),
        }
        Ok(State::TOP)
    }

    fn warning(&mut self, c: &mut Cursor<'_>) -> Take<State> {
        let text = unescape(c.string()?)?;
        // a store that failed, a limit: only remarks about the query itself lack no data
        self.report.partial |= self.warns && !text.starts_with(REMARK);
        if self.report.warnings.len() < WARNINGS {
            self.report.warnings.push(shortened(&text, WARNING_CHARS));
        }
        Ok(State::Warning { first: false })
    }

    fn data(&mut self, c: &mut Cursor<'_>) -> Take<State> {
        let key = key(c)?;
        match key.bytes {
            b"resultType" => {
                let value = c.string()?;
                let kind = match value.bytes {
                    b"matrix" => Kind::Matrix,
                    b"vector" => Kind::Vector,
                    _ => return Err(Cursor::bad(value.at, "expected `matrix` or `vector`")),
                };
                self.expected.form(kind, value.at)?;
                self.kind = Some(kind);
                Ok(State::DATA)
            }
            b"result" if self.kind.is_none() => {
                Err(Cursor::bad(key.at, "expected `resultType` before `result`"))
            }
            b"result" if self.has_result => Err(Cursor::bad(key.at, "a second `result`")),
            b"result" => {
                c.eat(b'[')?;
                self.has_result = true;
                Ok(State::Series { first: true })
            }
            _ => Ok(State::skip(Level::Data)),
        }
    }

    fn field(&mut self, c: &mut Cursor<'_>, sink: &mut dyn SampleSink) -> Take<State> {
        let key = key(c)?;
        let (native, kind) = match key.bytes {
            b"metric" if self.named => return Err(Cursor::bad(key.at, "a second `metric`")),
            b"metric" => {
                c.eat(b'{')?;
                return self.named(c, sink);
            }
            b"values" => (false, Kind::Matrix),
            b"histograms" => (true, Kind::Matrix),
            b"value" => (false, Kind::Vector),
            b"histogram" => (true, Kind::Vector),
            _ => return Ok(State::skip(Level::Series)),
        };
        if !self.named {
            return Err(Cursor::bad(key.at, "expected `metric` before the samples"));
        }
        if self.kind != Some(kind) {
            return Err(Cursor::bad(key.at, "samples that do not fit `resultType`"));
        }
        if self.fields.contains(&native) {
            return Err(Cursor::bad(key.at, "samples that come twice"));
        }
        if kind == Kind::Matrix {
            c.eat(b'[')?;
        }
        self.fields.push(native);
        self.last = None;
        Ok(match kind {
            Kind::Matrix => State::Sample {
                first: true,
                native,
            },
            Kind::Vector => State::Single { native },
        })
    }

    fn named(&mut self, c: &mut Cursor<'_>, sink: &mut dyn SampleSink) -> Take<State> {
        let room = self.report.series < self.limits.series;
        let start = c.at;
        let mut asked = None;
        let mut recall = |text: &[u8]| {
            let written = LabelsDigest::of(text);
            let new = room && asked.replace(written) != Some(written);
            new.then(|| sink.recall(written)).flatten()
        };
        let mut fresh = None;
        let glance = labels::glance(c);
        let known = glance.and_then(|text| Some((recall(text)?, text.len())));
        let digest = if let Some((digest, length)) = known {
            // the very text that was taken apart before
            c.at = start + length + 1;
            digest
        } else {
            self.labels.take(c)?;
            match recall(c.between(start, c.at - 1)) {
                Some(digest) => digest,
                None => fresh.insert(self.labels.read(c)?).digest(),
            }
        };
        if !self.seen.insert(digest) {
            c.at = start;
            self.labels.take(c)?;
            return Err(twice(c.at - 1, &self.labels.read(c)?));
        }
        if let Some(labels) = fresh.filter(|_| room) {
            self.expected.series(&labels, c.at - 1)?;
            sink.series(labels);
        }
        self.report.series += 1;
        self.named = true;
        Ok(State::FIELD)
    }

    /// Takes `[time, value]`.
    #[inline]
    fn sample(
        &mut self,
        c: &mut Cursor<'_>,
        native: bool,
        sink: &mut dyn SampleSink,
    ) -> Take<State> {
        c.eat(b'[')?;
        let start = c.at;
        let at = millis(c)?;
        c.eat(b',')?;
        if native {
            let value = histogram(c)?;
            c.eat(b']')?;
            if self.admit(at, None, start)? {
                sink.histogram(at, value);
            }
        } else {
            let value = quoted_float(c)?;
            c.eat(b']')?;
            if self.admit(at, Some(value), start)? {
                sink.sample(at, value);
            }
        }
        Ok(State::Sample {
            first: false,
            native,
        })
    }

    /// Is it in the window, and new? Refuses what cannot be.
    #[inline]
    fn admit(&mut self, at: Millis, value: Option<f64>, position: usize) -> Take<bool> {
        let this = (at, value.map(f64::to_bits));
        if self.last.is_some_and(|(last, _)| at <= last) {
            // written twice, as by a client that tried again
            if value.is_some() && self.last == Some(this) {
                self.repeated = true;
                return Ok(false);
            }
            let what = format!(
                "a sample at {} that is not later than the one before",
                rfc3339(at)
            );
            return Err(Cursor::bad(position, what));
        }
        if at > self.limits.window.end {
            let (at, end) = (rfc3339(at), rfc3339(self.limits.window.end));
            let what =
                format!("a sample at {at}, later than the question's end {end} (clock ahead)");
            return Err(Cursor::bad(position, what));
        }
        self.last = Some(this);
        let inside = at > self.limits.window.start;
        if !inside {
            self.expected.early(at, position)?;
        }
        self.report.samples += u64::from(inside);
        Ok(inside)
    }
}

/// Takes a key and its colon.
fn key<'a>(c: &mut Cursor<'a>) -> Take<Raw<'a>> {
    let key = c.string()?;
    c.eat(b':')?;
    Ok(key)
}

/// Is there another item? Takes the comma in front of it, or the closing bracket.
#[inline]
fn item(c: &mut Cursor<'_>, close: u8, first: bool) -> Take<bool> {
    let byte = c.peek()?;
    if byte == close {
        c.at += 1;
        return Ok(false);
    }
    if !first {
        if byte != b',' {
            return Err(c.expected(&format!("`,` or `{}`", close as char)));
        }
        c.at += 1;
    }
    Ok(true)
}
