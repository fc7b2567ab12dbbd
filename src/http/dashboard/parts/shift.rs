//! Where the totals of both arms say something else than the comparison.

use super::{figure, number, text};
use crate::domain::Finding;
use maud::{Markup, html};

/// One line for each objective of which that is so.
pub fn notes(findings: &[Finding]) -> Markup {
    html! {
        @for finding in findings {
            @if let (Some(totals), Some(estimate)) = (figure::ratio_of_totals(finding), finding.effect.estimate) {
                p.quiet {
                    (text::shown(&finding.name)) ": totals give " (number::plain(totals)) "\u{202f}×; weighed block by block, as traffic shifted between the arms, it is "
                    (number::plain(estimate)) "\u{202f}×"
                    @if let Some(of) = figure::of(figure::scale(finding)) { ", " (of) }
                    "."
                }
            }
        }
    }
}
