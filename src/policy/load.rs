//! From the text of a file to checked policies, or to everything that is wrong with it.

use super::{
    check::{self, Checked},
    diagnostic::{Diagnostic, Mistake, Note, Place, Problems, Sink},
    model::Policy,
    place::Text,
    tree,
};
use crate::domain::SourceKind;
use std::{collections::BTreeMap, ops::Range};

/// Kind of a configured metric source; `None` for a name that is not configured.
pub type SourceLookup<'a> = &'a dyn Fn(&str) -> Option<SourceKind>;

/// A policy and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The checked policy.
    pub policy: Policy,
    /// The text of this document, comments included.
    pub text: String,
    /// Bytes of `metadata.name` in the file.
    pub name_at: Range<usize>,
    /// What its author should know.
    pub notes: Vec<Note>,
    /// Where its selectors and expressions stand, objective by objective.
    pub queries: Vec<Place>,
    /// Where the names in `alerts.to` stand.
    pub receivers: Vec<Place>,
}

/// Loads every document of a file: all of them, or everything that is wrong.
///
/// `sources` tells the kind of each configured metric source; without it neither the names of sources nor dialects are checked.
///
/// ```
/// let text = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: shop }\nspec:\n  objectivs: []\n";
/// let problems = rollout_judge::policy::load("shop.yaml", text, None).unwrap_err();
/// let found = &problems.diagnostics[0];
/// assert_eq!((found.line, found.column, found.help.as_str()), (5, 3, "did you mean `objectives`?"));
/// ```
pub fn load(
    file: &str,
    text: &str,
    sources: Option<SourceLookup<'_>>,
) -> Result<Vec<Document>, Box<Problems>> {
    read(file, text, sources, false)
}

/// Loads a text that judged already. Rules that came later do not hold for it: what was kept can be read for ever.
pub fn load_kept(
    file: &str,
    text: &str,
    sources: Option<SourceLookup<'_>>,
) -> Result<Vec<Document>, Box<Problems>> {
    read(file, text, sources, true)
}

fn read(
    file: &str,
    text: &str,
    sources: Option<SourceLookup<'_>>,
    kept: bool,
) -> Result<Vec<Document>, Box<Problems>> {
    let text = Text::new(file, text);
    let nodes = tree::parse(&text)?;
    if nodes.is_empty() {
        let help = "write a document with apiVersion: rollout-judge/v1 and kind: JudgePolicy";
        return Err(Box::new(text.one(
            Mistake::EmptyFile,
            0..1,
            "the file holds no document",
            "empty",
            help,
        )));
    }
    let mut sink = Sink::new(&text);
    sink.kept = kept;
    let checked: Vec<Checked> = nodes
        .iter()
        .filter_map(|node| check::document(node, sources, &mut sink))
        .collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for document in &checked {
        if let Some(first) = seen.insert(&document.policy.name, document.name_at.start) {
            let (line, _) = text.place(first);
            sink.report(
                Mistake::DuplicatePolicy,
                &document.name_at,
                format!("two policies are called `{}`", document.policy.name),
                "second time",
                format!("give it another name; the first is on line {line} of this file"),
            );
        }
    }
    let diagnostics = sink.finish();
    if !diagnostics.is_empty() {
        return Err(Box::new(Problems {
            file: file.to_owned(),
            text: text.body.to_owned(),
            diagnostics,
        }));
    }
    Ok(checked.into_iter().map(|one| finish(one, &text)).collect())
}

/// A policy whose name another file of the same folder has.
pub fn double(file: &str, text: &str, document: &Document, holder: &str) -> Diagnostic {
    let text = Text::new(file, text);
    taken(&text, &document.name_at, &document.policy.name, holder)
}

/// A name that another file has.
pub(super) fn taken(text: &Text<'_>, at: &Range<usize>, name: &str, holder: &str) -> Diagnostic {
    text.diagnose(
        Mistake::DuplicatePolicy,
        at.clone(),
        format!("two policies are called `{name}`"),
        "not in force".to_owned(),
        format!("give it another name; {holder} has the one in force"),
    )
}

fn finish(checked: Checked, text: &Text<'_>) -> Document {
    let own = own_text(text.body, checked.start);
    Document {
        text: own.to_owned(),
        policy: Policy {
            text: own.into(),
            ..checked.policy
        },
        name_at: checked.name_at,
        notes: checked.notes,
        queries: checked.queries,
        receivers: checked.receivers,
    }
}

/// The part between two `---` lines that holds a byte; no line inside a document can begin with `---`.
fn own_text(body: &str, at: usize) -> &str {
    let mut start = 0;
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            if offset > at {
                return body.get(start..offset).unwrap_or(body);
            }
            start = offset + line.len().min(4);
        }
        offset += line.len();
    }
    body.get(start..).unwrap_or(body)
}
