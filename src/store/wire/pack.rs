//! Bodies are compressed: a verdict of ten objectives is a tenth of its text.

use super::Unreadable;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use std::io::{Read, Write};

/// No body is larger than this; a damaged one may say that it is.
const LARGEST: u64 = 256 << 20;

/// Compresses a text.
pub fn pack(text: &str) -> Result<Vec<u8>, Unreadable> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish())
        .map_err(|error| Unreadable::Damaged(error.to_string()))
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
