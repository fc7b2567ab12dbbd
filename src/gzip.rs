//! Compression of what is kept (gzip, RFC 1952), quick rather than small: it stands between a verdict and its answer.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::cell::RefCell;

/// Deflate, no name and no time, quick, an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// Room for the end of a stream.
const ROOM: usize = 1024;

thread_local! {
    /// Its tables are larger than most of what it compresses: made once per thread.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// Compresses bytes; the result is a function of them alone.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(HEAD.len() + bytes.len() / 4 + ROOM);
    packed.extend(HEAD);
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        loop {
            let rest = bytes.get(deflate.total_in() as usize..).unwrap_or_default();
            // with all of the input there, and room for more, nothing but the end is left
            match deflate.compress_vec(rest, &mut packed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) | Err(_) => break,
                Ok(_) => packed.reserve(ROOM.max(packed.len())),
            }
        }
    });
    let mut crc = Crc::new();
    crc.update(bytes);
    packed.extend(crc.sum().to_le_bytes());
    packed.extend(crc.amount().to_le_bytes());
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::{fmt::Write as _, io::Read as _};

    #[test]
    fn bytes_come_back_whatever_their_number() {
        let mut long = String::new();
        for i in 0..60_000_u64 {
            // little in it repeats
            let _ = write!(long, "{:x} ", i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        for text in ["", "{}", "é", &"ab".repeat(40_000), &long, "{}"] {
            let packed = gzip(text.as_bytes());
            assert_eq!(packed, gzip(text.as_bytes()));
            let unpack = |packed: &[u8]| {
                let mut out = String::new();
                GzDecoder::new(packed).read_to_string(&mut out).map(|_| out)
            };
            assert_eq!(unpack(&packed).unwrap(), text);
            let mut damaged = packed;
            let crc = damaged.len() - 8;
            damaged[crc] ^= 1;
            assert!(unpack(&damaged).is_err());
        }
    }
}
