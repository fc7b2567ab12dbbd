//! One rollout: where it stands and how it came there.

mod chart;
mod events;
mod lists;
mod now;
mod open;

use super::super::{
    layout::Content,
    parts::{
        badge, figure, moment,
        state::{self, note as state_note},
        text,
    },
    shell::PageProblem,
    view::View,
};
use crate::{
    domain::{Event, Filter, Line, RolloutState},
    http::{
        history::params::Params,
        problem::{Problem, empty, json},
        request::check_names,
        state::App,
    },
    service::{
        kept_policy, overrule,
        walk::{self, Ask, CanarySeen},
    },
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, Response},
};
pub use events::page as events;
use maud::{Markup, html};
use now::Shown;
use std::sync::Arc;

/// Verdicts in the list.
const VERDICTS: u32 = 20;
/// Overrides in the list.
const OVERRIDES: u32 = 20;
/// What the page and its charts take.
const KNOWN: &[&str] = &["canary", "policy", "since", "until"];

/// `GET /rollouts/{namespace}/{name}`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let (_, state) = find(&app, &view, &namespace, &name).await?;
    let ask = ask(&uri)?;
    let store = app.store.as_ref();
    let log = walk::log(store, &namespace, &name).await;
    let log = log.map_err(Problem::store)?;
    let canary = ask.canary.as_ref().unwrap_or(&state.canary_hash);
    let policy = ask.policy.as_ref().unwrap_or(&state.policy);
    let seen = walk::canaries(&state, &log);
    let first = seen.iter().find(|c| c.hash == *canary).map(|c| c.first);
    let filter = Filter {
        namespace: Some(namespace.clone()),
        rollout: Some(name.clone()),
        canary_hash: Some(canary.clone()),
        policy: Some(policy.clone()),
        since: ask.since.max(first),
        until: ask.until,
        ..Filter::default()
    };
    let lines = store.history(&filter, None, VERDICTS).await;
    let lines = lines.map_err(Problem::store)?;
    let newest = match lines.first() {
        Some(line) => store.record(line.id).await.map_err(Problem::store)?,
        None => None,
    };
    let lines = scored(&app, lines).await?;
    let kept = match &newest {
        Some(record) => kept_policy::of_revision(store, &record.verdict.revision).await,
        None => Ok(None),
    };
    let kept = kept.map_err(Problem::store)?;
    let overrides = store.overrides(&namespace, &name, OVERRIDES).await;
    let overrides = overrides.map_err(Problem::store)?;
    let events: Vec<Event> = log
        .iter()
        .rev()
        .filter(|e| e.canary_hash == *canary)
        .cloned()
        .collect();
    let here = *canary == state.canary_hash;
    let open = if here {
        open::open(store, &state, &log).await?
    } else {
        Vec::new()
    };
    let counting = overrule::in_force(&overrides, view.now);
    let shown = Shown {
        state: &state,
        present: state.answer_of(policy).filter(|_| here),
        ruling: counting.into_iter().find(|o| o.canary_hash == *canary),
        open: &open,
        newest: newest.as_ref(),
        policy: kept.as_ref(),
    };
    let several = state.outcomes.len() > 1;
    let title = format!("{namespace}/{name}");
    let query = uri.query().map_or_else(String::new, |q| format!("?{q}"));
    let base = format!("rollouts/{title}");
    let body = html! {
        p.crumbs { a href=(view.to("rollouts")) { "Rollouts" } " › " (text::shown(&namespace)) }
        h1 { (text::shown(&title)) }
        @if *canary != state.canary_hash {
            (state::note("odd", &html! {
                "This is the earlier canary " code { (text::shown(canary)) } ". " a href=(view.to(&base)) { "Show the present one" }
            }))
        }
        div data-live="policies" { (policies(&view, &base, &state, policy)) }
        (now::now(&view, &shown))
        p.tools-row { a.button href=(view.to(&format!("{base}/override"))) { "Override the judge" } }
        section aria-labelledby="walk" {
            h2 #walk { "The walk" }
            div #charts data-url=(view.to(&format!("{base}/chart.json{query}"))) data-verdicts=(view.to("verdicts/")) {
                p.chart-state role="status" { "The charts need JavaScript. The tables of this page have the newest numbers." }
            }
        }
        (lists::events(&view, &events, several, &format!("{base}/events")))
        (lists::overrides(&overrides, view.now))
        (lists::verdicts(&view, &lines, several.then_some(policy)))
        (canaries(&view, &base, &seen, canary))
    };
    let content = Content::new(title, body)
        .area("rollouts")
        .live(format!("namespace={namespace}&rollout={name}"))
        .with(
            &["vendor/uPlot.min.css", "detail.css"],
            &["vendor/uPlot.iife.min.js", "sheet.js", "charts.js"],
        );
    Ok(view.show(&content))
}

