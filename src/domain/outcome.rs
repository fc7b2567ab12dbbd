//! The three outcomes, the advice, and the closed set of reason codes.

use serde::{Deserialize, Serialize};

/// Pass, fail or inconclusive (Argo: Successful, Failed, Inconclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Harm of the pass margin is ruled out.
    Pass,
    /// Harm beyond the margin is shown.
    Fail,
    /// Neither, yet.
    Inconclusive,
}

impl Outcome {
    /// Lower is worse.
    pub fn rank(self) -> u8 {
        match self {
            Self::Fail => 0,
            Self::Inconclusive => 1,
            Self::Pass => 2,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What the rollout should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Go to the next weight.
    Advance,
    /// Stay at this weight.
    Hold,
    /// Go back to stable.
    Abort,
}

impl Action {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Hold => "hold",
            Self::Abort => "abort",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// Why an objective has its outcome. A closed set: the README has a paragraph for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the README.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)+ }
            }

            /// What it means, one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The evidence shows harm beyond the margin against stable.
    WorseThanStable = "worse-than-stable",
    /// The evidence shows the canary beyond the absolute limit.
    LimitExceeded = "limit-exceeded",
    /// Harm of the size of `passMargin` is ruled out.
    NoHarm = "no-harm",
    /// The step's time is up, no harm was found, and harm of the design size would have been found.
    AdequatePower = "adequate-power",
    /// Neither harm nor its absence is shown yet.
    NeedsMoreData = "needs-more-data",
    /// Fewer canary requests or closed blocks than any decision needs.
    TooEarly = "too-early",
    /// Only a decrease is harm, and stable is at 0: nothing can fall below it.
    StableAtZero = "stable-at-zero",
    /// No block has closed since the canary started.
    Waiting = "waiting",
    /// The canary has no samples for this objective.
    NoCanaryData = "no-canary-data",
    /// Stable has no samples for this objective, or none in the blocks of the canary.
    NoStableData = "no-stable-data",
    /// The canary's samples stopped.
    CanaryVanished = "canary-vanished",
    /// The split of traffic is far from the requested weight.
    TrafficSplit = "traffic-split",
    /// The canary's value is above the limit, but the evidence is not decisive yet.
    OverLimit = "over-limit",
    /// Shown to be harmless, but the step has not lasted its `minDuration`.
    MinDuration = "min-duration",
    /// The step has lasted its `maxDuration` without a decision.
    StepTimeout = "step-timeout",
    /// The quantile of an arm lies above its largest finite bucket, where nothing can be seen.
    AboveLargestBucket = "above-largest-bucket",
    /// Stable has no data beside the canary any more: the evidence is frozen.
    NoComparison = "no-comparison",
    /// The metric source did not answer, or not in time.
    SourceDown = "source-down",
    /// The metric source answered something that cannot be right.
    SourceMalformed = "source-malformed",
    /// The answer of the metric source is over a configured limit.
    SourceLimit = "source-limit",
    /// The metric source says that its answer may lack data.
    PartialData = "partial-data",
}
