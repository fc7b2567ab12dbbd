//! Bodies are compressed (gzip, RFC 1952): a verdict of ten objectives is a tenth of its text.

use super::Unreadable;
use flate2::{Compress, Compression, Crc, FlushCompress, Status, read::GzDecoder};
use std::{cell::RefCell, io::Read};

/// No body is larger than this; a damaged one may say that it is.
const LARGEST: u64 = 256 << 20;
/// Deflate, no name and no time, quick, an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// Room for the end of a stream.
const ROOM: usize = 1024;

thread_local! {
    /// Its tables are larger than most bodies: made once per thread.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// Compresses a text.
pub fn pack(text: &str) -> Result<Vec<u8>, Unreadable> {
    let bytes = text.as_bytes();
    let mut packed = Vec::with_capacity(HEAD.len() + bytes.len() / 4 + ROOM);
    packed.extend(HEAD);
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        loop {
            let rest = bytes.get(deflate.total_in() as usize..).unwrap_or_default();
            match deflate.compress_vec(rest, &mut packed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) => packed.reserve(ROOM.max(packed.len())),
                Err(error) => return Err(Unreadable::Damaged(error.to_string())),
            }
        }
    })?;
    let mut crc = Crc::new();
    crc.update(bytes);
    packed.extend(crc.sum().to_le_bytes());
    packed.extend(crc.amount().to_le_bytes());
    Ok(packed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn a_text_comes_back_whatever_its_size() {
        let mut long = String::new();
        for i in 0..60_000_u64 {
            // little in it repeats
            let _ = write!(long, "{:x} ", i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        for text in ["", "{}", "é", &"ab".repeat(40_000), &long, "{}"] {
            let packed = pack(text).unwrap();
            assert_eq!(unpack(&packed).unwrap(), text);
            let mut damaged = packed;
            let crc = damaged.len() - 8;
            damaged[crc] ^= 1;
            assert!(unpack(&damaged).is_err());
        }
    }
}
