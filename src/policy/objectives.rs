//! `spec.objectives`: what is judged.

use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::Fields,
    indicator,
    keys::{HARMS, KINDS, OBJECTIVE, UNITS},
    margin,
    model::{Direction, Indicator, Objective, Unit},
    names, quantity, scalar,
    tree::{Entry, Node},
};
use std::ops::Range;

pub(super) fn read(entry: &Entry, context: &Context<'_>, sink: &mut Sink<'_>) -> Vec<Objective> {
    let mut found: Vec<Objective> = Vec::new();
    let mut names: Vec<(String, Range<usize>)> = Vec::new();
    let nodes = scalar::list(entry, 1, sink).unwrap_or_default();
    for node in nodes {
        let Some((objective, at)) = objective(node, context, sink) else {
            continue;
        };
        if let Some((_, first)) = names.iter().find(|(name, _)| *name == objective.name) {
            let (line, _) = sink.text.place(first.start);
            sink.report(
                Mistake::DuplicateName,
                &at,
                format!("two objectives are called `{}`", objective.name),
                "second time",
                format!("give it another name; the first is on line {line}"),
            );
        }
        names.push((objective.name.clone(), at));
        found.push(objective);
    }
    if !found.is_empty()
        && found.len() == nodes.len()
        && found.iter().all(|objective| objective.watch)
    {
        sink.report(
            Mistake::NothingDecides,
            &entry.key_span,
            "every objective is only watched: this policy can neither fail nor pass anything",
            "nothing decides",
            "remove `watch: true` from at least one objective",
        );
    }
    normalise(&mut found);
    found
}

/// Weights of the objectives that can abort sum to 1; the others show an equal share of all.
fn normalise(objectives: &mut [Objective]) {
    let aborts = |objective: &Objective| objective.critical && !objective.watch;
    let sum: f64 = objectives
        .iter()
        .filter(|o| aborts(o))
        .map(|o| o.weight)
        .sum();
    let count = objectives.len() as f64;
    for objective in objectives {
        objective.weight = if aborts(objective) {
            objective.weight / sum
        } else {
            1.0 / count
        };
    }
}

