//! What can be played: who misbehaves, when, and how it must end.

use super::{Arm, Behaviour};

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Pages of a shop.
    Web,
    /// Answers of a language model.
    Llm,
}

impl Workload {
    /// What a version is called: a tag, or the name of a model.
    pub fn version(self, arm: Arm) -> &'static str {
        match (self, arm) {
            (Self::Web, Arm::Stable) => "41",
            (Self::Web, Arm::Canary) => "42",
            (Self::Llm, Arm::Stable) => "assistant-7b-v3",
            (Self::Llm, Arm::Canary) => "assistant-7b-v4",
        }
    }
}

/// How a rollout ends when it is judged well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All traffic goes to the new version.
    Promoted,
    /// Taken back because of this objective.
    Aborted(&'static str),
}

/// One rollout with its story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The new version is as good as the old one.
    Healthy,
    /// It fails more often.
    ErrorRate,
    /// A few of its requests take much longer; the median stays.
    TailLatency,
    /// It answers well, but fewer checkouts become orders.
    KpiDrop,
    /// A dependency of both versions fails for a while; the new version is harmless.
    SharedOutage,
    /// A new model refuses more often.
    Llm,
}

/// The outage: seconds after the canary's start. It is over before the first step may end.
const OUTAGE: std::ops::Range<f64> = 2.0..27.0;

impl Scene {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 6] = [
        Self::Healthy,
        Self::ErrorRate,
        Self::TailLatency,
        Self::KpiDrop,
        Self::SharedOutage,
        Self::Llm,
    ];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::ErrorRate => "error-rate",
            Self::TailLatency => "tail-latency",
            Self::KpiDrop => "kpi-drop",
            Self::SharedOutage => "shared-outage",
            Self::Llm => "llm",
        }
    }

    /// Name of the service, and of its Rollout.
    pub fn service(self) -> &'static str {
        match self {
            Self::Healthy => "catalog",
            Self::ErrorRate => "checkout",
            Self::TailLatency => "search",
            Self::KpiDrop => "cart",
            Self::SharedOutage => "payment",
            Self::Llm => "assistant",
        }
    }

    /// What happens, in half a line.
    pub fn story(self) -> &'static str {
        match self {
            Self::Healthy => "as good as before",
            Self::ErrorRate => "2.5 % errors instead of 0.8 %",
            Self::TailLatency => "4 % of requests are slow instead of 1 %",
            Self::KpiDrop => "45 % of checkouts become orders instead of 60 %",
            Self::SharedOutage => "harmless, but a dependency of both versions fails for 25 s",
            Self::Llm => "the new model refuses 7 % of questions instead of 3 %",
        }
    }

    /// What the service does.
    pub fn workload(self) -> Workload {
        match self {
            Self::Llm => Workload::Llm,
            _ => Workload::Web,
        }
    }

    /// Requests per second, all pods together.
    pub fn rate(self) -> f64 {
        match self.workload() {
            Workload::Web => 3000.0,
            Workload::Llm => 800.0,
        }
    }

    /// How it must end.
    pub fn ending(self) -> Ending {
        match self {
            Self::Healthy | Self::SharedOutage => Ending::Promoted,
            Self::ErrorRate => Ending::Aborted("error-rate"),
            Self::TailLatency => Ending::Aborted("p99-latency"),
            Self::KpiDrop => Ending::Aborted("conversion"),
            Self::Llm => Ending::Aborted("refusals"),
        }
    }

    /// How a version behaves so many seconds after the canary's start (negative: before).
    pub fn behaviour(self, arm: Arm, seconds: f64) -> Behaviour {
        let usual = match self.workload() {
            Workload::Web => Behaviour::WEB,
            Workload::Llm => Behaviour::LLM,
        };
        match (self, arm) {
            (Self::ErrorRate, Arm::Canary) => Behaviour {
                errors: 0.025,
                ..usual
            },
            (Self::TailLatency, Arm::Canary) => Behaviour {
                slow: 0.04,
                ..usual
            },
            (Self::KpiDrop, Arm::Canary) => Behaviour {
                conversion: 0.45,
                ..usual
            },
            (Self::Llm, Arm::Canary) => Behaviour {
                refusals: 0.07,
                ..usual
            },
            (Self::SharedOutage, _) if self.outage(seconds) => Behaviour {
                errors: 0.15,
                median: 2.0 * usual.median,
                ..usual
            },
            _ => usual,
        }
    }

    /// Does a dependency of both versions fail so many seconds after the canary's start?
    pub fn outage(self, seconds: f64) -> bool {
        self == Self::SharedOutage && OUTAGE.contains(&seconds)
    }
}
