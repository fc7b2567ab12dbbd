//! Numbers as people read them: three digits and a unit.

/// A value in the unit of a word of the answer: `ratio`, `seconds`, `bytes` or none.
pub fn shown(v: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", digits(v * 100.0)),
        "seconds" if v == 0.0 => "0 ms".to_owned(),
        "seconds" if v.abs() < 1e-3 => format!("{} us", digits(v * 1e6)),
        "seconds" if v.abs() < 1.0 => format!("{} ms", digits(v * 1e3)),
        "seconds" => format!("{} s", digits(v)),
        "bytes" => bytes(v),
        _ => digits(v),
    }
}

fn bytes(v: f64) -> String {
    let mut scaled = v;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if scaled.abs() < 1024.0 {
            return format!("{} {unit}", digits(scaled));
        }
        scaled /= 1024.0;
    }
    format!("{} TiB", digits(scaled))
}

/// Three significant digits, no exponent for everyday sizes, thousands in groups.
pub fn digits(v: f64) -> String {
    if v == 0.0 {
        return "0".to_owned();
    }
    let size = v.abs();
    if !(1e-6..1e15).contains(&size) {
        return format!("{v:.2e}");
    }
    let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{v:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    group(&text)
}

/// `12345` becomes `12 345`.
fn group(text: &str) -> String {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
