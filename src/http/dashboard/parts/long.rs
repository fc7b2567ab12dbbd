//! Long words of others: the beginning, and the rest folded away.

use super::text;
use maud::{Markup, html};

/// So many characters are shown at once.
const SHOWN: usize = 200;
/// A rest that is shorter than this is not worth a click.
const REST: usize = 40;

/// A sentence that may be a whole page; only ever text.
pub fn long(words: &str) -> Markup {
    let cut = words.char_indices().nth(SHOWN).map(|(place, _)| place);
    let Some((first, rest)) = cut.and_then(|place| words.split_at_checked(place)) else {
        return text::sentence(words);
    };
    let left = rest.chars().count();
    if left < REST {
        return text::sentence(words);
    }
    html! {
        (text::sentence(first)) "…"
        details.long {
            summary { "the other " (left) " characters" }
            div { (text::shown(rest)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_is_shown_at_once() {
        let of = |words: &str| long(words).into_string();
        assert_eq!(of("answered 500"), "<bdi>answered 500</bdi>");
        assert!(!of(&"é".repeat(SHOWN + REST - 1)).contains("details"));
        let page = format!("answered 500: {}", "<b>é".repeat(1000));
        let shown = of(&page);
        let (first, rest) = shown.split_once("…<details class=\"long\">").unwrap();
        assert_eq!(first.matches('é').count(), 46);
        assert!(
            rest.contains("<summary>the other 3814 characters</summary>"),
            "{rest}"
        );
        assert_eq!(rest.matches('é').count(), 954);
        assert!(!shown.contains("<b>"));
    }
}
