//! What was judged, told and decided: reads of the store, live events, overrides.
//!
//! ```text
//! verdicts   GET /v1/verdicts  /v1/verdicts/{id}       export   the same as NDJSON, page by page
//! rollouts   GET /v1/rollouts  /v1/rollouts/{namespace}/{name}
//! overrides  GET, POST, DELETE /v1/rollouts/{namespace}/{name}/override
//! lineage    GET /v1/lineage                           events   GET /v1/events (server-sent)
//! ```

mod answers;
pub(super) mod cursor;
pub mod events;
mod export;
pub mod lineage;
pub mod overrides;
pub(super) mod params;
pub mod rollouts;
pub(super) mod ruling;
pub mod verdicts;

pub use answers::{EventAnswer, LatestAnswer, OverrideAnswer, RolloutAnswer, StepAnswer};
pub use ruling::FIELDS as OVERRIDE_FIELDS;

/// Most rows of one page.
pub const MAX_LIMIT: u32 = 500;
/// Rows of one page where the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
