//! Steps over a value that we do not read, of any size, unit by unit.

use super::cursor::{Cursor, Take};

/// Values nest no deeper than this.
pub(super) const DEEPEST: u32 = 64;

/// Where we are inside a skipped value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skip {
    /// One bit per open bracket, the innermost lowest: 1 is an object.
    kinds: u64,
    depth: u32,
    /// The innermost bracket has just been opened.
    fresh: bool,
    /// A value is complete: a comma or a closing bracket follows.
    after: bool,
}

impl Skip {
    /// Takes one unit; `true` when the whole value is over.
    pub fn step(&mut self, cursor: &mut Cursor<'_>) -> Take<bool> {
        let byte = cursor.peek()?;
        let object = self.kinds & 1 == 1;
        if self.depth > 0 && (self.after || self.fresh) {
            let close = if object { b'}' } else { b']' };
            if byte == close {
                cursor.at += 1;
                return Ok(self.close());
            }
            if self.after {
                cursor.eat(b',')?;
            }
        }
        if self.depth > 0 && object {
            cursor.string()?;
            cursor.eat(b':')?;
        }
        self.value(cursor)
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Take<bool> {
        let byte = cursor.peek()?;
        match byte {
            b'{' | b'[' => {
                if self.depth == DEEPEST {
                    return Err(Cursor::bad(
                        cursor.at,
                        format!("more than {DEEPEST} nested values"),
                    ));
                }
                cursor.at += 1;
                self.kinds = self.kinds << 1 | u64::from(byte == b'{');
                self.depth += 1;
                self.fresh = true;
                self.after = false;
                return Ok(false);
            }
            b'"' => drop(cursor.string()?),
            b't' | b'f' => drop(cursor.boolean()?),
            b'n' => cursor.word("null")?,
            b'-' | b'0'..=b'9' => {
                cursor.at += 1;
                while matches!(
                    cursor.next()?,
                    b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'
                ) {
                    cursor.at += 1;
                }
            }
            _ => return Err(cursor.expected("a value")),
        }
        self.fresh = false;
        self.after = true;
        Ok(self.depth == 0)
    }

    fn close(&mut self) -> bool {
        self.kinds >>= 1;
        self.depth -= 1;
        self.fresh = false;
        self.after = true;
        self.depth == 0
    }
}
