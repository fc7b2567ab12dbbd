//! Colours. The streams of `anstream` take them out where nobody can see them, and under `NO_COLOR`.

use crate::domain::Outcome;
use owo_colors::OwoColorize;

/// Something good.
pub fn good(text: &str) -> String {
    text.green().bold().to_string()
}

/// Something bad.
pub fn bad(text: &str) -> String {
    text.red().bold().to_string()
}

/// Something to look at.
pub fn odd(text: &str) -> String {
    text.yellow().bold().to_string()
}

/// Something beside the point.
pub fn dim(text: &str) -> String {
    text.dimmed().to_string()
}

/// A text in the colour of an outcome.
pub fn outcome(outcome: Outcome, text: &str) -> String {
    match outcome {
        Outcome::Pass => good(text),
        Outcome::Fail => bad(text),
        Outcome::Inconclusive => odd(text),
    }
}
