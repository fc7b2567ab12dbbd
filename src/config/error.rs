//! What is wrong with the settings, for the person who wrote them.

use config::ConfigError;
use std::{collections::BTreeMap, fmt};

/// One mistake: which key, where it was written, what is wrong and what cures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// Path of the key: `server.deadline`; empty for the whole file.
    pub key: String,
    /// `judge.yaml:3:5`, or the environment variable; empty where it was not written at all.
    pub place: String,
    /// What is wrong, and the cure.
    pub message: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.key] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingsError {}

/// Every mistake that was found, in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsErrors(Vec<SettingsError>);

impl SettingsErrors {
    /// Puts mistakes into the order of the file, those of the environment after them, each once.
    pub fn new(mut all: Vec<SettingsError>) -> Self {
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        all.dedup();
        Self(all)
    }
}

/// Lines and columns as numbers.
fn order(error: &SettingsError) -> (bool, u64, u64, &str, &str, &str) {
    let mut ends = error.place.rsplitn(3, ':').map(str::parse::<u64>);
    let (column, line) = (ends.next(), ends.next());
    let number = |end: Option<Result<u64, _>>| end.and_then(Result::ok);
    let (line, column) = (number(line), number(column));
    (
        line.is_none(),
        line.unwrap_or_default(),
        column.unwrap_or_default(),
        &error.place,
        &error.key,
        &error.message,
    )
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let between = if i == 0 { "" } else { "\n" };
            write!(f, "{between}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsErrors {}

impl From<SettingsError> for SettingsErrors {
    fn from(error: SettingsError) -> Self {
        Self(vec![error])
    }
}

/// Mistakes while they are looked for.
#[derive(Debug)]
pub struct Mistakes<'a> {
    places: &'a Places,
    found: Vec<SettingsError>,
}

impl<'a> Mistakes<'a> {
    /// None yet.
    pub fn new(places: &'a Places) -> Self {
        Self {
            places,
            found: Vec::new(),
        }
    }

    /// Notes a mistake at a key.
    pub fn add(&mut self, key: &str, message: impl Into<String>) {
        self.found.push(mistake(self.places, key, message));
    }

    /// Notes what a check came to.
    pub fn note(&mut self, checked: Result<(), SettingsError>) {
        self.found.extend(checked.err());
    }

    /// Where keys were written.
    pub fn places(&self) -> &'a Places {
        self.places
    }

    /// All of them.
    pub fn all(self) -> Vec<SettingsError> {
        self.found
    }
}

/// Where each key was written.
pub type Places = BTreeMap<String, String>;

/// The place of a key, or of the nearest key around it.
pub fn place(places: &Places, key: &str) -> String {
    let mut key = key;
    loop {
        if let Some(place) = places.get(key) {
            return place.clone();
        }
        match key.rfind(['.', '[']) {
            Some(end) => key = key.get(..end).unwrap_or_default(),
            None => return String::new(),
        }
    }
}

/// A mistake at a key.
pub fn mistake(places: &Places, key: &str, message: impl Into<String>) -> SettingsError {
    SettingsError {
        key: key.to_owned(),
        place: place(places, key),
        message: message.into(),
    }
}

/// Turns the words of the layering library into ours.
pub fn explain(places: &Places, error: &ConfigError) -> SettingsError {
    let (key, words) = unfold(error);
    let key = dotted(&key);
    if let Some((unknown, known)) = unknown_field(&words) {
        let full = if key.is_empty() {
            unknown.clone()
        } else {
            format!("{key}.{unknown}")
        };
        let hint = nearest(&unknown, &known).map_or_else(
            || format!("there is: {}", known.join(", ")),
            |best| format!("did you mean `{best}`?"),
        );
        return mistake(places, &full, format!("unknown key `{unknown}`; {hint}"));
    }
    mistake(places, &key, cure(&key, &words))
}

/// `tokens[0]name` as `tokens[0].name`.
fn dotted(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 1);
    let mut after_index = false;
    for c in key.chars() {
        if after_index && c != '.' && c != '[' {
            out.push('.');
        }
        out.push(c);
        after_index = c == ']';
    }
    out
}

/// Stands between key and words where an error had to become text.
const BETWEEN: char = '\u{1f}';

/// An error as text that [`explain`] takes apart again.
pub fn carry(error: &ConfigError) -> String {
    let (key, words) = unfold(error);
    carried(&key, &words)
}

/// The same from a key and words.
pub fn carried(key: &str, words: &str) -> String {
    format!("{key}{BETWEEN}{words}")
}

fn unfold(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::At { error, key, .. } => {
            let (inner, words) = unfold(error);
            let outer = key.clone().unwrap_or_default();
            let join = if inner.is_empty() || outer.is_empty() {
                ""
            } else {
                "."
            };
            (format!("{outer}{join}{inner}"), words)
        }
        ConfigError::Type {
            unexpected,
            expected,
            key,
            ..
        } => (
            key.clone().unwrap_or_default(),
            format!("found {unexpected}; give {expected}"),
        ),
        ConfigError::NotFound(key) => (key.clone(), "is missing; add it".to_owned()),
        other => {
            let words = other.to_string();
            match words.split_once(BETWEEN) {
                Some((key, words)) => (key.to_owned(), words.to_owned()),
                None => (String::new(), words),
            }
        }
    }
}

fn unknown_field(words: &str) -> Option<(String, Vec<String>)> {
    let mut quoted = words
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

/// The cure for the usual slips. What stands where a secret belongs is never repeated.
fn cure(key: &str, words: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or_default();
    let secret = ["enum Secret", "enum Auth"]
        .iter()
        .any(|e| words.contains(e))
        || key.contains("auth") && words.contains("variant");
    if secret {
        return "a secret is never written here; give `{ file: PATH }` or `{ env: NAME }`"
            .to_owned();
    }
    if let Some(variant) = words.split("does not have variant constructor ").nth(1) {
        let known = match last {
            "kind" => "give `victoriametrics`, `prometheus` or `scrape`",
            "format" => "give `text` or `json`",
            "scheme" => "give `http` or `https`",
            "mode" => "give `structured` or `binary`",
            "tls" => "give `starttls`, `tls` or `none`",
            _ => "see the documentation of this key",
        };
        return format!("`{variant}` is not known here; {known}");
    }
    if let Some(field) = words.strip_prefix("missing field ") {
        return format!("{field} is missing; add it");
    }
    words.to_owned()
}

/// The known word that `word` most likely meant.
pub fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let simple = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    known
        .iter()
        .map(|k| (strsim::osa_distance(&simple(word), &simple(k)), k.as_str()))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, best)| *distance <= (best.chars().count() / 3).max(1))
        .map(|(_, best)| best)
}
