//! Overrule the judge for a time, and take it back.

mod draft;
mod form;

pub use draft::over;

use super::super::{
    form::Form,
    layout::Content,
    parts::{badge, moment, number, state, text},
    said::{Said, lead_on},
    shell::{self, PageProblem, secure},
    view::{Place, View},
};
use crate::{
    domain::{Latch, Override, RolloutState},
    http::{
        history::{
            overrides::{may, refusal},
            rollouts::never_judged,
        },
        problem::Problem,
        request::check_names,
        state::App,
    },
    service::overrule::in_force,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use form::{Typed, Wrong};
use maud::{Markup, html};
use std::sync::Arc;

/// Earlier overrides that are shown.
const EARLIER: u32 = 10;

/// `GET /rollouts/{namespace}/{name}/override`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, PageProblem> {
    check_names(&namespace, &name)?;
    view.caller.may_see(&namespace)?;
    let saved = draft::of(&headers, &namespace, &name);
    let again = saved.is_some().then_some(Wrong::Again);
    let typed = saved.unwrap_or_else(Typed::fresh);
    show(
        &app,
        &view,
        (&namespace, &name),
        &typed,
        &Vec::from_iter(again),
    )
    .await
}

/// `POST /rollouts/{namespace}/{name}/override`
pub async fn send(
    view: Result<View, PageProblem>,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    form: Result<Form, PageProblem>,
) -> Result<Response, PageProblem> {
    let view = match view {
        Ok(view) => view,
        Err(PageProblem(problem)) if problem.status == 401 => {
            // only what our own page sent is remembered: nobody else types into this form
            let form = form.map_err(|_| PageProblem(problem))?;
            let cookie = draft::keep(&namespace, &name, &Typed::of(&form), secure(&app));
            return Ok(shell::sign_in_first(&Place::of(&uri), false, cookie));
        }
        Err(problem) => return Err(problem),
    };
    may(&view.caller, &namespace, &name)?;
    let form = form?;
    let typed = Typed::of(&form);
    let subject = (namespace.as_str(), name.as_str());
    if !form.is_of(&view) {
        let stale = Problem::new(
            "stale-form",
            "the form is older than your session, so nothing was changed; check it and send it again",
        );
        return show(&app, &view, subject, &typed, &[Wrong::Told(stale)]).await;
    }
    let checked = typed.request().map_err(|problem| vec![problem]);
    let checked = checked.and_then(|asked| {
        let rollout = (namespace.clone(), name.clone());
        let longest = app.limits.max_override;
        asked.check(rollout, &view.caller.name, view.now, longest)
    });
    let made = match checked {
        Ok(ruling) => app.overrule.rule(ruling).await,
        Err(problems) => {
            let wrong: Vec<Wrong> = problems.into_iter().map(Wrong::Told).collect();
            return show(&app, &view, subject, &typed, &wrong).await;
        }
    };
    match made {
        Ok(made) => {
            tracing::warn!(
                id = %made.id, namespace, rollout = name, canary = made.canary_hash, author = made.author,
                verdict = made.outcome.as_str(), reason = made.reason, "overridden"
            );
            let to = view.to(&format!("rollouts/{namespace}/{name}"));
            Ok(lead_on(
                &to,
                Some(Said::Overridden),
                &Vec::from_iter(over(&headers)),
            ))
        }
        Err(error) => {
            let problem = refusal(error, &namespace, &name);
            if problem.status == 409 || problem.status == 503 {
                return show(&app, &view, subject, &typed, &[Wrong::Told(problem)]).await;
            }
            Err(problem.into())
        }
    }
}

/// `POST /rollouts/{namespace}/{name}/override/take-back`
pub async fn take_back(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    form: Result<Form, PageProblem>,
) -> Result<Response, PageProblem> {
    may(&view.caller, &namespace, &name)?;
    form?.of(&view)?;
    let taken = app
        .overrule
        .take_back(&namespace, &name, &view.caller.name)
        .await;
    let taken = taken.map_err(|error| refusal(error, &namespace, &name))?;
    tracing::warn!(id = %taken.id, namespace, rollout = name, author = view.caller.name, "override taken back");
    let to = view.to(&format!("rollouts/{namespace}/{name}"));
    Ok(lead_on(&to, Some(Said::TakenBack), &[]))
}

