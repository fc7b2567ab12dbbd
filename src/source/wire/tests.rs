mod questions;

use super::*;
use crate::domain::{
    Labels, LabelsDigest, Millis, NativeHistogram, ReadReport, SampleSink, Window,
};
use proptest::prelude::*;
use std::fmt::Write;

/// Writes down every event.
#[derive(Default)]
struct Events(String, Option<LabelsDigest>);

impl SampleSink for Events {
    fn restart(&mut self) {
        self.0.clear();
    }
    fn recall(&mut self, written: LabelsDigest) -> Option<LabelsDigest> {
        self.1 = Some(written);
        None
    }
    fn series(&mut self, labels: Labels) {
        assert!(self.1.take().is_some(), "{labels} was not asked about");
        writeln!(self.0, "{labels}").unwrap();
    }
    fn sample(&mut self, at: Millis, value: f64) {
        writeln!(self.0, "{at} {value}").unwrap();
    }
    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        writeln!(self.0, "{at} {value:?}").unwrap();
    }
}

const WIDE: Limits = Limits {
    bytes: 1 << 30,
    series: 100,
    window: Window {
        start: i64::MIN,
        end: i64::MAX,
    },
};

fn decode<'a>(
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (String, Result<ReadReport, WireError>) {
    let mut events = Events::default();
    let mut decoder = Decoder::new(limits);
    for chunk in chunks {
        if let Err(error) = decoder.feed(chunk, &mut events) {
            return (events.0, Err(error));
        }
    }
    let end = decoder.finish(&mut events);
    (events.0, end)
}

fn whole(text: &str) -> (String, Result<ReadReport, WireError>) {
    decode(WIDE, [text.as_bytes()])
}

fn refused(text: &str) -> String {
    whole(text).1.unwrap_err().to_string()
}

const MATRIX: &str = r#" { "status":"success","isPartial":true,"unknown":[1,-2.5e3,{"a":{},"b":[],"c":[null,true,"x\"]"]}],
 "data":{"resultType":"matrix","result":[
 {"metric":{"__name__":"up","q":"x\"\\\n\u003cé\ud83d\ude00"},"values":[ [1.5,"1"] , [2,"NaN"],[3.001,"+Inf"],[4,"-0.25"]]},
 {"metric":{},"values":[],"histograms":[[1,{"count":"3","sum":"1.5","buckets":[[0,"0.5","1","1"],[3,"1","2","2"]]}],[2,{"count":"0","sum":"0"}]]}
 ],"stats":{"seriesFetched":"2"}},"warnings":["w\u00e9"],"infos":["i"]}
 "#;

const USUAL: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767225600,"1"],[1767225601,"12.5"],[1767225602.5,"3"],[1767225603.123,"288515434"],[1767225604.123,"0.12345678901234566"],[1767225605.123,"NaN"],[1767225606.123 ,"7"],[1767225607.123,"1e3"]]}]}}"#;

#[test]
fn usual_samples() {
    let expected = "{}
1767225600000 1
1767225601000 12.5
1767225602500 3
1767225603123 288515434
1767225604123 0.12345678901234566
1767225605123 NaN
1767225606123 7
1767225607123 1000
";
    assert_eq!(whole(USUAL).0, expected);
    for size in 1..60 {
        assert_eq!(
            decode(WIDE, USUAL.as_bytes().chunks(size)),
            whole(USUAL),
            "{size}"
        );
    }
    let twice = USUAL.replace("1767225605.", "1767225604.");
    let says = refused(&twice);
    let at = twice.find("1767225604.123,\"NaN").unwrap();
    assert!(
        says.starts_with(&format!("byte {at}: a sample at 2026-")),
        "{says}"
    );
    for (from, to, says) in [
        ("\"12.5\"]", "\"12.5\"}", "expected `]`"),
        ("1767225601,", "0767225601,", "leading zero"),
        ("603.123,", "603.12a,", "expected"),
        ("603.123,", "603.1234,", "finer than"),
    ] {
        let found = refused(&USUAL.replace(from, to));
        assert!(found.contains(says), "{found}");
    }
}

/// Knows some texts, and whose labels they are.
#[derive(Default)]
struct Texts {
    known: Vec<(LabelsDigest, LabelsDigest)>,
    asked: Option<LabelsDigest>,
    read: Vec<Labels>,
}

