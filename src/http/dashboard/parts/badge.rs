//! A verdict as shape, word and colour: each of the three says it alone.

use crate::domain::{Outcome, Severity};
use maud::{Markup, html};

/// The badge of an outcome. The shapes are drawn, so that no font is needed.
pub fn outcome(outcome: Outcome) -> Markup {
    let word = outcome.as_str();
    html! { span class={ "badge " (word) } { (shape(outcome)) (word) } }
}

/// The shape alone, for tight places; the word goes beside it or into a title.
pub fn shape(outcome: Outcome) -> Markup {
    html! {
        svg.shape viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" {
            @match outcome {
                Outcome::Pass => { circle cx="6" cy="6" r="5" {} path d="M3.4 6.2 5.3 8.1 8.7 4.3" {} }
                Outcome::Fail => { path.solid d="M6 .6 11.6 11H.4Z" {} path d="M6 4.4V7.4M6 8.6V9.6" {} }
                Outcome::Inconclusive => { rect x="1.2" y="1.2" width="9.6" height="9.6" rx="1.5" {} path d="M3.8 6H8.2" {} }
            }
        }
    }
}

/// The badge of a severity.
pub fn severity(severity: Severity) -> Markup {
    html! { span class={ "badge severity-" (severity.as_str()) } { (severity.as_str()) } }
}

/// Any other word in a frame; `kind` is one of `good`, `bad`, `odd`, `quiet`.
pub fn word(kind: &'static str, word: &str) -> Markup {
    html! { span class={ "badge " (kind) } { (word) } }
}
