//! What is wrong with a document, where, and how to cure it.

use super::{place::Text, render};
use serde::Serialize;
use std::ops::Range;

/// One thing wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable word for the kind of mistake, see [`Mistake`].
    pub code: Mistake,
    /// The file, as it was named to us.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant.
    pub length: usize,
    /// A few words under the place.
    pub label: String,
    /// What to write instead.
    pub help: String,
    /// The same place in bytes of the file.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// The closed set of mistakes; the word on the wire is in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// The file is too large, too deep or too often aliased to be a policy.
    TooLarge,
    /// Not YAML.
    YamlSyntax,
    /// No document in the file.
    EmptyFile,
    /// `apiVersion` or `kind` of something else.
    WrongKind,
    /// A key that does not exist here.
    UnknownKey,
    /// A key written twice.
    DuplicateKey,
    /// A key that must be there.
    MissingKey,
    /// A list where a text is wanted, and so on.
    WrongType,
    /// A number without a unit, or with the wrong one.
    WrongUnit,
    /// A number that cannot be.
    OutOfRange,
    /// A word outside its closed set.
    UnknownWord,
    /// A name that Kubernetes, Prometheus or a person could not use.
    BadName,
    /// A name used twice.
    DuplicateName,
    /// Two settings that exclude each other.
    Contradiction,
    /// Steps that do not ascend, or end before they begin.
    BadOrder,
    /// Margins that no measurement can satisfy.
    BadMargin,
    /// An objective that measures nothing, or two things.
    BadIndicator,
    /// A policy in which nothing can fail.
    NothingDecides,
    /// PromQL that does not parse.
    Promql,
    /// A function, an operator or a range where a plain selector is wanted.
    NotASelector,
    /// A selector for a part of a histogram that cannot give quantiles.
    NotAHistogram,
    /// MetricsQL for a source that is not VictoriaMetrics.
    Unsupported,
    /// A matcher that contradicts `match` or `tracks`.
    ConflictingMatcher,
    /// A `query` that asks both tracks at once.
    MissingTrack,
    /// A `$variable` that nobody fills.
    UnknownVariable,
    /// A metric source that is not configured.
    UnknownSource,
    /// Two policies of one name.
    DuplicatePolicy,
    /// The file cannot be read.
    Unreadable,
}

impl Mistake {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::YamlSyntax => "yaml-syntax",
            Self::EmptyFile => "empty-file",
            Self::WrongKind => "wrong-kind",
            Self::UnknownKey => "unknown-key",
            Self::DuplicateKey => "duplicate-key",
            Self::MissingKey => "missing-key",
            Self::WrongType => "wrong-type",
            Self::WrongUnit => "wrong-unit",
            Self::OutOfRange => "out-of-range",
            Self::UnknownWord => "unknown-word",
            Self::BadName => "bad-name",
            Self::DuplicateName => "duplicate-name",
            Self::Contradiction => "contradiction",
            Self::BadOrder => "bad-order",
            Self::BadMargin => "bad-margin",
            Self::BadIndicator => "bad-indicator",
            Self::NothingDecides => "nothing-decides",
            Self::Promql => "promql",
            Self::NotASelector => "not-a-selector",
            Self::NotAHistogram => "not-a-histogram",
            Self::Unsupported => "unsupported",
            Self::ConflictingMatcher => "conflicting-matcher",
            Self::MissingTrack => "missing-track",
            Self::UnknownVariable => "unknown-variable",
            Self::UnknownSource => "unknown-source",
            Self::DuplicatePolicy => "duplicate-policy",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Everything wrong with one file, in the order of its places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", render::plain(self))]
pub struct Problems {
    /// The file, as it was named to us.
    pub file: String,
    /// Its text, for the rendering.
    pub text: String,
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl Problems {
    /// As rustc would show it.
    pub fn render(&self, coloured: bool) -> String {
        if coloured {
            render::styled(self)
        } else {
            render::plain(self)
        }
    }
}

/// Something that a person should know about a policy that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What, and what to write.
    pub message: String,
}

/// A word of the document, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it was read.
    pub words: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Collects diagnostics while a document is walked.
pub(super) struct Sink<'a> {
    pub text: &'a Text<'a>,
    /// The document judged already: rules that came later do not hold for it.
    pub kept: bool,
    /// What is no mistake.
    pub notes: Vec<Note>,
    /// Selectors and expressions, in the order in which they were read.
    pub queries: Vec<Place>,
    found: Vec<Diagnostic>,
}

impl<'a> Sink<'a> {
    pub fn new(text: &'a Text<'a>) -> Self {
        Self {
            text,
            kept: false,
            notes: Vec::new(),
            queries: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Where a word stands.
    pub fn place(&self, words: &str, span: &Range<usize>) -> Place {
        let (line, column) = self.text.place(span.start);
        Place {
            words: words.to_owned(),
            line,
            column,
        }
    }

    /// Notes what is no mistake.
    pub fn note(&mut self, span: &Range<usize>, message: String) {
        let (line, column) = self.text.place(span.start);
        self.notes.push(Note {
            line,
            column,
            message,
        });
    }

    /// Notes a mistake; the same mistake at the same place is kept once.
    pub fn report(
        &mut self,
        code: Mistake,
        span: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let found = self.text.diagnose(
            code,
            span.clone(),
            message.into(),
            label.into(),
            help.into(),
        );
        if !self
            .found
            .iter()
            .any(|d| d.code == code && d.span == found.span && d.message == found.message)
        {
            self.found.push(found);
        }
    }

    /// How many were found so far.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// The mistakes in the order of their places; at most [`MOST`] of them.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| (d.span.start, d.code));
        self.found.truncate(MOST);
        self.found
    }
}

/// More mistakes than this in one file are not told.
pub const MOST: usize = 100;
