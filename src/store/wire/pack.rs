//! Bodies are compressed: a verdict of ten objectives is a tenth of its text.

use super::Unreadable;
use crate::gzip::gzip;
use flate2::read::GzDecoder;
use std::io::Read;

/// No body is larger than this; a damaged one may say that it is.
const LARGEST: u64 = 256 << 20;

/// Compresses a text.
pub fn pack(text: &str) -> Vec<u8> {
    gzip(text.as_bytes())
}

/// The text of what was compressed.
pub fn unpack(bytes: &[u8]) -> Result<String, Unreadable> {
    let mut text = String::new();
    GzDecoder::new(bytes)
        .take(LARGEST)
        .read_to_string(&mut text)
        .map_err(|error| Unreadable::Damaged(error.to_string()))?;
    Ok(text)
}
