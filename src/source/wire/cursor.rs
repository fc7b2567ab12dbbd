//! A place in the bytes at hand, and why a step stops there.

/// Why a unit could not be taken.
pub(super) enum Stop {
    /// The bytes end inside the unit.
    More,
    /// The bytes cannot be right.
    Bad {
        /// Offset in the bytes at hand.
        at: usize,
        /// What was expected, and what was there.
        what: String,
    },
}

/// The result of taking a unit.
pub(super) type Take<T> = Result<T, Stop>;

/// A place in the bytes at hand.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte.
    pub at: usize,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    /// The bytes between the quotes.
    pub bytes: &'a [u8],
    /// Offset of the first of them.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What is left.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What stands between two offsets.
    pub fn between(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// Steps over white space.
    #[inline]
    pub fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not white space; it is not consumed.
    #[inline]
    pub fn peek(&mut self) -> Take<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied().ok_or(Stop::More)
    }

    /// The very next byte, white space or not; it is not consumed.
    #[inline]
    pub fn next(&self) -> Take<u8> {
        self.bytes.get(self.at).copied().ok_or(Stop::More)
    }

    /// Consumes one given byte.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> Take<()> {
        if self.peek()? == byte {
            self.at += 1;
            return Ok(());
        }
        Err(self.expected(&format!("`{}`", byte as char)))
    }

    /// Consumes one given byte if it is the next.
    #[inline]
    pub fn eat_if(&mut self, byte: u8) -> Take<bool> {
        let there = self.peek()? == byte;
        self.at += usize::from(there);
        Ok(there)
    }

    /// Consumes a word such as `true`.
    pub fn word(&mut self, word: &'static str) -> Take<()> {
        self.skip_space();
        let rest = self.rest();
        let n = rest.len().min(word.len());
        if rest.get(..n) != word.as_bytes().get(..n) {
            return Err(self.expected(&format!("`{word}`")));
        }
        if n < word.len() {
            return Err(Stop::More);
        }
        self.at += n;
        Ok(())
    }

    /// Consumes `true` or `false`.
    pub fn boolean(&mut self) -> Take<bool> {
        match self.peek()? {
            b't' => self.word("true").map(|()| true),
            b'f' => self.word("false").map(|()| false),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// Consumes a string and gives what stands between its quotes.
    #[inline]
    pub fn string(&mut self) -> Take<Raw<'a>> {
        if self.peek()? != b'"' {
            return Err(self.expected("a string"));
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            let tail = self.bytes.get(at..).unwrap_or_default();
            let found = memchr::memchr2(b'"', b'\\', tail).ok_or(Stop::More)?;
            at += found;
            if tail.get(found) == Some(&b'"') {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        let bytes = self.bytes.get(start..at).unwrap_or_default();
        Ok(Raw { bytes, at: start })
    }

    /// Says what should have been here.
    #[cold]
    pub fn expected(&self, what: &str) -> Stop {
        let found = match self.bytes.get(self.at) {
            Some(&b) if b.is_ascii_graphic() => format!("`{}`", b as char),
            Some(b) => format!("byte 0x{b:02x}"),
            None => "the end".to_owned(),
        };
        Stop::Bad {
            at: self.at,
            what: format!("expected {what}, found {found}"),
        }
    }

    /// Says that what stands at `at` cannot be.
    #[cold]
    pub fn bad(at: usize, what: impl Into<String>) -> Stop {
        Stop::Bad {
            at,
            what: what.into(),
        }
    }
}
