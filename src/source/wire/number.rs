//! Numbers: exact milliseconds and quoted floats.

use super::cursor::{Cursor, Stop, Take};
use crate::domain::Millis;

/// No float of ours is printed longer than this (`1e-320` in full has 324 characters).
const LONGEST_FLOAT: usize = 512;
/// Integers with so many digits are exact in a float.
const EXACT_DIGITS: usize = 15;
/// Powers of ten that are exact in a float.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A timestamp in seconds with at most three decimals, as milliseconds; never through a float.
#[inline]
pub(super) fn millis(cursor: &mut Cursor<'_>) -> Take<Millis> {
    let mut byte = cursor.peek()?;
    let start = cursor.at;
    let negative = byte == b'-';
    cursor.at += usize::from(negative);
    let mut value: i64 = 0;
    let first = cursor.at;
    loop {
        byte = cursor.next()?;
        if !byte.is_ascii_digit() {
            break;
        }
        value = value * 10 + i64::from(byte - b'0');
        cursor.at += 1;
        if cursor.at - first > 14 {
            return Err(Cursor::bad(start, "a timestamp beyond all calendars"));
        }
    }
    let digits = cursor.at - first;
    if digits == 0 {
        return Err(cursor.expected("a timestamp in seconds"));
    }
    if digits > 1 && cursor.between(first, first + 1) == b"0" {
        return Err(Cursor::bad(
            start,
            "expected a timestamp in seconds, found a leading zero",
        ));
    }
    value *= 1000;
    if byte == b'.' {
        cursor.at += 1;
        value += thousandths(cursor)?;
        byte = cursor.next()?;
    }
    if matches!(byte, b'e' | b'E' | b'+' | b'-') {
        return Err(cursor.expected("a timestamp in plain seconds"));
    }
    Ok(if negative { -value } else { value })
}

/// The decimals of a timestamp.
#[inline]
fn thousandths(cursor: &mut Cursor<'_>) -> Take<i64> {
    let first = cursor.at;
    let mut scale = 100;
    let mut value = 0;
    loop {
        let byte = cursor.next()?;
        if !byte.is_ascii_digit() {
            break;
        }
        if scale == 0 && byte != b'0' {
            return Err(Cursor::bad(
                cursor.at,
                "a timestamp finer than a millisecond",
            ));
        }
        value += i64::from(byte - b'0') * scale;
        scale /= 10;
        cursor.at += 1;
    }
    if cursor.at == first {
        return Err(cursor.expected("decimals of a timestamp"));
    }
    Ok(value)
}

/// A float inside quotes, as both databases print sample values: also `NaN`, `+Inf`, `-Inf`.
#[inline]
pub(super) fn quoted_float(cursor: &mut Cursor<'_>) -> Take<f64> {
    if cursor.peek()? != b'"' {
        return Err(cursor.expected("a value in quotes"));
    }
    cursor.at += 1;
    if let Some((value, used)) = plain(cursor.rest()) {
        cursor.at += used + 1;
        return Ok(value);
    }
    let rest = cursor.rest();
    let rest = rest.get(..LONGEST_FLOAT).unwrap_or(rest);
    let Some(end) = memchr::memchr(b'"', rest) else {
        return Err(if rest.len() < LONGEST_FLOAT {
            Stop::More
        } else {
            Cursor::bad(cursor.at, "a value longer than any number")
        });
    };
    let text = rest.get(..end).unwrap_or_default();
    let value = any(text).ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(text).chars().take(40).collect();
        Cursor::bad(
            cursor.at,
            format!("expected a number, found `{}`", shown.escape_default()),
        )
    })?;
    cursor.at += end + 1;
    Ok(value)
}

