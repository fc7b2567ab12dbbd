//! Names: DNS labels for policies and objectives, Prometheus labels, variables.

use super::{
    diagnostic::{Mistake, Sink},
    scalar,
    tree::Node,
};

/// Variables that every request fills.
pub(super) const VARIABLES: [&str; 4] = ["namespace", "rollout", "canaryHash", "stableHash"];

/// A DNS-1123 label, as Kubernetes names things.
pub(super) fn dns_label(node: &Node, key: &str, sink: &mut Sink<'_>) -> Option<String> {
    let name = scalar::text(node, key, sink)?;
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if inner && name.len() <= 63 && ends(name.chars().next()) && ends(name.chars().last()) {
        return Some(name.to_owned());
    }
    let message = if name.len() > 63 {
        format!(
            "`{key}` has {} characters, at most 63 are allowed",
            name.len()
        )
    } else {
        format!(
            "`{name}` is not a name: only a-z, 0-9 and `-`, beginning and ending with a letter or digit"
        )
    };
    let cured: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(63)
        .collect();
    let cured = cured.trim_matches('-');
    let help = if cured.is_empty() {
        "write a name like `http-service`".to_owned()
    } else {
        format!("write `{cured}`")
    };
    sink.report(
        Mistake::BadName,
        &node.span,
        message,
        "not a DNS label",
        help,
    );
    None
}

/// The name of a Prometheus label.
pub(super) fn label(node: &Node, key: &str, sink: &mut Sink<'_>) -> Option<String> {
    let name = scalar::text(node, key, sink)?;
    if is_identifier(name) && name != "__name__" {
        return Some(name.to_owned());
    }
    let help = match identifier_from(name) {
        Some(cured) => format!("write `{cured}`; Prometheus replaces other characters by `_`"),
        None => "write the name of a label like `rollouts_pod_template_hash`".to_owned(),
    };
    sink.report(
        Mistake::BadName,
        &node.span,
        format!("`{name}` is not the name of a label"),
        "not a label",
        help,
    );
    None
}

/// The name of a parameter: used as `$name`.
pub(super) fn param(node: &Node, sink: &mut Sink<'_>) -> Option<String> {
    let name = scalar::text(node, "params", sink)?;
    let (message, help) = if VARIABLES.contains(&name) || name == "track" {
        (
            format!("`{name}` is filled by the service"),
            "remove it: it needs no declaration".to_owned(),
        )
    } else if is_identifier(name) {
        return Some(name.to_owned());
    } else {
        let cured = identifier_from(name).unwrap_or_else(|| "tenant".to_owned());
        (
            format!("`{name}` is not the name of a variable"),
            format!("write `{cured}`, without `$`: letters, digits and `_`"),
        )
    };
    sink.report(Mistake::BadName, &node.span, message, "bad name", help);
    None
}

pub(super) fn is_identifier(name: &str) -> bool {
    name.chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn identifier_from(name: &str) -> Option<String> {
    let cured: String = name
        .trim_start_matches('$')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    (is_identifier(&cured) && cured != "__name__" && cured.chars().any(|c| c != '_'))
        .then_some(cured)
}
