//! A page or a region with nothing to show, and why.

use super::{super::view::Place, text};
use crate::http::problem::Problem;
use maud::{Markup, html};

/// Nothing there, and what brings something.
pub fn empty(title: &str, help: &Markup) -> Markup {
    html! { div.empty { p.empty-title { (title) } p { (help) } } }
}

/// Something a person must know about what is shown; `kind` is `good`, `bad` or `odd`.
pub fn note(kind: &'static str, body: &Markup) -> Markup {
    html! { p class={ "note " (kind) } { (body) } }
}

/// The title of the page of a problem.
pub fn problem_title(problem: &Problem) -> &'static str {
    match problem.status {
        401 => "Sign in first",
        403 => "Not allowed",
        404 | 410 => "Not found",
        429 => "Too much at once",
        503 => "The store does not answer",
        500..=599 => "A defect",
        _ => "Not understood",
    }
}

/// The page of a problem.
pub fn problem(place: &Place, problem: &Problem, reads: bool) -> Markup {
    html! {
        h1 { (problem_title(problem)) }
        p { (text::sentence(&problem.detail)) }
        p.quiet { "HTTP " (problem.status) ", " code { (problem.code) } }
        @if reads && (problem.status == 503 || problem.status == 429) {
            p { "This page tries again every 5 seconds." }
        }
        @if reads { p { a href=(place.itself()) { "Try again" } " or go to " a href=(place.to("rollouts")) { "all rollouts" } "." } }
        @else { p { "Nothing was changed. Go back and send the form again, or go to " a href=(place.to("rollouts")) { "all rollouts" } "." } }
    }
}
