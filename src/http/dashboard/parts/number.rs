//! Numbers with sensible digits and their unit.

/// What is smaller is left over from rounding.
const NOTHING: f64 = 1e-12;

/// Three significant digits, thousands grouped by a thin space: `12 300`, `0.0042`, `3.14`.
pub fn plain(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size < NOTHING {
        return "0".to_owned();
    }
    if size >= 1000.0 {
        return grouped(value);
    }
    let sign = if value < 0.0 { "−" } else { "" };
    if size < 1e-4 {
        return format!("{sign}{size:.1e}");
    }
    let digits = 2 - size.log10().floor() as i32;
    let mut text = format!("{size:.*}", digits.max(0) as usize);
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{sign}{text}")
}

/// A whole number, thousands grouped; from 1e15 on with an exponent.
pub fn grouped(value: f64) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:.1e}").replace('-', "−");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    if value < 0.0 && digits != "0" {
        text.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A share of one as percent: `0.42 %`.
pub fn percent(share: f64) -> String {
    format!("{}\u{202f}%", plain(share * 100.0))
}

/// A p value. None is 0: what is below the smallest number is told as such.
pub fn p_value(p: f64) -> String {
    if !p.is_finite() {
        "–".to_owned()
    } else if p < 1e-300 {
        "< 1e-300".to_owned()
    } else if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        plain(p)
    }
}

/// A value in the unit of an objective: `ratio`, `seconds`, `bytes` or none.
pub fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => percent(value),
        "seconds" if value.abs() < 1e-3 && value != 0.0 => {
            format!("{}\u{202f}µs", plain(value * 1e6))
        }
        "seconds" if value.abs() < 1.0 => format!("{}\u{202f}ms", plain(value * 1e3)),
        "seconds" => format!("{}\u{202f}s", plain(value)),
        "bytes" => bytes(value),
        _ => plain(value),
    }
}

/// Bytes with a binary unit.
pub fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = value;
    let mut chosen = "B";
    for unit in units {
        chosen = unit;
        if size.abs() < 1024.0 {
            break;
        }
        if unit != "TiB" {
            size /= 1024.0;
        }
    }
    format!("{}\u{202f}{chosen}", plain(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_p_value_is_nothing() {
        for (p, expected) in [
            (0.0, "< 1e-300"),
            (1e-305, "< 1e-300"),
            (3.2e-40, "3.2e-40"),
            (0.0123, "0.0123"),
            (1.0, "1"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(p_value(p), expected);
        }
    }

    #[test]
    fn digits_are_sensible() {
        for (value, expected) in [
            (0.0, "0"),
            (5.0, "5"),
            (25.5, "25.5"),
            (0.004_216, "0.00422"),
            (2.666, "2.67"),
            // ties go to the even digit, as in the sentences of the judge and in `words.js`
            (1.125, "1.12"),
            (0.01135, "0.0114"),
            (556.5, "556"),
            (557.5, "558"),
            (999.4, "999"),
            (12_345.6, "12\u{2009}346"),
            (-1_234_567.0, "−1\u{2009}234\u{2009}567"),
            (0.000_012, "1.2e-5"),
            (-0.000_012, "−1.2e-5"),
            (-2.2e-16, "0"),
            (-0.329, "−0.329"),
            (1e308, "1.0e308"),
            (-1.25e15, "−1.2e15"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(plain(value), expected);
        }
        for (value, unit, expected) in [
            (0.0123, "ratio", "1.23\u{202f}%"),
            (0.25, "seconds", "250\u{202f}ms"),
            (2.0, "seconds", "2\u{202f}s"),
            (0.000_25, "seconds", "250\u{202f}µs"),
            (2048.0, "bytes", "2\u{202f}KiB"),
            (7.0, "", "7"),
            (1e308, "seconds", "1.0e308\u{202f}s"),
        ] {
            assert_eq!(with_unit(value, unit), expected);
        }
    }
}
