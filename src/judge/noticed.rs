//! What a person should know of the comparisons beside their findings.

use super::{
    evaluate::{Case, last_moment},
    explain::{clean, digits, noun},
    frozen::Frozen,
};
use crate::domain::Millis;
use std::collections::BTreeMap;

/// A boundary that is not widened by more than this factor is not worth a word.
const SLIGHT: f64 = 1.1;

/// A FAIL boundary that pods which differ among themselves have moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// Standard deviation of the log rate between stable pods.
    pub spread: f64,
    /// Pods of the canary.
    pub pods: usize,
    /// The boundary as the policy's margin says.
    pub plain: f64,
    /// The boundary that is used.
    pub used: f64,
}

impl Blur {
    fn words(self, name: &str) -> Option<String> {
        let Self {
            spread,
            pods,
            plain,
            used,
        } = self;
        ((used / plain).max(plain / used) > SLIGHT).then(|| {
            let side = if used > plain { "below" } else { "above" };
            clean(&format!(
                "{name}: stable pods differ by {} %: with {} no ratio {side} {} can be shown as harm, the margin is {}",
                digits(100.0 * spread.exp_m1()),
                if pods == 1 {
                    "1 canary pod".to_owned()
                } else {
                    format!("{pods} canary pods")
                },
                digits(used),
                digits(plain)
            ))
        })
    }
}

/// Objectives whose stable pods differ so much that the margin cannot be resolved.
pub fn blurred<'a>(case: &'a Case<'_>) -> impl Iterator<Item = String> + 'a {
    let pairs = case.policy.objectives.iter().zip(&case.observed);
    pairs.filter_map(|(objective, seen)| seen.state.blur()?.words(&objective.name))
}

/// Which objectives compare nothing new, or next to nothing, and since when.
pub fn stands_still(case: &Case, still: &[Option<Frozen>]) -> Vec<String> {
    let mut since: BTreeMap<(Millis, String), Vec<&str>> = BTreeMap::new();
    for (objective, still) in case.policy.objectives.iter().zip(still) {
        if let Some(still) = still {
            let at = last_moment(case, still);
            let mut words = still.words(at, noun(objective));
            if still.left.is_none() {
                words += ", the evidence is frozen";
            }
            since.entry((at, words)).or_default().push(&objective.name);
        }
    }
    let told = |((_, words), names): ((Millis, String), Vec<&str>)| {
        clean(&format!("{}: {words}", names.join(", ")))
    };
    since.into_iter().map(told).collect()
}
