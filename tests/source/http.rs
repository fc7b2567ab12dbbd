use crate::{
    ask, ask_within,
    scripted::{Piece, Reply, Scripted},
    settings, up,
};
use bytes::Bytes;
use rollout_judge::{
    config::{
        secrets::Secret,
        source::{Auth, Basic, HeaderValue, Kind, SourceSettings},
        units::{HumanBytes, HumanDuration},
    },
    domain::{Labels, Millis, NativeHistogram, SampleSink, Shape, SourceError},
    source,
};
use std::{
    fmt::Write as _,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

fn matrix(series: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

fn good() -> String {
    matrix(r#"{"metric":{"a":"b"},"values":[[940,"9"],[950.5,"1"],[1000,"2"]]}"#)
}

/// Asks a server that always answers `body`.
async fn told(body: impl Into<Bytes>) -> SourceError {
    let body = body.into();
    let server = Scripted::start(move |_| Reply::json(body.clone())).await;
    let (answer, kept) = ask(&settings(server.url()), &up()).await;
    assert_eq!(kept.restarts, 0, "never asked again");
    answer.unwrap_err()
}

#[tokio::test]
async fn the_form_and_the_samples() {
    let server = Scripted::start(|_| Reply::json(good())).await;
    let mut query = up();
    query.extra_filters = vec![r#"{hash="a&b"}"#.to_owned()];
    let (answer, kept) = ask(
        &settings(&format!("{}/select/0/prometheus/", server.url())),
        &query,
    )
    .await;
    let report = answer.unwrap();
    assert_eq!((report.series, report.samples), (1, 2));
    assert_eq!(report.bytes, good().len() as u64);
    assert_eq!(kept.series[0].1, [(950_500, 1.0), (1_000_000, 2.0)]);
    let seen = server.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/select/0/prometheus/api/v1/query")
    );
    assert_eq!(seen.field("query"), Some("up[60000ms]"));
    assert_eq!(seen.field("time"), Some("1000.000"));
    assert_eq!(seen.field("nocache"), Some("1"));
    assert_eq!(seen.field("extra_filters[]"), Some(r#"{hash="a&b"}"#));
    assert_eq!(seen.header("accept-encoding"), None);
}

#[tokio::test]
async fn prometheus_is_asked_plainly() {
    let server = Scripted::start(|_| Reply::json(good())).await;
    let settings = SourceSettings::new(Kind::Prometheus, server.url());
    let mut query = up();
    query.shape = Shape::Range {
        start: 940_000,
        end: 1_000_000,
        step: 15_000,
    };
    ask(&settings, &query).await.0.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!(seen.path, "/api/v1/query_range");
    assert_eq!(seen.field("start"), Some("940.000"));
    assert_eq!(seen.field("step"), Some("15.000"));
    assert_eq!(seen.field("nocache"), None);
    query.extra_filters = vec!["{a=\"b\"}".to_owned()];
    let (answer, _) = ask(&settings, &query).await;
    assert!(
        matches!(answer, Err(SourceError::Rejected { .. })),
        "unscoped text must not be sent"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn answers_that_cannot_be_right() {
    for (body, says) in [
        (good()[..80].to_owned(), "ends in the middle"),
        (
            "<html><body>hello</body></html>".to_owned(),
            "byte 0: expected `{`, found `<`",
        ),
        (String::new(), "ends in the middle"),
        (
            matrix(r#"{"metric":{},"values":[[950,1]]}"#),
            "expected a value in quotes",
        ),
        (
            matrix(r#"{"metric":{},"values":[[950,"1"],[949,"1"]]}"#),
            "not later than",
        ),
        (
            matrix(r#"{"metric":{},"values":[[1000.001,"1"]]}"#),
            "clock ahead",
        ),
        (
            matrix(r#"{"metric":{},"values":[]},{"metric":{},"values":[]}"#),
            "a series without labels comes twice",
        ),
        (
            matrix(r#"{"metric":{"pod":"a"},"values":[]},{"metric":{"pod":"a"},"values":[]}"#),
            "series {pod=\"a\"} comes twice",
        ),
    ] {
        let error = told(body).await;
        assert!(
            matches!(&error, SourceError::Malformed { detail, .. } if detail.contains(says)),
            "{error}"
        );
    }
}

/// Nothing of what was not asked for counts, not even as "no data".
#[tokio::test]
async fn answers_to_other_questions() {
    let other = |kind: &str, series: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{series}]}}}}"#)
    };
    for (body, says) in [
        (
            matrix(r#"{"metric":{"__name__":"down"},"values":[[950,"1"]]}"#),
            "series {__name__=\"down\"} that was not asked for: the query has `__name__=\"up\"`",
        ),
        (
            matrix(r#"{"metric":{},"values":[[909,"1"]]}"#),
            "earlier than the question's begin",
        ),
        (other("vector", ""), "found `vector`"),
    ] {
        let error = told(body).await;
        assert!(
            matches!(&error, SourceError::Malformed { detail, .. } if detail.contains(says)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_cause_at_the_end_of_a_long_refusal_is_told() {
    let query = "rat(x) + ".repeat(100);
    let words = format!(r#"error when executing query=\"{query}\": unknown func \"rat\""#);
    let body = format!(r#"{{"status":"error","errorType":"422","error":"{words}"}}"#);
    for status in [200, 422] {
        let body = body.clone();
        let server = Scripted::start(move |_| Reply::json(body.clone()).status(status)).await;
        let error = ask(&settings(server.url()), &up()).await.0.unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("error when executing") && said.ends_with("unknown func \"rat\""),
            "{said}"
        );
        assert!(said.chars().count() < 400, "{said}");
    }
}

#[tokio::test]
async fn nan_warnings_and_partial_answers_are_passed_on() {
    let body = r#"{"status":"success","isPartial":true,"warnings":["one"],"data":{"resultType":"matrix","result":[{"metric":{},"values":[[950,"NaN"],[951,"+Inf"]]}]}}"#;
    let server = Scripted::start(move |_| Reply::json(body)).await;
    let (answer, kept) = ask(&settings(server.url()), &up()).await;
    let report = answer.unwrap();
    assert!(report.partial);
    assert_eq!(report.warnings[0], "one");
    assert!(report.warnings[1].contains("partial answer"));
    let values = &kept.series[0].1;
    assert!(values[0].1.is_nan() && values[1].1.is_infinite());
    // a warning that means lost data speaks for itself
    let body =
        r#"{"status":"success","warnings":["one"],"data":{"resultType":"matrix","result":[]}}"#;
    let server = Scripted::start(move |_| Reply::json(body)).await;
    let report = ask(&settings(server.url()), &up()).await.0.unwrap();
    assert!(report.partial);
    assert_eq!(report.warnings, ["one"]);
}

#[tokio::test]
async fn trouble_that_passes_is_tried_again() {
    for trouble in ["500", "502", "503", "429", "reset", "broken body"] {
        let server = Scripted::start(move |seen| match (seen.count, trouble) {
            (1, "reset") => Reply::reset(),
            (1, "broken body") => {
                let mut n = 0;
                Reply::stream(move || {
                    n += 1;
                    Some(if n == 1 {
                        Piece::Bytes(good()[..120].to_owned().into())
                    } else {
                        Piece::Break
                    })
                })
            }
            (1, status) => Reply::new(status.parse().unwrap(), "busy"),
            _ => Reply::json(good()),
        })
        .await;
        let (answer, kept) = ask(&settings(server.url()), &up()).await;
        assert_eq!(answer.map(|r| r.samples), Ok(2), "{trouble}");
        assert_eq!((kept.restarts, kept.series.len()), (1, 1), "{trouble}");
    }
}

#[tokio::test]
async fn a_source_that_asks_for_patience_gets_it() {
    for (status, after, asked) in [
        (429, "1", 2),
        (503, "1", 2),
        // later than the deadline: nothing is gained by waiting
        (429, "60", 1),
        (503, "18446744073709551615", 1),
        // no such header where a try may help at once
        (502, "60", 2),
        (429, "soon", 2),
    ] {
        let server = Scripted::start(move |seen| match seen.count {
            1 => Reply::new(status, "busy").header("retry-after", after),
            _ => Reply::json(good()),
        })
        .await;
        let start = Instant::now();
        let (answer, _) = ask(&settings(server.url()), &up()).await;
        let told = format!("{status} {after}: {answer:?}");
        assert_eq!(server.seen().len(), asked, "{told}");
        assert_eq!(answer.is_ok(), asked == 2, "{told}");
        if after == "1" {
            assert!(start.elapsed() >= Duration::from_secs(1), "{told}");
        }
    }
}

#[tokio::test]
async fn trouble_that_stays() {
    let server = Scripted::start(|_| Reply::new(502, "bad\n gateway")).await;
    let (answer, kept) = ask(&settings(server.url()), &up()).await;
    let error = answer.unwrap_err();
    assert!(
        matches!(&error, SourceError::Unreachable { detail, .. } if detail == "502 Bad Gateway: bad gateway"),
        "{error}"
    );
    assert_eq!((kept.restarts, server.seen().len()), (2, 3));
    let server = Scripted::start(|_| Reply::new(503, "")).await;
    assert!(matches!(
        ask(&settings(server.url()), &up()).await.0,
        Err(SourceError::Overloaded { .. })
    ));
}

#[tokio::test]
async fn a_refusal_is_final_and_has_the_words_of_the_source() {
    let body = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#;
    for status in [200, 400, 422] {
        let server = Scripted::start(move |_| Reply::json(body).status(status)).await;
        let error = ask(&settings(server.url()), &up()).await.0.unwrap_err();
        assert!(
            matches!(&error, SourceError::Rejected { detail, .. } if detail.contains("1:5: parse error")),
            "{error}"
        );
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Scripted::start(|_| {
        Reply::new(302, "").header("location", "http://user:secret@127.0.0.1:1/")
    })
    .await;
    let error = ask(&settings(server.url()), &up()).await.0.unwrap_err();
    assert!(matches!(&error, SourceError::Rejected { .. }), "{error}");
    assert!(!error.to_string().contains("secret"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn gzip_is_undone() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(good().as_bytes()).unwrap();
    let body = Bytes::from(zip.finish().unwrap());
    let server =
        Scripted::start(move |_| Reply::json(body.clone()).header("content-encoding", "gzip"))
            .await;
    let mut settings = settings(server.url());
    settings.compression = true;
    let (answer, _) = ask(&settings, &up()).await;
    assert_eq!(answer.unwrap().bytes, good().len() as u64);
    let seen = server.seen().remove(0);
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_silent_source_ends_in_time() {
    let slow = |gap: u64| {
        let mut bytes = good().into_bytes().into_iter();
        let mut turn = false;
        Reply::stream(move || {
            turn = !turn;
            if turn {
                return Some(Piece::Wait(Duration::from_millis(gap)));
            }
            bytes.next().map(|b| Piece::Bytes(vec![b].into()))
        })
    };
    for hang in [true, false] {
        let server = Scripted::start(move |_| if hang { Reply::hang() } else { slow(20) }).await;
        let start = Instant::now();
        let (answer, _) =
            ask_within(&settings(server.url()), &up(), Duration::from_millis(400)).await;
        assert!(
            matches!(answer, Err(SourceError::Timeout { .. })),
            "{answer:?}"
        );
        let mut short = settings(server.url());
        short.timeout = HumanDuration(Duration::from_millis(200));
        let (answer, _) = ask(&short, &up()).await;
        assert!(
            matches!(answer, Err(SourceError::Timeout { .. })),
            "{answer:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let mut settings = settings("http://127.0.0.1:1");
    settings.retries = 0;
    let error = ask(&settings, &up()).await.0.unwrap_err();
    assert!(
        matches!(&error, SourceError::Unreachable { detail, .. } if detail.contains("refused")),
        "{error}"
    );
}

#[tokio::test]
async fn more_questions_than_allowed_wait_inside_their_deadline() {
    let server = Scripted::start(|_| Reply::hang()).await;
    let mut settings = settings(server.url());
    settings.max_concurrent = 1;
    let source = source::build("default", &settings).unwrap();
    let first = {
        let source = Arc::clone(&source);
        tokio::spawn(async move {
            let until = Instant::now() + Duration::from_secs(3);
            let mut kept = crate::Kept::default();
            source.read(&up(), until, &mut kept).await
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut kept = crate::Kept::default();
    let until = Instant::now() + Duration::from_millis(200);
    let error = source.read(&up(), until, &mut kept).await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Overloaded { detail, .. } if detail.contains("maxConcurrent")),
        "{error}"
    );
    first.abort();
}

#[tokio::test]
async fn credentials_are_sent_rotated_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "first-token\n").unwrap();
    let server = Scripted::start(|seen| match seen.header("authorization") {
        Some("Bearer second-token") => Reply::json(good()),
        other => Reply::new(401, format!("unknown {other:?}")),
    })
    .await;
    let mut settings = settings(server.url());
    settings.auth = Some(Auth::Bearer(Secret::File(path.clone())));
    settings
        .headers
        .insert("X-Scope-OrgID".into(), HeaderValue::Literal("shop".into()));
    let error = ask(&settings, &up()).await.0.unwrap_err().to_string();
    assert!(error.contains("401 Unauthorized: unknown"), "{error}");
    assert!(
        error.contains("***") && !error.contains("first-token"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 1);
    std::fs::write(&path, "second-token\n").unwrap();
    ask(&settings, &up()).await.0.unwrap();
    assert_eq!(server.seen()[1].header("x-scope-orgid"), Some("shop"));
    std::fs::remove_file(&path).unwrap();
    let error = ask(&settings, &up()).await.0.unwrap_err();
    assert!(
        matches!(&error, SourceError::Unreachable { detail, .. } if detail.contains("secret file")),
        "{error}"
    );

    std::fs::write(&path, "pass").unwrap();
    let password = Secret::File(path);
    settings.auth = Some(Auth::Basic(Basic {
        username: "judge".into(),
        password,
    }));
    let _ = ask(&settings, &up()).await;
    let seen = server.seen();
    assert_eq!(
        seen.last().unwrap().header("authorization"),
        Some("Basic anVkZ2U6cGFzcw==")
    );
}

#[tokio::test]
async fn a_probe_is_cheap() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}"#;
    let server = Scripted::start(move |_| Reply::json(body)).await;
    let source = source::build("default", &settings(server.url())).unwrap();
    let until = Instant::now() + Duration::from_secs(2);
    source::probe(&*source, 1000, until).await.unwrap();
    assert_eq!(server.seen()[0].field("query"), Some("vector(1)"));
}

/// Two hundred megabytes, made while they are sent.
fn flood() -> Reply {
    const SIZE: usize = 200 << 20;
    let (mut sent, mut series, mut over) = (0, 0_u64, false);
    Reply::stream(move || {
        if over {
            return None;
        }
        let mut text = String::with_capacity(80 << 10);
        if series == 0 {
            text.push_str(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
        } else {
            text.push(',');
        }
        write!(
            text,
            r#"{{"metric":{{"pod":"{series}"}},"values":[[941,"1"]"#
        )
        .unwrap();
        for i in 0..2000 {
            let (second, millis) = (942 + i / 1000, i % 1000);
            write!(text, ",[{second}.{millis:03},\"288515434\"]").unwrap();
        }
        text.push_str("]}");
        series += 1;
        sent += text.len();
        if sent > SIZE {
            over = true;
            text.push_str("]}}");
        }
        Some(Piece::Bytes(text.into()))
    })
}

fn high_water_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        >> 10
}

/// Counts only.
#[derive(Default)]
struct Count(u64);

impl SampleSink for Count {
    fn restart(&mut self) {
        self.0 = 0;
    }
    fn series(&mut self, _: Labels) {}
    fn sample(&mut self, _: Millis, _: f64) {
        self.0 += 1;
    }
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_stops_at_the_limit_and_passes_in_little_memory() {
    let server = Scripted::start(|_| flood()).await;
    let mut settings = settings(server.url());
    settings.max_bytes = HumanBytes(8 << 20);
    let error = ask(&settings, &up()).await.0.unwrap_err();
    assert!(
        matches!(&error, SourceError::TooLarge { detail, .. } if detail == "more than 8388608 bytes (`maxBytes`)"),
        "{error}"
    );

    settings.max_bytes = HumanBytes(1 << 30);
    settings.max_series = 100;
    let error = ask(&settings, &up()).await.0.unwrap_err();
    assert!(
        matches!(&error, SourceError::TooLarge { detail, .. } if detail == "more than 100 series (`maxSeries`)"),
        "{error}"
    );

    settings.max_series = 20_000;
    settings.timeout = HumanDuration(Duration::from_mins(2));
    let source = source::build("default", &settings).unwrap();
    let before = high_water_mib();
    let mut count = Count::default();
    let until = Instant::now() + Duration::from_mins(2);
    let report = source.read(&up(), until, &mut count).await.unwrap();
    assert!(report.bytes > 200 << 20);
    assert_eq!(report.samples, count.0);
    let grown = high_water_mib() - before;
    assert!(grown < 64, "{grown} MiB more");
}
