use super::*;
use crate::domain::{RolloutRef, Shape, SourceKind, Track, Window};
use promql_parser::parser::{Expr, parse};
use proptest::prelude::*;
use std::collections::BTreeMap;

const VM: Option<SourceKind> = Some(SourceKind::VictoriaMetrics);
const PROM: Option<SourceKind> = Some(SourceKind::Prometheus);
const MATCH: &str = r#"{namespace="$namespace", service="$rollout"}"#;

fn rollout() -> RolloutRef {
    RolloutRef {
        namespace: "shop".into(),
        name: "checkout".into(),
        canary_hash: "7d9f".into(),
        stable_hash: "5c4b".into(),
    }
}

fn label() -> Tracks {
    Tracks::Label("hash".into())
}

fn explicit() -> Tracks {
    Tracks::Matchers {
        canary: r#"{track="canary"}"#.into(),
        stable: r#"{track!="canary"}"#.into(),
    }
}

fn raw(tracks: &Tracks, kind: SourceKind, text: &str) -> Result<Vec<String>, QueryError> {
    let (rollout, params) = (rollout(), BTreeMap::from([("zone".into(), "a.b".into())]));
    let scope = Scope::parse(tracks, Some(MATCH))?;
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, kind);
    let window = Window {
        start: 1000,
        end: 61_234,
    };
    let planned = planner.raw(text, window)?;
    Ok(planned
        .into_iter()
        .map(|(_, query)| {
            assert_eq!(
                (query.shape, query.window),
                (Shape::Raw { at: 61_234 }, window)
            );
            query.text
        })
        .collect())
}

fn expression(text: &str, track: Track) -> Result<String, QueryError> {
    let (rollout, params) = (rollout(), BTreeMap::new());
    let scope = Scope::parse(&label(), Some(MATCH))?;
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, SourceKind::Prometheus);
    Ok(planner
        .expression(text, false, track, 0, 60_000, 15_000)?
        .text)
}

#[test]
fn both_arms_in_one_raw_query() {
    for (text, planned) in [
        (
            "x",
            r#"x{hash=~"7d9f|5c4b",namespace="shop",service="checkout"}[60234ms]"#,
        ),
        (
            r#"x{code=~"5..",}"#,
            r#"x{code=~"5..",hash=~"7d9f|5c4b",namespace="shop",service="checkout"}[60234ms]"#,
        ),
        (
            r#"{__name__="x"}"#,
            r#"{__name__="x",hash=~"7d9f|5c4b",namespace="shop",service="checkout"}[60234ms]"#,
        ),
        (
            r#"x{z="$zone",y=~"$zone.*"}"#,
            r#"x{hash=~"7d9f|5c4b",namespace="shop",service="checkout",y=~"a\\.b.*",z="a.b"}[60234ms]"#,
        ),
        (
            r#"x{z="${zone}_$namespace"}"#,
            r#"x{hash=~"7d9f|5c4b",namespace="shop",service="checkout",z="a.b_shop"}[60234ms]"#,
        ),
        (
            r#"x{namespace="$namespace"}"#,
            r#"x{hash=~"7d9f|5c4b",namespace="shop",service="checkout"}[60234ms]"#,
        ),
    ] {
        let found = raw(&label(), SourceKind::Prometheus, text);
        assert_eq!(found, Ok(vec![planned.to_owned()]), "{text}");
    }
}

#[test]
fn explicit_matchers_take_two_queries() {
    let found = raw(&explicit(), SourceKind::Prometheus, "x").unwrap();
    let arms = [
        r#"x{namespace="shop",service="checkout",track="canary"}[60234ms]"#,
        r#"x{namespace="shop",service="checkout",track!="canary"}[60234ms]"#,
    ];
    assert_eq!(found, arms);
}

