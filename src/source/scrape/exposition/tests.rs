//! Rows: what is read, and what is refused on which line.

use super::{Format, ParseError, Parser, labels};
use proptest::prelude::*;

type Read = Result<Vec<(String, String, Option<i64>)>, ParseError>;

/// Parses a text cut into pieces of `size`.
fn cut(format: Format, text: &[u8], size: usize, framed: bool) -> Read {
    let mut out = Vec::new();
    let mut row = |row: super::Row<'_>| {
        let labels = labels(row.series)?;
        out.push((labels.to_string(), row.value.to_string(), row.at));
        Ok(())
    };
    let mut parser = Parser::new(format);
    for chunk in text.chunks(size) {
        parser.feed(chunk, &mut row)?;
    }
    parser.finish(framed, &mut row)?;
    Ok(out)
}

#[track_caller]
fn good(format: Format, text: &str, expected: &[(&str, &str, Option<i64>)]) {
    let whole = cut(format, text.as_bytes(), text.len().max(1), true).unwrap();
    let seen: Vec<_> = whole
        .iter()
        .map(|(l, v, t)| (l.as_str(), v.as_str(), *t))
        .collect();
    assert_eq!(seen, expected, "{text}");
    assert_eq!(cut(format, text.as_bytes(), 1, true).unwrap(), whole);
}

#[track_caller]
fn bad(format: Format, text: &[u8], line: u64, what: &str) {
    let error = cut(format, text, 7, false).unwrap_err();
    assert!(error.line == line && error.what.contains(what), "{error}");
}

#[test]
fn text_format() {
    use Format::Text;
    good(Text, "", &[]);
    good(
        Text,
        "# HELP m x\n# TYPE m counter\n#\n\n  \nm 1\n",
        &[(r#"{__name__="m"}"#, "1", None)],
    );
    good(
        Text,
        "m{a=\"b\",c=\"d\",} 1.5e3 1700000000123\n",
        &[(
            r#"{__name__="m",a="b",c="d"}"#,
            "1500",
            Some(1_700_000_000_123),
        )],
    );
    good(
        Text,
        "m { a = \"b\" , c=\"\" }\t+Inf  -5 ",
        &[(r#"{__name__="m",a="b"}"#, "inf", Some(-5))],
    );
    good(
        Text,
        "m{a=\"x\\\\y\\\"z\\nq\\t}{# \"} NaN\n",
        &[(
            "{__name__=\"m\",a=\"x\\\\y\\\"z\\nq\\\\t}{# \"}",
            "NaN",
            None,
        )],
    );
    good(
        Text,
        "{\"a.b\",\"c d\"=\"é\"} -0\n",
        &[(r#"{__name__="a.b",c d="é"}"#, "-0", None)],
    );
    good(
        Text,
        "h_bucket{le=\"+Inf\"} 3\nh_sum 2\nh_count 3",
        &[
            (r#"{__name__="h_bucket",le="+Inf"}"#, "3", None),
            (r#"{__name__="h_sum"}"#, "2", None),
            (r#"{__name__="h_count"}"#, "3", None),
        ],
    );
}

#[test]
fn open_metrics() {
    use Format::OpenMetrics;
    good(OpenMetrics, "# EOF\n", &[]);
    good(OpenMetrics, "# EOF", &[]);
    good(
        OpenMetrics,
        "# TYPE m counter\n# UNIT m seconds\nm_total{a=\"b\"} 3 1700000000.5 # {trace=\"x # y\"} 0.5 1.5\nm_created 1.5\n# EOF\n",
        &[
            (
                r#"{__name__="m_total",a="b"}"#,
                "3",
                Some(1_700_000_000_500),
            ),
            (r#"{__name__="m_created"}"#, "1.5", None),
        ],
    );
    bad(OpenMetrics, b"m 1\n", 1, "# EOF");
    bad(OpenMetrics, b"m 1\n# EOF\nm 2\n", 3, "follows");
    bad(OpenMetrics, b"\n# EOF\n", 1, "empty");
    bad(OpenMetrics, b"# what\n# EOF\n", 1, "comment");
    bad(OpenMetrics, b"m 1 # nothing\n# EOF\n", 1, "exemplar");
    bad(OpenMetrics, b"m 1 # {a=\"b\"}\n# EOF\n", 1, "exemplar");
    bad(OpenMetrics, b"m 1 NaN\n# EOF\n", 1, "seconds");
}

#[test]
fn what_is_refused() {
    for (text, line, what) in [
        (&b"m 1\nm{a=\"b\n"[..], 2, "not closed"),
        (b"m 1\nm{a=\"b\"} 12", 2, "ends in the middle"),
        (b"m\n", 1, "no value"),
        (b"m{a=\"b\"}\n", 1, "no value"),
        (b"m 0x10\n", 1, "no number"),
        (b"m 1_0\n", 1, "no number"),
        (b"m 1\r\n", 1, "no number"),
        (b"m 1 1.5\n", 1, "whole milliseconds"),
        (b"m 1 2 3\n", 1, "more than"),
        (b"1m 1\n", 1, "metric name"),
        (b"m-x 1\n", 1, "metric name"),
        (b"{} 1\n", 1, "no metric name"),
        (b"{a=\"b\"} 1\n", 1, "no metric name"),
        (b"m{a} 1\n", 1, "without a value"),
        (b"m{a=b} 1\n", 1, "quotes"),
        (b"m{1a=\"b\"} 1\n", 1, "label name"),
        (b"m{a=\"b\" c=\"d\"} 1\n", 1, "comma"),
        (b"m{a=\"b\",a=\"c\"} 1\n", 1, "twice"),
        (b"m{,} 1\n", 1, "label name"),
        (b"m{\"n\"} 1\n", 1, "twice"),
        (b"m{a=\"\xff\"} 1\n", 1, "UTF-8"),
        (b"\x00\x01\x02\x03 \xff\n", 1, "no number"),
        (b"<html>\n", 1, "no value"),
    ] {
        bad(Format::Text, text, line, what);
    }
}

#[test]
fn a_line_without_an_end_is_given_up() {
    let mut parser = Parser::new(Format::Text);
    let mut row = |_: super::Row<'_>| Ok(());
    let chunk = [b'x'; 16 << 10];
    let fed = (0..6400).take_while(|_| parser.feed(&chunk, &mut row).is_ok()); // 100 MiB
    assert!(fed.count() <= 4);
}

proptest! {
    #[test]
    fn nothing_breaks_it_and_cuts_change_nothing(
        text in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\\'), Just(b'='), Just(b','), Just(b' '), Just(b'#'),
            Just(b'm'), Just(b'1'), any::<u8>(),
        ], 0..60),
        size in 1_usize..9,
        open in any::<bool>(),
    ) {
        let format = if open { Format::OpenMetrics } else { Format::Text };
        prop_assert_eq!(cut(format, &text, size, true), cut(format, &text, 1000, true));
    }

    #[test]
    fn any_label_value_comes_back(value in "\\PC{0,20}", number in any::<f64>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("m{{a=\"{escaped}\",b=\"x\"}} {number}\n");
        let read = cut(Format::Text, text.as_bytes(), 5, false).unwrap();
        let expected = crate::domain::Labels::new([("__name__", "m"), ("b", "x")].into_iter()
            .chain((!value.is_empty()).then_some(("a", value.as_str()))));
        prop_assert_eq!(&read[0].0, &expected.to_string());
        prop_assert_eq!(&read[0].1, &number.to_string());
    }
}
