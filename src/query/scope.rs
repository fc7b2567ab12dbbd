//! What every selector of a policy carries: its `match` and the matchers of the tracks.

use super::{
    QueryError, Tracks,
    condition::{Condition, Op, quote_regex},
    tree::Tree,
};
use crate::domain::{RolloutRef, Track};

/// Variables that every question binds.
pub const RESERVED: [&str; 4] = ["namespace", "rollout", "canaryHash", "stableHash"];

/// The parsed `match` and tracks of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    matches: Vec<Condition>,
    arms: ArmConditions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ArmConditions {
    Label(String),
    Explicit {
        canary: Vec<Condition>,
        stable: Vec<Condition>,
    },
}

impl Scope {
    /// Parses the matchers of a policy.
    pub fn parse(tracks: &Tracks, match_text: Option<&str>) -> Result<Self, QueryError> {
        let arms = match tracks {
            Tracks::Label(label) => ArmConditions::Label(label.clone()),
            Tracks::Matchers { canary, stable } => ArmConditions::Explicit {
                canary: braces(canary)?,
                stable: braces(stable)?,
            },
        };
        Ok(Self {
            matches: match_text.map_or(Ok(Vec::new()), braces)?,
            arms,
        })
    }

    /// Names of all variables used.
    pub fn variables(&self) -> Vec<String> {
        let explicit: Vec<&Condition> = match &self.arms {
            ArmConditions::Label(_) => Vec::new(),
            ArmConditions::Explicit { canary, stable } => canary.iter().chain(stable).collect(),
        };
        let texts = self
            .matches
            .iter()
            .chain(explicit)
            .map(|c| c.value.as_str());
        texts
            .flat_map(super::scan::variables)
            .map(|(_, _, name)| name.to_owned())
            .collect()
    }

    /// The label whose value is the pod-template hash, where there is one.
    pub fn track_label(&self) -> Option<&str> {
        match &self.arms {
            ArmConditions::Label(label) => Some(label),
            ArmConditions::Explicit { .. } => None,
        }
    }

    /// Conditions of `match`.
    pub fn matches(&self) -> &[Condition] {
        &self.matches
    }

    /// Conditions of one arm.
    pub fn arm(&self, track: Track, rollout: &RolloutRef) -> Vec<Condition> {
        match (&self.arms, track) {
            (ArmConditions::Label(label), _) => {
                let hash = if track == Track::Canary {
                    &rollout.canary_hash
                } else {
                    &rollout.stable_hash
                };
                vec![Condition {
                    label: label.clone(),
                    op: Op::Equal,
                    value: hash.clone(),
                }]
            }
            (ArmConditions::Explicit { canary, .. }, Track::Canary) => canary.clone(),
            (ArmConditions::Explicit { stable, .. }, Track::Stable) => stable.clone(),
        }
    }

    /// One condition for both arms, where a label tells them apart.
    pub fn both(&self, rollout: &RolloutRef) -> Option<Condition> {
        let label = self.track_label()?.to_owned();
        let value = format!(
            "{}|{}",
            quote_regex(&rollout.canary_hash),
            quote_regex(&rollout.stable_hash)
        );
        Some(Condition {
            label,
            op: Op::Regex,
            value,
        })
    }

    /// Labels that ours are about, with where they come from.
    pub fn labels(&self) -> Vec<(&str, &'static str)> {
        let tracks: Vec<&str> = match &self.arms {
            ArmConditions::Label(label) => vec![label],
            ArmConditions::Explicit { canary, stable } => canary
                .iter()
                .chain(stable)
                .map(|c| c.label.as_str())
                .collect(),
        };
        let matches = self.matches.iter().map(|c| (c.label.as_str(), "match"));
        matches
            .chain(tracks.into_iter().map(|label| (label, "tracks")))
            .collect()
    }
}

/// `{a="b", c=~"d"}` as conditions: one group, no metric name.
fn braces(text: &str) -> Result<Vec<Condition>, QueryError> {
    let wrong = |message: &str| QueryError::Shape {
        message: message.to_owned(),
        offset: None,
    };
    // a selector of empty-matching conditions alone is no PromQL, so a name is lent while parsing
    let trimmed = text.trim();
    if !trimmed.starts_with('{') || !trimmed.ends_with('}') {
        return Err(wrong(
            "matchers are written in braces: `{namespace=\"$namespace\"}`",
        ));
    }
    let tree = Tree::parse(&format!("lent{trimmed}"))?;
    let selector = tree
        .selector()
        .ok_or_else(|| wrong("only matchers in braces can stand here"))?;
    if !selector.matchers.or_matchers.is_empty() {
        return Err(wrong("`or` cannot stand between the matchers here"));
    }
    Ok(selector
        .matchers
        .matchers
        .iter()
        .map(Condition::of)
        .collect())
}
