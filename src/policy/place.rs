//! From bytes of a file to the line and column that a person looks for.

use super::diagnostic::{Diagnostic, Mistake, Problems};
use std::ops::Range;

/// The text of a file and where its lines begin.
pub(super) struct Text<'a> {
    pub file: &'a str,
    pub body: &'a str,
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    pub fn new(file: &'a str, body: &'a str) -> Self {
        let ends = body
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            file,
            body,
            lines: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The bytes of a span, empty when it lies outside.
    pub fn slice(&self, span: &Range<usize>) -> &'a str {
        self.body.get(span.clone()).unwrap_or("")
    }

    /// Line and column of a byte, both from 1.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line
            .checked_sub(1)
            .and_then(|n| self.lines.get(n))
            .copied()
            .unwrap_or(0);
        (line.max(1), self.slice(&(start..at)).chars().count() + 1)
    }

    /// The byte of a line and column, both from 1.
    pub fn byte_at(&self, line: usize, column: usize) -> usize {
        let start = line
            .checked_sub(1)
            .and_then(|n| self.lines.get(n))
            .copied()
            .unwrap_or(self.body.len());
        let rest = self.body.get(start..).unwrap_or("");
        start
            + rest
                .char_indices()
                .nth(column.saturating_sub(1))
                .map_or(rest.len(), |(at, _)| at)
    }

    /// Cuts a span to characters of its first line; never empty while the line has one more character.
    pub fn tidy(&self, span: Range<usize>) -> Range<usize> {
        let mut start = span.start.min(self.body.len());
        while !self.body.is_char_boundary(start) {
            start -= 1;
        }
        let rest = self.body.get(start..).unwrap_or("");
        let line_end = start + rest.find(['\n', '\r']).unwrap_or(rest.len());
        let mut end = span.end.clamp(start, line_end.max(start));
        while !self.body.is_char_boundary(end) {
            end -= 1;
        }
        let shown = self.slice(&(start..end)).trim_end().len();
        end = start + shown;
        if end == start && start < line_end {
            end = start + rest.chars().next().map_or(0, char::len_utf8);
        }
        start..end
    }

    /// Makes a diagnostic of a span.
    pub fn diagnose(
        &self,
        code: Mistake,
        span: Range<usize>,
        message: String,
        label: String,
        help: String,
    ) -> Diagnostic {
        let span = self.tidy(span);
        let (line, column) = self.place(span.start);
        let length = self.slice(&span).chars().count().max(1);
        Diagnostic {
            code,
            file: self.file.to_owned(),
            message,
            line,
            column,
            length,
            label,
            help,
            span,
        }
    }

    /// A file with exactly one mistake.
    pub fn one(
        &self,
        code: Mistake,
        span: Range<usize>,
        message: &str,
        label: &str,
        help: &str,
    ) -> Problems {
        let found = self.diagnose(
            code,
            span,
            message.to_owned(),
            label.to_owned(),
            help.to_owned(),
        );
        Problems {
            file: self.file.to_owned(),
            text: self.body.to_owned(),
            diagnostics: vec![found],
        }
    }
}
