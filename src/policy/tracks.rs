//! `spec.tracks`: how canary and stable are told apart.

use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::Fields,
    keys::TRACKS,
    names, promql, scalar,
    tree::Entry,
};
use crate::query::Tracks;

/// The label that Argo Rollouts writes on pods, as Prometheus spells it.
pub(super) const DEFAULT_LABEL: &str = "rollouts_pod_template_hash";

pub(super) fn read(entry: Option<&Entry>, context: &Context<'_>, sink: &mut Sink<'_>) -> Tracks {
    entry
        .and_then(|entry| written(entry, context, sink))
        .unwrap_or_else(|| Tracks::Label(DEFAULT_LABEL.to_owned()))
}

fn written(entry: &Entry, context: &Context<'_>, sink: &mut Sink<'_>) -> Option<Tracks> {
    let fields = Fields::of(entry, &TRACKS, sink)?;
    let (label, canary, stable) = (
        fields.get("label"),
        fields.get("canary"),
        fields.get("stable"),
    );
    if let (Some(label), Some(arm)) = (label, canary.or(stable)) {
        sink.report(
            Mistake::Contradiction,
            &arm.key_span,
            format!("`{}` and `label` exclude each other", arm.key),
            "two ways at once",
            format!(
                "keep `label: {}`, or write `canary:` and `stable:` without `label`",
                sink.text.slice(&label.value.span)
            ),
        );
        return None;
    }
    if let Some(label) = label {
        return names::label(&label.value, "label", sink).map(Tracks::Label);
    }
    let (Some(canary), Some(stable)) = (canary, stable) else {
        let (at, lacks) = match (canary, stable) {
            (Some(arm), None) => (&arm.key_span, "stable"),
            (None, Some(arm)) => (&arm.key_span, "canary"),
            _ => (&entry.key_span, "label"),
        };
        let help = match lacks {
            "label" => {
                format!("add `label: {DEFAULT_LABEL}`, or `canary:` and `stable:` with matchers")
            }
            arm => format!("add `{arm}: '{{track=\"{arm}\"}}'`, or use `label:` alone"),
        };
        sink.report(
            Mistake::MissingKey,
            at,
            format!("`spec.tracks` needs `{lacks}`"),
            format!("`{lacks}` is missing here"),
            help,
        );
        return None;
    };
    let (canary_text, stable_text) = (
        scalar::text(&canary.value, "canary", sink),
        scalar::text(&stable.value, "stable", sink),
    );
    let (canary_text, stable_text) = (canary_text?, stable_text?);
    let both = [(canary, canary_text), (stable, stable_text)];
    if !both
        .iter()
        .all(|(arm, words)| promql::matchers(&arm.value, words, &arm.key, context, sink))
    {
        return None;
    }
    if canary_text
        .split_whitespace()
        .eq(stable_text.split_whitespace())
    {
        sink.report(
            Mistake::Contradiction,
            &stable.value.span,
            "`canary` and `stable` match the same series",
            "same as `canary`",
            "write matchers that tell the two apart, for example {track=\"stable\"}",
        );
        return None;
    }
    Some(Tracks::Matchers {
        canary: canary_text.to_owned(),
        stable: stable_text.to_owned(),
    })
}
