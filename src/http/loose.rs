//! Values that may arrive as strings: Argo Rollouts substitutes every argument as a JSON string.

use super::{limits::MAX_UNIX_SECONDS, problem::Problem};
use crate::domain::Millis;
use serde_json::Value;

/// `null`, an absent key and an empty string are the same: nothing was given.
pub fn given(value: Option<&Value>) -> Option<&Value> {
    value.filter(|v| match v {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    })
}

/// Text. Numbers and bools are taken as they are written.
pub fn text(field: &str, value: Option<&Value>) -> Result<Option<String>, Problem> {
    match given(value) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let text = text.trim();
            if text.contains("{{") {
                return Err(Problem::invalid(
                    field,
                    format!(
                        "`{}` looks like a template that nobody filled in; pass the argument's value",
                        cut(text)
                    ),
                ));
            }
            if text.chars().any(char::is_control) {
                // would begin a line of its own in the log
                return Err(Problem::invalid(
                    field,
                    "has a control character; give printable text",
                ));
            }
            Ok(Some(text.to_owned()))
        }
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(wrong(field, other, "a string")),
    }
}

/// A finite number, or a string that holds one.
pub fn number(field: &str, value: Option<&Value>) -> Result<Option<f64>, Problem> {
    let Some(value) = given(value) else {
        return Ok(None);
    };
    let parsed = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match parsed.filter(|n: &f64| n.is_finite()) {
        // -0 is 0
        Some(number) => Ok(Some(number + 0.0)),
        None => Err(wrong(field, value, "a number, or a string that holds one")),
    }
}

/// `true` or `false`, or a string that holds one of them.
pub fn flag(field: &str, value: Option<&Value>) -> Result<Option<bool>, Problem> {
    let Some(value) = given(value) else {
        return Ok(None);
    };
    let word = match value {
        Value::Bool(flag) => return Ok(Some(*flag)),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(wrong(field, value, "`true` or `false`")),
    }
}

/// RFC 3339, or Unix seconds, also as a string.
pub fn moment(field: &str, value: Option<&Value>) -> Result<Option<Millis>, Problem> {
    let Some(value) = given(value) else {
        return Ok(None);
    };
    if let Ok(Some(seconds)) = number(field, Some(value)) {
        if seconds < 0.0 {
            return Err(Problem::invalid(
                field,
                format!("{seconds} is before 1970; give RFC 3339 or Unix seconds"),
            ));
        }
        if seconds > MAX_UNIX_SECONDS {
            return Err(Problem::invalid(
                field,
                format!("{seconds} looks like milliseconds; give Unix seconds"),
            ));
        }
        if (1000.0..10_000.0).contains(&seconds) && seconds.fract() == 0.0 {
            return Err(Problem::invalid(
                field,
                format!(
                    "{seconds} looks like a year; give RFC 3339 like `{seconds}-01-01T00:00:00Z`, or Unix seconds"
                ),
            ));
        }
        return Ok(Some((seconds * 1000.0).round() as Millis));
    }
    let parsed = value
        .as_str()
        .and_then(|text| text.trim().parse::<jiff::Timestamp>().ok());
    match parsed {
        Some(time) => Ok(Some(time.as_millisecond())),
        None => Err(wrong(
            field,
            value,
            "RFC 3339 like `2026-01-02T15:04:05Z`, or Unix seconds",
        )),
    }
}

fn wrong(field: &str, value: &Value, expected: &str) -> Problem {
    let found = match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if !text.chars().any(char::is_control) => format!("`{}`", cut(text)),
        other => format!("`{}`", cut(&other.to_string())),
    };
    Problem::invalid(field, format!("{found} cannot be used; give {expected}"))
}

/// At most 64 characters of what the caller sent.
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(64) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_what_is_none() {
        for (written, expected) in [
            ("1767312000", Ok(1_767_312_000_000)),
            ("2026-01-02T00:00:00Z", Ok(1_767_312_000_000)),
            ("999", Ok(999_000)),
            ("10000", Ok(10_000_000)),
            (
                "2027",
                Err("2027 looks like a year; give RFC 3339 like `2027-01-01T00:00:00Z`"),
            ),
            (
                "2026-01-01",
                Err("`2026-01-01` cannot be used; give RFC 3339"),
            ),
            ("-1", Err("-1 is before 1970")),
            ("1767312000000", Err("looks like milliseconds")),
        ] {
            match (moment("since", Some(&Value::from(written))), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, Some(expected)),
                (Err(problem), Err(words)) => {
                    assert!(problem.detail.contains(words), "{}", problem.detail);
                }
                (found, _) => panic!("{written}: {found:?}"),
            }
        }
    }

    #[test]
    fn text_that_would_break_a_line_of_the_log_is_refused() {
        for (written, accepted) in [
            ("shop", true),
            (" shop\n", true),
            ("shöp 1", true),
            ("shop\n2026 INFO forged", false),
            ("\u{1b}[31mred", false),
            ("a\u{0}b", false),
            ("a\u{85}b", false),
        ] {
            let value = Value::from(written);
            assert_eq!(
                text("policy", Some(&value)).is_ok(),
                accepted,
                "{written:?}"
            );
        }
    }
}
