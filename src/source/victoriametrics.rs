//! What only VictoriaMetrics needs to be told.

use crate::domain::PlannedQuery;

/// No cached answer, no data held back or smoothed at the newest end, and the scope of text that we could not parse.
pub(super) fn parameters(query: &PlannedQuery) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("nocache", "1".to_owned()),
        ("latency_offset", "1ms".to_owned()),
    ];
    let filters = query.extra_filters.iter().cloned();
    out.extend(filters.map(|filter| ("extra_filters[]", filter)));
    out
}

/// What it says of a query that it refuses, without our own query in front: a long one would leave no room for the cause.
pub(super) fn cause<'a>(words: &'a str, query: &str) -> &'a str {
    let echo = format!("error when executing query={query:?} ");
    let rest = words.strip_prefix(echo.as_str());
    rest.and_then(|rest| rest.split_once("): "))
        .map_or(words, |(_, cause)| cause)
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn the_query_in_front_of_a_cause_is_left_out() {
        let query = r#"m{code="500" or a="\\ é"}[60000ms]"#;
        let why = r#"labelFilters: unexpected token "or"; unparsed data: "or (x): y""#;
        for when in [
            "for (time=1795352975497, step=300000)",
            "on the time range (start=1, end=2, step=3)",
        ] {
            let words = format!("error when executing query={query:?} {when}: {why}");
            assert_eq!(cause(&words, query), why);
            assert_eq!(cause(&words, "other"), words);
        }
        for words in ["", why, "error when executing query=\"m\" in vain"] {
            assert_eq!(cause(words, "m"), words);
        }
    }
}
