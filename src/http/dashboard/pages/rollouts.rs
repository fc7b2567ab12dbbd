//! Every judged rollout and where it stands: what needs attention first.

use super::super::{
    layout::Content,
    parts::{badge, moment, number, sparkline, state, text, track},
    shell::PageProblem,
    view::View,
};
use crate::{
    domain::{Action, Filter, Look, Millis, Outcome, RolloutState, text::percent_value},
    http::{
        history::{cursor, params::Params, rollouts::page as rollouts_after},
        problem::Problem,
        state::App,
    },
    service::{ruled, walk::gap},
};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use std::{fmt::Write, sync::Arc};

/// Rows of a page.
const ROWS: usize = 50;
/// Rows of the list of what fails beyond the page.
const FAILING: u32 = 20;
/// What failed longer ago is not pressing any more.
const PRESSING: Millis = 24 * 3_600_000;
/// A rollout that nobody asked about for so long is told as such.
const SILENT: Millis = 15 * 60_000;

const KNOWN: [&str; 5] = ["namespace", "policy", "verdict", "q", "cursor"];

/// `GET /`
pub async fn home() -> Redirect {
    Redirect::to("./rollouts")
}

/// What was asked for, as it was typed.
#[derive(Debug, Default)]
struct Typed {
    namespace: String,
    policy: String,
    verdict: String,
    q: String,
}

impl Typed {
    fn of(uri: &Uri) -> Self {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
        let pairs = pairs.map(|q| q.0).unwrap_or_default();
        let get = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        Self {
            namespace: get("namespace"),
            policy: get("policy"),
            verdict: get("verdict"),
            q: get("q"),
        }
    }

    fn any(&self) -> bool {
        [&self.namespace, &self.policy, &self.verdict, &self.q]
            .iter()
            .any(|v| !v.is_empty())
    }

    /// The query string of another page of the same list.
    fn with_cursor(&self, cursor: &str) -> String {
        let mut query = String::from("rollouts?");
        for (name, value) in [
            ("namespace", &self.namespace),
            ("policy", &self.policy),
            ("verdict", &self.verdict),
            ("q", &self.q),
        ] {
            if !value.is_empty() {
                let _ = write!(query, "{name}={}&", percent_value(value));
            }
        }
        query + "cursor=" + cursor
    }
}

/// What is shown.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<RolloutState>,
    next: Option<String>,
    /// What fails and is not among the rows.
    failing: Vec<RolloutState>,
    first_page: bool,
}

/// `GET /rollouts`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Response, PageProblem> {
    let typed = Typed::of(&uri);
    let found = find(&app, &view, &uri).await;
    let (status, found, wrong) = match found {
        Ok(found) => (StatusCode::OK, found, None),
        Err(problem) if problem.field.is_some() => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Found::default(), Some(problem))
        }
        Err(problem) => return Err(problem.into()),
    };
    let body = html! {
        h1 { "Rollouts" }
        (filters(&app, &view, &typed, wrong.as_ref()))
        div data-live="rollouts" {
            @if wrong.is_none() { (list(&app, &view, &typed, &found)) }
        }
    };
    let content = Content::new("Rollouts", body).area("rollouts");
    let content = if wrong.is_none() {
        content.live("")
    } else {
        content
    };
    let page: Html<String> = view.show(&content);
    Ok((status, page).into_response())
}

async fn find(app: &App, view: &View, uri: &Uri) -> Result<Found, Problem> {
    let params = Params::read(uri, &KNOWN)?;
    let filter = params.filter(&view.caller)?;
    let cursor = params.text("cursor")?;
    let after = cursor.as_deref().map(cursor::rollout).transpose()?;
    let first_page = after.is_none();
    let (mut rows, next) = rollouts_after(app, &filter, after, ROWS).await?;
    let mut failing = Vec::new();
    let elsewhere = next.is_some() && first_page && filter.outcome.is_none();
    if elsewhere {
        let pressing = Filter {
            outcome: Some(Outcome::Fail),
            since: Some(view.now.saturating_sub(PRESSING)),
            ..filter
        };
        let read = app.store.rollouts(&pressing, None, FAILING).await;
        failing = read.map_err(Problem::store)?;
        failing.retain(|f| {
            !rows
                .iter()
                .any(|r| r.namespace == f.namespace && r.name == f.name)
        });
    }
    rows.sort_by_key(|state| (urgency(state, view.now), std::cmp::Reverse(state.at)));
    Ok(Found {
        rows,
        next,
        failing,
        first_page,
    })
}

/// Lower comes first.
fn urgency(state: &RolloutState, now: Millis) -> u8 {
    let fresh = now.saturating_sub(state.at) < PRESSING;
    match state.outcome {
        Outcome::Fail if fresh => 0,
        _ if fresh && !state.open.is_empty() && state.outcome != Outcome::Pass => 1,
        Outcome::Inconclusive if fresh => 2,
        _ => 3,
    }
}