#[test]
fn alternatives_get_the_matchers_in_every_group() {
    let text = r#"x{a="1" or b="2"}"#;
    let found = raw(&explicit(), SourceKind::VictoriaMetrics, text).unwrap();
    assert_eq!(found[0].matches(r#"namespace="shop""#).count(), 2);
    assert_eq!(found[0].matches(r#"track="canary""#).count(), 2);
    assert!(parse(&found[0]).is_ok());
    let refused = raw(&explicit(), SourceKind::Prometheus, text);
    assert!(matches!(refused, Err(QueryError::Unsupported { .. })));
}

#[test]
fn presence_counts_series_per_step() {
    let (rollout, params) = (rollout(), BTreeMap::new());
    let scope = Scope::parse(&label(), None).unwrap();
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, SourceKind::Prometheus);
    let query = planner
        .presence("x", Track::Canary, 1000, 61_000, 15_000)
        .unwrap();
    assert_eq!(
        query.text,
        r#"count(count_over_time(x{hash="7d9f"}[15000ms]))"#
    );
    assert_eq!(
        query.shape,
        Shape::Range {
            start: 1000,
            end: 61_000,
            step: 15_000
        }
    );
    assert_eq!(
        query.window,
        Window {
            start: 999,
            end: 61_000
        }
    );
}

#[test]
fn expressions() {
    let scoped = r#"hash="7d9f",namespace="shop",service="checkout""#;
    for (text, planned) in [
        (
            "sum(rate(x{$track}[1m])) / sum(rate(y{$track}[1m]))",
            format!("sum(rate(x{{{scoped}}}[1m])) / sum(rate(y{{{scoped}}}[1m]))"),
        ),
        (
            r#"max(x{code="$namespace", $track})"#,
            format!(r#"max(x{{code="shop",{scoped}}})"#),
        ),
        (
            r#"max(x{$track,code="5"})"#,
            format!(r#"max(x{{code="5",{scoped}}})"#),
        ),
        (
            "x{$track} / scalar(count(y))",
            format!(r#"x{{{scoped}}} / scalar(count(y{{namespace="shop",service="checkout"}}))"#),
        ),
        (
            r#"label_replace(x{$track}, "a", "$1", "b", "(.*)")"#,
            format!(r#"label_replace(x{{{scoped}}}, "a", "$1", "b", "(.*)")"#),
        ),
        (
            "max_over_time(rate(x{$track}[1m])[5m:])",
            format!("max_over_time(rate(x{{{scoped}}}[1m])[5m:])"),
        ),
        (
            "topk(scalar(x{$track}), y{$track})",
            format!("topk(scalar(x{{{scoped}}}), y{{{scoped}}})"),
        ),
    ] {
        assert_eq!(expression(text, Track::Canary), Ok(planned), "{text}");
    }
    assert!(
        expression("x{$track}", Track::Stable)
            .unwrap()
            .contains(r#"hash="5c4b""#)
    );
}

#[test]
fn opaque_text_is_scoped_by_one_filter() {
    let (rollout, params) = (rollout(), BTreeMap::new());
    let scope = Scope::parse(&label(), Some(MATCH)).unwrap();
    let binding = Binding {
        rollout: &rollout,
        params: &params,
    };
    let planner = Planner::new(&scope, binding, SourceKind::VictoriaMetrics);
    for (text, sent) in [
        ("rate(x{$track}) default 0", "rate(x{}) default 0"),
        (
            r#"rate(x{a="b", $track}) default 0"#,
            r#"rate(x{a="b"}) default 0"#,
        ),
        (
            r#"rate(x{$track , a="b"}) if y{ $track }"#,
            r#"rate(x{ a="b"}) if y{  }"#,
        ),
    ] {
        assert!(check_expression(text, VM).unwrap().opaque, "{text}");
        assert!(matches!(
            check_expression(text, PROM),
            Err(QueryError::Unsupported { .. })
        ));
        assert!(matches!(
            check_expression(text, None),
            Err(QueryError::Parse { .. })
        ));
        let query = planner
            .expression(text, true, Track::Canary, 0, 60, 15)
            .unwrap();
        assert_eq!(query.text, sent);
        assert_eq!(
            query.extra_filters,
            [r#"{hash="7d9f",namespace="shop",service="checkout"}"#]
        );
    }
    let text = r#"rate(x{a="$namespace",$track}) default 0"#;
    assert!(matches!(
        check_expression(text, VM),
        Err(QueryError::Unsupported {
            offset: Some(10),
            ..
        })
    ));
}

#[test]
fn what_is_refused_in_a_selector() {
    for (text, offset, says) in [
        ("", None, "not PromQL"),
        ("x[5m]", None, "leave out `[..]`"),
        ("rate(x[5m])", None, "not `rate(..)`"),
        ("sum(x)", None, "the judge sums"),
        ("x / y", None, "not a calculation"),
        ("x offset 5m", Some(2), "chooses the time"),
        ("x @ 5", Some(2), "chooses the time"),
        ("x{$track}", Some(2), "gets it by itself"),
        ("x{a=$zone}", Some(4), "inside the quotes"),
        (r#"x{a="$track"}"#, Some(5), "without label and quotes"),
        ("x{a=\"b\"", Some(1), "`{` is never closed"),
        ("x{a=\"b}", Some(4), "quote is never closed"),
        ("x{a=\"b\"]", Some(7), "`{` is closed by `]`"),
        ("x}", Some(1), "`}` closes nothing"),
        (r#"x{a=~"("}"#, None, "not PromQL"),
        ("5", None, "literal"),
    ] {
        let error = check_selector(text, PROM).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}: {error}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    let error = check_expression("ratee(x{$track}[5m])", PROM).unwrap_err();
    assert_eq!(error.offset(), Some(0), "{error}");
    for (text, offset, says) in [
        ("rate(x[5m])", None, "both arms would read the same series"),
        ("x + $track", Some(4), "inside the braces"),
        (r#"x{a="$track"}"#, Some(5), "without label and quotes"),
    ] {
        let error = check_expression(text, PROM).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}: {error}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
}

#[test]
fn selectors_without_track_are_listed() {
    for (text, expected) in [
        ("x{$track} / y{a=\"b\", $track}", &[][..]),
        ("x{$track} / y", &["y"]),
        ("x / x{$track} + x{}", &["x", "x{}"]),
        ("topk(scalar(y), x{$track})", &["y"]),
        ("sum by (y) (x{$track}) + y offset 5m", &["y"]),
        ("x{$track} or vector(0)", &[]),
        (
            "{__name__=\"$rollout\"} - {\"x\", $track}",
            &["{__name__=\"$rollout\"}"],
        ),
    ] {
        let info = check_expression(text, PROM).unwrap();
        let found: Vec<&str> = info.untracked.into_iter().map(|at| &text[at]).collect();
        assert_eq!(found, expected, "{text}");
    }
    // VictoriaMetrics narrows every selector of a text that is sent as written
    let opaque = check_expression("x{$track} / y default 0", VM).unwrap();
    assert!(opaque.opaque && opaque.untracked.is_empty());
}

#[test]
fn clashes() {
    let scope = Scope::parse(&label(), Some(MATCH)).unwrap();
    for text in [
        r#"x{namespace="other"}"#,
        r#"x{hash!=""}"#,
        r#"x{namespace!="$namespace"}"#,
    ] {
        let error = scope.check_selector(text, PROM).unwrap_err();
        assert!(
            matches!(error, QueryError::Conflict { .. }),
            "{text}: {error}"
        );
        assert!(matches!(
            raw(&label(), SourceKind::Prometheus, text),
            Err(QueryError::Conflict { .. })
        ));
        let with_track = text.replace('}', ",$track}");
        assert!(matches!(
            scope.check_expression(&with_track, PROM),
            Err(QueryError::Conflict { .. })
        ));
        assert!(matches!(
            expression(&with_track, Track::Canary),
            Err(QueryError::Conflict { .. })
        ));
    }
    let clash = Scope::parse(&label(), Some(r#"{hash="a"}"#));
    assert!(
        matches!(clash, Err(QueryError::Conflict { .. })),
        "{clash:?}"
    );
    for (tracks, text) in [
        (Tracks::Label("a-b".into()), None),
        (Tracks::Label("__name__".into()), None),
        (
            Tracks::Matchers {
                canary: r#"{a="1"}"#.into(),
                stable: r#"{a="1"}"#.into(),
            },
            None,
        ),
        (
            Tracks::Matchers {
                canary: "{}".into(),
                stable: r#"{a="1"}"#.into(),
            },
            None,
        ),
        (label(), Some("x{a=\"b\"}")),
        (label(), Some("{__name__=\"b\"}")),
        (label(), Some("{a=\"b\" or c=\"d\"}")),
    ] {
        assert!(Scope::parse(&tracks, text).is_err(), "{tracks:?} {text:?}");
    }
}

#[test]
fn variables_are_listed_and_must_have_values() {
    let scope = Scope::parse(&label(), Some(MATCH)).unwrap();
    let names: Vec<String> = scope.variables().into_iter().collect();
    assert_eq!(names, ["canaryHash", "namespace", "rollout", "stableHash"]);
    let info = check_selector(r#"x{a="$one-${two}$",b=~"c$|$three"}"#, PROM).unwrap();
    assert!(info.variables.iter().eq(["one", "three", "two"]));
    let info = check_expression(r#"x{a="$one",$track}"#, PROM).unwrap();
    assert!(info.variables.iter().eq(["one"]));
    assert!(
        check_matchers(MATCH)
            .unwrap()
            .iter()
            .eq(["namespace", "rollout"])
    );
    let missing = raw(&label(), SourceKind::Prometheus, r#"x{a="$nowhere"}"#);
    assert_eq!(
        missing,
        Err(QueryError::MissingVariable {
            name: "nowhere".into()
        })
    );
}

#[test]
fn size_and_nesting_are_bounded() {
    let deep = |n: usize| format!("{}x{{$track}}{}", "-(".repeat(n), ")".repeat(n));
    assert!(check_expression(&deep(198), PROM).is_ok());
    assert!(matches!(
        check_expression(&deep(300), PROM),
        Err(QueryError::TooDeep { .. })
    ));
    let words = vec!["x{$track}"; 300].join(" or ");
    assert!(matches!(
        check_expression(&words, PROM),
        Err(QueryError::TooDeep { .. })
    ));
    let long = format!("x{{a=\"{}\"}}", "y".repeat(MAX_BYTES));
    assert!(matches!(
        check_selector(&long, PROM),
        Err(QueryError::TooLong { .. })
    ));
    expression(&deep(198), Track::Canary).unwrap();
}

/// The matchers of the one selector in a printed raw query.
fn reparsed(text: &str) -> Vec<(String, String, String)> {
    let Ok(Expr::MatrixSelector(matrix)) = parse(text) else {
        panic!("not a raw query: {text}");
    };
    let matchers = matrix.vs.matchers;
    assert!(matchers.or_matchers.is_empty());
    assert_eq!(matrix.vs.name.as_deref(), Some("x"));
    let matchers = matchers.matchers.into_iter();
    matchers
        .map(|m| (m.name, m.op.to_string(), m.value))
        .collect()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(
            prop::sample::select(vec![
                "\"", "'", "`", "\\", "\n", "\r", "{", "}", "[", "]", "(", ")", "|", ".*", "+",
                "^", "$", "$rollout", "${zone}", ",", "=", "#", " or ", "é", "\u{2028}", "\0", "x"
            ]),
            0..30
        )
        .prop_map(|parts| parts.concat()),
        Just("\"}[1ms] or y{a=\"".repeat(600)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_hostile_value_stays_inside_one_matcher(namespace in hostile(), canary in hostile(), zone in hostile()) {
        let mut rollout = rollout();
        rollout.namespace = namespace.clone();
        rollout.canary_hash = canary.clone();
        let params = BTreeMap::from([("zone".to_owned(), zone.clone())]);
        let scope = Scope::parse(&label(), Some(MATCH)).unwrap();
        let binding = Binding { rollout: &rollout, params: &params };
        let window = Window { start: 0, end: 60_000 };
        let planner = Planner::new(&scope, binding, SourceKind::Prometheus);
        let planned = planner.raw(r#"x{zone="<$zone>",like=~"$zone.*"}"#, window).unwrap();
        let found = reparsed(&planned[0].1.text);
        prop_assert_eq!(found.len(), 5);
        let value = |name: &str| found.iter().find(|m| m.0 == name).map(|m| (m.1.clone(), m.2.clone())).unwrap();
        prop_assert_eq!(value("namespace"), ("=".into(), namespace));
        prop_assert_eq!(value("zone"), ("=".into(), format!("<{zone}>")));
        prop_assert_eq!(value("service").1, "checkout");
        let Ok(Expr::MatrixSelector(matrix)) = parse(&planned[0].1.text) else { unreachable!() };
        let matchers = matrix.vs.matchers;
        prop_assert!(matchers.find_matchers("hash")[0].is_match(&canary));
        prop_assert!(matchers.find_matchers("hash")[0].is_match("5c4b"));
        prop_assert!(!matchers.find_matchers("hash")[0].is_match("neither"));
        if !zone.contains('\n') {
            let like = format!("{zone}-more");
            prop_assert!(matchers.find_matchers("like")[0].is_match(&like));
        }
        let filter = Planner::new(&scope, binding, SourceKind::VictoriaMetrics)
            .expression("rate(x{$track}) default 0", true, Track::Canary, 0, 1, 1)
            .unwrap()
            .extra_filters
            .remove(0);
        prop_assert!(parse(&filter).is_ok() || canary.is_empty());
    }

    #[test]
    fn arbitrary_text_never_panics(text in hostile()) {
        for kind in [None, VM, PROM] {
            let _ = check_selector(&text, kind);
            let _ = check_expression(&text, kind);
        }
        let _ = check_matchers(&text);
    }

    #[test]
    fn near_promql_never_panics(parts in prop::collection::vec(prop::sample::select(vec!["x", "{", "}", "$track", ",", "a=\"b\"", "a=~\"c\"", "[", "5m", "]", "(", ")", "sum", " by ", "rate", "+", "-", " or ", " offset ", "@", "1e9", "0x", ":", "\"$v\"", "# c\n", "99999999999y", "\\", "\"\\u12é\"", "'", "start()"]), 0..25)) {
        let text = parts.concat();
        let _ = check_selector(&text, PROM);
        if let Ok(info) = check_expression(&text, PROM) {
            for at in info.untracked {
                prop_assert!(text.get(at).is_some());
            }
            let planned = expression(&text, Track::Canary);
            if let Ok(planned) = planned {
                prop_assert!(parse(&planned).is_ok(), "{}", planned);
            }
        }
    }
}