impl SampleSink for Texts {
    fn restart(&mut self) {}
    fn recall(&mut self, written: LabelsDigest) -> Option<LabelsDigest> {
        self.asked = Some(written);
        let known = self.known.iter().find(|(text, _)| *text == written);
        known.map(|(_, labels)| *labels)
    }
    fn series(&mut self, labels: Labels) {
        let written = self.asked.take().unwrap();
        self.known.push((written, labels.digest()));
        self.read.push(labels);
    }
    fn sample(&mut self, _: Millis, _: f64) {}
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {}
}

impl Texts {
    fn answer(&mut self, series: &[&str]) -> Result<u64, String> {
        let series: Vec<String> = series
            .iter()
            .map(|labels| format!(r#"{{"metric":{labels},"values":[]}}"#))
            .collect();
        let text = format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
            series.join(",")
        );
        let mut decoder = Decoder::new(WIDE);
        let fed = decoder.feed(text.as_bytes(), self);
        let report = fed.and_then(|()| decoder.finish(self));
        report.map(|r| r.series).map_err(|e| e.to_string())
    }
}

/// The same labels, written in several ways. A brace in a value ends no labels.
const WRITINGS: [&str; 4] = [
    r#"{"__name__":"up","path":"/{id}/x","zone":"é"}"#,
    r#"{"zone":"é","__name__":"up","path":"/{id}/x"}"#,
    r#"{ "__name__" : "up", "path":"/{id}/x" ,"zone":"é" }"#,
    r#"{"__name__":"up","path":"/{id}/\u0078","zone":"\u00e9"}"#,
];

#[test]
fn labels_are_read_once_however_they_are_written() {
    let mut sink = Texts::default();
    for (i, labels) in WRITINGS.iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(sink.answer(&[labels, r#"{"pod":"}"}"#, "{}"]), Ok(3));
        }
        assert_eq!(sink.read.len(), 3 + i, "{labels}");
        let inside = labels.get(1..labels.len() - 1).unwrap();
        let written = LabelsDigest::of(inside.as_bytes());
        assert!(sink.known.contains(&(written, sink.read[0].digest())));
    }
    let other = r#"{"__name__":"up","path":"/{id}/y","zone":"é"}"#;
    assert_eq!(sink.answer(&[other, "{ }"]), Ok(2));
    assert_eq!(sink.read.len(), 8);
    assert_ne!(sink.read[0].digest(), sink.read[6].digest());
}

#[test]
fn a_series_that_comes_twice_is_found_however_it_is_written() {
    for (i, first) in WRITINGS.iter().enumerate() {
        for second in &WRITINGS[i..] {
            for known in [&[][..], &[first], &[second], &[first, second]] {
                let mut sink = Texts::default();
                for labels in known {
                    assert_eq!(sink.answer(&[labels]), Ok(1));
                }
                let refused = sink.answer(&[first, second]).unwrap_err();
                assert!(refused.contains("comes twice"), "{refused}");
                assert!(refused.contains("__name__"), "{refused}");
            }
        }
    }
}

#[test]
fn an_empty_label_is_none() {
    let mut sink = Texts::default();
    for labels in [
        r#"{"a":"b","empty":""}"#,
        r#"{"empty":"","a":"b","":""}"#,
        r#"{"a":"b"}"#,
    ] {
        // known or not, it is the same series
        for _ in 0..2 {
            assert_eq!(sink.answer(&[labels]), Ok(1));
            let refused = sink.answer(&[r#"{"a":"b"}"#, labels]).unwrap_err();
            assert!(
                refused.contains("comes twice") && !refused.contains("empty"),
                "{refused}"
            );
        }
    }
    assert!(
        sink.read
            .iter()
            .all(|labels| *labels == Labels::new([("a", "b")]))
    );
    assert_eq!(sink.answer(&[r#"{"a":""}"#, r#"{"b":"1"}"#]), Ok(2));
    let twice = sink.answer(&[r#"{"a":"b","a":""}"#]).unwrap_err();
    assert!(twice.contains("a label name that comes twice"), "{twice}");
}

#[test]
fn a_sample_that_was_written_twice_is_taken_once() {
    let text = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1.000,"1"],[1.000,"1"],[1,"1"],[2,"NaN"],[2,"NaN"],[3,"1e3"],[3,"1000"]]}]}}"#;
    let (events, end) = whole(text);
    assert_eq!(events, "{}\n1000 1\n2000 NaN\n3000 1000\n");
    let report = end.unwrap();
    assert_eq!((report.samples, report.partial), (3, false));
    assert_eq!(report.warnings, [decoder::REPEATED]);
    let changed = text.replace(r#"[3,"1000"]"#, r#"[3,"1001"]"#);
    assert!(refused(&changed).contains("not later"));
}

#[test]
fn a_matrix_with_everything() {
    let (events, end) = whole(MATRIX);
    let expected = "{__name__=\"up\",q=\"x\\\"\\\\\\n<é😀\"}
1500 1
2000 NaN
3001 inf
4000 -0.25
{}
1000 NativeHistogram { count: 3.0, sum: 1.5, buckets: [(0.5, 1.0, 1.0), (1.0, 2.0, 2.0)] }
2000 NativeHistogram { count: 0.0, sum: 0.0, buckets: [] }
";
    assert_eq!(events, expected);
    let report = end.unwrap();
    assert_eq!(
        (report.series, report.samples, report.partial),
        (2, 6, true)
    );
    let partial = "partial answer: a part of the storage did not answer";
    assert_eq!(report.warnings, ["wé", "i", partial]);
    assert_eq!(report.bytes, MATRIX.len() as u64);
}

#[test]
fn a_vector() {
    let text = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"2"]}]}}"#;
    let (events, end) = whole(text);
    assert_eq!(events, "{a=\"b\"}\n1000 2\n");
    assert_eq!(end.unwrap().samples, 1);
}

