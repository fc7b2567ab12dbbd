//! From a tree to a checked policy.

use super::{
    alerts,
    diagnostic::{Mistake, Note, Place, Sink},
    fields::{Fields, nearest},
    keys::{API_VERSION, KIND, METADATA, ROOT, SPEC},
    load::SourceLookup,
    model::Policy,
    names, revision, scalar, spec,
    tree::{Entry, Node},
};
use crate::{domain::SourceKind, query::Scope};
use std::ops::Range;

/// What the checks of one document need to know.
pub(super) struct Context<'a> {
    /// Kind of each configured source, when the configuration is known.
    pub sources: Option<SourceLookup<'a>>,
    /// Kind of this policy's source, when it is known.
    pub kind: Option<SourceKind>,
    /// `spec.params`.
    pub params: Vec<String>,
    /// Matchers of `tracks` and `match`, when they are right.
    pub scope: Option<Scope>,
}

/// A policy and the place of its name.
pub(super) struct Checked {
    pub policy: Policy,
    pub name_at: Range<usize>,
    pub start: usize,
    pub notes: Vec<Note>,
    pub queries: Vec<Place>,
    pub receivers: Vec<Place>,
}

/// Checks one document; `None` when something was reported.
pub(super) fn document(
    node: &Node,
    sources: Option<SourceLookup<'_>>,
    sink: &mut Sink<'_>,
) -> Option<Checked> {
    let before = sink.count();
    sink.notes.clear();
    sink.queries.clear();
    let root = Fields::open(node, &(node.span.start..node.span.start), &ROOT, sink)?;
    constant(root.get("apiVersion"), API_VERSION, sink);
    constant(root.get("kind"), KIND, sink);
    let metadata = root
        .get("metadata")
        .and_then(|entry| Fields::of(entry, &METADATA, sink));
    let name_entry = metadata.and_then(|fields| fields.get("name"));
    let name = name_entry.and_then(|entry| names::dns_label(&entry.value, "name", sink));
    let mut context = Context {
        sources,
        kind: None,
        params: Vec::new(),
        scope: None,
    };
    let policy = root
        .get("spec")
        .and_then(|entry| Fields::of(entry, &SPEC, sink))
        .map(|fields| spec::read(&fields, &mut context, sink));
    let (alerts_on, receivers) = alerts::read(root.get("alerts"), sink);
    if sink.count() > before {
        return None;
    }
    Some(Checked {
        policy: Policy {
            name: name?,
            revision: revision::of(node, sink.text),
            alerts_on,
            alerts_to: receivers.iter().map(|to| to.words.clone()).collect(),
            ..policy?
        },
        name_at: name_entry?.value.span.clone(),
        start: node.span.start,
        notes: std::mem::take(&mut sink.notes),
        queries: std::mem::take(&mut sink.queries),
        receivers,
    })
}

/// `apiVersion` and `kind` have one value each.
fn constant(entry: Option<&Entry>, wanted: &'static str, sink: &mut Sink<'_>) {
    let Some(entry) = entry else { return };
    let Some(found) = scalar::text(&entry.value, &entry.key, sink) else {
        return;
    };
    if found != wanted {
        let help = match nearest(found, std::iter::once(wanted)) {
            Some(_) => format!("did you mean `{wanted}`?"),
            None => format!(
                "write `{}: {wanted}`; other documents do not belong into a policy file",
                entry.key
            ),
        };
        sink.report(
            Mistake::WrongKind,
            &entry.value.span,
            format!("`{}` is `{found}`, not `{wanted}`", entry.key),
            "not a policy",
            help,
        );
    }
}
