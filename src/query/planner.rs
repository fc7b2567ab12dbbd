//! From a policy's texts and one question to queries.

use super::{
    QueryError, Scope,
    check::parse_or_opaque,
    condition::Condition,
    scan,
    tree::{Tree, take_track},
};
use crate::domain::{Millis, PlannedQuery, RolloutRef, Shape, SourceKind, Track, Window};
use promql_parser::label::Matcher;
use std::collections::BTreeMap;

/// What one question binds the variables to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// `$namespace`, `$rollout`, `$canaryHash`, `$stableHash`.
    pub rollout: &'a RolloutRef,
    /// All others.
    pub params: &'a BTreeMap<String, String>,
}

impl Binding<'_> {
    fn lookup(&self, name: &str) -> Option<String> {
        let rollout = self.rollout;
        Some(match name {
            "namespace" => rollout.namespace.clone(),
            "rollout" => rollout.name.clone(),
            "canaryHash" => rollout.canary_hash.clone(),
            "stableHash" => rollout.stable_hash.clone(),
            other => self.params.get(other)?.clone(),
        })
    }
}

/// Which arms an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arms {
    /// Both, told apart by the track label.
    Both,
    /// One.
    Only(Track),
}

/// Plans the queries of one question.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'a> {
    scope: &'a Scope,
    binding: Binding<'a>,
    kind: SourceKind,
}

impl<'a> Planner<'a> {
    /// For one policy's scope, one question and one kind of source.
    pub fn new(scope: &'a Scope, binding: Binding<'a>, kind: SourceKind) -> Self {
        Self {
            scope,
            binding,
            kind,
        }
    }

    /// The label that tells the arms apart in an answer for both.
    pub fn track_label(&self) -> Option<&str> {
        self.scope.track_label()
    }

    /// Who is asked about.
    pub fn rollout(&self) -> &RolloutRef {
        self.binding.rollout
    }

