//! Rust text as words and paths: enough to see who names whom.

use std::{collections::BTreeSet, fs, path::Path};

/// A source file, cut into words.
pub(crate) struct Source {
    /// Below `src`, with `/`.
    pub(crate) path: String,
    /// First folder, or the name of a file at the top.
    pub(crate) module: String,
    pub(crate) text: String,
    /// The text without comments, strings and inline test modules.
    pub(crate) bare: String,
    /// All paths: `use a::{b, c::d}` gives `a b` and `a c d`.
    paths: Vec<Vec<String>>,
    /// Identifiers, each once.
    words: BTreeSet<String>,
}

impl Source {
    pub(crate) fn read(root: &Path, file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let path = file.strip_prefix(root).unwrap_or(file);
        let path = path.to_string_lossy().into_owned();
        Self::parse(path, text)
    }

    pub(crate) fn parse(path: String, text: String) -> Self {
        let first = path.split('/').next().unwrap_or_default();
        let module = first.trim_end_matches(".rs").to_owned();
        let bare = bare(&text);
        let tokens = tokens(&bare);
        let words = tokens
            .iter()
            .filter(|t| is_word(t))
            .map(|t| plain(t))
            .collect();
        let mut paths = paths(&tokens);
        let depth = depth(&path);
        for path in &mut paths {
            absolute(path, depth);
        }
        Self {
            path,
            module,
            text,
            bare,
            paths,
            words,
        }
    }

    /// Tests may use what they like; they are not the building.
    pub(crate) fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|p| p == "tests" || p == "tests.rs")
    }

    /// Our modules that it names, and what of them.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.paths
            .iter()
            .filter(|p| p.len() > 1 && (p[0] == "crate" || p[0] == "rollout_judge"))
            .map(|p| (p[1].as_str(), p.get(2).map(String::as_str)))
    }

    pub(crate) fn says(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    pub(crate) fn says_path(&self, wanted: &[&str]) -> bool {
        self.paths
            .iter()
            .any(|p| p.windows(wanted.len()).any(|part| part == wanted))
    }
}

/// How many `super` lead from the file to the crate's root.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") || !path.contains('/') {
        parts - 1
    } else {
        parts
    }
}

/// `super::super::query` of a file at depth 2 is `crate::query`.
fn absolute(path: &mut Vec<String>, depth: usize) {
    let ups = path.iter().take_while(|p| *p == "super").count();
    if ups > 0 && ups == depth {
        path.splice(..ups, ["crate".to_owned()]);
    }
}

/// The text without comments, strings and inline test modules.
fn bare(text: &str) -> String {
    let text = text
        .find("#[cfg(test)]\nmod tests {")
        .map_or(text, |end| &text[..end]);
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let rest = &chars[i..];
        i += match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['r', '"' | '#', ..] if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                raw_string(rest).unwrap_or_else(|| {
                    out.push('r');
                    1
                })
            }
            ['"', ..] => string(rest),
            ['\'', '\\', _, ..] => 3 + rest[3..].iter().position(|c| *c == '\'').unwrap_or(0) + 1,
            ['\'', _, '\'', ..] => 3,
            [c, ..] => {
                out.push(*c);
                1
            }
            [] => 1,
        };
    }
    out
}

fn block_comment(rest: &[char]) -> usize {
    let end = rest.windows(2).skip(2).position(|w| w == ['*', '/']);
    end.map_or(rest.len(), |end| end + 4)
}

fn string(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != '"' {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let start = 2 + hashes;
    let found = rest[start..].windows(end.len()).position(|w| w == end)?;
    Some(start + found + end.len())
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn plain(token: &str) -> String {
    token.trim_start_matches("r#").to_owned()
}

/// Words, `::`, and single signs.
fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            out.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    out
}

/// Every path of the text, groups spread out.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if is_word(&tokens[i]) {
            i = path(tokens, i, &[], &mut out);
        } else {
            i += 1;
        }
    }
    out
}

/// Reads one path that begins at a word, behind `before`; gives the place after it.
fn path(tokens: &[String], mut i: usize, before: &[String], out: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        path.push(plain(&tokens[i]));
        i += 1;
        if tokens.get(i).is_none_or(|t| t != "::") {
            break;
        }
        i += 1;
        match tokens.get(i).map(String::as_str) {
            Some("{") => return group(tokens, i + 1, &path, out),
            Some(word) if is_word(word) => {}
            _ => break,
        }
    }
    out.push(path);
    i
}

fn group(tokens: &[String], mut i: usize, before: &[String], out: &mut Vec<Vec<String>>) -> usize {
    while i < tokens.len() && tokens[i] != "}" {
        if is_word(&tokens[i]) {
            i = path(tokens, i, before, out);
        } else {
            i += 1;
        }
    }
    i + 1
}
