//! What things are. No I/O and no clock; `async` only as signatures in [`ports`].

pub mod clock;
pub mod event;
pub mod figures;
pub mod histogram;
pub mod labels;
pub mod message;
pub mod outcome;
pub mod plan;
pub mod ports;
pub mod question;
pub mod record;
pub mod rollout;
pub mod rollout_state;
pub mod store;
pub mod text;
pub mod time;
pub mod units;
pub mod verdict;

pub use clock::{Clock, ManualClock, SystemClock};
pub use event::{Event, EventKind, Severity, UNASKED};
pub use histogram::NativeHistogram;
pub use labels::{DigestHasher, Labels, LabelsDigest};
pub use message::{Message, Notifier, NotifyError};
pub use outcome::{Action, Code, Outcome};
pub use plan::{PlannedQuery, Shape};
pub use ports::{MetricSource, ReadReport, SampleSink, SourceError, SourceKind, TargetSeen};
pub use question::Question;
pub use record::{
    Change, Chunk, Claimed, Delivery, Draft, Filter, Kept, Line, Lineage, Posted, Progress, Pruned,
    Record, Retention, Revision, Tried, Wait,
};
pub use rollout::{RolloutRef, Track};
pub use rollout_state::{Latch, Look, Override, Present, RolloutState, Standing, StepSeen};
pub use store::{StoreError, VerdictStore};
pub use time::{Millis, Window};
pub use verdict::{
    ArmSummary, Effect, EvidenceSummary, Finding, FixedHorizon, Needs, Scale, Verdict,
};
