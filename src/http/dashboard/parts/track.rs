//! The walk of a canary through the weights of its policy: 5 → 25 → 50 → 100.

use super::number;
use crate::domain::{Action, Outcome};
use maud::{Markup, html};

/// Where a canary is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// Weights of the policy's steps, ascending; what was asked about where the policy is not loaded.
    pub weights: Vec<f64>,
    /// The present weight.
    pub weight: f64,
    /// The newest verdict.
    pub outcome: Outcome,
    /// Its advice.
    pub action: Action,
}

/// The track. Each step says in words whether it is done, present or ahead.
pub fn track(walk: &Walk) -> Markup {
    let aborted = walk.action == Action::Abort;
    let state = |weight: f64| {
        if weight < walk.weight {
            ("done", "done")
        } else if weight > walk.weight {
            ("ahead", "ahead")
        } else if aborted {
            ("stopped", "stopped here")
        } else if walk.outcome == Outcome::Pass {
            ("here pass", "here, passed")
        } else if walk.outcome == Outcome::Fail {
            ("stopped", "here, failed")
        } else {
            ("here", "here")
        }
    };
    let mut weights = walk.weights.clone();
    if !weights.contains(&walk.weight) {
        weights.push(walk.weight);
        weights.sort_by(f64::total_cmp);
    }
    html! {
        ol.track aria-label="Steps, percent of traffic" {
            @for weight in weights {
                @let (class, word) = state(weight);
                li class=(class) aria-current=[(weight == walk.weight).then_some("step")] {
                    span.stop { (number::plain(weight)) span.sr { " percent, " (word) } }
                }
            }
        }
    }
}
