//! The matchers that every selector gets: those of `match`, and those that tell the arms apart.

use super::{
    Arms, QueryError, Tracks,
    matcher::{Match, Op, missing},
    selector::matchers,
};
use crate::domain::Track;
use std::collections::BTreeSet;

/// The parsed `tracks` and `match` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub(super) common: Vec<Match>,
    arms: By,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Label {
        name: String,
        both: Vec<Match>,
        canary: Vec<Match>,
        stable: Vec<Match>,
    },
    Matchers {
        canary: Vec<Match>,
        stable: Vec<Match>,
    },
}

impl Scope {
    /// Parses both; a label may be matched by one of them only.
    pub fn parse(tracks: &Tracks, match_text: Option<&str>) -> Result<Self, QueryError> {
        let common = match_text.map(matchers).transpose()?.unwrap_or_default();
        let arms = match tracks {
            Tracks::Label(name) => {
                if !is_label(name) {
                    return Err(QueryError::parse(
                        format!("`{name}` is not a label's name"),
                        0,
                    ));
                }
                let one = |op, value| vec![Match::new(name, op, value)];
                By::Label {
                    name: name.clone(),
                    both: one(Op::Regex, "$canaryHash|$stableHash"),
                    canary: one(Op::Equal, "$canaryHash"),
                    stable: one(Op::Equal, "$stableHash"),
                }
            }
            Tracks::Matchers { canary, stable } => By::Matchers {
                canary: arm("canary", canary)?,
                stable: arm("stable", stable)?,
            },
        };
        let scope = Self { common, arms };
        if let By::Matchers { canary, stable } = &scope.arms
            && canary == stable
        {
            let message = "the matchers of canary and stable are the same";
            return Err(QueryError::parse(message, None));
        }
        for arms in [Arms::Only(Track::Canary), Arms::Only(Track::Stable)] {
            let ours: Vec<&Match> = scope.arms(arms).iter().collect();
            if let Some(common) = scope
                .common
                .iter()
                .find(|c| ours.iter().any(|o| o.name == c.name))
            {
                // never identical in meaning for both arms
                missing(std::slice::from_ref(common), &ours)?;
            }
        }
        Ok(scope)
    }

    /// Names of the variables that its values use.
    pub fn variables(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for matcher in &self.common {
            matcher.variables(&mut names);
        }
        for track in [Track::Canary, Track::Stable] {
            for matcher in self.arms(Arms::Only(track)) {
                matcher.variables(&mut names);
            }
        }
        names
    }

    /// The label that tells the arms apart in one answer.
    pub fn track_label(&self) -> Option<&str> {
        match &self.arms {
            By::Label { name, .. } => Some(name),
            By::Matchers { .. } => None,
        }
    }

    /// The matchers of an arm. Without a track label there are none for both.
    pub(super) fn arms(&self, arms: Arms) -> &[Match] {
        match (&self.arms, arms) {
            (By::Label { both, .. }, Arms::Both) => both,
            (By::Matchers { .. }, Arms::Both) => &[],
            (By::Label { canary, .. } | By::Matchers { canary, .. }, Arms::Only(Track::Canary)) => {
                canary
            }
            (By::Label { stable, .. } | By::Matchers { stable, .. }, Arms::Only(Track::Stable)) => {
                stable
            }
        }
    }
}

fn arm(name: &str, text: &str) -> Result<Vec<Match>, QueryError> {
    let read = matchers(text)?;
    if read.is_empty() {
        return Err(QueryError::parse(
            format!("`tracks.{name}` has no matcher"),
            0,
        ));
    }
    Ok(read)
}

/// A name that needs no quotes and is no metric's.
fn is_label(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let digit = name.bytes().next().is_none_or(|b| b.is_ascii_digit());
    !digit && name.bytes().all(word) && name != "__name__"
}
