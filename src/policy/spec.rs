//! `spec`: everything of a policy but its name and its alerts.

use super::{
    check::Context,
    diagnostic::{Mistake, Sink},
    fields::Fields,
    keys::{OUTCOMES, SOURCE_DOWN},
    model::{Indicator, Objective, OnSourceDown, Policy},
    names, objectives, promql, scalar, steps, tracks,
    tree::Entry,
};
use crate::domain::{Millis, Outcome, units::duration_text};

pub(super) const SECOND: Millis = 1_000;
pub(super) const MINUTE: Millis = 60 * SECOND;
pub(super) const HOUR: Millis = 60 * MINUTE;
/// Longest `horizon`, `lookBack` and patience.
pub(super) const DAY: Millis = 24 * HOUR;
/// Longest step.
pub(super) const WEEK: Millis = 7 * DAY;
/// Blocks that a horizon must hold.
const LEAST_BLOCKS: Millis = 10;

/// Reads the whole of `spec`; what is wrong is replaced by its default, for the walk to go on.
pub(super) fn read(fields: &Fields<'_>, context: &mut Context<'_>, sink: &mut Sink<'_>) -> Policy {
    let source = source(fields, context, sink);
    context.params = params(fields, sink);
    let tracks = tracks::read(fields.get("tracks"), context, sink);
    let entry = fields.get("match");
    let match_text = entry
        .and_then(|entry| scalar::text(&entry.value, "match", sink))
        .map(str::to_owned);
    promql::scope(entry, match_text.as_deref(), &tracks, context, sink);
    let before = sink.count();
    let horizon = length(fields, "horizon", MINUTE / 2..=DAY, 2 * HOUR, sink);
    let known = (sink.count() == before).then_some(horizon);
    let mut policy = Policy {
        text: "".into(),
        name: String::new(),
        revision: String::new(),
        source,
        tracks,
        match_text,
        pod_label: fields
            .get("podLabel")
            .and_then(|e| names::label(&e.value, "podLabel", sink))
            .unwrap_or_else(|| "pod".to_owned()),
        horizon,
        look_back: length(fields, "lookBack", 0..=DAY, 30 * MINUTE, sink),
        block: fields
            .get("block")
            .and_then(|entry| scalar::span(entry, SECOND..=HOUR, "30s", sink)),
        warm_up: length(fields, "warmUp", 0..=HOUR, MINUTE, sink),
        lag: length(fields, "lag", 0..=10 * MINUTE, 30 * SECOND, sink),
        false_abort_rate: chance(fields, "falseAbortRate", 0.01, sink),
        false_pass_rate: chance(fields, "falsePassRate", 0.05, sink),
        min_requests: fields
            .get("minRequests")
            .and_then(|e| scalar::number(&e.value, "minRequests", &(0.0..=1e12), sink))
            .unwrap_or(100.0),
        min_blocks: fields
            .get("minBlocks")
            .and_then(|entry| whole(entry, sink))
            .unwrap_or(10),
        steps: fields
            .get("steps")
            .map_or_else(steps::defaults, |entry| steps::read(entry, known, sink)),
        on_no_data: match choice(fields, "onNoData", OUTCOMES, sink) {
            Some("pass") => Outcome::Pass,
            Some("fail") => Outcome::Fail,
            _ => Outcome::Inconclusive,
        },
        no_data_patience: length(fields, "noDataPatience", 0..=DAY, 5 * MINUTE, sink),
        on_source_down: match choice(fields, "onSourceDown", SOURCE_DOWN, sink) {
            Some("error") => OnSourceDown::Error,
            _ => OnSourceDown::Inconclusive,
        },
        source_patience: length(fields, "sourcePatience", 0..=DAY, 5 * MINUTE, sink),
        objectives: Vec::new(),
        alerts_on: Vec::new(),
        alerts_to: Vec::new(),
    };
    holds_blocks(fields, &policy, sink);
    if let Some(entry) = fields.get("objectives") {
        policy.objectives = objectives::read(entry, context, sink);
        holds_minutes(fields, &policy, sink);
    }
    policy
}

fn source(fields: &Fields<'_>, context: &mut Context<'_>, sink: &mut Sink<'_>) -> String {
    let entry = fields.get("source");
    let name = match entry {
        Some(entry) => scalar::text(&entry.value, "source", sink),
        None => Some("default"),
    };
    let (Some(name), Some(lookup)) = (name, context.sources) else {
        return name.unwrap_or("default").to_owned();
    };
    context.kind = lookup(name);
    if context.kind.is_none() {
        let (at, label) = match entry {
            Some(entry) => (&entry.value.span, "not configured"),
            None => (&fields.at, "uses the source `default`"),
        };
        sink.report(
            Mistake::UnknownSource,
            at,
            format!("the metric source `{name}` is not configured"),
            label,
            "write `source:` with a name under `sources` of the service's configuration, or add the source there",
        );
    }
    name.to_owned()
}

