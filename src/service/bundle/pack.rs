//! Compression with limits, and what can be wrong with a bundle.

use crate::gzip::gzip;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{Read, Write};

/// A chunk is never larger than this, unpacked.
pub(super) const CHUNK: u64 = 64 << 20;

/// Shorter payloads are left as they are: the compressor costs more than it saves.
const SHORT: usize = 400;

/// Why bytes are no bundle, or cannot be used. Each says what cures it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Not gzip, or broken off.
    #[error("it is not a whole gzip file ({detail}); download it again")]
    NotGzip {
        /// What the decoder said.
        detail: String,
    },
    /// A small file that unpacks to a huge one.
    #[error("it unpacks to more than {limit} bytes, which no bundle does; it is not used")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Not our document.
    #[error("it is not a bundle of rollout-judge: {detail}")]
    NotABundle {
        /// Where and what.
        detail: String,
    },
    /// Of a later format.
    #[error(
        "it has format version {version} of program {program}, this program {own} reads up to version {known}; use the newer program"
    )]
    TooNew {
        /// Its version.
        version: u64,
        /// The program that wrote it.
        program: String,
        /// This program.
        own: &'static str,
        /// The newest version that is known here.
        known: u32,
    },
    /// The content is not what was written.
    #[error("it was altered: its digest says {written}, its content has {found}")]
    Altered {
        /// As written in it.
        written: String,
        /// As computed.
        found: String,
    },
    /// Blocks that cannot be put together.
    #[error("its content does not fit together: {detail}")]
    Inconsistent {
        /// What.
        detail: String,
    },
}

/// Compresses bytes as small as is sensible; the result is a function of them alone.
pub(super) fn gzip_well(bytes: &[u8]) -> Vec<u8> {
    let room = Vec::with_capacity(bytes.len() / 4);
    let mut encoder = GzEncoder::new(room, Compression::default());
    // writing to memory does not fail
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Unpacks at most `limit` bytes.
pub(super) fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, BundleError> {
    let mut out = Vec::new();
    GzDecoder::new(bytes)
        .take(limit + 1)
        .read_to_end(&mut out)
        .map_err(|error| BundleError::NotGzip {
            detail: error.to_string(),
        })?;
    if out.len() as u64 > limit {
        return Err(BundleError::TooLarge { limit });
    }
    Ok(out)
}

/// The payload of a chunk.
pub(super) fn payload<T: Serialize>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).unwrap_or_default();
    if json.len() < SHORT {
        json
    } else {
        gzip(&json)
    }
}

/// Reads the payload of a chunk.
pub(super) fn read_payload<T: DeserializeOwned>(payload: &[u8]) -> Result<T, BundleError> {
    let json = if payload.starts_with(b"{") {
        payload.to_vec()
    } else {
        gunzip(payload, CHUNK)?
    };
    serde_json::from_slice(&json).map_err(|error| BundleError::NotABundle {
        detail: error.to_string(),
    })
}
