//! What keeps `onTimeout` from deciding: only what is undecided and has data may be decided by the clock.

use crate::{
    domain::{Code, Finding, Outcome},
    policy::OnTimeout,
};

/// Why the step's `onTimeout` decides nothing, though the time is up.
#[derive(Debug, Clone, Copy)]
pub enum Bar<'a> {
    /// The source failed in this look: neither a pass nor a fail may come of it.
    Source,
    /// An undecided objective has nothing to decide on.
    Lacking(&'a Finding),
    /// An objective with `critical: false` has failed: that holds, and is not passed over.
    Holding(&'a Finding),
    /// Every critical objective passes: the others never abort.
    Uncritical,
}

/// What bars this `onTimeout` over these findings, `blind` where the source failed.
pub fn bar(on_timeout: OnTimeout, findings: &[Finding], blind: bool) -> Option<Bar<'_>> {
    if blind {
        return Some(Bar::Source);
    }
    let judged = || findings.iter().filter(|f| !f.watch);
    if on_timeout == OnTimeout::Abort {
        // only what could abort by itself is asked
        let open = || judged().filter(|f| f.critical && f.outcome == Outcome::Inconclusive);
        return match open().find(|f| lacks_data(f)) {
            Some(finding) => Some(Bar::Lacking(finding)),
            None => open().next().is_none().then_some(Bar::Uncritical),
        };
    }
    let fails = judged().find(|f| f.outcome == Outcome::Fail);
    let lacks = || judged().find(|f| lacks_data(f));
    fails
        .map(Bar::Holding)
        .or_else(|| lacks().map(Bar::Lacking))
}

impl Bar<'_> {
    /// The beginning of the verdict's sentence and the objective it goes on with, where that is not the usual one.
    pub fn words(&self) -> Option<(&'static str, Option<&Finding>)> {
        match self {
            Self::Source => None,
            Self::Lacking(finding) => Some((
                "the step's time is up, but there is nothing to decide on",
                Some(finding),
            )),
            Self::Holding(finding) => Some((
                "the step's time is up, but a fail with critical: false holds",
                Some(finding),
            )),
            Self::Uncritical => Some((
                "the step's time is up, but critical: false never aborts",
                None,
            )),
        }
    }
}

/// An undecided objective without anything to decide on.
fn lacks_data(finding: &Finding) -> bool {
    let empty = match finding.code {
        Code::NoCanaryData
        | Code::NoStableData
        | Code::CanaryVanished
        | Code::TrafficSplit
        | Code::NoComparison
        | Code::Waiting => true,
        Code::TooEarly => finding.canary.exposure == Some(0.0),
        _ => false,
    };
    empty && finding.outcome == Outcome::Inconclusive
}