/// Digits with at most one point, few enough to be exact, closed by a quote: the value and its length.
#[inline]
fn plain(bytes: &[u8]) -> Option<(f64, usize)> {
    let mut mantissa: u64 = 0;
    let mut digits = 0;
    let mut point = None;
    for (i, &byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if digits > EXACT_DIGITS {
                    return None;
                }
                mantissa = mantissa * 10 + u64::from(byte - b'0');
            }
            b'.' if point.is_none() && digits > 0 => point = Some(i),
            b'"' if digits > 0 => {
                let value = mantissa as f64;
                return match point {
                    None => Some((value, i)),
                    // two exact numbers, one division: correctly rounded
                    Some(p) if i - p > 1 => Some((value / POWERS.get(i - p - 1)?, i)),
                    Some(_) => None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// The usual sample, `,[1767225600.123,"288515434"]` without white space: time, value and length. `None`: look closer.
#[inline]
pub(super) fn usual(bytes: &[u8]) -> Option<(Millis, f64, usize)> {
    let rest = bytes.strip_prefix(b",[")?;
    let (seconds, rest) = rest.split_first_chunk::<10>()?;
    if seconds[0] == b'0' || !seconds.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
    let (millis, rest) = match rest {
        [b',', b'"', rest @ ..] => (0, rest),
        [b'.', a, b, c, b',', b'"', rest @ ..] => {
            let decimals = [*a, *b, *c];
            if !decimals.iter().all(u8::is_ascii_digit) {
                return None;
            }
            (number(&decimals), rest)
        }
        _ => return None,
    };
    let (value, used) = plain(rest).or_else(|| {
        let near = rest.get(..40).unwrap_or(rest);
        let end = memchr::memchr(b'"', near)?;
        Some((any(near.get(..end)?)?, end))
    })?;
    if rest.get(used + 1) != Some(&b']') {
        return None;
    }
    let length = bytes.len() - rest.len() + used + 2;
    Some((number(seconds) * 1000 + millis, value, length))
}

/// Any other spelling.
fn any(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"+Inf" | b"Inf" => Some(f64::INFINITY),
        b"-Inf" => Some(f64::NEG_INFINITY),
        // a digit in front keeps out the words that the standard library reads as numbers
        [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(text: &str) -> Option<f64> {
        let quoted = format!("\"{text}\",");
        quoted_float(&mut Cursor::new(quoted.as_bytes())).ok()
    }

    fn time(text: &str) -> Option<Millis> {
        millis(&mut Cursor::new(format!("{text},").as_bytes())).ok()
    }

    #[test]
    fn timestamps_are_exact() {
        for (text, ms) in [
            ("1767225600.123", Some(1_767_225_600_123)),
            ("1767225600", Some(1_767_225_600_000)),
            ("1767225600.1", Some(1_767_225_600_100)),
            ("1767225600.1230", Some(1_767_225_600_123)),
            ("0", Some(0)),
            ("-1.5", Some(-1500)),
            ("1767225600.1234", None),
            ("1767225600.", None),
            ("01", None),
            (".5", None),
            ("1e9", None),
            ("999999999999999", None),
            ("\"1\"", None),
        ] {
            assert_eq!(time(text), ms, "{text}");
        }
    }

    #[test]
    fn values() {
        for (text, value) in [
            ("288515434", Some(288_515_434.0)),
            ("0.1", Some(0.1)),
            ("-3.5e-7", Some(-3.5e-7)),
            ("+Inf", Some(f64::INFINITY)),
            ("-Inf", Some(f64::NEG_INFINITY)),
            ("12345678901234567890", Some(12_345_678_901_234_567_890.0)),
            ("", None),
            ("1.2.3", None),
            ("nan", None),
            ("infinity", None),
            ("0x10", None),
            ("1 ", None),
        ] {
            assert_eq!(float(text), value, "{text}");
        }
        assert!(float("NaN").is_some_and(f64::is_nan));
        assert_eq!(float(&format!("{:.400}", 1e-300)), Some(1e-300));
    }

    proptest! {
        #[test]
        fn every_float_survives(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(float(&format!("{value}")), Some(value));
        }

        #[test]
        fn decimals_round_as_the_standard_library_does(whole in 0_u32..1_000_000, part in 0_u32..1_000_000) {
            let text = format!("{whole}.{part:06}");
            prop_assert_eq!(float(&text), text.parse().ok());
        }
    }
}
