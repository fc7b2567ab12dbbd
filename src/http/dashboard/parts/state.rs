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

/// What may be wrong with an answer: one line each, folded away where there is more than one.
pub fn warnings(all: &[String]) -> Markup {
    html! {
        @match all {
            [] => {}
            [one] => (note("odd", &text::sentence(one))),
            all => details.note.odd.warnings {
                summary { (all.len()) " warnings" }
                ul { @for one in all { li { (text::sentence(one)) } } }
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_warning_is_folded() {
        let shown = |all: &[&str]| {
            let all: Vec<String> = all.iter().map(|one| (*one).to_owned()).collect();
            warnings(&all).into_string()
        };
        assert_eq!(shown(&[]), "");
        let one = "<p class=\"note odd\"><bdi>a &lt; b</bdi></p>";
        assert_eq!(shown(&["a < b"]), one);
        let two = shown(&["a", "b"]);
        assert!(
            two.starts_with("<details class=\"note odd warnings\"><summary>2 warnings</summary>"),
            "{two}"
        );
        assert_eq!(two.matches("<li>").count(), 2);
    }
}
