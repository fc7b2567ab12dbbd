//! The numbers of each objective.

use super::super::super::parts::{badge, figure, number, text};
use crate::{
    domain::{Finding, FixedHorizon, Outcome, Verdict},
    policy::Policy,
    service::walk,
};
use maud::{Markup, html};

/// Everything about the objectives.
pub fn numbers(verdict: &Verdict, policy: Option<&Policy>) -> Markup {
    let pass_at = policy.map(walk::pass_at);
    html! {
        section aria-labelledby="numbers" {
            h2 #numbers { "Objectives" }
            @if verdict.findings.is_empty() { p.quiet { "This verdict has no objectives." } }
            @else {
                (values(verdict))
                (evidence(verdict, pass_at))
                (horizons(verdict))
            }
        }
    }
}

fn values(verdict: &Verdict) -> Markup {
    html! {
        div.panel.scroll role="region" aria-label="Values of both arms" tabindex="0" {
            table.cards {
                caption { "Values since the canary's start" }
                thead { tr {
                    th scope="col" { "Objective" } th scope="col" { "Outcome" }
                    th.number scope="col" { "Canary" } th.number scope="col" { "Stable" }
                    th.number scope="col" { "Canary against stable" }
                    th.number scope="col" { "Margin" } th.number scope="col" { "Limit" }
                } }
                tbody { @for finding in &verdict.findings { (value_row(finding)) } }
            }
        }
    }
}

fn value_row(finding: &Finding) -> Markup {
    let unit = finding.unit.as_str();
    let scale = figure::scale(finding);
    let effect = finding.effect.estimate.filter(|v| v.is_finite());
    let on_scale = |v: Option<f64>| {
        v.filter(|v| v.is_finite())
            .map_or_else(|| "–".to_owned(), |v| figure::on_scale(v, scale, unit))
    };
    let arm = |arm: &crate::domain::ArmSummary| {
        html! {
            div {
                div { (figure::value(arm.value, unit)) }
                @if let Some(made) = figure::made_of(arm, &finding.kind) { div.quiet { (made) } }
                @if let Some(series) = arm.series { div.quiet { (series) " series" } }
            }
        }
    };
    html! {
        tr {
            th scope="row" {
                (text::shown(&finding.name))
                div.quiet { (text::shown(&finding.kind)) @if finding.watch { ", watched only" } @else if !finding.critical { ", not critical" } }
            }
            td data-label="Outcome" { div { (badge::outcome(finding.outcome)) div.quiet { (finding.code.as_str()) } } }
            td.number data-label="Canary" { (arm(&finding.canary)) }
            td.number data-label="Stable" { (arm(&finding.stable)) }
            td.number data-label="Against stable" {
                div {
                    div { (on_scale(effect)) }
                    @if effect.is_some() {
                        @if let Some(range) = figure::interval(&finding.effect, scale, unit) { div.quiet { (range) } }
                        @if let Some(of) = figure::of(scale) { div.quiet { (of) } }
                    }
                }
            }
            td.number data-label="Margin" { (on_scale(finding.margin)) }
            td.number data-label="Limit" { (figure::value(finding.limit, unit)) }
        }
        tr.why { td colspan="7" { (text::sentence(&finding.reason)) } }
    }
}

fn evidence(verdict: &Verdict, pass_at: Option<f64>) -> Markup {
    html! {
        div.panel.scroll role="region" aria-label="Table of the evidence" tabindex="0" {
            table.cards {
                caption { "Evidence: natural logarithms of e-values, with the boundary at which each decides" }
                thead { tr {
                    th scope="col" { "Objective" }
                    th.number scope="col" { "Harm (largest)" } th.number scope="col" { "Fails at" }
                    th.number scope="col" { "No harm (now)" } th.number scope="col" { "Passes at" }
                    th.number scope="col" { "Dispersion" } th.number scope="col" { "Blocks" }
                    th scope="col" { "Still needed" }
                } }
                tbody { @for finding in &verdict.findings { (evidence_row(finding, pass_at)) } }
            }
        }
    }
}

fn evidence_row(finding: &Finding, pass_at: Option<f64>) -> Markup {
    let e = &finding.evidence;
    let p = |p: f64| html! { @if p.is_finite() { div.quiet { "p " (number::p_value(p)) } } };
    let pass_at = pass_at.map_or_else(|| "not kept".to_owned(), number::plain);
    html! {
        tr {
            th scope="row" { (text::shown(&finding.name)) div.quiet { (text::shown(&e.method)) } }
            td.number data-label="Harm" { div { (number::plain(e.log_e_fail)) (p(e.p_fail)) } }
            td.number data-label="Fails at" {
                div { (number::plain(walk::fail_at(e.alpha))) div.quiet { "alpha " (number::plain(e.alpha)) } }
            }
            td.number data-label="No harm" { div { (number::plain(e.log_e_pass)) (p(e.p_pass)) } }
            td.number data-label="Passes at" { (pass_at) }
            td.number data-label="Dispersion" {
                div {
                    (e.dispersion.map_or_else(|| "–".to_owned(), number::plain))
                    @if let Some(spread) = e.pod_spread { div.quiet { "between pods " (number::percent(spread)) } }
                }
            }
            td.number data-label="Blocks" { (e.blocks) }
            td data-label="Still needed" { (walk::missing(finding).unwrap_or_else(|| match finding.outcome { Outcome::Inconclusive => "not known: see the reason".to_owned(), _ => "nothing".to_owned() })) }
        }
    }
}

fn horizons(verdict: &Verdict) -> Markup {
    let reports: Vec<(&Finding, &FixedHorizon)> = verdict
        .findings
        .iter()
        .filter_map(|f| Some((f, f.fixed_horizon.as_ref()?)))
        .collect();
    html! {
        @if !reports.is_empty() {
            h3 { "Classical report at the end of the step" }
            p.quiet { "Made once, on the data of the whole step. Its p values hold for one look and decided nothing." }
            div.panel.scroll role="region" aria-label="Classical report" tabindex="0" {
                table.cards {
                    caption { "Fixed-horizon tests" }
                    thead { tr {
                        th scope="col" { "Objective" } th scope="col" { "Test" } th.number scope="col" { "p" }
                        th.number scope="col" { "95 % interval" } th scope="col" { "of" }
                    } }
                    tbody {
                        @for (finding, report) in reports {
                            tr {
                                th scope="row" { (text::shown(&finding.name)) }
                                td data-label="Test" { (text::shown(&report.method)) }
                                td.number data-label="p" { (report.p_value.map_or_else(|| "–".to_owned(), number::p_value)) }
                                td.number data-label="95 % interval" { (range(report)) }
                                td data-label="of" { (text::shown(&report.interval_of)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn range(report: &FixedHorizon) -> String {
    let end = |v: Option<f64>| v.filter(|v| v.is_finite()).map(number::plain);
    match (end(report.lower), end(report.upper)) {
        (Some(lower), Some(upper)) => format!("{lower} to {upper}"),
        (Some(lower), None) => format!("at least {lower}"),
        (None, Some(upper)) => format!("at most {upper}"),
        (None, None) => "–".to_owned(),
    }
}