    /// Has every variable of the scope and of these texts a value?
    pub fn check_params(&self, texts: &[&str]) -> Result<(), QueryError> {
        let scope = self.scope.variables();
        let own = texts
            .iter()
            .flat_map(|text| scan::variables(text))
            .filter(|(_, quoted, _)| *quoted)
            .map(|(_, _, name)| name);
        match scope
            .iter()
            .map(String::as_str)
            .chain(own)
            .find(|name| self.binding.lookup(name).is_none())
        {
            Some(name) => Err(QueryError::MissingVariable {
                name: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Raw samples of a window: one query for both arms where a label tells them apart, else one for each.
    pub fn raw(
        &self,
        selector: &str,
        window: Window,
    ) -> Result<Vec<(Arms, PlannedQuery)>, QueryError> {
        let arms = if self.scope.track_label().is_some() {
            vec![Arms::Both]
        } else {
            vec![Arms::Only(Track::Canary), Arms::Only(Track::Stable)]
        };
        let range = format!("[{}ms]", (window.end - window.start).max(1));
        let plan = |arms| {
            let (text, extra_filters) = self.scoped(selector, arms)?;
            Ok((
                arms,
                PlannedQuery {
                    text: text + &range,
                    extra_filters,
                    shape: Shape::Raw { at: window.end },
                    window,
                },
            ))
        };
        arms.into_iter().map(plan).collect()
    }

    /// In which steps an arm has samples.
    pub fn presence(
        &self,
        selector: &str,
        track: Track,
        start: Millis,
        end: Millis,
        step: Millis,
    ) -> Result<PlannedQuery, QueryError> {
        let (text, extra_filters) = self.scoped(selector, Arms::Only(track))?;
        let text = format!("count(count_over_time({text}[{step}ms]))");
        Ok(ranged(text, extra_filters, start, end, step))
    }

    /// An author's expression for one arm.
    pub fn expression(
        &self,
        text: &str,
        opaque: bool,
        track: Track,
        start: Millis,
        end: Millis,
        step: Millis,
    ) -> Result<PlannedQuery, QueryError> {
        let conditions = self.conditions(Arms::Only(track))?;
        if opaque {
            return Ok(ranged(
                without_track(text),
                vec![filter(&conditions)?],
                start,
                end,
                step,
            ));
        }
        let matches: Vec<Matcher> = self
            .matches()?
            .iter()
            .map(Condition::matcher)
            .collect::<Result<_, _>>()?;
        let arm: Vec<Matcher> = self
            .arm(Arms::Only(track))?
            .iter()
            .map(Condition::matcher)
            .collect::<Result<_, _>>()?;
        let mut tree = Tree::parse(text)?;
        tree.edit(|group| {
            let tracked = take_track(group);
            self.bind(group)?;
            push(group, &matches, "match")?;
            if tracked {
                push(group, &arm, "tracks")
            } else {
                Ok(())
            }
        })?;
        Ok(ranged(tree.print(), Vec::new(), start, end, step))
    }

    /// A selector with everything pushed into it, or as written with `extra_filters[]`.
    fn scoped(&self, selector: &str, arms: Arms) -> Result<(String, Vec<String>), QueryError> {
        let Some(mut tree) = parse_or_opaque(selector, Some(self.kind))? else {
            return Ok((
                selector.trim().to_owned(),
                vec![filter(&self.conditions(arms)?)?],
            ));
        };
        let matches: Vec<Matcher> = self
            .matches()?
            .iter()
            .map(Condition::matcher)
            .collect::<Result<_, _>>()?;
        let arm: Vec<Matcher> = self
            .arm(arms)?
            .iter()
            .map(Condition::matcher)
            .collect::<Result<_, _>>()?;
        tree.edit(|group| {
            self.bind(group)?;
            push(group, &matches, "match")?;
            push(group, &arm, "tracks")
        })?;
        Ok((tree.print(), Vec::new()))
    }

    fn bind(&self, group: &mut [Matcher]) -> Result<(), QueryError> {
        for matcher in group {
            if matcher.value.contains('$') {
                *matcher = Condition::of(matcher)
                    .bound(&|name| self.binding.lookup(name))?
                    .matcher()?;
            }
        }
        Ok(())
    }

    fn bound(&self, conditions: &[Condition]) -> Result<Vec<Condition>, QueryError> {
        conditions
            .iter()
            .map(|c| c.bound(&|name| self.binding.lookup(name)))
            .collect()
    }

    fn matches(&self) -> Result<Vec<Condition>, QueryError> {
        self.bound(self.scope.matches())
    }

    fn arm(&self, arms: Arms) -> Result<Vec<Condition>, QueryError> {
        match arms {
            Arms::Both => Ok(self.scope.both(self.binding.rollout).into_iter().collect()),
            // hashes are values already; explicit matchers may hold variables
            Arms::Only(track) if self.scope.track_label().is_some() => {
                Ok(self.scope.arm(track, self.binding.rollout))
            }
            Arms::Only(track) => self.bound(&self.scope.arm(track, self.binding.rollout)),
        }
    }

    fn conditions(&self, arms: Arms) -> Result<Vec<Condition>, QueryError> {
        let mut all = self.matches()?;
        all.extend(self.arm(arms)?);
        Ok(all)
    }
}

/// Adds ours to a group; the author's own matcher on the same label is a clash, unless it is the same.
fn push(group: &mut Vec<Matcher>, ours: &[Matcher], by: &str) -> Result<(), QueryError> {
    for matcher in ours {
        match group.iter().find(|own| own.name == matcher.name) {
            Some(own) if own == matcher => {}
            Some(_) => {
                return Err(QueryError::Conflict {
                    label: matcher.name.clone(),
                    by: by.to_owned(),
                    offset: None,
                });
            }
            None => group.push(matcher.clone()),
        }
    }
    Ok(())
}

fn filter(conditions: &[Condition]) -> Result<String, QueryError> {
    let printed = conditions
        .iter()
        .map(|c| c.matcher().map(|m| m.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{{{}}}", printed.join(",")))
}

/// Text that is scoped by `extra_filters[]` needs no `$track`: the token goes, with the comma beside it.
fn without_track(text: &str) -> String {
    let mut out = text.to_owned();
    let places: Vec<usize> = scan::variables(text)
        .iter()
        .filter(|(_, quoted, name)| !quoted && *name == "track")
        .map(|(at, _, _)| *at)
        .collect();
    for at in places.into_iter().rev() {
        let end = at + "$track".len();
        let (before, after) = (
            out.get(..at).unwrap_or_default(),
            out.get(end..).unwrap_or_default(),
        );
        let trimmed = after.trim_start();
        let joined = if let Some(rest) = trimmed.strip_prefix(',') {
            format!("{before}{rest}")
        } else {
            format!("{}{after}", before.trim_end().trim_end_matches(','))
        };
        out = joined;
    }
    out
}

fn ranged(
    text: String,
    extra_filters: Vec<String>,
    start: Millis,
    end: Millis,
    step: Millis,
) -> PlannedQuery {
    PlannedQuery {
        text,
        extra_filters,
        shape: Shape::Range { start, end, step },
        window: Window {
            start: start - 1,
            end,
        },
    }
}
