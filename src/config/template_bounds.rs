//! What a template may use up: steps, text, and nothing that grows without a step for each piece.

use minijinja::{Environment, Error, ErrorKind, Value};
use std::{
    cell::Cell,
    fmt::{self, Write},
    io,
};

/// Steps of one text: about one for each word of an expression, anew in each round of a loop.
pub const STEPS: u64 = 20_000;
/// Bytes of a text.
pub const ROOM: usize = 64 << 10;
/// Bytes of a template.
pub const LONGEST: usize = 8 << 10;
/// What is said of a longer text.
pub const TOO_LONG: &str = "the text is longer than 64 KiB; print less";

thread_local! {
    /// Bytes that the text on its way has printed; a text is made on one thread.
    static PRINTED: Cell<usize> = const { Cell::new(0) };
}

/// A text that stops growing.
#[derive(Debug, Default)]
pub struct Room {
    /// What is there so far.
    pub text: String,
}

impl Room {
    /// Prints a value.
    pub fn value(&mut self, value: &Value) -> Result<(), Error> {
        write!(self, "{value}").map_err(|_| too_long())
    }
}

impl Write for Room {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len().saturating_add(more.len()) > ROOM {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

impl io::Write for Room {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        // the engine writes whole texts
        let text = std::str::from_utf8(more).map_err(io::Error::other)?;
        self.write_str(text).map_err(io::Error::other)?;
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::WriteFailure, TOO_LONG)
}

/// A new text begins.
pub fn restart() {
    PRINTED.set(0);
}

/// So many bytes are printed, into the text or into a variable of the template.
pub fn count(bytes: usize) -> Result<(), Error> {
    let all = PRINTED.get().saturating_add(bytes);
    PRINTED.set(all);
    if all > ROOM { Err(too_long()) } else { Ok(()) }
}

/// Limits the steps, and takes away what makes much of little in one step.
pub fn set(environment: &mut Environment<'_>) {
    environment.set_fuel(Some(STEPS));
    for name in ["batch", "format", "indent", "pprint", "slice"] {
        environment.remove_filter(name);
    }
    for name in ["debug", "namespace"] {
        environment.remove_global(name);
    }
    environment.add_filter("join", join);
    environment.add_filter("replace", replace);
}

fn join(values: &Value, between: Option<&str>) -> Result<String, Error> {
    let mut room = Room::default();
    for (place, value) in values.try_iter()?.enumerate() {
        let glue = between.filter(|_| place > 0).unwrap_or_default();
        room.write_str(glue).map_err(|_| too_long())?;
        room.value(&value)?;
    }
    Ok(room.text)
}

fn replace(value: &Value, from: &str, to: &str) -> Result<String, Error> {
    let (mut text, mut room) = (Room::default(), Room::default());
    text.value(value)?;
    for (place, part) in text.text.split(from).enumerate() {
        let glue = if place > 0 { to } else { "" };
        let grown = room.write_str(glue).and_then(|()| room.write_str(part));
        grown.map_err(|_| too_long())?;
    }
    Ok(room.text)
}

/// Refuses a template that is too long, and operators that double a text with each line of it.
pub fn check(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err("it is longer than 8 KiB; make it shorter".to_owned());
    }
    for (line, text) in expressions(text) {
        if let Some(sign) = sign(text) {
            return Err(format!(
                "line {line}: `{sign}` is not available; print one part after the other"
            ));
        }
    }
    Ok(())
}

/// What stands in `{{ }}` and `{% %}`, each with its line.
fn expressions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let (before, block) = rest.split_at(start);
        let line = text.len() - rest.len() + before.len();
        let line = 1 + text
            .get(..line)
            .map_or(0, |head| head.matches('\n').count());
        let end = if block.starts_with("{{") { "}}" } else { "%}" };
        let length = closing(block, end);
        let (inside, after) = block.split_at(length);
        let inside = inside.get(2..).unwrap_or_default();
        // `{%+` and `+%}` keep the space beside a block
        let inside = inside.strip_prefix('+').unwrap_or(inside);
        found.push((line, inside.strip_suffix('+').unwrap_or(inside)));
        rest = after;
    }
    found
}

/// Where a block ends, not counting what stands in strings.
fn closing(block: &str, end: &str) -> usize {
    let ends = |(at, _): &(usize, char)| block.get(*at..).is_some_and(|rest| rest.starts_with(end));
    outside(block).find(ends).map_or(block.len(), |(at, _)| at)
}

/// A sign that makes a longer text of two.
fn sign(inside: &str) -> Option<char> {
    let mut signs = outside(inside).map(|(_, c)| c);
    signs.find(|c| "~*+".contains(*c))
}

/// The characters that stand outside of strings, with their places.
fn outside(block: &str) -> impl Iterator<Item = (usize, char)> {
    let mut string = None;
    let mut escaped = false;
    block.char_indices().filter(move |(_, c)| {
        let Some(quote) = string else {
            string = ['"', '\''].into_iter().find(|quote| quote == c);
            return string.is_none();
        };
        if escaped {
            escaped = false;
        } else if *c == '\\' {
            escaped = true;
        } else if *c == quote {
            string = None;
        }
        false
    })
}