fn filters(app: &App, view: &View, typed: &Typed, wrong: Option<&Problem>) -> Markup {
    let policies = app.catalog.all();
    let unknown = !typed.policy.is_empty() && !policies.iter().any(|p| p.name == typed.policy);
    let wrong_at = wrong.and_then(|p| p.field.as_deref()).unwrap_or_default();
    let invalid = |field: &str| (wrong_at == field).then_some("true");
    let described = |field: &str| (wrong_at == field).then_some("filter-error");
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive];
    html! {
        search {
            form.filters method="get" action=(view.to("rollouts")) {
                div.field {
                    label for="q" { "Name" }
                    input #q name="q" type="search" value=(typed.q) autocomplete="off" aria-invalid=[invalid("q")] aria-describedby=[described("q")];
                }
                div.field {
                    label for="namespace" { "Namespace" }
                    input #namespace name="namespace" value=(typed.namespace) autocomplete="off" spellcheck="false"
                        aria-invalid=[invalid("namespace")] aria-describedby=[described("namespace")];
                }
                div.field {
                    label for="policy" { "Policy" }
                    select #policy name="policy" {
                        option value="" { "All" }
                        @for policy in &policies {
                            option value=(policy.name) selected[policy.name == typed.policy] { (policy.name) }
                        }
                        @if unknown { option value=(typed.policy) selected { (text::flat(&typed.policy)) } }
                    }
                }
                div.field {
                    label for="verdict" { "Verdict" }
                    select #verdict name="verdict" aria-invalid=[invalid("verdict")] {
                        option value="" { "All" }
                        @for outcome in outcomes {
                            option value=(outcome.as_str()) selected[outcome.as_str() == typed.verdict] { (outcome.as_str()) }
                        }
                    }
                }
                button type="submit" { "Show" }
                @if typed.any() { a href=(view.to("rollouts")) { "Show all" } }
            }
            @if let Some(wrong) = wrong {
                p.note.bad #filter-error role="alert" { (text::sentence(&wrong.detail)) }
            }
        }
    }
}

fn list(app: &App, view: &View, typed: &Typed, found: &Found) -> Markup {
    html! {
        @if !found.failing.is_empty() {
            (table(app, view, "Failing now, not on this page", &found.failing))
        }
        @if found.rows.is_empty() {
            (nothing(view, typed, found))
        } @else {
            (table(app, view, &counted(found), &found.rows))
            (legend())
        }
        @if found.next.is_some() || !found.first_page {
            nav.pager aria-label="Pages of the list" {
                @if !found.first_page { a.button href=(view.to(typed.with_cursor("").trim_end_matches("cursor=").trim_end_matches(['&', '?']))) { "First page" } }
                @if let Some(next) = &found.next { a.button rel="next" href=(view.to(&typed.with_cursor(next))) { "Next page" } }
                span.quiet { "In order of namespace and name; on each page what fails comes first." }
            }
        }
    }
}

/// What the small lines mean.
fn legend() -> Markup {
    html! {
        p.legend {
            span { (sparkline::key("spark-line spark-against")) "evidence of harm (the objective with the most)" }
            span { (sparkline::key("spark-line spark-for")) "evidence of no harm (the objective with the least)" }
            span { (sparkline::key("spark-bound")) "enough to decide" }
        }
    }
}

fn counted(found: &Found) -> String {
    let rows = &found.rows;
    let count = |outcome: Outcome| rows.iter().filter(|r| r.outcome == outcome).count();
    let paged = found.next.is_some() || !found.first_page;
    let here = if paged { "on this page" } else { "shown" };
    format!(
        "{} {here}: {} fail, {} inconclusive, {} pass",
        rows.len(),
        count(Outcome::Fail),
        count(Outcome::Inconclusive),
        count(Outcome::Pass)
    )
}

fn nothing(view: &View, typed: &Typed, found: &Found) -> Markup {
    if typed.any() || !found.first_page {
        let help = html! {
            "Nothing matches what is asked for above. "
            a href=(view.to("rollouts")) { "Show all rollouts" }
        };
        return state::empty("No rollout here", &help);
    }
    let help = html! {
        "A rollout appears with its first question: an AnalysisTemplate that calls " code { "POST /v1/verdicts" }
        ". See which " a href=(view.to("policies")) { "policies" } " are loaded."
    };
    state::empty("Nothing was judged yet", &help)
}

fn table(app: &App, view: &View, caption: &str, rows: &[RolloutState]) -> Markup {
    html! {
        div.panel.scroll {
            table.cards.rollouts {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "Rollout" }
                        th scope="col" { "Verdict" }
                        th scope="col" { "Steps, %" }
                        th scope="col" { "In step" }
                        th scope="col" { "Evidence" }
                        th scope="col" { "Reason" }
                        th scope="col" { "Judged" }
                    }
                }
                tbody { @for row in rows { (line(app, view, row)) } }
            }
        }
    }
}

