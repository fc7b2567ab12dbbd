//! One look over the text before it is parsed: the parser recurses, so size and nesting are bounded here.

use super::QueryError;

/// Longest text that is parsed.
pub const MAX_BYTES: usize = 8 * 1024;
/// Most brackets and operators: each may be one level of recursion in the parser, the printer and the walk.
pub const MAX_OPERATORS: usize = 400;

/// A `$name` or `${name}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dollar<'a> {
    /// Offset of the dollar.
    pub offset: usize,
    /// Length with dollar and braces.
    pub len: usize,
    /// The name.
    pub name: &'a str,
    /// Where it stands.
    pub place: Place,
}

/// Where a dollar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Inside quotes.
    Quotes,
    /// Inside braces, outside quotes.
    Braces,
    /// Anywhere else.
    Open,
}

/// Words that are operators.
const WORDS: [&str; 8] = [
    "and", "or", "unless", "atan2", "default", "if", "ifnot", "offset",
];

struct Scan<'a> {
    text: &'a str,
    at: usize,
    open: Vec<(u8, usize)>,
    operators: usize,
    dollars: Vec<Dollar<'a>>,
}

/// Checks size, quotes and brackets; finds every variable.
pub(super) fn scan(text: &str) -> Result<Vec<Dollar<'_>>, QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError::TooLong { bytes: text.len() });
    }
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::new(),
        operators: 0,
        dollars: Vec::new(),
    };
    while let Some(byte) = scan.byte(scan.at) {
        scan.step(byte)?;
    }
    match scan.open.pop() {
        Some((bracket, offset)) => Err(QueryError::parse(
            format!("`{}` is never closed", bracket as char),
            offset,
        )),
        None => Ok(scan.dollars),
    }
}

/// The variable that begins at the dollar in front of `text`, and its length.
pub(super) fn variable(text: &str) -> Option<(&str, usize)> {
    let tail = text.strip_prefix('$')?;
    let (tail, braces) = match tail.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (tail, false),
    };
    let len = identifier(tail);
    let name = tail.get(..len).filter(|n| !n.is_empty())?;
    if braces {
        return (tail.as_bytes().get(len) == Some(&b'}')).then_some((name, len + 3));
    }
    Some((name, len + 1))
}

/// Length of the identifier in front.
fn identifier(text: &str) -> usize {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    match text.as_bytes().first() {
        Some(b) if b.is_ascii_digit() => 0,
        _ => text.bytes().take_while(|b| word(b)).count(),
    }
}

impl<'a> Scan<'a> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn tail(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, byte: u8) -> Result<(), QueryError> {
        match byte {
            b'"' | b'\'' | b'`' => return self.quotes(byte),
            b'#' => {
                let comment = self.tail();
                self.at += comment.find('\n').unwrap_or(comment.len());
                return Ok(());
            }
            b'$' => return self.dollar(),
            b'(' | b'[' | b'{' => {
                self.open.push((byte, self.at));
                self.count()?;
            }
            b')' | b']' | b'}' => self.close(byte)?,
            b'=' | b'~' if self.at > 0 && self.glued() => {}
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'=' | b'!' | b'<' | b'>' | b'@' | b':' => {
                self.count()?;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let tail = self.tail();
                let word = tail.get(..identifier(tail)).unwrap_or_default();
                if WORDS.iter().any(|w| w.eq_ignore_ascii_case(word)) {
                    self.count()?;
                }
                self.at += word.len();
                return Ok(());
            }
            _ => {}
        }
        self.at += 1;
        Ok(())
    }

    /// Is this the second byte of an operator such as `!=`?
    fn glued(&self) -> bool {
        matches!(self.byte(self.at - 1), Some(b'=' | b'!' | b'<' | b'>'))
    }

    fn count(&mut self) -> Result<(), QueryError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(QueryError::TooDeep { offset: self.at });
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), QueryError> {
        let fits = |open| matches!((open, byte), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
        let message = match self.open.pop() {
            Some((open, _)) if fits(open) => return Ok(()),
            Some((open, _)) => format!("`{}` is closed by `{}`", open as char, byte as char),
            None => format!("`{}` closes nothing", byte as char),
        };
        Err(QueryError::parse(message, self.at))
    }

    fn quotes(&mut self, quote: u8) -> Result<(), QueryError> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'\\' if quote != b'`' => self.at += 2,
                b'$' => self.found(Place::Quotes),
                _ => self.at += 1,
            }
            if byte == quote {
                return Ok(());
            }
        }
        Err(QueryError::parse("this quote is never closed", start))
    }

    fn dollar(&mut self) -> Result<(), QueryError> {
        let place = match self.open.last() {
            Some((b'{', _)) => Place::Braces,
            _ => Place::Open,
        };
        let before = self.dollars.len();
        let offset = self.at;
        self.found(place);
        if self.dollars.len() == before {
            let message = "a lone `$`: variables are written `$name`, inside quotes";
            return Err(QueryError::parse(message, offset));
        }
        Ok(())
    }

    /// Notes the variable that begins here, if one does, and steps over it.
    fn found(&mut self, place: Place) {
        let Some((name, len)) = variable(self.tail()) else {
            self.at += 1;
            return;
        };
        self.dollars.push(Dollar {
            offset: self.at,
            len,
            name,
            place,
        });
        self.at += len;
    }
}
