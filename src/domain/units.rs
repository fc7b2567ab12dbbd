//! Units that people write: `500ms`, `1h30m`, `10%`, `64MiB`.

use super::Millis;

/// Why a text is not a quantity of the wanted unit; `suggestion` is what to write instead, when that is clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnitError {
    /// What is wrong, in one clause.
    pub message: String,
    /// The same quantity written well.
    pub suggestion: Option<String>,
}

/// Nanoseconds of each unit of time, largest first: the order in which they may follow each other.
const TIME: [(&str, f64); 7] = [
    ("d", 86_400e9),
    ("h", 3_600e9),
    ("m", 60e9),
    ("s", 1e9),
    ("ms", 1e6),
    ("us", 1e3),
    ("ns", 1.0),
];

/// Words for units of time that are understood well enough to suggest the right one.
const TIME_WORDS: [(&str, &str); 23] = [
    ("day", "d"),
    ("days", "d"),
    ("hour", "h"),
    ("hours", "h"),
    ("hr", "h"),
    ("hrs", "h"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("milli", "ms"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("msecs", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("µs", "us"),
    ("microseconds", "us"),
    ("usec", "us"),
];

/// Bytes of each unit of size.
const SIZE: [(&str, f64); 14] = [
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];

/// A duration such as `500ms`, `2h` or `1h30m`, in seconds.
///
/// ```
/// assert_eq!(rollout_judge::domain::units::seconds("1m30s"), Ok(90.0));
/// assert_eq!(rollout_judge::domain::units::seconds("500").unwrap_err().suggestion.as_deref(), Some("500ms"));
/// ```
pub fn seconds(text: &str) -> Result<f64, UnitError> {
    nanos(text).map(|n| n / 1e9)
}

/// A duration in whole milliseconds.
pub fn millis(text: &str) -> Result<Millis, UnitError> {
    let ms = nanos(text)? / 1e6;
    if ms.fract() != 0.0 {
        return Err(refuse(
            format!("`{text}` is finer than a millisecond"),
            Some(format!("{}ms", ms.round().max(1.0))),
        ));
    }
    if ms > 1e15 {
        return Err(refuse(format!("`{text}` is too long"), None));
    }
    Ok(ms as Millis)
}

/// A share: `0.1`, `10%` or `10 %`.
pub fn share(text: &str) -> Result<f64, UnitError> {
    let text = text.trim();
    let (digits, scale) = match text.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (text, 1.0),
    };
    match decimal(digits) {
        Some(value) => Ok(value / scale),
        None if nanos(text).is_ok() => {
            Err(refuse(format!("`{text}` is a duration, not a share"), None))
        }
        None if bytes(text).is_ok() => {
            Err(refuse(format!("`{text}` is a size, not a share"), None))
        }
        None => Err(refuse(format!("`{text}` is not a share"), None)),
    }
}

/// A size such as `64MiB`, `64Mi` (Kubernetes) or `1.5GB`, in bytes; a plain number is bytes.
pub fn bytes(text: &str) -> Result<f64, UnitError> {
    let text = text.trim();
    let (digits, unit) = text.split_at(number_length(text));
    let unit = unit.trim_start();
    let Some(value) = decimal(digits) else {
        return Err(refuse(format!("`{text}` is not a size"), None));
    };
    if unit.is_empty() {
        return Ok(value);
    }
    if let Some((_, factor)) = SIZE.iter().find(|(name, _)| *name == unit) {
        return Ok(value * factor);
    }
    let close = SIZE.iter().find(|(name, _)| {
        name.eq_ignore_ascii_case(unit)
            || (name.ends_with("iB") && unit.eq_ignore_ascii_case(name.get(..1).unwrap_or("")))
    });
    Err(refuse(
        format!("`{unit}` is not a unit of size"),
        close.map(|(name, _)| format!("{digits}{name}")),
    ))
}

/// A duration as people write it: the shortest exact form, `1h30m`.
pub fn duration_text(span: Millis) -> String {
    if span == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    let mut rest = span.unsigned_abs();
    if span < 0 {
        text.push('-');
    }
    for (unit, length) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if rest >= length {
            text += &(rest / length).to_string();
            text += unit;
            rest %= length;
        }
    }
    text
}

/// A number of percent as people write it: `1%`, `0.5%`.
pub fn percent(value: f64) -> String {
    format!("{value}%")
}

fn refuse(message: String, suggestion: Option<String>) -> UnitError {
    UnitError {
        message,
        suggestion,
    }
}

/// A plain decimal number: no signs but a leading minus, no `inf`, no `nan`.
fn decimal(text: &str) -> Option<f64> {
    let body = text.strip_prefix('-').unwrap_or(text);
    let plain = body
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    let first = body.bytes().next()?;
    if !plain || !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Length of the digits and dots that `text` begins with.
fn number_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len())
}

