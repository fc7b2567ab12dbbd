//! Variables inside the values of matchers.

use super::{QueryError, scan::variable};
use crate::domain::RolloutRef;
use std::collections::{BTreeMap, BTreeSet};

/// Variables that every question has.
pub const BUILT_IN: [&str; 4] = ["namespace", "rollout", "canaryHash", "stableHash"];

/// Where the values of variables come from.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Whom we judge: `$namespace`, `$rollout`, `$canaryHash`, `$stableHash`.
    pub rollout: &'a RolloutRef,
    /// Everything else.
    pub params: &'a BTreeMap<String, String>,
}

impl<'a> Binding<'a> {
    /// The value of a variable; a parameter never shadows a built-in one.
    fn get(&self, name: &str) -> Option<&'a str> {
        match name {
            "namespace" => Some(&self.rollout.namespace),
            "rollout" => Some(&self.rollout.name),
            "canaryHash" => Some(&self.rollout.canary_hash),
            "stableHash" => Some(&self.rollout.stable_hash),
            _ => self.params.get(name).map(String::as_str),
        }
    }

    /// Fills a matcher's value; inside a regular expression each value stands for itself.
    pub(super) fn fill(&self, template: &str, regex: bool) -> Result<String, QueryError> {
        let mut out = String::with_capacity(template.len());
        for part in parts(template) {
            let name = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Variable(name) => name,
            };
            let value = self.get(name).ok_or_else(|| QueryError::MissingVariable {
                name: name.to_owned(),
            })?;
            if regex {
                out.push_str(&quote_meta(value));
            } else {
                out.push_str(value);
            }
        }
        Ok(out)
    }
}

/// Adds the names of the variables in a matcher's value.
pub(super) fn collect(template: &str, names: &mut BTreeSet<String>) {
    for part in parts(template) {
        if let Part::Variable(name) = part {
            names.insert(name.to_owned());
        }
    }
}

enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn parts(template: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = template.get(at..).and_then(|tail| tail.find('$')) {
        at += found;
        match template.get(at..).and_then(variable) {
            Some((name, len)) => {
                out.push(Part::Text(template.get(from..at).unwrap_or_default()));
                out.push(Part::Variable(name));
                at += len;
                from = at;
            }
            None => at += 1,
        }
    }
    out.push(Part::Text(template.get(from..).unwrap_or_default()));
    out
}

/// Escapes what has a meaning in RE2, as Go's `regexp.QuoteMeta` does.
fn quote_meta(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