fn line(app: &App, view: &View, row: &RolloutState) -> Markup {
    let href = view.to(&format!("rollouts/{}/{}", row.namespace, row.name));
    let key = format!("{}/{}", row.namespace, row.name);
    let in_step = row.steps.last().map_or(row.since, |step| step.first);
    let silent = view.now.saturating_sub(row.at) > SILENT;
    let over = row.weight >= 100.0 && row.outcome == Outcome::Pass;
    html! {
        tr {
            th scope="row" {
                a href=(href) data-key=(key) { (text::shown(&row.name)) }
                " " span.quiet.nowrap { (text::shown(&row.namespace)) }
            }
            td data-label="Verdict" {
                span {
                    (badge::outcome(row.outcome)) " " span.action { "→ " (row.action.as_str()) }
                    @if row.open.contains_key(ruled::KEY) { " " (badge::word("bad", "overridden")) }
                    (each(row))
                }
            }
            td data-label="Steps, %" { (track::track(&walk(app, row))) }
            td.nowrap data-label="In step" { (moment::lasted(in_step, end(row, view.now), view.now)) }
            td data-label="Evidence" { (evidence(row)) }
            td.reason data-label="Reason" {
                span {
                    @if row.presents.len() > 1 { b { (text::shown(&row.policy)) ": " } }
                    (text::sentence(&row.reason)) " "
                    @if row.counting().block_by_block {
                        span.quiet title="traffic shifted between the arms while the rates changed: the totals mislead, the ratio does not" { "(ratio weighed block by block, not of these totals)" } " "
                    }
                    a href=(view.to(&format!("verdicts/{}", row.verdict))) aria-label=(format!("why {key} has this verdict")) { "why" }
                }
            }
            td data-label="Judged" {
                span {
                    span.nowrap { (moment::ago(row.counting().at, view.now)) }
                    @if silent && !over { " " span.quiet { "(nobody asks)" } }
                }
            }
        }
    }
}

/// Where several policies judge it: what each says.
fn each(row: &RolloutState) -> Markup {
    html! {
        @if row.presents.len() > 1 {
            @for (name, one) in &row.presents {
                " " span.quiet.each { (badge::shape(one.outcome)) " " (text::shown(name)) ": " (one.outcome.as_str()) }
            }
        }
    }
}

/// The newest question about a rollout that has ended: it was promoted or aborted, or nobody asks any more.
pub fn end(row: &RolloutState, now: Millis) -> Option<Millis> {
    let promoted = row.weight >= 100.0 && row.outcome == Outcome::Pass;
    let silent = now.saturating_sub(row.at) > SILENT;
    (promoted || silent || row.action == Action::Abort).then_some(row.at)
}

fn walk(app: &App, row: &RolloutState) -> track::Walk {
    let policy = app.catalog.get(&row.policy);
    let weights = match policy {
        Some(policy) => policy.steps.iter().map(|s| s.weight).collect(),
        None => row.steps.iter().filter_map(|s| s.weight).collect(),
    };
    track::Walk {
        weights,
        weight: row.weight,
        outcome: row.outcome,
        action: row.action,
    }
}

/// How far the evidence went at the last verdicts. The upper line is a decision.
fn evidence(row: &RolloutState) -> Markup {
    let looks = row
        .looks
        .get(&row.policy)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let Some(last) = looks.last() else {
        return html! { span.quiet { "none yet" } };
    };
    let (harm, safe) = columns(looks);
    let words = format!(
        "evidence of harm {} of what fails, of no harm {} of what passes",
        number::percent(last.harm),
        number::percent(last.safe)
    );
    html! {
        (sparkline::two(&harm, &safe, (0.0, 1.0), &words))
    }
}

/// Harm and safety of each verdict, with a hole where nobody asked for long.
fn columns(looks: &[Look]) -> (Vec<f64>, Vec<f64>) {
    let moments: Vec<Millis> = looks.iter().map(|look| look.at).collect();
    let gap = gap(&moments);
    let mut before = None;
    let mut columns = (Vec::new(), Vec::new());
    for look in looks {
        if before.is_some_and(|before| look.at - before > gap) {
            columns.0.push(f64::NAN);
            columns.1.push(f64::NAN);
        }
        before = Some(look.at);
        columns.0.push(look.harm);
        columns.1.push(look.safe);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_line_stops_where_nobody_asked() {
        let look = |minute: Millis| Look {
            at: minute * 60_000,
            harm: 0.25,
            safe: 0.5,
        };
        let (harm, safe) = columns(&[look(0), look(1), look(2), look(30), look(31)]);
        let holes = |column: &[f64]| column.iter().position(|v| v.is_nan());
        assert_eq!((harm.len(), safe.len()), (6, 6));
        assert_eq!((holes(&harm), holes(&safe)), (Some(3), Some(3)));
    }

    #[test]
    fn filters_stay_in_the_links() {
        let uri: Uri = "/rollouts?q=a%26b&namespace=&policy=p%20q&cursor=zzz"
            .parse()
            .unwrap();
        let typed = Typed::of(&uri);
        assert_eq!((typed.q.as_str(), typed.policy.as_str()), ("a&b", "p q"));
        assert_eq!(
            typed.with_cursor("abc"),
            "rollouts?policy=p%20q&q=a%26b&cursor=abc"
        );
        assert!(!Typed::of(&"/rollouts?namespace=".parse().unwrap()).any());
    }
}