/// The page, with what was typed and what is wrong with it. What was typed is shown where the store is away, too.
async fn show(
    app: &App,
    view: &View,
    subject: (&str, &str),
    typed: &Typed,
    wrong: &[Wrong],
) -> Result<Response, PageProblem> {
    match around(app, view, subject, typed, wrong).await {
        Err(problem) if problem.status == 503 && !typed.canary.is_empty() => {
            let mut wrong = wrong.to_vec();
            if !wrong.iter().any(|w| w.status() == 503) {
                wrong.push(Wrong::Told(problem));
            }
            Ok(without_store(app, view, subject, typed, &wrong))
        }
        other => Ok(other?),
    }
}

async fn around(
    app: &App,
    view: &View,
    (namespace, name): (&str, &str),
    typed: &Typed,
    wrong: &[Wrong],
) -> Result<Response, Problem> {
    let found = app
        .store
        .rollout(namespace, name)
        .await
        .map_err(Problem::store)?;
    let (_, present) = found.ok_or_else(|| never_judged(namespace, name))?;
    let all = app
        .store
        .overrides(namespace, name, EARLIER)
        .await
        .map_err(Problem::store)?;
    let counting = in_force(&all, view.now);
    let latch = latch(app, &present).await?;
    let refused = view.caller.may_override().err();
    let body = html! {
        (head(view, (namespace, name)))
        div data-live="standing" { (standing(view, &present, latch.as_ref(), &counting)) }
        @if let Some(refused) = &refused {
            (state::note("bad", &html! { (text::sentence(&refused.detail)) }))
        } @else {
            h2 { "New override" }
            p { "While it is in force, every answer about canary " code { (present.canary_hash) } " says what you choose, whatever the evidence"
                @if present.outcomes.len() > 1 { ", for all " (present.outcomes.len()) " policies that judge it" }
                @else { " and whichever policy is asked" }
                ". "
                "Argo Rollouts goes on with a pass and goes back with a fail. Another version is judged again. Who, what and why is kept and told." }
            (form::form(app, view, (namespace, name), &present.canary_hash, typed, wrong))
        }
        div data-live="earlier" { (earlier(view, &all, &counting)) }
    };
    let content = Content::new(title((namespace, name)), body)
        .area("rollouts")
        .with(&[], &["form.js"]);
    let content = content.live(format!("namespace={namespace}&rollout={name}"));
    Ok((status(wrong), view.show(&content)).into_response())
}

/// The form alone, about the canary that it was about.
fn without_store(
    app: &App,
    view: &View,
    subject: (&str, &str),
    typed: &Typed,
    wrong: &[Wrong],
) -> Response {
    let body = html! {
        (head(view, subject))
        h2 { "New override" }
        p { "Nothing was changed. What you typed is below, about canary " code { (text::shown(&typed.canary)) } ": send it again when the store answers." }
        (form::form(app, view, subject, &typed.canary, typed, wrong))
    };
    let content = Content::new(title(subject), body)
        .area("rollouts")
        .with(&[], &["form.js"]);
    (status(wrong), view.show(&content)).into_response()
}

fn title((namespace, name): (&str, &str)) -> String {
    format!("Override {namespace}/{name}")
}

fn head(view: &View, (namespace, name): (&str, &str)) -> Markup {
    html! {
        p { a href=(view.to(&format!("rollouts/{namespace}/{name}"))) { "← " (text::shown(&format!("{namespace}/{name}"))) } }
        h1 { (text::shown(&title((namespace, name)))) }
    }
}

fn status(wrong: &[Wrong]) -> StatusCode {
    let worst = wrong.iter().map(Wrong::status).max();
    worst
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::OK)
}

