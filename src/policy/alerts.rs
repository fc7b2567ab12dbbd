//! `alerts`: who is told, and when.

use super::{
    diagnostic::{Mistake, Place, Sink},
    fields::Fields,
    keys::{ALERT, ALERTS},
    scalar,
    tree::Entry,
};

/// Events that are told when `on` is absent.
const DEFAULT_ON: [&str; 4] = ["fail", "inconclusive", "recovered", "override"];

/// `alerts.on` and `alerts.to`.
pub(super) fn read(entry: Option<&Entry>, sink: &mut Sink<'_>) -> (Vec<String>, Vec<Place>) {
    let defaults = || DEFAULT_ON.map(str::to_owned).to_vec();
    let Some(fields) = entry.and_then(|entry| Fields::of(entry, &ALERT, sink)) else {
        return (defaults(), Vec::new());
    };
    let on = fields.get("on").map_or_else(defaults, |entry| {
        let mut on: Vec<String> = Vec::new();
        for node in scalar::list(entry, 1, sink).unwrap_or_default() {
            if let Some(word) = scalar::word(node, "alerts.on", ALERTS, sink) {
                on.push(word.to_owned());
            }
        }
        on
    });
    let mut to: Vec<Place> = Vec::new();
    for node in fields
        .get("to")
        .and_then(|entry| scalar::list(entry, 0, sink))
        .unwrap_or_default()
    {
        let Some(name) = scalar::text(node, "alerts.to", sink) else {
            continue;
        };
        if to.iter().any(|known| known.words == name) {
            sink.report(
                Mistake::DuplicateName,
                &node.span,
                format!("`{name}` is told twice"),
                "second time",
                "remove it",
            );
        }
        to.push(sink.place(name, &node.span));
    }
    (on, to)
}
