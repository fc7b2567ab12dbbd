//! From bytes to rows, line by line. Only an unfinished line is ever held.

use super::series;
use crate::domain::Millis;

/// Longest line that is taken.
const LONGEST_LINE: usize = 64 << 10;

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`: timestamps are whole milliseconds.
    Text,
    /// `application/openmetrics-text`: timestamps are seconds, `# EOF` ends it.
    OpenMetrics,
}

impl Format {
    /// What a `Content-Type` means; without a known one it is the text format, as for Prometheus.
    pub fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// One sample of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// Name and labels as they were written, for [`super::labels`]. They are not checked yet.
    pub series: &'a [u8],
    /// The value; any NaN is the usual one.
    pub value: f64,
    /// The target's own timestamp.
    pub at: Option<Millis>,
}

/// What cannot be read, and on which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ParseError {
    /// From 1.
    pub line: u64,
    /// What is wrong.
    pub what: &'static str,
}

/// Takes bytes as they come, gives rows.
#[derive(Debug)]
pub struct Parser {
    format: Format,
    held: Vec<u8>,
    line: u64,
    ended: bool,
}

impl Parser {
    /// Ready for the first byte.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            held: Vec::new(),
            line: 0,
            ended: false,
        }
    }

    /// Takes the next bytes; `row` gets every sample and may refuse it.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        row: &mut dyn FnMut(Row<'_>) -> Result<(), &'static str>,
    ) -> Result<(), ParseError> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            if self.held.is_empty() {
                self.take(line, row)?;
            } else {
                let mut whole = std::mem::take(&mut self.held);
                whole.extend_from_slice(line);
                self.take(&whole, row)?;
                whole.clear();
                self.held = whole;
            }
        }
        if self.held.len() + rest.len() > LONGEST_LINE {
            self.line += 1;
            return Err(self.wrong("is longer than 64 KiB"));
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// The answer is over. `framed`: HTTP itself told where it ends, so that a last line without a line feed is whole.
    pub fn finish(
        mut self,
        framed: bool,
        row: &mut dyn FnMut(Row<'_>) -> Result<(), &'static str>,
    ) -> Result<(), ParseError> {
        let last = std::mem::take(&mut self.held);
        if !last.is_empty() {
            if !framed {
                self.line += 1;
                return Err(self.wrong("the answer ends in the middle of it"));
            }
            self.take(&last, row)?;
        }
        if self.format == Format::OpenMetrics && !self.ended {
            return Err(self.wrong("the answer does not end with `# EOF`"));
        }
        Ok(())
    }

    fn wrong(&self, what: &'static str) -> ParseError {
        ParseError {
            line: self.line,
            what,
        }
    }

    fn take(
        &mut self,
        line: &[u8],
        row: &mut dyn FnMut(Row<'_>) -> Result<(), &'static str>,
    ) -> Result<(), ParseError> {
        self.line += 1;
        if line.len() > LONGEST_LINE {
            return Err(self.wrong("is longer than 64 KiB"));
        }
        if self.ended {
            return Err(self.wrong("follows `# EOF`"));
        }
        let read = match self.format {
            Format::Text => text(line),
            Format::OpenMetrics if line == b"# EOF" => {
                self.ended = true;
                return Ok(());
            }
            Format::OpenMetrics => open_metrics(line),
        };
        match read {
            Ok(Some(found)) => row(found).map_err(|what| self.wrong(what)),
            Ok(None) => Ok(()),
            Err(what) => Err(self.wrong(what)),
        }
    }
}

type Line<'a> = Result<Option<Row<'a>>, &'static str>;

/// A line of the text format: blanks may stand anywhere between its parts.
fn text(line: &[u8]) -> Line<'_> {
    let line = trim(line);
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    let end = series::end(line)?;
    let (series, rest) = line.split_at(end);
    let mut words = words(rest);
    let value = value(words.next().ok_or("has no value")?)?;
    let at = words.next().map(whole_millis).transpose()?;
    if words.next().is_some() {
        return Err("has more than a value and a timestamp");
    }
    Ok(Some(Row { series, value, at }))
}

/// A line of OpenMetrics: one blank between its parts, perhaps an exemplar.
fn open_metrics(line: &[u8]) -> Line<'_> {
    if let Some(comment) = line.strip_prefix(b"# ") {
        let known = [&b"HELP "[..], b"TYPE ", b"UNIT "];
        return if known.iter().any(|word| comment.starts_with(word)) {
            Ok(None)
        } else {
            Err("is a comment that OpenMetrics does not know")
        };
    }
    if line.is_empty() {
        return Err("is empty");
    }
    let end = series::end(line)?;
    let (series, rest) = line.split_at(end);
    let (numbers, exemplar) = match memchr::memmem::find(rest, b" # ") {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 3..)),
        None => (rest, None),
    };
    let mut words = words(numbers);
    let value = value(words.next().ok_or("has no value")?)?;
    let at = words.next().map(seconds).transpose()?;
    if words.next().is_some() {
        return Err("has more than a value and a timestamp");
    }
    if let Some(exemplar) = exemplar {
        skip_exemplar(exemplar)?;
    }
    Ok(Some(Row { series, value, at }))
}

/// `{labels} value [timestamp]`
fn skip_exemplar(text: &[u8]) -> Result<(), &'static str> {
    const WRONG: &str = "has an exemplar that cannot be read";
    if !text.starts_with(b"{") {
        return Err(WRONG);
    }
    let end = series::end(text).map_err(|_| WRONG)?;
    let mut words = words(text.get(end..).unwrap_or_default());
    value(words.next().ok_or(WRONG)?).map_err(|_| WRONG)?;
    words.next().map(seconds).transpose().map_err(|_| WRONG)?;
    words.next().map_or(Ok(()), |_| Err(WRONG))
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
    let end = line
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |at| at + 1);
    line.get(start..end).unwrap_or_default()
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| matches!(b, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
}

/// What Go's `ParseFloat` takes, without hexadecimal numbers and underscores, as Prometheus does.
fn value(word: &[u8]) -> Result<f64, &'static str> {
    const WRONG: &str = "has a value that is no number";
    let text = std::str::from_utf8(word).map_err(|_| WRONG)?;
    let number: f64 = text.parse().map_err(|_| WRONG)?;
    // any NaN is the usual one: the bits of a staleness marker cannot come from outside
    Ok(if number.is_nan() { f64::NAN } else { number })
}

fn whole_millis(word: &[u8]) -> Result<Millis, &'static str> {
    std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or("has a timestamp that is not whole milliseconds")
}

fn seconds(word: &[u8]) -> Result<Millis, &'static str> {
    const WRONG: &str = "has a timestamp that is not seconds";
    let seconds = value(word).map_err(|_| WRONG)?;
    let millis = seconds * 1000.0;
    if !millis.is_finite() || millis.abs() > 9e15 {
        return Err(WRONG);
    }
    Ok(millis as Millis) // towards zero, as Prometheus
}
