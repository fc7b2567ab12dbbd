//! One policy: rules, text, revisions, who uses it, and what it would have said.

use super::{
    super::{
        layout::Content,
        parts::{badge, code, moment, number, state, text},
        shell::PageProblem,
        view::View,
    },
    policies::{problems, refused, steps},
};
use crate::{
    domain::{Filter, Revision, RolloutState},
    http::{
        history::params::{Params, invalid},
        loose::cut,
        policy_answer::PolicyAnswer,
        problem::Problem,
        state::App,
    },
    policy::{Margin, Policy},
    service::hindsight::{self, Hindsight},
};
use axum::{
    extract::{Path, State},
    http::Uri,
    response::Html,
};
use maud::{Markup, html};
use std::sync::Arc;

/// Revisions that are listed.
const REVISIONS: u32 = 20;
/// Rollouts that are listed.
const ROLLOUTS: u32 = 50;
/// How many rollouts may be looked back at.
const COUNTS: [u32; 4] = [5, 10, 25, 50];

/// `GET /policies/{name}`
pub async fn page(
    view: View,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Html<String>, PageProblem> {
    let params = Params::read(&uri, &["revision", "hindsight"])?;
    let loaded = app.catalog.get(&name);
    let revisions = app
        .store
        .revisions(&name, REVISIONS)
        .await
        .map_err(Problem::store)?;
    let filter = Filter {
        policy: Some(name.clone()),
        visible: view.caller.visible().map(<[String]>::to_vec),
        ..Filter::default()
    };
    let users = app
        .store
        .rollouts(&filter, None, ROLLOUTS)
        .await
        .map_err(Problem::store)?;
    if loaded.is_none() && revisions.is_empty() && users.is_empty() {
        let text = format!(
            "no policy `{}` is loaded, and none of this name has judged",
            cut(&name)
        );
        return Err(Problem::new("unknown-policy", text).into());
    }
    let chosen = match params.text("revision")? {
        Some(revision) => app
            .store
            .policy(&revision)
            .await
            .map_err(Problem::store)?
            .filter(|r| r.name == name),
        None => None,
    };
    let count = count(&params)?;
    let seen = match (count, &loaded) {
        (Some(count), Some(policy)) => Some(look_back(&app, &view, policy, count).await?),
        _ => None,
    };
    let problems = problems(&app, &view);
    let body = html! {
        p { a href=(view.to("policies")) { "← Policies" } }
        h1 { (text::shown(&name)) }
        @for problem in problems.iter().filter(|p| p.kept.contains(&name)) { (refused(problem)) }
        @match &loaded {
            Some(policy) => { (rules(&view, policy)) }
            None => { p.note.bad { "No policy of this name is loaded any more. Rollouts that ask for it get no verdict." } }
        }
        @if loaded.is_some() { (backwards(&view, &name, count, seen.as_deref())) }
        h2 #rollouts { "Rollouts that use it" }
        div data-live="users" { (used(&view, &name, &users)) }
        h2 #revisions { "Revisions that have judged" }
        div data-live="revisions" { (history(&view, &name, loaded.as_deref(), &revisions)) }
        @if let Some(chosen) = &chosen { (compared(chosen, loaded.as_deref())) }
        @if let Some(policy) = &loaded {
            h2 #text { "Text" }
            (code::document("The policy as written", &policy.text))
        }
    };
    let content = Content::new(format!("Policy {name}"), body).area("policies");
    // a look back is made when it is asked for, not with every event
    let content = if count.is_some() {
        content
    } else {
        content.live("")
    };
    Ok(view.show(&content))
}

fn count(params: &Params) -> Result<Option<u32>, Problem> {
    let Some(text) = params.text("hindsight")? else {
        return Ok(None);
    };
    let number = text
        .parse()
        .ok()
        .filter(|n| (1..=hindsight::MOST).contains(n));
    number.map(Some).ok_or_else(|| {
        let text = format!(
            "`hindsight`: `{}` is out of range; give 1 to {}",
            cut(&text),
            hindsight::MOST
        );
        invalid(text)
    })
}

async fn look_back(
    app: &App,
    view: &View,
    policy: &Arc<Policy>,
    count: u32,
) -> Result<Vec<Hindsight>, Problem> {
    let Ok(_turn) = app.hindsight.try_acquire() else {
        let text = "another look back is being made; this page tries again";
        return Err(Problem::new("too-many-requests", text));
    };
    let visible = view.caller.visible().map(<[String]>::to_vec);
    let found = hindsight::look_back(&*app.store, Arc::clone(policy), visible, count).await;
    found.map_err(Problem::store)
}

fn rules(view: &View, policy: &Policy) -> Markup {
    let answer = PolicyAnswer::from(policy);
    let margin = |m: &Margin, unit: &str| {
        let parts = [
            (m.relative > 0.0).then(|| format!("{} of stable", number::percent(m.relative))),
            (m.absolute > 0.0).then(|| match unit {
                "ratio" => format!(
                    "{}\u{202f}percentage points",
                    number::plain(m.absolute * 100.0)
                ),
                unit => number::with_unit(m.absolute, unit),
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            "0".to_owned()
        } else {
            parts.join(" plus ")
        }
    };
    html! {
        dl.facts {
            dt { "Revision" } dd { code { (policy.revision) } }
            dt { "Steps" } dd { (steps(policy)) " % of traffic" }
            dt { "Source" } dd { a href=(view.to("sources")) { (policy.source) } }
            dt { "Error rates" }
            dd { "a harmless canary is aborted with a chance of at most " (number::percent(policy.false_abort_rate))
                "; harm beyond the pass margin passes with at most " (number::percent(policy.false_pass_rate)) }
            dt { "Horizon" } dd { (moment::span(policy.horizon)) ", look back " (moment::span(policy.look_back)) }
        }
        div.panel.scroll {
            table.cards {
                caption { "Objectives" }
                thead { tr {
                    th scope="col" { "Objective" } th scope="col" { "Kind" } th scope="col" { "Harm is" } th scope="col" { "Fails when worse by" }
                    th scope="col" { "Passes when not worse by" } th.number scope="col" { "Limit" } th.number scope="col" { "Share of alpha" } th scope="col" { "Weighs" }
                } }
                tbody {
                    @for (objective, rules) in policy.objectives.iter().zip(&answer.objectives) {
                        @let unit = objective.unit.as_str();
                        tr {
                            th scope="row" { (objective.name) }
                            td data-label="Kind" { (rules.summary.kind) }
                            td data-label="Harm is" { (rules.harm) }
                            td data-label="Fails when worse by" { (margin(&objective.margin, unit)) }
                            td data-label="Passes when not worse by" { (margin(&objective.pass_margin, unit)) }
                            td.number data-label="Limit" { @match objective.limit { Some(limit) => (number::with_unit(limit, unit)), None => "–" } }
                            td.number data-label="Share of alpha" { @if objective.watch { "–" } @else { (number::percent(objective.weight)) } }
                            td data-label="Weighs" { @if objective.watch { "only reported" } @else if objective.critical { "aborts" } @else { "holds" } }
                        }
                    }
                }
            }
        }
    }
}

/// What this policy says of the present canary of each, with the moment of its newest question where it was asked of late.
fn used(view: &View, name: &str, users: &[RolloutState]) -> Markup {
    let own = |user: &RolloutState| user.outcomes.get(name).map_or(user.outcome, |(o, _)| *o);
    html! {
        @if users.is_empty() {
            (state::empty("None", &html! { "This policy judges no present canary." }))
        } @else {
            ul.plain {
                @for user in users {
                    li {
                        (badge::outcome(own(user))) " "
                        a href=(view.to(&format!("rollouts/{}/{}", user.namespace, user.name))) {
                            (text::shown(&format!("{}/{}", user.namespace, user.name)))
                        }
                        " " span.quiet { @match user.answer_of(name) { Some(one) => (moment::ago(one.at, view.now)), None => "not asked of late" } }
                    }
                }
            }
            @if users.len() == ROLLOUTS as usize { p.quiet { "The first " (ROLLOUTS) " by name." } }
        }
    }
}

fn history(view: &View, name: &str, loaded: Option<&Policy>, revisions: &[Revision]) -> Markup {
    html! {
        @if revisions.is_empty() {
            (state::empty("None yet", &html! { "A revision is kept with the first verdict that it gives." }))
        } @else {
            div.panel.scroll {
                table.cards {
                    caption.sr { "Revisions that have judged, newest first" }
                    thead { tr { th scope="col" { "Revision" } th scope="col" { "First verdict" } th scope="col" { "Compare" } } }
                    tbody {
                        @for one in revisions {
                            @let present = loaded.is_some_and(|p| p.revision == one.revision);
                            tr {
                                th scope="row" { code { (one.revision) } @if present { " " (badge::word("good", "in force")) } }
                                td data-label="First verdict" { (moment::at(one.first)) }
                                td data-label="Compare" {
                                    @if present { span.quiet { "–" } }
                                    @else {
                                        a href={ (view.to(&format!("policies/{name}?revision={}", one.revision))) "#compared" }
                                            aria-label=(format!("with the one in force: {}", one.revision)) { "with the one in force" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn compared(chosen: &Revision, loaded: Option<&Policy>) -> Markup {
    html! {
        @match loaded {
            Some(policy) => {
                h2 #compared { "From " code { (chosen.revision) } " to " code { (policy.revision) } }
                (code::difference("What changed", &chosen.text, &policy.text))
            }
            None => {
                h2 #compared { "Text of " code { (chosen.revision) } }
                (code::document("The policy as it was", &chosen.text))
            }
        }
    }
}

fn backwards(view: &View, name: &str, count: Option<u32>, seen: Option<&[Hindsight]>) -> Markup {
    html! {
        h2 #hindsight { "What it would have said" }
        form.filters method="get" action={ (view.to(&format!("policies/{name}"))) "#hindsight" } {
            div.field {
                label for="count" { "Newest verdicts of the last" }
                select #count name="hindsight" {
                    @for one in COUNTS { option value=(one) selected[one == count.unwrap_or(10)] { (one) " rollouts" } }
                }
            }
            button type="submit" { "Judge them by this revision" }
        }
        @match seen {
            None => { p.quiet { "The kept evidence of each is judged again by the present text. Nothing is read from a metric source, nothing is written." } }
            Some([]) => { (state::empty("Nothing to look back at", &html! { "No verdict of this policy about a present canary is kept." })) }
            Some(seen) => { (hindsights(view, seen)) }
        }
    }
}

fn hindsights(view: &View, seen: &[Hindsight]) -> Markup {
    let differ = seen.iter().filter(|one| one.differs()).count();
    let lack = seen.iter().filter(|one| one.lacks()).count();
    html! {
        p { (seen.len()) " looked at: " (differ) " would be answered otherwise, of " (lack) " too little fits to know." }
        div.panel.scroll {
            table.cards {
                caption.sr { "What the present revision says of the last rollouts" }
                thead { tr {
                    th scope="col" { "Rollout" } th scope="col" { "Asked" } th scope="col" { "Said" } th scope="col" { "Would say" } th scope="col" { "Why" }
                } }
                tbody { @for one in seen { (hindsight_line(view, one)) } }
            }
        }
    }
}

fn hindsight_line(view: &View, one: &Hindsight) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(view.to(&format!("verdicts/{}", one.verdict))) { (text::shown(&format!("{}/{}", one.rollout.namespace, one.rollout.name))) }
                " " code.quiet { (one.rollout.canary_hash) }
            }
            td.nowrap data-label="Asked" { (moment::ago(one.at, view.now)) }
            td data-label="Said" { span {
                    (badge::outcome(one.said))
                    @if one.forced && one.differs() {
                        " " span.quiet { "by an earlier fail or an override" }
                    }
                } }
            @match &one.says {
                Ok(says) => {
                    td data-label="Would say" {
                        span { (badge::outcome(says.outcome)) " "
                            @if one.differs() { strong { "differs" } }
                            @else if one.lacks() { span.quiet { "for lack of evidence" } }
                            @else { span.quiet { "same" } } }
                    }
                    td.reason data-label="Why" {
                        span {
                            (text::sentence(&says.reason))
                            @for unfit in &says.unfit { br; span.quiet { "without evidence: " (text::sentence(unfit)) } }
                        }
                    }
                }
                Err(why) => {
                    td data-label="Would say" { span.quiet { "nothing" } }
                    td.reason data-label="Why" { (text::sentence(why)) }
                }
            }
        }
    }
}