fn objective(
    node: &Node,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<(Objective, Range<usize>)> {
    let fields = Fields::open(node, &node.span, &OBJECTIVE, sink)?;
    let entry = fields.get("name");
    let name = entry.and_then(|entry| names::dns_label(&entry.value, "name", sink));
    let kind = kind(&fields, node, sink);
    let decides = ["critical", "watch"].map(|key| {
        fields
            .get(key)
            .and_then(|e| scalar::flag(&e.value, key, sink))
    });
    let weight = fields
        .get("weight")
        .and_then(|entry| weight(entry, sink))
        .unwrap_or(1.0);
    let kind = kind?;
    let harm = harm(&fields, &kind.key, sink);
    let unit = unit(&fields, &kind.key, sink);
    let (margin, pass_margin) = margin::read(&fields, &kind.key, harm, unit, sink);
    let limit = fields
        .get("limit")
        .and_then(|entry| quantity::limit(entry, &kind.key, harm, unit, sink));
    // what may be 1 or more is no share
    let sizes = [limit.unwrap_or(0.0), margin.absolute, pass_margin.absolute];
    let unit = if kind.key == "ratio" && unit == Unit::Share && sizes.iter().any(|v| *v >= 1.0) {
        Unit::None
    } else {
        unit
    };
    let indicator = indicator::read(kind, context, sink)?;
    let name = name?;
    if fields.get("harm").is_none() && is_time(&indicator, unit) {
        let at = &kind.key_span;
        direction(&name, &indicator, at, sink);
    }
    let [critical, watch] = decides;
    let objective = Objective {
        name,
        indicator,
        harm,
        margin,
        pass_margin,
        limit,
        critical: critical.unwrap_or(true),
        watch: watch.unwrap_or(false),
        weight,
        unit,
    };
    Some((objective, entry?.value.span.clone()))
}

/// Is it a length of time, by its unit or by the name of its metric?
fn is_time(indicator: &Indicator, unit: Unit) -> bool {
    let named = |text: &str| {
        let name = text.split('{').next().unwrap_or(text);
        ["seconds", "latency", "duration"]
            .iter()
            .any(|word| name.contains(word))
    };
    match indicator {
        Indicator::Mean { sum: text, .. } | Indicator::Gauge { selector: text } => {
            unit == Unit::Seconds || named(text)
        }
        _ => false,
    }
}

/// The default direction of a time is a trap: nobody is harmed by a mean latency that falls.
fn direction(name: &str, indicator: &Indicator, at: &Range<usize>, sink: &mut Sink<'_>) {
    let kind = indicator.kind();
    let message = if kind == "mean" {
        format!(
            "`{name}` looks like a time, and a `mean` without `harm` takes only a decrease as harm: one that doubles would pass; write `harm: increase`, or `harm: decrease` where that is meant"
        )
    } else {
        format!(
            "`{name}` looks like a time, and a `{kind}` without `harm` takes only an increase as harm; write `harm: increase` to say that it is meant"
        )
    };
    sink.note(at, message);
}

/// Exactly one indicator.
fn kind<'a>(fields: &Fields<'a>, node: &Node, sink: &mut Sink<'_>) -> Option<&'a Entry> {
    let mut written: Vec<&Entry> = KINDS.iter().filter_map(|kind| fields.get(kind)).collect();
    written.sort_by_key(|entry| entry.key_span.start);
    match written.as_slice() {
        [one] => Some(one),
        [] => {
            let at = fields
                .get("name")
                .map_or(&node.span, |entry| &entry.value.span);
            sink.report(
                Mistake::BadIndicator,
                at,
                "this objective measures nothing",
                "no indicator",
                format!("add one of {}", scalar::one_of(&KINDS)),
            );
            None
        }
        [first, second, ..] => {
            sink.report(
                Mistake::BadIndicator,
                &second.key_span,
                format!(
                    "this objective measures two things: `{}` and `{}`",
                    first.key, second.key
                ),
                "second indicator",
                format!(
                    "make `{}` an objective of its own: each has exactly one indicator",
                    second.key
                ),
            );
            None
        }
    }
}

fn harm(fields: &Fields<'_>, kind: &str, sink: &mut Sink<'_>) -> Direction {
    let default = if matches!(kind, "ratio" | "mean") {
        Direction::Decrease
    } else {
        Direction::Increase
    };
    let Some(entry) = fields.get("harm") else {
        return default;
    };
    let harm = match scalar::word(&entry.value, "harm", HARMS, sink) {
        Some("increase") => Direction::Increase,
        Some("decrease") => Direction::Decrease,
        Some(_) => Direction::Either,
        None => return default,
    };
    if matches!(kind, "errorRatio" | "latencyQuantile") && harm != Direction::Increase {
        let (message, help) = if kind == "errorRatio" {
            (
                "fewer errors are no harm",
                "remove `harm`; for good events use `ratio` with `harm: decrease`",
            )
        } else {
            (
                "a faster answer is no harm",
                "remove `harm`; to catch requests that end too early, judge their errors or a `ratio`",
            )
        };
        sink.report(
            Mistake::Contradiction,
            &entry.value.span,
            format!("{message}: `{kind}` knows only `harm: increase`"),
            "only `increase` here",
            help,
        );
    }
    harm
}

fn unit(fields: &Fields<'_>, kind: &str, sink: &mut Sink<'_>) -> Unit {
    let default = match kind {
        "errorRatio" | "ratio" => Unit::Share,
        "latencyQuantile" => Unit::Seconds,
        _ => Unit::None,
    };
    let Some(entry) = fields.get("unit") else {
        return default;
    };
    let unit = match scalar::word(&entry.value, "unit", UNITS, sink) {
        Some("ratio") => Unit::Share,
        Some("seconds") => Unit::Seconds,
        Some("bytes") => Unit::Bytes,
        Some(_) => Unit::None,
        None => return default,
    };
    if kind == "errorRatio" && unit != Unit::Share {
        sink.report(
            Mistake::Contradiction,
            &entry.value.span,
            "an `errorRatio` is a share of events",
            "must be `ratio`",
            "remove `unit`; a value in another unit is a `mean`, a `gauge` or a `query`",
        );
    }
    unit
}

fn weight(entry: &Entry, sink: &mut Sink<'_>) -> Option<f64> {
    let weight = scalar::number(&entry.value, "weight", &(0.0..=1e6), sink)?;
    if weight > 0.0 {
        return Some(weight);
    }
    sink.report(
        Mistake::OutOfRange,
        &entry.value.span,
        "an objective of weight 0 has no share of falseAbortRate: it could never fail",
        "must be above 0",
        "write a number above 0, or `watch: true` for an objective that never decides",
    );
    None
}