#[test]
fn samples_outside_the_window() {
    let window = Window {
        start: 1500,
        end: 3001,
    };
    let early = MATRIX.replace("[4,\"-0.25\"]", "[3.001,\"1\"]");
    let (_, end) = decode(Limits { window, ..WIDE }, [early.as_bytes()]);
    assert!(end.unwrap_err().to_string().contains("not later than"));
    let (events, end) = decode(Limits { window, ..WIDE }, [MATRIX.as_bytes()]);
    assert!(
        !events.contains("1500 ") && events.contains("3001 inf"),
        "{events}"
    );
    assert!(end.unwrap_err().to_string().contains("clock ahead"));
}

#[test]
fn an_error_status() {
    let text = r#"{"status":"error","errorType":"bad_data","error":"parse \"x\""}"#;
    let end = whole(text).1;
    assert_eq!(end, Err(WireError::Refused("bad_data: parse \"x\"".into())));
}

#[test]
fn limits() {
    let (_, end) = decode(Limits { bytes: 50, ..WIDE }, [MATRIX.as_bytes()]);
    assert!(matches!(end, Err(WireError::TooLarge(t)) if t.contains("maxBytes")));
    let (_, end) = decode(Limits { series: 1, ..WIDE }, [MATRIX.as_bytes()]);
    assert!(matches!(end, Err(WireError::TooLarge(t)) if t.contains("maxSeries")));
    let label = format!("{{\"x\":\"{}\"}}", "y".repeat(2 << 20));
    assert!(refused(&label).contains("more than 1048576 bytes"));
    let (_, end) = decode(WIDE, label.as_bytes().chunks(100));
    assert!(
        end.unwrap_err()
            .to_string()
            .contains("more than 1048576 bytes")
    );
    let deep = format!("{{\"x\":{}", "[".repeat(100));
    assert!(refused(&deep).contains("nested"));
}

