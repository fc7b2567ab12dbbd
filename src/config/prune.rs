//! Leaves out of a tree of settings what could not be read.

use super::error::SettingsError;
use config::{Map, Value, ValueKind};

/// Removes the value at a key, or the nearest thing around it that can be removed; gives the key of what is gone.
pub fn cut(tree: &mut Map<String, Value>, key: &str) -> Option<String> {
    let mut key = key;
    while !key.is_empty() {
        if remove(tree, key) {
            return Some(key.to_owned());
        }
        let end = key.rfind(['.', '[']).unwrap_or_default();
        key = key.get(..end).unwrap_or_default();
    }
    None
}

fn remove(tree: &mut Map<String, Value>, key: &str) -> bool {
    let (head, last) = key.rsplit_once('.').unwrap_or(("", key));
    // an item of a list stays: those behind it would be told at the wrong place
    if last.contains('[') {
        return false;
    }
    let mut table = tree;
    for part in head.split('.').filter(|part| !part.is_empty()) {
        let Some(inner) = step(table, part) else {
            return false;
        };
        table = inner;
    }
    table.remove(last).is_some()
}

/// The table at `name` or `name[1]`.
fn step<'a>(table: &'a mut Map<String, Value>, part: &str) -> Option<&'a mut Map<String, Value>> {
    let mut places = part.split('[');
    let mut value = table.get_mut(places.next()?)?;
    for place in places {
        let place: usize = place.trim_end_matches(']').parse().ok()?;
        let ValueKind::Array(items) = &mut value.kind else {
            return None;
        };
        value = items.get_mut(place)?;
    }
    match &mut value.kind {
        ValueKind::Table(inner) => Some(inner),
        _ => None,
    }
}

/// Is this only said because something was left out before?
pub fn follows(error: &SettingsError, removed: &[String]) -> bool {
    let missing = error.message.ends_with("is missing; add it");
    let around = error.key.rsplit_once('.').map_or("", |(around, _)| around);
    missing && (touches(&error.key, removed) || touches(around, removed))
}

/// Is this key, something in it, or something around it gone?
pub fn touches(key: &str, removed: &[String]) -> bool {
    let within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut gone = removed.iter();
    !key.is_empty() && gone.any(|gone| within(gone, key) || within(key, gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_thing_that_can_go_goes() {
        let tree = || {
            let text = "{ a: { b: 1, c: [{ d: 2 }, 3] }, e: 4 }";
            match crate::config::file::flow(text).unwrap().kind {
                ValueKind::Table(tree) => tree,
                _ => panic!("no table"),
            }
        };
        for (key, gone) in [
            ("a.b", Some("a.b")),
            ("a.x", Some("a")),
            ("a.c[0].d", Some("a.c[0].d")),
            ("a.c[1]", Some("a.c")),
            ("a.c[7].d", Some("a.c")),
            ("e.f.g", Some("e")),
            ("", None),
            ("x", None),
        ] {
            let mut tree = tree();
            assert_eq!(cut(&mut tree, key).as_deref(), gone, "{key}");
        }
        let removed = ["a.b".to_owned()];
        for (key, expected) in [("a", true), ("a.b", true), ("a.b.c", true), ("a.bc", false)] {
            assert_eq!(touches(key, &removed), expected, "{key}");
        }
    }
}
