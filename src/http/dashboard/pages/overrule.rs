//! Overrule the judge for a time, and take it back.

use super::super::{
    form::Form,
    layout::Content,
    parts::{badge, moment, number, state, text},
    said::{Said, lead_on},
    shell::PageProblem,
    view::View,
};
use crate::{
    domain::{Latch, Outcome, Override, RolloutState, units::duration_text},
    http::{
        history::{
            overrides::{may, refusal},
            rollouts::never_judged,
            ruling::{MAX_WHY, OverrideRequest},
        },
        problem::Problem,
        request::check_names,
        state::App,
    },
    service::overrule::in_force,
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::json;
use std::sync::Arc;

/// Ends that are one click away.
const PRESETS: [&str; 4] = ["30m", "2h", "8h", "1d"];
/// Earlier overrides that are shown.
const EARLIER: u32 = 10;

/// What was typed.
#[derive(Debug, Default)]
struct Typed {
    verdict: String,
    reason: String,
    preset: String,
    expires: String,
}

/// `GET /rollouts/{namespace}/{name}/override`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, PageProblem> {
    check_names(&namespace, &name)?;
    view.caller.may_see(&namespace)?;
    let typed = Typed {
        preset: "2h".to_owned(),
        ..Typed::default()
    };
    show(&app, &view, (&namespace, &name), &typed, None).await
}

