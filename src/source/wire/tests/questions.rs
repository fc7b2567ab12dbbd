//! Answers that are held against their questions.

use super::{Decoder, Limits, Texts, WIDE};
use crate::domain::{PlannedQuery, Shape, Window};

/// What is told of an answer to this query.
fn answered(text: &str, shape: Shape, kind: &str, series: &str) -> Result<u64, String> {
    let query = PlannedQuery {
        text: text.to_owned(),
        extra_filters: Vec::new(),
        shape,
        window: Window {
            start: 10_000,
            end: 20_000,
        },
    };
    let body =
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{series}]}}}}"#);
    let limits = Limits {
        window: query.window,
        ..WIDE
    };
    let mut decoder = Decoder::new(limits).answering(&query);
    let mut sink = Texts::default();
    let fed = decoder.feed(body.as_bytes(), &mut sink);
    let report = fed.and_then(|()| decoder.finish(&mut sink));
    report.map(|r| r.samples).map_err(|e| e.to_string())
}

const RAW: Shape = Shape::Raw { at: 20_000 };
const RANGE: Shape = Shape::Range {
    start: 10_001,
    end: 20_000,
    step: 5_000,
};

#[test]
fn an_answer_to_another_question() {
    let up = r#"up{hash=~"a|b",code!~"5.."}[10000ms]"#;
    let series = |labels: &str| format!(r#"{{"metric":{labels},"values":[[15,"1"]]}}"#);
    for labels in [
        r#"{"__name__":"up","hash":"a"}"#,
        r#"{"hash":"b","code":"404","zone":"x"}"#,
    ] {
        assert_eq!(answered(up, RAW, "matrix", &series(labels)), Ok(1));
    }
    for (labels, says) in [
        (
            r#"{"__name__":"down","hash":"a"}"#,
            r#"series {__name__="down",hash="a"} that was not asked for: the query has `__name__="up"`"#,
        ),
        (
            r#"{"__name__":"up"}"#,
            r#"series {__name__="up"} that was not asked for: the query has `hash=~"a|b"`"#,
        ),
        (r#"{"hash":""}"#, r#"the query has `hash=~"a|b"`"#),
        (r#"{"hash":"abc"}"#, r#"the query has `hash=~"a|b"`"#),
        (
            r#"{"hash":"a","code":"500"}"#,
            r#"the query has `code!~"5.."`"#,
        ),
    ] {
        let said = answered(up, RAW, "matrix", &series(labels)).unwrap_err();
        assert!(said.ends_with(says), "{said}");
    }
    // no selector, so nothing is known of the labels of its answer
    let other = series(r#"{"__name__":"down"}"#);
    for (text, shape) in [
        ("up", RANGE),
        ("sum(up) default 0", RANGE),
        ("up default 0[5m]", RAW),
    ] {
        assert_eq!(answered(text, shape, "matrix", &other), Ok(1), "{text}");
    }
}

#[test]
fn a_form_that_cannot_be_the_answer() {
    for (text, shape, fits) in [
        ("up[10000ms]", RAW, false),
        ("up", RANGE, false),
        ("vector(1)", RAW, true),
    ] {
        for series in ["", r#"{"metric":{},"value":[15,"1"]}"#] {
            let said = answered(text, shape, "vector", series);
            match said {
                Ok(_) => assert!(fits, "{text}"),
                Err(said) => assert!(!fits && said.contains("found `vector`"), "{said}"),
            }
        }
        assert_eq!(answered(text, shape, "matrix", ""), Ok(0));
    }
}

#[test]
fn samples_from_before_the_question() {
    for (shape, at, expected) in [
        (RAW, "10", Ok(1)),
        (RAW, "9", Ok(1)),
        (RAW, "8.999", Err(())),
        (RANGE, "9", Ok(1)),
        (RANGE, "5", Ok(1)),
        (RANGE, "4.999", Err(())),
        (RAW, "-1e15", Err(())),
    ] {
        let series = format!(r#"{{"metric":{{}},"values":[[{at},"1"],[15,"1"]]}}"#);
        let found = answered("up[10000ms]", shape, "matrix", &series);
        if let Err(said) = &found {
            let fits = said.contains("earlier than the question's begin 1970-01-01T00:00:10Z");
            assert!(fits || at == "-1e15", "{said}");
        }
        assert_eq!(found.map_err(drop), expected, "{shape:?} {at}");
    }
}