fn nanos(text: &str) -> Result<f64, UnitError> {
    let parts = time_parts(text.trim())
        .ok_or_else(|| refuse(format!("`{text}` is not a duration"), None))?;
    let good: String = parts
        .iter()
        .flat_map(|(digits, unit)| [*digits, unit_of(unit).unwrap_or(unit)])
        .collect();
    let known = parts.iter().all(|(_, unit)| unit_of(unit).is_some());
    if let [(digits, "")] = parts.as_slice() {
        if decimal(digits) == Some(0.0) {
            return Ok(0.0);
        }
        return Err(refuse(
            format!("`{text}` has no unit"),
            Some(format!("{digits}ms")),
        ));
    }
    if !known {
        let unit = parts
            .iter()
            .find(|(_, u)| unit_of(u).is_none())
            .map_or("", |(_, u)| *u);
        let message = if unit.is_empty() {
            format!("`{text}` ends without a unit")
        } else {
            format!("`{unit}` is not a unit of time")
        };
        return Err(refuse(message, None));
    }
    if good != text {
        return Err(refuse(
            format!("`{text}` is not how a duration is written"),
            Some(good),
        ));
    }
    let mut total = 0.0;
    let mut last = usize::MAX;
    for (digits, unit) in &parts {
        let Some(rank) = TIME.iter().rev().position(|(name, _)| name == unit) else {
            return Err(refuse(format!("`{unit}` is not a unit of time"), None));
        };
        if rank >= last {
            return Err(refuse(
                format!("the units of `{text}` are not from large to small"),
                None,
            ));
        }
        last = rank;
        let factor = TIME
            .iter()
            .rev()
            .nth(rank)
            .map_or(0.0, |(_, factor)| *factor);
        total += decimal(digits)
            .ok_or_else(|| refuse(format!("`{digits}` is not a number"), None))?
            * factor;
    }
    Ok(total)
}

/// Splits `1h30m` into `(1, h) (30, m)`; spaces are tolerated here and refused later.
fn time_parts(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = text;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(number_length(rest));
        decimal(digits)?;
        let tail = tail.trim_start();
        let end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        parts.push((digits, unit));
        if parts.len() > 8 {
            return None;
        }
        rest = tail.trim_start();
    }
    (!parts.is_empty()).then_some(parts)
}

/// The unit that a word means.
fn unit_of(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let exact = TIME
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(name, _)| *name);
    exact.or_else(|| {
        TIME_WORDS
            .iter()
            .find(|(name, _)| *name == lower)
            .map(|(_, unit)| *unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, expected: Result<f64, Option<&str>>| {
            let found = seconds(text);
            match expected {
                Ok(value) => assert_eq!(found.as_ref().ok(), Some(&value), "{text}: {found:?}"),
                Err(cure) => assert_eq!(found.unwrap_err().suggestion.as_deref(), cure, "{text}"),
            }
        };
        check("500ms", Ok(0.5));
        check("2h", Ok(7200.0));
        check("1h30m", Ok(5400.0));
        check("1.5h", Ok(5400.0));
        check("250us", Ok(0.000_25));
        check("0", Ok(0.0));
        check("500", Err(Some("500ms")));
        check("5 minutes", Err(Some("5m")));
        check("5min", Err(Some("5m")));
        check("5M", Err(Some("5m")));
        check("1h 30m", Err(Some("1h30m")));
        check("30m1h", Err(None));
        check("1m1m", Err(None));
        check("10%", Err(None));
        check("-5s", Err(None));
        check("", Err(None));
        check("5 fortnights", Err(None));
    }

    #[test]
    fn whole_milliseconds() {
        assert_eq!(millis("1d2h"), Ok(93_600_000));
        assert_eq!(
            millis("100us").unwrap_err().suggestion.as_deref(),
            Some("1ms")
        );
    }

    #[test]
    fn shares() {
        assert_eq!(share("10%"), Ok(0.1));
        assert_eq!(share("0.5 %"), Ok(0.005));
        assert_eq!(share("1e-3"), Ok(0.001));
        for bad in ["500ms", "64MiB", "ten", "", "nan", "inf", "10%%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("64MiB"), Ok(67_108_864.0));
        assert_eq!(bytes("64Mi"), Ok(67_108_864.0));
        assert_eq!(bytes("1.5GB"), Ok(1.5e9));
        assert_eq!(bytes("100"), Ok(100.0));
        assert_eq!(
            bytes("64M").unwrap_err().suggestion.as_deref(),
            Some("64MiB")
        );
        assert_eq!(
            bytes("64mib").unwrap_err().suggestion.as_deref(),
            Some("64MiB")
        );
        assert!(bytes("lots").is_err());
    }

    #[test]
    fn texts() {
        for text in ["0s", "500ms", "1h30m", "2d", "1m500ms"] {
            assert_eq!(duration_text(millis(text).unwrap()), text);
        }
    }
}
