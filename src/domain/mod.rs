//! What things are. No I/O and no clock; `async` only as signatures in [`ports`].

pub mod clock;
pub mod histogram;
pub mod labels;
pub mod outcome;
pub mod plan;
pub mod ports;
pub mod question;
pub mod rollout;
pub mod time;
pub mod units;
pub mod verdict;

pub use clock::{Clock, ManualClock, SystemClock};
pub use histogram::NativeHistogram;
pub use labels::Labels;
pub use outcome::{Action, Code, Outcome};
pub use plan::{PlannedQuery, Shape};
pub use ports::{MetricSource, ReadReport, SampleSink, SourceError, SourceKind};
pub use question::Question;
pub use rollout::{RolloutRef, Track};
pub use time::{Millis, Window};
pub use verdict::{ArmSummary, Effect, EvidenceSummary, Finding, FixedHorizon, Needs, Verdict};
