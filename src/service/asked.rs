//! What was asked of the metric source for a kept verdict: planned again from the kept policy and question. Pure.

use super::{
    bundle::Inputs,
    discover::{self, By},
    read,
};
use crate::{
    domain::{Millis, PlannedQuery, Question, Shape, SourceKind, Track, Window},
    evidence::{Grid, Role},
    policy::Policy,
    query::{Arms, Binding, Planner, QueryError, Scope},
};
use uuid::Uuid;

/// Queries of one objective that are shown at most.
const MOST: usize = 24;

/// One query, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What its series stand for: `events`, `trials`, `histogram`, `sum`, `count`, `squares` or `level`; of the search for the
    /// canary's start: `presence`, `first sample` or `time between scrapes`.
    pub role: &'static str,
    /// `canary` or `stable`; `both` where a label tells them apart.
    pub arm: &'static str,
    /// The full text.
    pub text: String,
    /// `extra_filters[]`, where the text could not be scoped.
    pub extra_filters: Vec<String>,
    /// Samples of this stretch of time.
    pub window: Window,
    /// Distance of the evaluations; absent for raw samples.
    pub step: Option<Millis>,
    /// The selector or expression without the range: what a graph page can draw.
    pub graph: String,
}

/// What was asked for one objective.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectiveAsked {
    /// Name of the objective.
    pub name: String,
    /// The queries, in the order of time.
    pub queries: Vec<Asked>,
    /// Queries of earlier stretches that are left out here.
    pub left_out: usize,
    /// The blocks had been read for an earlier verdict: nothing was sent; what is shown is the last stretch.
    pub nothing_new: bool,
}

/// The search for the canary's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchAsked {
    /// The moment of the question that it was made for.
    pub at: Millis,
    /// The start; `None`: nothing of the canary was found.
    pub found: Option<Millis>,
    /// The queries, in the order in which they were sent.
    pub queries: Vec<Asked>,
    /// Queries of one kind that are left out here.
    pub left_out: usize,
    /// It was made for an earlier verdict of the same reading.
    pub earlier: bool,
    /// The source did not answer in full.
    pub failed: bool,
}

/// Plans the search for the canary's start again. It is made once for each reading, whose id holds the moment; each query
/// after the first kind depends on the answer, which is the kept start.
pub fn search(
    policy: &Policy,
    question: &Question,
    inputs: &Inputs,
    run: Option<Uuid>,
    kind: SourceKind,
) -> Result<SearchAsked, QueryError> {
    let scope = Scope::parse(&policy.tracks, policy.match_text.as_deref())?;
    let binding = Binding {
        rollout: &question.rollout,
        params: &question.params,
    };
    let planner = Planner::new(&scope, binding, kind);
    let begun = run.and_then(|run| run.get_timestamp());
    let at = begun.map_or(question.at, |begun| {
        let (seconds, nanos) = begun.to_unix();
        seconds as Millis * 1000 + Millis::from(nanos / 1_000_000)
    });
    let found = inputs.exposed_since;
    let mut one = SearchAsked {
        at,
        found,
        queries: Vec::new(),
        left_out: 0,
        earlier: at != question.at,
        failed: found.is_none() && inputs.observed.iter().any(|seen| seen.problem.is_some()),
    };
    let mut add = |role, queries: Vec<discover::Planned>| {
        one.left_out += queries.len().saturating_sub(MOST);
        let queries = queries.into_iter().take(MOST);
        one.queries
            .extend(queries.map(|(arms, query)| shown(role, arms, query)));
    };
    if question.since.is_none() {
        // a start that no sample made precise is one of expressions, or of a sample in the first second of a minute
        let rest = found.is_none_or(|start| discover::minute_of(start) == start + 1000);
        let bys = By::ALL.into_iter().filter(|by| *by == By::Traffic || rest);
        for by in bys.clone() {
            add("presence", discover::presence(policy, &planner, at, by)?);
        }
        if let Some(start) = found {
            let minute = discover::minute_of(start);
            let first = discover::first_samples(policy, &planner, minute)?;
            add("first sample", first);
        } else {
            for by in bys {
                add("presence", discover::sighting(policy, &planner, at, by)?);
            }
        }
    }
    if let Some(start) = found.or(question.since) {
        // the further ones are for where it finds nothing
        if let Some(first) = discover::spacings(policy, &planner, start)?
            .into_iter()
            .next()
        {
            add("time between scrapes", first);
        }
    }
    Ok(one)
}

/// Plans the queries of a verdict again. `before` are the inputs of the verdict before it, where both were made of one reading:
/// blocks are asked for once.
pub fn asked(
    policy: &Policy,
    question: &Question,
    inputs: &Inputs,
    before: Option<&Inputs>,
    kind: SourceKind,
) -> Result<Vec<ObjectiveAsked>, QueryError> {
    let Some(anchor) = inputs.start.filter(|_| inputs.block > 0) else {
        return Ok(Vec::new());
    };
    let grid = Grid {
        anchor,
        length: inputs.block,
    };
    let scope = Scope::parse(&policy.tracks, policy.match_text.as_deref())?;
    let binding = Binding {
        rollout: &question.rollout,
        params: &question.params,
    };
    let planner = Planner::new(&scope, binding, kind);
    let mut all = Vec::new();
    for (i, objective) in policy.objectives.iter().enumerate() {
        let begin = read::first_block(policy, objective, grid.length);
        let known = before
            .and_then(|b| b.observed.get(i))
            .and_then(|s| s.blocks);
        let mut next = known.map_or(begin, |(_, last)| last + 1);
        let mut one = ObjectiveAsked {
            name: objective.name.clone(),
            nothing_new: next > inputs.closed,
            ..ObjectiveAsked::default()
        };
        if one.nothing_new {
            next = inputs.closed;
        }
        while next <= inputs.closed {
            // the look-back is read in the same stretch; nothing is folded into the trail before block 0
            let fresh = next <= 0 && !one.nothing_new;
            let (last, window) = read::stretch(grid, next, inputs.closed, fresh);
            for (role, arm, query) in read::queries(objective, &planner, grid, window)? {
                one.queries.push(asked_of(role, arm, query));
            }
            next = last + 1;
        }
        one.left_out = one.queries.len().saturating_sub(MOST);
        one.queries.drain(..one.left_out);
        all.push(one);
    }
    Ok(all)
}

fn asked_of(role: Role, arm: Option<Track>, query: PlannedQuery) -> Asked {
    let role = match role {
        Role::Events => "events",
        Role::Trials => "trials",
        Role::Histogram => "histogram",
        Role::Sum => "sum",
        Role::Count => "count",
        Role::Squares => "squares",
        Role::Level => "level",
    };
    shown(role, arm.map_or(Arms::Both, Arms::Only), query)
}

fn shown(role: &'static str, arms: Arms, query: PlannedQuery) -> Asked {
    let step = match query.shape {
        Shape::Raw { .. } => None,
        Shape::Range { step, .. } => Some(step),
    };
    let bare = query.text.rfind('[').and_then(|at| query.text.get(..at));
    let graph = match (step, bare) {
        (None, Some(bare)) => bare.to_owned(),
        _ => query.text.clone(),
    };
    Asked {
        role,
        arm: match arms {
            Arms::Both => "both",
            Arms::Only(Track::Canary) => "canary",
            Arms::Only(Track::Stable) => "stable",
        },
        graph,
        text: query.text,
        extra_filters: query.extra_filters,
        window: query.window,
        step,
    }
}