fn params(fields: &Fields<'_>, sink: &mut Sink<'_>) -> Vec<String> {
    let Some(entry) = fields.get("params") else {
        return Vec::new();
    };
    let mut params: Vec<String> = Vec::new();
    for node in scalar::list(entry, 0, sink).unwrap_or_default() {
        let Some(name) = names::param(node, sink) else {
            continue;
        };
        if params.contains(&name) {
            sink.report(
                Mistake::DuplicateName,
                &node.span,
                format!("`{name}` is declared twice"),
                "second time",
                "remove it",
            );
        }
        params.push(name);
    }
    params
}

/// The horizon must hold enough closed blocks for a decision.
fn holds_blocks(fields: &Fields<'_>, policy: &Policy, sink: &mut Sink<'_>) {
    let block = policy.block.unwrap_or(30 * SECOND);
    let blocks = LEAST_BLOCKS.max(Millis::try_from(policy.min_blocks).unwrap_or(Millis::MAX));
    // the newest blocks are not closed yet
    let lag = if sink.kept { 0 } else { policy.lag };
    let least = block.saturating_mul(blocks).saturating_add(lag);
    if policy.horizon >= least {
        return;
    }
    let Some(entry) = fields
        .get("horizon")
        .or_else(|| fields.get("block"))
        .or_else(|| fields.get("minBlocks"))
        .or_else(|| fields.get("lag"))
    else {
        return;
    };
    sink.report(
        Mistake::OutOfRange,
        &entry.value.span,
        format!(
            "a horizon of {} cannot hold {blocks} blocks of {} that close after a lag of {}",
            duration_text(policy.horizon),
            duration_text(block),
            duration_text(lag)
        ),
        format!("{blocks} blocks and the lag are {}", duration_text(least)),
        if least <= DAY {
            format!(
                "write `horizon: {}` or more, or shorter blocks",
                duration_text(least)
            )
        } else {
            "write a shorter `block` or fewer `minBlocks`: a horizon is at most 24h".to_owned()
        },
    );
}

/// Means and levels are compared minute by minute (block by block where these are longer): the horizon must hold as many
/// as the judge asks for.
fn holds_minutes(fields: &Fields<'_>, policy: &Policy, sink: &mut Sink<'_>) {
    let block = policy.block.unwrap_or(30 * SECOND);
    let unit = block * (MINUTE / block).max(1);
    let needs = |objective: &Objective| match objective.indicator {
        _ if objective.watch => 0,
        Indicator::Gauge { .. } | Indicator::Query { .. } => 10,
        Indicator::Mean { .. } => 5,
        _ => 0,
    };
    let most = policy.objectives.iter().max_by_key(|o| needs(o));
    let (Some(objective), Some(entry), false) = (most, fields.get("horizon"), sink.kept) else {
        return;
    };
    let least = unit * needs(objective) + policy.lag;
    if policy.horizon < least {
        sink.report(
            Mistake::OutOfRange,
            &entry.value.span,
            format!(
                "`{}` is a `{}`: it is compared over {} {} at least, more than a horizon of {} holds",
                objective.name,
                objective.indicator.kind(),
                needs(objective),
                if unit > MINUTE { "blocks" } else { "minutes" },
                duration_text(policy.horizon),
            ),
            format!("these and the lag are {}", duration_text(least)),
            format!("write `horizon: {}` or more", duration_text(least)),
        );
    }
}

fn length(
    fields: &Fields<'_>,
    key: &str,
    limits: std::ops::RangeInclusive<Millis>,
    default: Millis,
    sink: &mut Sink<'_>,
) -> Millis {
    fields
        .get(key)
        .and_then(|entry| scalar::span(entry, limits, &duration_text(default), sink))
        .unwrap_or(default)
}

fn chance(fields: &Fields<'_>, key: &str, default: f64, sink: &mut Sink<'_>) -> f64 {
    fields
        .get(key)
        .and_then(|entry| scalar::chance(&entry.value, key, &default.to_string(), sink))
        .unwrap_or(default)
}

fn choice(
    fields: &Fields<'_>,
    key: &str,
    set: &'static [&'static str],
    sink: &mut Sink<'_>,
) -> Option<&'static str> {
    fields
        .get(key)
        .and_then(|entry| scalar::word(&entry.value, key, set, sink))
}

/// A whole number of blocks.
fn whole(entry: &Entry, sink: &mut Sink<'_>) -> Option<u64> {
    let value = scalar::number(&entry.value, &entry.key, &(1.0..=10_000.0), sink)?;
    if value.fract() == 0.0 {
        return Some(value as u64);
    }
    sink.report(
        Mistake::OutOfRange,
        &entry.value.span,
        format!(
            "`{}` is {value}, but blocks are counted in whole numbers",
            entry.key
        ),
        "not a whole number",
        format!("write {}", value.ceil()),
    );
    None
}