#[test]
fn what_cannot_be_right() {
    let series = |s: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{s}]}}}}"#)
    };
    for (text, says) in [
        (String::new(), "byte 0: the answer ends"),
        ("<html>".to_owned(), "byte 0: expected `{`, found `<`"),
        ("null".to_owned(), "expected `{`"),
        (
            r#"{"status":"success"}"#.to_owned(),
            "without `status` and `result`",
        ),
        (
            r#"{"status":"success","data":{}}"#.to_owned(),
            "without a result",
        ),
        (
            r#"{"status":"success","data":null}"#.to_owned(),
            "expected `{`, found `n`",
        ),
        (
            r#"{"status":"success","data":{"resultType":"matrix"}}"#.to_owned(),
            "without",
        ),
        (
            r#"{"data":{"resultType":"matrix","result":[]}}"#.to_owned(),
            "without",
        ),
        (
            r#"{"status":"maybe"}"#.to_owned(),
            "expected `success` or `error`",
        ),
        (
            r#"{"status":true}"#.to_owned(),
            "expected a string, found `t`",
        ),
        (
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#.to_owned(),
            "expected `matrix` or `vector`",
        ),
        (
            r#"{"status":"success","data":{"result":[]}}"#.to_owned(),
            "before `result`",
        ),
        (
            format!("{}x", series("")),
            "expected nothing after the answer, found `x`",
        ),
        (format!("{}{}", series(""), series("")), "expected nothing"),
        (series("{}"), "expected `metric`"),
        (series(r#"{"values":[]}"#), "before the samples"),
        (
            series(r#"{"metric":{"a":1},"values":[]}"#),
            "expected a string, found `1`",
        ),
        (
            series(r#"{"metric":{"a":"1","a":"2"},"values":[]}"#),
            "comes twice",
        ),
        (
            series(r#"{"metric":{}},{"metric":{}}"#),
            "a series without labels comes twice",
        ),
        (series(r#"{"metric":{},"value":[1,"1"]}"#), "do not fit"),
        (
            series(r#"{"metric":{},"values":[[1,1]]}"#),
            "expected a value in quotes, found `1`",
        ),
        (
            series(r#"{"metric":{},"values":[["1","1"]]}"#),
            "expected a timestamp",
        ),
        (
            series(r#"{"metric":{},"values":[[1,"one"]]}"#),
            "found `one`",
        ),
        (
            series(r#"{"metric":{},"values":[[2,"1"],[1,"1"]]}"#),
            "not later",
        ),
        (
            series(r#"{"metric":{},"values":[[1,"1"],[1,"2"]]}"#),
            "not later",
        ),
        (
            series(r#"{"metric":{},"values":[[1,"1"],]}"#),
            "expected `[`",
        ),
        (
            series(r#"{"metric":{},"values":[],"values":[]}"#),
            "come twice",
        ),
        (
            series(r#"{"metric":{},"values":[[1,"1","2"]]}"#),
            "expected `]`",
        ),
        (
            series(r#"{"metric":{},"histograms":[[1,{"count":"1"}]]}"#),
            "without `count` and `sum`",
        ),
        (
            series(r#"{"metric":{},"x":[1,]}"#),
            "expected a value, found `]`",
        ),
        (series(r#"{"metric":{},"x":nul}"#), "expected `null`"),
    ] {
        let found = refused(&text);
        assert!(found.contains(says), "{text}\n{found}\n{says}");
    }
}

#[test]
fn every_cut_is_refused_and_every_split_is_the_same() {
    let (events, end) = whole(MATRIX);
    let body = MATRIX.trim_end();
    for at in 0..body.len() {
        let (head, tail) = MATRIX.as_bytes().split_at(at);
        assert!(decode(WIDE, [head]).1.is_err(), "cut at {at}");
        assert_eq!(
            decode(WIDE, [head, tail]),
            (events.clone(), end.clone()),
            "split at {at}"
        );
    }
    let bytes = MATRIX.as_bytes().chunks(1);
    assert_eq!(decode(WIDE, bytes), (events, end));
}

proptest! {
    #[test]
    fn any_split_gives_the_same(sizes in prop::collection::vec(1_usize..40, 1..200), at in any::<prop::sample::Index>(), byte: u8, mutate: bool, usual: bool) {
        let mut body = if usual { USUAL } else { MATRIX }.as_bytes().to_vec();
        if mutate {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let mut chunks = Vec::new();
        let mut rest = body.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, tail) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = tail;
        }
        prop_assert_eq!(decode(WIDE, chunks), decode(WIDE, [body.as_slice()]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(body: Vec<u8>) {
        let (_, end) = decode(WIDE, [body.as_slice()]);
        prop_assert!(end.is_err());
    }

    #[test]
    fn many_mutations_never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..20)) {
        let mut body = MATRIX.as_bytes().to_vec();
        for (at, byte, kind) in edits {
            let at = at.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        let _ = decode(WIDE, body.chunks(7));
    }
}

#[test]
fn a_warning_of_the_source_lacks_data_a_remark_about_the_query_does_not() {
    for (said, partial) in [
        (r#""warnings":["some stores failed"]"#, true),
        (
            r#""warnings":["PromQL warning: a mix of histograms and floats","receive a: timeout"]"#,
            true,
        ),
        (
            r#""warnings":["PromQL info: metric might not be a counter"]"#,
            false,
        ),
        (r#""infos":["metric might not be a counter"]"#, false),
        (r#""warnings":[]"#, false),
        (r#""warnings":["lost"],"infos":["i"]"#, true),
        (r#""isPartial":true,"infos":["i"]"#, true),
    ] {
        let text = format!(
            r#"{{"status":"success",{said},"data":{{"resultType":"vector","result":[]}}}}"#
        );
        assert_eq!(whole(&text).1.unwrap().partial, partial, "{said}");
    }
}