/// The fail that stays, of the present canary and policy.
async fn latch(app: &App, present: &RolloutState) -> Result<Option<Latch>, Problem> {
    let record = app.store.record(present.verdict).await;
    let Some(record) = record.map_err(Problem::store)? else {
        return Ok(None);
    };
    let (question, revision) = (&record.question, &present.revision);
    let known = app.store.recall(question, revision, present.verdict).await;
    Ok(known.map_err(Problem::store)?.latch)
}

fn standing(
    view: &View,
    present: &RolloutState,
    latch: Option<&Latch>,
    counting: &[&Override],
) -> Markup {
    let several = present.outcomes.len() > 1;
    let own = counting
        .iter()
        .find(|o| o.canary_hash == present.canary_hash);
    html! {
        dl.facts {
            dt { "Now" }
            dd {
                @if several { "worst of its policies: " }
                (badge::outcome(present.outcome))
                @if several { " (" (text::shown(&present.policy)) ")" }
                " → " (present.action.as_str()) ", " (text::sentence(&present.reason))
            }
            @if several {
                dt { "Policies" }
                dd {
                    @for (i, (name, (outcome, _))) in present.outcomes.iter().enumerate() {
                        @if i > 0 { ", " }
                        (text::shown(name)) " " (badge::outcome(present.answer_of(name).map_or(*outcome, |one| one.outcome)))
                    }
                }
            }
            dt { "Canary" } dd { code { (present.canary_hash) } " at " (number::plain(present.weight)) " % of traffic" }
            dt { "Latch" }
            dd {
                @match latch {
                    Some(latch) => {
                        "failed " @if several { "by " (text::shown(&present.policy)) " " }
                        (moment::ago(latch.at, view.now)) ", which stays for this canary and revision until an override to pass or inconclusive: "
                        a href=(view.to(&format!("verdicts/{}", latch.verdict))) { (text::sentence(&latch.reason)) }
                    }
                    None => { span.quiet { "no fail stands" } }
                }
            }
            dt { "Override" }
            dd {
                @if let Some(own) = own {
                    (badge::outcome(own.outcome)) " by " (text::shown(&own.author)) ", ends " (moment::ago(own.expires, view.now))
                    ": " (text::sentence(&own.reason))
                } @else { span.quiet { "none is in force" } }
            }
        }
        @if !counting.is_empty() && view.caller.may_override().is_ok() {
            form method="post" action=(view.to(&format!("rollouts/{}/{}/override/take-back", present.namespace, present.name))) {
                input type="hidden" name="form" value=(view.form);
                button.danger type="submit" { "Take the override back" }
            }
        }
    }
}

fn earlier(view: &View, all: &[Override], counting: &[&Override]) -> Markup {
    html! {
        @if !all.is_empty() {
            h2 { "Overrides of this rollout" }
            div.panel.scroll {
                table.cards {
                    caption.sr { "Overrides of this rollout, newest first" }
                    thead { tr {
                        th scope="col" { "Made" } th scope="col" { "Verdict" } th scope="col" { "Canary" } th scope="col" { "By" }
                        th scope="col" { "Reason" } th scope="col" { "State" }
                    } }
                    tbody {
                        @for one in all {
                            tr {
                                th scope="row" { (moment::at(one.at)) }
                                td data-label="Verdict" { (badge::outcome(one.outcome)) }
                                td data-label="Canary" { code { (one.canary_hash) } }
                                td data-label="By" { (text::shown(&one.author)) }
                                td.reason data-label="Reason" { (text::sentence(&one.reason)) }
                                td data-label="State" {
                                    @if let Some((at, who)) = &one.revoked { "taken back by " (text::shown(who)) " " (moment::ago(*at, view.now)) }
                                    @else if counting.iter().any(|o| o.id == one.id) { (badge::word("good", "in force")) " ends " (moment::ago(one.expires, view.now)) }
                                    @else if one.expires <= view.now { span.quiet { "over since " (moment::ago(one.expires, view.now)) } }
                                    @else { span.quiet { "replaced by a newer one" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
