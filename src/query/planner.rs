//! From the texts of a policy to queries that are ready to be sent.

use super::{
    Binding, Cure, QueryError, Scope,
    expression::{scope, tracks, tree, without_tracks},
    matcher::{Match, apply},
    selector::selector,
};
use crate::domain::{Millis, PlannedQuery, Shape, SourceKind, Track, Window};
use promql_parser::label::Matchers;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Which arms the series of an answer belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arms {
    /// Both; the track label of each series tells which.
    Both,
    /// One.
    Only(Track),
}

/// The scoped selectors and expressions of one rollout under one policy, each made once: the parser compiles every regular
/// expression, and only the window differs from poll to poll.
#[derive(Debug, Default)]
pub struct Texts(Mutex<HashMap<(String, Arms), Arc<str>>>);

impl Texts {
    fn get(
        &self,
        text: &str,
        arms: Arms,
        make: impl FnOnce() -> Result<String, QueryError>,
    ) -> Result<Arc<str>, QueryError> {
        let key = (text.to_owned(), arms);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known.get(&key) {
            return Ok(Arc::clone(made));
        }
        let made: Arc<str> = make()?.into();
        known.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

/// Plans the queries of one question.
#[derive(Debug, Clone)]
pub struct Planner<'a> {
    scope: &'a Scope,
    binding: Binding<'a>,
    kind: SourceKind,
    texts: Arc<Texts>,
}

impl<'a> Planner<'a> {
    /// For one rollout, on one kind of source.
    pub fn new(scope: &'a Scope, binding: Binding<'a>, kind: SourceKind) -> Self {
        Self {
            scope,
            binding,
            kind,
            texts: Arc::default(),
        }
    }

    /// With the texts of earlier questions of the same policy revision about the same rollout with the same parameters.
    #[must_use]
    pub fn knowing(self, texts: Arc<Texts>) -> Self {
        Self { texts, ..self }
    }

    /// The label whose value tells the arms apart, if there is one.
    pub fn track_label(&self) -> Option<&'a str> {
        self.scope.track_label()
    }

    /// Who is asked about.
    pub fn rollout(&self) -> &'a crate::domain::RolloutRef {
        self.binding.rollout
    }

    /// The raw samples of a selector in `(window.start, window.end]`: one query for both arms where a label tells them apart, else one each.
    pub fn raw(
        &self,
        selector: &str,
        window: Window,
    ) -> Result<Vec<(Arms, PlannedQuery)>, QueryError> {
        let length = window.end.saturating_sub(window.start);
        if length <= 0 {
            return Err(QueryError::unsupported(
                Cure::Plain,
                "an empty window",
                None,
            ));
        }
        let arms: &[Arms] = match self.track_label() {
            Some(_) => &[Arms::Both],
            None => &[Arms::Only(Track::Canary), Arms::Only(Track::Stable)],
        };
        arms.iter()
            .map(|&arms| {
                let scoped = self.scoped(selector, arms)?;
                let query = PlannedQuery {
                    text: format!("{scoped}[{length}ms]"),
                    extra_filters: Vec::new(),
                    shape: Shape::Raw { at: window.end },
                    window,
                };
                Ok((arms, query))
            })
            .collect()
    }

    /// How many series of one arm had samples, step by step.
    pub fn presence(
        &self,
        selector: &str,
        track: Track,
        start: Millis,
        end: Millis,
        step: Millis,
    ) -> Result<PlannedQuery, QueryError> {
        let scoped = self.scoped(selector, Arms::Only(track))?;
        let text = format!("count(count_over_time({scoped}[{}ms]))", step.max(1));
        Ok(range(text, Vec::new(), start, end, step))
    }

    /// An expression with `$track` for one arm. An `opaque` one is sent as written and scoped by VictoriaMetrics.
    pub fn expression(
        &self,
        text: &str,
        opaque: bool,
        track: Track,
        start: Millis,
        end: Millis,
        step: Millis,
    ) -> Result<PlannedQuery, QueryError> {
        if self.kind == SourceKind::Scrape {
            return Err(QueryError::NoExpressions);
        }
        let (dollars, quoted) = tracks(text)?;
        let arm = self.scope.arms(Arms::Only(track));
        if opaque {
            if self.kind != SourceKind::VictoriaMetrics {
                let message = "MetricsQL needs a VictoriaMetrics source";
                return Err(QueryError::unsupported(Cure::OtherSource, message, None));
            }
            if let Some(dollar) = quoted.first() {
                let message = "MetricsQL is sent as written, without variables";
                return Err(QueryError::unsupported(
                    Cure::NoVariables,
                    message,
                    dollar.offset,
                ));
            }
            let text = without_tracks(text, &dollars);
            return Ok(range(text, vec![self.filter(arm)?], start, end, step));
        }
        let scoped = self.texts.get(text, Arms::Only(track), || {
            let mut expr = tree(text, &dollars)?;
            scope(&mut expr, &self.scope.common, arm, self.kind, &self.binding)?;
            Ok(expr.to_string())
        })?;
        Ok(range(
            scoped.as_ref().to_owned(),
            Vec::new(),
            start,
            end,
            step,
        ))
    }

    /// The selector with the matchers of `match` and of the arms.
    fn scoped(&self, text: &str, arms: Arms) -> Result<Arc<str>, QueryError> {
        self.texts.get(text, arms, || {
            let mut selector = selector(text, Some(self.kind))?;
            let ours: Vec<&Match> = self.ours(self.scope.arms(arms));
            apply(&mut selector.matchers, &ours, &self.binding)?;
            Ok(selector.to_string())
        })
    }

    /// One `extra_filters[]`: several would mean "any of them".
    fn filter(&self, arm: &[Match]) -> Result<String, QueryError> {
        let mut matchers = Matchers::empty();
        apply(&mut matchers, &self.ours(arm), &self.binding)?;
        Ok(format!("{{{matchers}}}"))
    }

    fn ours<'b>(&'b self, arm: &'b [Match]) -> Vec<&'b Match> {
        self.scope.common.iter().chain(arm).collect()
    }
}

fn range(
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
        // the first evaluation is at `start` itself
        window: Window {
            start: start.saturating_sub(1),
            end,
        },
    }
}
