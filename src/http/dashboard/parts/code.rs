//! Documents as they were written, with numbers beside their lines.

use super::{
    diff::{self, Line},
    text,
};
use maud::{Markup, html};

/// A document with line numbers.
pub fn document(label: &str, written: &str) -> Markup {
    html! {
        div.panel.scroll.code tabindex="0" role="region" aria-label=(label) {
            pre.lines { code { @for line in written.lines() { span.line { (text::lines(line)) "\n" } } } }
        }
    }
}

/// Text of our own that was rendered for a terminal.
pub fn plain(label: &str, written: &str) -> Markup {
    html! {
        div.panel.scroll.code tabindex="0" role="region" aria-label=(label) { pre { code { (text::lines(written)) } } }
    }
}

/// What changed from one document to another.
pub fn difference(label: &str, former: &str, latter: &str) -> Markup {
    let Some(lines) = diff::lines(former, latter) else {
        return html! { p.quiet { "The documents are too long to be compared line by line." } };
    };
    let changed = lines
        .iter()
        .filter(|line| !matches!(line, Line::Same(_)))
        .count();
    html! {
        @if changed == 0 { p.quiet { "The two documents have the same lines." } }
        div.panel.scroll.code tabindex="0" role="region" aria-label=(label) {
            pre.difference { code {
                @for line in lines {
                    @match line {
                        Line::Same(line) => span.same { "  " (text::lines(line)) "\n" },
                        Line::Gone(line) => del { "− " (text::lines(line)) "\n" },
                        Line::New(line) => ins { "+ " (text::lines(line)) "\n" },
                    }
                }
            } }
        }
    }
}