/// `POST /rollouts/{namespace}/{name}/override`
pub async fn send(
    view: View,
    State(app): State<Arc<App>>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, PageProblem> {
    may(&view.caller, &namespace, &name)?;
    let form = Form::guarded(&app, &view, &headers, &uri, body).await?;
    let typed = Typed {
        verdict: form.text("verdict").to_owned(),
        reason: form.text("reason").to_owned(),
        preset: form.text("preset").to_owned(),
        expires: form.text("expires").to_owned(),
    };
    let expires = if typed.preset == "other" {
        &typed.expires
    } else {
        &typed.preset
    };
    // the canary that the form was about: another one that came meanwhile is not meant
    let asked = json!({"verdict": typed.verdict, "reason": typed.reason, "expires": expires, "canaryHash": form.text("canary")});
    let asked = OverrideRequest::read(asked.to_string().as_bytes());
    let rollout = (namespace.clone(), name.clone());
    let ruling = asked.and_then(|asked| {
        asked.ruling(
            rollout,
            &view.caller.name,
            view.now,
            app.limits.max_override,
        )
    });
    let made = match ruling {
        Ok(ruling) => app.overrule.rule(ruling).await,
        Err(problem) => {
            return show(&app, &view, (&namespace, &name), &typed, Some(&problem)).await;
        }
    };
    match made {
        Ok(made) => {
            tracing::warn!(
                id = %made.id, namespace, rollout = name, canary = made.canary_hash, author = made.author,
                verdict = made.outcome.as_str(), reason = made.reason, "overridden"
            );
            let to = view.to(&format!("rollouts/{namespace}/{name}"));
            Ok(lead_on(&to, Some(Said::Overridden), &[]))
        }
        Err(error) => {
            let problem = refusal(error, &namespace, &name);
            if problem.status == 409 {
                return show(&app, &view, (&namespace, &name), &typed, Some(&problem)).await;
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
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, PageProblem> {
    may(&view.caller, &namespace, &name)?;
    Form::guarded(&app, &view, &headers, &uri, body).await?;
    let taken = app
        .overrule
        .take_back(&namespace, &name, &view.caller.name)
        .await;
    let taken = taken.map_err(|error| refusal(error, &namespace, &name))?;
    tracing::warn!(id = %taken.id, namespace, rollout = name, author = view.caller.name, "override taken back");
    let to = view.to(&format!("rollouts/{namespace}/{name}"));
    Ok(lead_on(&to, Some(Said::TakenBack), &[]))
}

async fn show(
    app: &App,
    view: &View,
    (namespace, name): (&str, &str),
    typed: &Typed,
    wrong: Option<&Problem>,
) -> Result<Response, PageProblem> {
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
    let title = format!("Override {namespace}/{name}");
    let refused = view.caller.may_override().err();
    let body = html! {
        p { a href=(view.to(&format!("rollouts/{namespace}/{name}"))) { "← " (text::shown(&format!("{namespace}/{name}"))) } }
        h1 { (text::shown(&title)) }
        div data-live="standing" { (standing(view, &present, latch.as_ref(), &counting)) }
        @if let Some(refused) = &refused {
            (state::note("bad", &html! { (text::shown(&refused.detail)) }))
        } @else {
            h2 { "New override" }
            p { "While it is in force, every answer about canary " code { (present.canary_hash) } " says what you choose, whatever the evidence. "
                "Argo Rollouts goes on with a pass and goes back with a fail. Another version is judged again. Who, what and why is kept and told." }
            (form(app, view, &present, typed, wrong))
        }
        div data-live="earlier" { (earlier(view, &all, &counting)) }
    };
    let events = format!("namespace={namespace}&rollout={name}");
    let content = Content::new(title, body).area("rollouts").live(events);
    let status = wrong
        .and_then(|p| StatusCode::from_u16(p.status).ok())
        .unwrap_or(StatusCode::OK);
    Ok((status, view.show(&content)).into_response())
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
    let own = counting
        .iter()
        .find(|o| o.canary_hash == present.canary_hash);
    html! {
        dl.facts {
            dt { "Now" }
            dd { (badge::outcome(present.outcome)) " → " (present.action.as_str()) ", " (text::shown(&present.reason)) }
            dt { "Canary" } dd { code { (present.canary_hash) } " at " (number::plain(present.weight)) " % of traffic" }
            dt { "Latch" }
            dd {
                @match latch {
                    Some(latch) => {
                        "failed " (moment::ago(latch.at, view.now)) ", which stays for this canary and revision until an override to pass or inconclusive: "
                        a href=(view.to(&format!("verdicts/{}", latch.verdict))) { (text::shown(&latch.reason)) }
                    }
                    None => { span.quiet { "no fail stands" } }
                }
            }
            dt { "Override" }
            dd {
                @if let Some(own) = own {
                    (badge::outcome(own.outcome)) " by " (text::shown(&own.author)) ", ends " (moment::ago(own.expires, view.now))
                    ": " (text::shown(&own.reason))
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

fn form(
    app: &App,
    view: &View,
    present: &RolloutState,
    typed: &Typed,
    wrong: Option<&Problem>,
) -> Markup {
    let at = wrong.and_then(|p| p.field.as_deref()).unwrap_or_default();
    let error = |field: &str| wrong.filter(|_| at == field);
    let longest = duration_text(app.limits.max_override.as_millis() as i64);
    let named = ["verdict", "reason", "expires"].contains(&at);
    let choices = [
        (Outcome::Pass, "go on"),
        (Outcome::Fail, "go back to stable"),
        (Outcome::Inconclusive, "stay where it is"),
    ];
    html! {
        form.form method="post" action=(view.to(&format!("rollouts/{}/{}/override", present.namespace, present.name))) novalidate {
            input type="hidden" name="form" value=(view.form);
            input type="hidden" name="canary" value=(present.canary_hash);
            @if let Some(wrong) = wrong.filter(|_| !named) {
                p.note.bad role="alert" { (text::shown(&wrong.detail)) }
            }
            fieldset aria-describedby=[error("verdict").map(|_| "verdict-error")] {
                legend { "Verdict" }
                (told("verdict", error("verdict")))
                div.choices {
                    @for (outcome, meaning) in choices {
                        label {
                            input type="radio" name="verdict" value=(outcome.as_str()) required checked[typed.verdict == outcome.as_str()];
                            (badge::outcome(outcome)) " " (meaning)
                        }
                    }
                }
            }
            div.field {
                label for="reason" { "Reason" }
                p.hint #reason-hint { "For everybody who reads the history, at most " (MAX_WHY) " characters." }
                (told("reason", error("reason")))
                input #reason name="reason" value=(typed.reason) required maxlength=(MAX_WHY) autocomplete="off"
                    aria-describedby=(if at == "reason" { "reason-error reason-hint" } else { "reason-hint" })
                    aria-invalid=[error("reason").map(|_| "true")];
            }
            fieldset aria-describedby=[error("expires").map(|_| "expires-error")] {
                legend { "In force for" }
                (told("expires", error("expires")))
                div.choices {
                    @for preset in PRESETS {
                        label { input type="radio" name="preset" value=(preset) checked[typed.preset == preset]; (preset) }
                    }
                    label { input type="radio" name="preset" value="other" checked[typed.preset == "other"]; "other:" }
                    input #expires name="expires" value=(typed.expires) placeholder="45m" size="22" autocomplete="off"
                        aria-label="Other length of time, or the moment of the end" aria-invalid=[error("expires").map(|_| "true")];
                }
                p.hint { "A length of time such as " code { "45m" } ", or a moment such as " code { "2026-01-02T15:04:05Z" } "; at most " (longest) "." }
            }
            button.primary type="submit" { "Override" }
            " " a href=(view.to(&format!("rollouts/{}/{}", present.namespace, present.name))) { "Cancel" }
        }
    }
}

/// The error beside its field.
fn told(field: &str, error: Option<&Problem>) -> Markup {
    html! {
        @if let Some(error) = error { p.error id={ (field) "-error" } role="alert" { (text::shown(&error.detail)) } }
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
                                td.reason data-label="Reason" { (text::shown(&one.reason)) }
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
