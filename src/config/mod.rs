//! Settings and secrets: one YAML file, then `ROLLOUT_JUDGE__SECTION__KEY` from the environment.
//!
//! ```text
//! file ── tree with places ─┐
//!                           ├─ layers ─ Settings ─ checks
//! environment ──────────────┘
//! ```

pub mod alerts;
mod check;
pub mod env;
mod environment;
mod error;
mod file;
mod load;
mod prune;
pub mod receivers;
pub mod scrape;
mod scrape_check;
pub mod secrets;
pub mod settings;
mod show;
pub mod source;
mod source_check;
pub mod store;
pub mod template;
mod template_bounds;
pub mod units;
mod url;
pub mod write_back;

pub use error::{SettingsError, SettingsErrors};
pub use load::{load, load_from};
pub use settings::Settings;
pub use show::show;