/// `GET /rollouts/{namespace}/{name}/chart.json`
pub async fn chart(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (version, state) = find(&app, &view, &namespace, &name).await?;
    let ask = ask(&uri)?;
    // whatever is decided raises the version of the rollout
    let tag = format!("W/\"{version}-{}\"", state.kept_at);
    let known = headers.get(header::IF_NONE_MATCH);
    let mut response = if known.is_some_and(|v| v.to_str().is_ok_and(|v| v.contains(&tag))) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let walk = walk::walk(app.store.as_ref(), &state, &ask).await;
        let chart = chart::Chart::new(&walk.map_err(Problem::store)?);
        json(StatusCode::OK, "application/json", &chart)
    };
    let kept = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The score of each line. A line itself does not tell a spotless one from one of nothing.
async fn scored(app: &App, lines: Vec<Line>) -> Result<Vec<(Line, Option<f64>)>, Problem> {
    let mut scored = Vec::with_capacity(lines.len());
    for line in lines {
        let mut score = Some(line.score);
        if line.score >= 100.0 {
            let record = app.store.record(line.id).await.map_err(Problem::store)?;
            score = record.map_or(score, |record| figure::score(&record.verdict));
        }
        scored.push((line, score));
    }
    Ok(scored)
}

/// The rollout, if the caller may see it.
async fn find(
    app: &App,
    view: &View,
    namespace: &str,
    name: &str,
) -> Result<(i64, RolloutState), Problem> {
    check_names(namespace, name)?;
    view.caller.may_see(namespace)?;
    let found = app.store.rollout(namespace, name).await;
    found.map_err(Problem::store)?.ok_or_else(|| {
        Problem::new(
            "not-found",
            format!("rollout `{namespace}/{name}` was never judged, or is older than the retention of the store"),
        )
    })
}

fn ask(uri: &Uri) -> Result<Ask, Problem> {
    let params = Params::read(uri, KNOWN)?;
    Ok(Ask {
        canary: params.text("canary")?,
        policy: params.text("policy")?,
        since: params.moment("since")?,
        until: params.moment("until")?,
    })
}

/// Where several policies judge the rollout: one link each, with what it says.
fn policies(view: &View, base: &str, state: &RolloutState, chosen: &str) -> Markup {
    let worst = state.policy.as_str();
    html! {
        @if state.outcomes.len() > 1 {
            nav.choices aria-label="Policies of this rollout" {
                @for (name, (outcome, _)) in &state.outcomes {
                    span {
                        a href=(view.to(&format!("{base}?policy={name}"))) aria-current=[(name == chosen).then_some("true")] { (text::shown(name)) }
                        " " (badge::outcome(state.answer_of(name).map_or(*outcome, |one| one.outcome)))
                        @if state.answer_of(name).is_none() { " " span.quiet { "not asked of late" } }
                    }
                }
            }
            @if chosen != worst {
                (state_note("odd", &html! {
                    "What " (text::shown(chosen)) " says is below. The rollout stands where the worst of its policies stands: "
                    (badge::outcome(state.outcome)) " by " a href=(view.to(&format!("{base}?policy={worst}"))) { (text::shown(worst)) } "."
                }))
            }
        }
    }
}

fn canaries(view: &View, base: &str, seen: &[CanarySeen], chosen: &str) -> Markup {
    html! {
        section aria-labelledby="canaries" {
            h2 #canaries { "Canaries" }
            ul.canaries {
                @for one in seen {
                    li {
                        @if one.hash == chosen { b { code { (text::shown(&one.hash)) } } " (shown)" }
                        @else { a href=(view.to(&format!("{base}?canary={}", one.hash))) { code { (text::shown(&one.hash)) } } }
                        ", judged since " (moment::at(one.first))
                    }
                }
            }
        }
    }
}
