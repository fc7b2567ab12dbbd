//! What every outgoing connection shares: cryptography, the HTTP client, and what its errors may say.

mod client;
mod words;

pub use client::{ClientError, Trust, client, install_provider};
pub use words::{causes, scrub};
