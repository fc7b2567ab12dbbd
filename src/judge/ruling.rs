//! What stands above the evidence: a fail that stays, and a person's override.

use super::{
    advice::{Advice, follow},
    explain,
};
use crate::{
    domain::{Latch, Millis, Outcome, Override, time::rfc3339},
    policy::Policy,
};

/// What is in force beside the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Force<'a> {
    /// A fail of this canary under this revision.
    pub latch: Option<&'a Latch>,
    /// The newest override of this canary.
    pub ruling: Option<&'a Override>,
}

/// Advice and sentence after override and latch, and what a person should know of them. An override outranks a latch.
pub fn apply(
    policy: &Policy,
    (at, weight): (Millis, f64),
    force: Force<'_>,
    judged: (Advice, String),
) -> ((Advice, String), Option<String>) {
    let (advice, reason) = judged;
    if let Some(ruling) = force.ruling.filter(|ruling| ruling.in_force(at)) {
        let said = format!(
            "{} by override of {} until {}: {}",
            ruling.outcome.as_str(),
            ruling.author,
            rfc3339(ruling.expires),
            ruling.reason
        );
        let warning = format!(
            "{said}; without it the verdict would be {}: {reason}",
            advice.outcome.as_str()
        );
        let ruled = follow(policy, weight, ruling.outcome);
        return ((ruled, explain::clean(&said)), Some(warning));
    }
    let latched = force.latch.filter(|latch| latch.at <= at);
    if let Some(latch) = latched.filter(|_| advice.outcome != Outcome::Fail) {
        let said = format!("failed at {}: {}", rfc3339(latch.at), latch.reason);
        let warning = format!(
            "verdict {} failed this canary and stays until a person overrides it; the evidence of now would be {}: {reason}",
            latch.verdict,
            advice.outcome.as_str()
        );
        let ruled = follow(policy, weight, Outcome::Fail);
        return ((ruled, explain::clean(&said)), Some(warning));
    }
    ((advice, reason), None)
}
