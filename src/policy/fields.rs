//! Walks one mapping against its table: unknown, doubled and missing keys, each with a cure.

use super::{
    diagnostic::{Mistake, Sink},
    keys::{Form, Key, ROOT, TABLES, Table},
    tree::{Entry, Node, Value},
};
use std::ops::Range;

/// The known entries of one mapping.
pub(super) struct Fields<'a> {
    table: &'static Table,
    entries: Vec<&'a Entry>,
    /// Where the mapping is, to point at what is missing in it.
    pub at: Range<usize>,
}

impl<'a> Fields<'a> {
    /// Opens a mapping that stands behind a key.
    pub fn of(entry: &'a Entry, table: &'static Table, sink: &mut Sink<'_>) -> Option<Self> {
        Self::open(&entry.value, &entry.key_span, table, sink)
    }

    /// Opens a mapping; `at` is where something missing is shown.
    pub fn open(
        node: &'a Node,
        at: &Range<usize>,
        table: &'static Table,
        sink: &mut Sink<'_>,
    ) -> Option<Self> {
        let Value::Map(all) = &node.value else {
            no_mapping(node, at, table, sink);
            return None;
        };
        let mut entries: Vec<&Entry> = Vec::new();
        for entry in all {
            if !table.keys.iter().any(|key| key.name == entry.key) {
                unknown(entry, all, table, sink);
            } else if let Some(first) = entries.iter().find(|known| known.key == entry.key) {
                let (line, _) = sink.text.place(first.key_span.start);
                sink.report(
                    Mistake::DuplicateKey,
                    &entry.key_span,
                    format!("`{}` is written twice", entry.key),
                    "second time",
                    format!("remove this one or the one on line {line}"),
                );
            } else {
                entries.push(entry);
            }
        }
        for key in table.keys.iter().filter(|key| key.must) {
            let near =
                |entry: &&Entry| closest(&entry.key, table).is_some_and(|name| name == key.name);
            let misspelt = all
                .iter()
                .filter(|e| !table.keys.iter().any(|k| k.name == e.key))
                .find(near);
            if misspelt.is_none() && !entries.iter().any(|entry| entry.key == key.name) {
                sink.report(
                    Mistake::MissingKey,
                    at,
                    format!("{} needs `{}`", ticked(table.path), key.name),
                    format!("`{}` is missing here", key.name),
                    add(key),
                );
            }
        }
        Some(Self {
            table,
            entries,
            at: at.clone(),
        })
    }

    /// The entry of a key, if it is written.
    pub fn get(&self, name: &str) -> Option<&'a Entry> {
        debug_assert!(
            self.table.keys.iter().any(|key| key.name == name),
            "`{name}` is not in the table"
        );
        self.entries.iter().find(|entry| entry.key == name).copied()
    }
}

fn no_mapping(node: &Node, at: &Range<usize>, table: &Table, sink: &mut Sink<'_>) {
    let path = ticked(table.path);
    let musts: Vec<_> = table.keys.iter().filter(|key| key.must).collect();
    let raw = sink
        .text
        .slice(&node.span)
        .lines()
        .next()
        .unwrap_or("")
        .to_owned();
    let some: Vec<_> = table
        .keys
        .iter()
        .take(3)
        .map(|key| format!("`{}: ...`", key.name))
        .collect();
    let (span, message, help) = match (&node.value, musts.as_slice()) {
        (Value::Null, _) => (
            at,
            format!("{path} is empty"),
            format!(
                "write keys with values below it, for example {}",
                some.join(", ")
            ),
        ),
        (Value::Number(_) | Value::Text(_), [only]) => (
            &node.span,
            format!("{path} is a mapping, this is {}", node.kind()),
            format!("write `{}: {raw}`", only.name),
        ),
        _ => (
            &node.span,
            format!("{path} is a mapping, this is {}", node.kind()),
            format!("write keys with values, for example {}", some.join(", ")),
        ),
    };
    sink.report(
        Mistake::WrongType,
        span,
        message,
        "wants keys and values",
        help,
    );
}

/// What to add for a key that is missing.
fn add(key: &Key) -> String {
    match key.form {
        Form::Word([only]) => format!("add `{}: {only}`", key.name),
        _ => format!("add `{}: ...`: {}", key.name, plain(key.doc)),
    }
}

/// `spec` is a key and gets ticks; "an objective" does not.
pub(super) fn ticked(path: &str) -> String {
    if path.contains(' ') {
        path.to_owned()
    } else {
        format!("`{path}`")
    }
}

/// A documentation sentence as a clause.
fn plain(doc: &str) -> String {
    let first = doc.split(". ").next().unwrap_or(doc).trim_end_matches('.');
    let mut letters = first.chars();
    letters.next().map_or_else(String::new, |letter| {
        letter.to_lowercase().chain(letters).collect()
    })
}

fn unknown(entry: &Entry, all: &[Entry], table: &Table, sink: &mut Sink<'_>) {
    let elsewhere = TABLES
        .iter()
        .find(|other| other.keys.iter().any(|key| key.name == entry.key));
    let help = match (closest(&entry.key, table), elsewhere) {
        (Some(name), _) if all.iter().any(|other| other.key == name) => {
            format!("remove it: `{name}` is there already")
        }
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, Some(other)) if other.path == ROOT.path => {
            format!(
                "`{}` belongs to the document itself, beside `spec`: indent it less",
                entry.key
            )
        }
        (None, Some(other)) => format!(
            "`{}` belongs to {}, not here",
            entry.key,
            ticked(other.path)
        ),
        (None, None) => {
            let names: Vec<_> = table
                .keys
                .iter()
                .map(|key| format!("`{}`", key.name))
                .collect();
            format!(
                "remove it; {} has the keys {}",
                ticked(table.path),
                names.join(", ")
            )
        }
    };
    sink.report(
        Mistake::UnknownKey,
        &entry.key_span,
        format!("{} has no key `{}`", ticked(table.path), entry.key),
        "unknown key",
        help,
    );
}

/// The key of the table that was probably meant.
fn closest(word: &str, table: &Table) -> Option<&'static str> {
    nearest(word, table.keys.iter().map(|key| key.name))
}

/// The candidate that a word was probably meant to be.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let fold = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let folded = fold(word);
    names
        .map(|name| (name, strsim::damerau_levenshtein(&folded, &fold(name))))
        .filter(|(name, distance)| {
            *distance <= 1.max(name.len().min(word.len()) / 3) && *distance < name.len()
        })
        .min_by_key(|(_, distance)| *distance)
        .map(|(name, _)| name)
}
