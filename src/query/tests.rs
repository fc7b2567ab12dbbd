use super::*;
use crate::domain::{PlannedQuery, RolloutRef, SourceKind, Track, Window};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn rollout(namespace: &str) -> RolloutRef {
    RolloutRef {
        namespace: namespace.into(),
        name: "shop".into(),
        canary_hash: "abc".into(),
        stable_hash: "xyz".into(),
    }
}

fn raw(
    match_text: &str,
    selector: &str,
    namespace: &str,
    kind: SourceKind,
) -> Result<Vec<PlannedQuery>, QueryError> {
    let scope = Scope::parse(&Tracks::Label("hash".into()), Some(match_text))?;
    let (rollout, params) = (
        rollout(namespace),
        BTreeMap::from([("region".to_owned(), "eu.1".to_owned())]),
    );
    let planner = Planner::new(
        &scope,
        Binding {
            rollout: &rollout,
            params: &params,
        },
        kind,
    );
    let planned = planner.raw(
        selector,
        Window {
            start: 0,
            end: 60_000,
        },
    )?;
    Ok(planned.into_iter().map(|(_, query)| query).collect())
}

#[test]
fn matchers_are_pushed_into_the_tree() {
    let rows = [
        (
            r#"{ns="$namespace"}"#,
            "up",
            r#"up{hash=~"abc|xyz",ns="prod"}[60000ms]"#,
        ),
        (
            r#"{ns="$namespace"}"#,
            r#"up{code=~"5.."}"#,
            r#"up{code=~"5..",hash=~"abc|xyz",ns="prod"}[60000ms]"#,
        ),
        (
            r#"{r=~"$region|us"}"#,
            "up",
            r#"up{hash=~"abc|xyz",r=~"eu\\.1|us"}[60000ms]"#,
        ),
        (
            r#"{ns="prod"}"#,
            r#"up{ns="prod"}"#,
            r#"up{hash=~"abc|xyz",ns="prod"}[60000ms]"#,
        ),
        (
            "{}",
            r#"up{x="$rollout"}"#,
            r#"up{hash=~"abc|xyz",x="shop"}[60000ms]"#,
        ),
    ];
    for (match_text, selector, expected) in rows {
        let got = raw(match_text, selector, "prod", SourceKind::Prometheus);
        assert_eq!(
            got.map(|q| q.into_iter().map(|q| q.text).collect::<Vec<_>>()),
            Ok(vec![expected.to_owned()]),
            "{selector}"
        );
    }
}

#[test]
fn every_branch_of_an_or_is_scoped() {
    let got = raw(
        r#"{ns="p"}"#,
        r#"{a="1" or b="2"}"#,
        "prod",
        SourceKind::VictoriaMetrics,
    )
    .unwrap();
    let text = &got[0].text;
    assert_eq!(text.matches("ns=\"p\"").count(), 2, "{text}");
    assert_eq!(text.matches("hash=~").count(), 2, "{text}");
    let refused = raw(
        r#"{ns="p"}"#,
        r#"{a="1" or b="2"}"#,
        "prod",
        SourceKind::Prometheus,
    );
    assert!(
        matches!(refused, Err(QueryError::Unsupported { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_clash_is_an_error() {
    for selector in [r#"up{hash="mine"}"#, r#"up{ns="other"}"#] {
        let got = raw(r#"{ns="p"}"#, selector, "prod", SourceKind::Prometheus);
        assert!(
            matches!(got, Err(QueryError::Conflict { .. })),
            "{selector}: {got:?}"
        );
    }
}

#[test]
fn what_is_no_selector_is_refused() {
    for text in [
        "rate(up[5m])",
        "up[5m]",
        "sum(up)",
        "up offset 5m",
        "1",
        "up + up",
        "$namespace",
        "up{a=$b}",
        "up{",
        "",
    ] {
        for kind in [SourceKind::Prometheus, SourceKind::VictoriaMetrics] {
            assert!(check_selector(text, Some(kind)).is_err(), "{text}");
        }
    }
    assert!(check_selector(&"a".repeat(MAX_BYTES + 1), None).is_err());
    let deep = format!("{}1{}", "(".repeat(MAX_TOKENS), ")".repeat(MAX_TOKENS));
    assert!(matches!(
        check_expression(&deep, None),
        Err(QueryError::TooDeep { .. })
    ));
}

#[test]
fn expressions_take_the_track_where_it_stands() {
    let scope = Scope::parse(&Tracks::Label("hash".into()), Some(r#"{ns="$namespace"}"#)).unwrap();
    let (rollout, params) = (rollout("prod"), BTreeMap::new());
    let planner = Planner::new(
        &scope,
        Binding {
            rollout: &rollout,
            params: &params,
        },
        SourceKind::Prometheus,
    );
    let text = "sum(rate(a{$track}[1m])) / sum(rate(b{x=\"1\",$track}[1m])) + max(c)";
    let query = planner
        .expression(text, false, Track::Canary, 0, 60, 30)
        .unwrap();
    let expected = r#"sum(rate(a{hash="abc",ns="prod"}[1m])) / sum(rate(b{hash="abc",ns="prod",x="1"}[1m])) + max(c{ns="prod"})"#;
    assert_eq!(query.text, expected);
    let opaque = "rate(a{$track, b=\"1\"}) default 0 + b{c=\"d\",$track}";
    assert_eq!(
        check_expression(opaque, Some(SourceKind::VictoriaMetrics)).map(|i| i.opaque),
        Ok(true)
    );
    assert!(check_expression(opaque, Some(SourceKind::Prometheus)).is_err());
    let query = planner
        .expression(opaque, true, Track::Stable, 0, 60, 30)
        .unwrap();
    assert_eq!(query.text, "rate(a{ b=\"1\"}) default 0 + b{c=\"d\"}");
    assert_eq!(query.extra_filters, [r#"{ns="prod",hash="xyz"}"#]);
    assert!(check_expression("sum(a)", Some(SourceKind::Prometheus)).is_err());
}

#[test]
fn a_missing_variable_is_named() {
    let scope = Scope::parse(&Tracks::Label("hash".into()), Some(r#"{ns="$team"}"#)).unwrap();
    assert_eq!(scope.variables(), ["team"]);
    let (rollout, params) = (rollout("prod"), BTreeMap::new());
    let planner = Planner::new(
        &scope,
        Binding {
            rollout: &rollout,
            params: &params,
        },
        SourceKind::Prometheus,
    );
    assert_eq!(
        planner.check_params(&["up"]),
        Err(QueryError::MissingVariable {
            name: "team".into()
        })
    );
}

proptest! {
    #[test]
    fn a_hostile_value_stays_one_label_value(value in "\\PC{0,40}|[\\\\\"'{}|,=~$\n\t`]{0,40}|.{0,60}") {
        let got = raw(r#"{ns="$namespace",re=~"x$namespace"}"#, "up", &value, SourceKind::Prometheus).unwrap();
        let text = got[0].text.strip_suffix("[60000ms]").unwrap().to_owned();
        let tree = tree::Tree::parse_printed(&text).unwrap();
        let found = tree.conditions();
        prop_assert_eq!(found.len(), 3, "{}", text);
        prop_assert_eq!(&found.iter().find(|c| c.label == "ns").unwrap().value, &value);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}|[a-z(){}\\[\\]\"=~$+,]{0,300}") {
        let _ = check_selector(&text, Some(SourceKind::VictoriaMetrics));
        let _ = check_expression(&text, Some(SourceKind::Prometheus));
    }
}
