//! The good and the bad policies under `fixtures/policies`, and what nobody should write at all.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use proptest::prelude::*;
use rollout_judge::{
    domain::SourceKind,
    policy::{self, Indicator, MAX_FILE_BYTES, Mistake, Problems},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The sources of the fixtures: `default` is Prometheus, `victoria` is VictoriaMetrics.
fn sources(name: &str) -> Option<SourceKind> {
    match name {
        "default" => Some(SourceKind::Prometheus),
        "victoria" => Some(SourceKind::VictoriaMetrics),
        "pods" => Some(SourceKind::Scrape),
        _ => None,
    }
}

fn folder(name: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/policies")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn short(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch for the developer, not a setting of the program"
)]
fn update() -> bool {
    std::env::var("UPDATE").is_ok()
}

/// Compares with a committed file, or rewrites it with `UPDATE=1`.
fn same_as_committed(path: &Path, text: &str) {
    if update() {
        fs::write(path, text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        committed,
        text,
        "{} differs: look at it, then UPDATE=1",
        path.display()
    );
}

fn refused(text: &str) -> Problems {
    *policy::load("broken.yaml", text, Some(&sources)).unwrap_err()
}

#[test]
fn good_policies_load() {
    let files = folder("good");
    assert!(files.len() >= 8);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        if let Err(problems) = policy::load(&short(&path), &text, Some(&sources)) {
            panic!("{problems}");
        }
        policy::load(&short(&path), &text, None)
            .map_err(|problems| assert_eq!(short(&path), "metricsql.yaml", "{problems}"))
            .ok();
    }
}

#[test]
fn bad_policies_are_refused_with_place_and_cure() {
    let files = folder("bad");
    assert!(files.len() >= 66, "only {} bad policies", files.len());
    for path in files {
        let name = short(&path);
        let text = fs::read_to_string(&path).unwrap();
        let Err(problems) = policy::load(&name, &text, Some(&sources)) else {
            panic!("{name} was accepted")
        };
        let first = text.lines().next().unwrap();
        let expected = first
            .strip_prefix("# wrong: ")
            .unwrap_or_else(|| panic!("{name} does not say what is wrong"));
        let told: Vec<_> = problems
            .diagnostics
            .iter()
            .map(|d| format!("{} at {}:{}", d.code.as_str(), d.line, d.column))
            .collect();
        for one in expected.split(", ") {
            assert!(
                told.contains(&one.to_owned()),
                "{name}: {one} is not among {told:?}\n{problems}"
            );
        }
        for found in &problems.diagnostics {
            assert!(found.help.len() > 4, "{name}: no cure in {found:?}");
            let line = text
                .lines()
                .nth(found.line - 1)
                .unwrap_or_else(|| panic!("{name}: no line {}", found.line));
            let end = found.column - 1 + found.length;
            assert!(
                end <= line.chars().count().max(found.column),
                "{name}: outside of its line: {found:?}"
            );
        }
        assert!(problems.render(true).contains('\u{1b}'));
        same_as_committed(&path.with_extension("stderr"), &problems.render(false));
    }
}

#[test]
fn every_code_of_a_document_has_a_bad_policy() {
    let told: String = folder("bad")
        .iter()
        .map(|path| {
            fs::read_to_string(path)
                .unwrap()
                .lines()
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    for code in [
        Mistake::YamlSyntax,
        Mistake::EmptyFile,
        Mistake::WrongKind,
        Mistake::UnknownKey,
        Mistake::DuplicateKey,
        Mistake::MissingKey,
        Mistake::WrongType,
        Mistake::WrongUnit,
        Mistake::OutOfRange,
        Mistake::UnknownWord,
        Mistake::BadName,
        Mistake::DuplicateName,
        Mistake::Contradiction,
        Mistake::BadOrder,
        Mistake::BadMargin,
        Mistake::BadIndicator,
        Mistake::NothingDecides,
        Mistake::Promql,
        Mistake::NotASelector,
        Mistake::NotAHistogram,
        Mistake::Unsupported,
        Mistake::ConflictingMatcher,
        Mistake::MissingTrack,
        Mistake::UnknownVariable,
        Mistake::UnknownSource,
        Mistake::DuplicatePolicy,
        Mistake::TooLarge,
    ] {
        assert!(
            told.contains(code.as_str()),
            "{} has no example",
            code.as_str()
        );
    }
}

#[test]
fn schema_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy.schema.json");
    let text = serde_json::to_string_pretty(&policy::schema()).unwrap() + "\n";
    same_as_committed(&path, &text);
}

/// What is wrong with a value by a schema, for the words that our schema uses; patterns are for editors.
fn invalid(value: &Value, schema: &Value) -> Option<String> {
    let list = |word: &str| schema[word].as_array().into_iter().flatten();
    if let Some(wanted) = schema.get("const").filter(|wanted| *wanted != value) {
        return Some(format!("{value} is not {wanted}"));
    }
    if schema.get("enum").is_some() && !list("enum").any(|word| word == value) {
        return Some(format!("{value} is not in {}", schema["enum"]));
    }
    if schema.get("anyOf").is_some() && list("anyOf").all(|one| invalid(value, one).is_some()) {
        return Some(format!("{value} is none of {}", schema["anyOf"]));
    }
    if schema.get("oneOf").is_some()
        && list("oneOf")
            .filter(|one| invalid(value, one).is_none())
            .count()
            != 1
    {
        return Some(format!("{value} is not one of {}", schema["oneOf"]));
    }
    if let Some(key) = list("required").find(|key| value.get(key.as_str().unwrap()).is_none()) {
        return Some(format!("{key} is missing in {value}"));
    }
    let right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value
            .as_f64()
            .is_some_and(|n| n >= schema["minimum"].as_f64().unwrap_or(f64::MIN)),
        Some("boolean") => value.is_boolean(),
        Some(other) => return Some(format!("unknown type {other}")),
        None => true,
    };
    if !right {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if let (Some(items), Some(all)) = (schema.get("items"), value.as_array()) {
        return all.iter().find_map(|item| invalid(item, items));
    }
    let (Some(known), Some(entries)) = (schema["properties"].as_object(), value.as_object()) else {
        return None;
    };
    entries
        .iter()
        .find_map(|(key, inner)| match known.get(key) {
            Some(one) => invalid(inner, one),
            None => Some(format!("{key} is unknown")),
        })
}

#[test]
fn good_policies_follow_the_schema() {
    let schema = policy::schema();
    for path in folder("good") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../../policy.schema.json"));
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        for document in documents {
            assert_eq!(invalid(&document, &schema), None, "{}", short(&path));
        }
    }
}

#[test]
fn unknown_and_missing_keys_break_the_schema() {
    let schema = policy::schema();
    for name in [
        "no-such-key",
        "missing-spec",
        "objective-two-indicators",
        "objective-without-indicator",
        "margin-key-typo",
        "unit-word",
    ] {
        let text =
            fs::read_to_string(folder("bad")[0].with_file_name(format!("{name}.yaml"))).unwrap();
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        assert!(invalid(&documents[0], &schema).is_some(), "{name}");
    }
}

#[test]
fn diagnostics_are_data() {
    let problems = refused(
        "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { nam: x }\nspec: { objectives: [] }\n",
    );
    let json = serde_json::to_value(&problems.diagnostics).unwrap();
    assert_eq!(json[0]["code"], "unknown-key");
    assert_eq!(json[0]["line"], 3);
    assert_eq!(json[0]["column"], 13);
    assert_eq!(json[0]["length"], 3);
    assert_eq!(json[0]["help"], "did you mean `name`?");
    assert_eq!(json.as_array().unwrap().len(), 2);
}

#[test]
fn defaults_follow_the_kind() {
    let text = fs::read_to_string(&folder("good")[1]).unwrap();
    let policy = &policy::load("http-service.yaml", &text, Some(&sources)).unwrap()[0].policy;
    assert_eq!(policy.name, "http-service");
    let by_name = |name: &str| policy.objectives.iter().find(|o| o.name == name).unwrap();
    let (p99, query) = (by_name("p99-latency"), by_name("custom"));
    assert_eq!((p99.limit, p99.pass_margin.relative), (Some(0.5), 0.5));
    assert_eq!((query.margin.relative, query.margin.absolute), (0.0, 0.1));
    assert_eq!(
        (query.pass_margin.relative, query.pass_margin.absolute),
        (0.5, 0.1)
    );
    assert!(matches!(
        query.indicator,
        Indicator::Query { opaque: false, .. }
    ));
    let deciding: f64 = policy
        .objectives
        .iter()
        .filter(|o| o.critical && !o.watch)
        .map(|o| o.weight)
        .sum();
    assert!((deciding - 1.0).abs() < 1e-12);
    assert_eq!(policy.steps.len(), 4);
    assert_eq!(policy.steps[0].max_duration, Some(900_000));
    assert_eq!(
        (policy.horizon, policy.block, policy.lag),
        (7_200_000, Some(30_000), 30_000)
    );
}

/// A policy with these lines under `spec`.
fn of_spec(lines: &str) -> String {
    format!(
        "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: {{ name: p }}\nspec:\n{lines}"
    )
}

#[test]
fn a_time_without_harm_is_noted() {
    for (objective, said) in [
        (
            "mean: { sum: s, count: c }, unit: seconds",
            "only a decrease",
        ),
        (
            "mean: { sum: latency_seconds_sum, count: c }",
            "only a decrease",
        ),
        (
            "mean: { sum: latency_seconds_sum, count: c }, harm: decrease",
            "",
        ),
        ("mean: { sum: order_value_sum, count: c }", ""),
        ("mean: { sum: 'x_sum{a=\"seconds\"}', count: c }", ""),
        ("gauge: queue_wait, unit: seconds", "only an increase"),
        ("gauge: queue_wait, unit: seconds, harm: either", ""),
        ("gauge: process_resident_memory_bytes, unit: bytes", ""),
        (
            "latencyQuantile: { histogram: x_seconds_bucket, quantile: 0.5 }",
            "",
        ),
    ] {
        let text = of_spec(&format!(
            "  objectives:\n    - {{ name: o, {objective} }}\n"
        ));
        let documents =
            policy::load("p.yaml", &text, Some(&sources)).unwrap_or_else(|p| panic!("{p}"));
        let notes = &documents[0].notes;
        let right = match notes.as_slice() {
            [] => said.is_empty(),
            [one] => {
                !said.is_empty() && one.message.contains(said) && (one.line, one.column) == (6, 18)
            }
            _ => false,
        };
        assert!(right, "{objective}: {notes:?}");
    }
}

#[test]
fn what_is_odd_but_allowed_is_noted() {
    for (objective, said) in [
        ("query: 'sum(rate(a{$track}[1m]))'", ""),
        ("query: 'summ(rate(a{$track}[1m]))'", "not PromQL"),
        ("query: 'sum(a{$track}) by'", "not PromQL"),
        ("query: 'sum(a{$track} @ 5)'", "the same moment"),
        ("query: 'sum(a{$track} @ end())'", ""),
        (
            "ratio: { numerator: a, denominator: b }, harm: increase, limit: 3",
            "write 3% if a share is meant",
        ),
        (
            "ratio: { numerator: a, denominator: b }, margin: { absolute: 2 }",
            "write 2% if a share is meant",
        ),
        ("ratio: { numerator: a, denominator: b }, limit: 30%", ""),
        ("ratio: { numerator: a, denominator: b }, limit: 300%", ""),
    ] {
        let text = of_spec(&format!(
            "  source: victoria\n  objectives:\n    - {{ name: o, {objective} }}\n"
        ));
        let loaded = policy::load("p.yaml", &text, Some(&sources));
        if objective.contains("300%") {
            assert!(loaded.is_err(), "{objective}");
            continue;
        }
        let documents = loaded.unwrap_or_else(|p| panic!("{p}"));
        let rate = documents[0].policy.objectives[0].unit == policy::Unit::None;
        assert_eq!(rate, !objective.contains("30%"), "{objective}");
        let notes = &documents[0].notes;
        let right = match notes.as_slice() {
            [] => said.is_empty(),
            [one] => !said.is_empty() && one.message.contains(said),
            _ => false,
        };
        assert!(right, "{objective}: {notes:?}");
    }
}

#[test]
fn a_policy_that_judged_is_read_as_it_was() {
    let query = "  objectives:\n    - { name: o, query: 'sum(a{$track}) / sum(b)' }\n";
    let bucket = "  objectives:\n    - { name: o, latencyQuantile: { histogram: 'x_bucket{le=\"1\"}', quantile: 0.5 } }\n";
    let gauge = "  objectives:\n    - { name: o, gauge: g }\n";
    for spec in [
        query.to_owned(),
        bucket.to_owned(),
        format!("  horizon: 5m\n{gauge}"),
        format!("  steps: [{{ weight: 5, minDuration: 3h, maxDuration: 4d }}]\n{gauge}"),
    ] {
        let text = of_spec(&spec);
        assert!(
            policy::load("p.yaml", &text, Some(&sources)).is_err(),
            "{spec}"
        );
        policy::load_kept("p.yaml", &text, Some(&sources)).unwrap_or_else(|p| panic!("{p}"));
    }
    // a step may be longer than the longest horizon
    let text = of_spec(&format!(
        "  horizon: 24h\n  steps: [{{ weight: 5, minDuration: 3d }}]\n{gauge}"
    ));
    policy::load("p.yaml", &text, Some(&sources)).unwrap_or_else(|p| panic!("{p}"));
}

#[test]
fn revision_ignores_comments_and_order() {
    let text = fs::read_to_string(&folder("good")[1]).unwrap();
    let revision = |text: &str| {
        policy::load("x.yaml", text, None).unwrap()[0]
            .policy
            .revision
            .clone()
    };
    let without: String = text
        .lines()
        .map(|line| line.split(" # ").next().unwrap().trim_end().to_owned() + "\n")
        .collect();
    assert_eq!(revision(&text), revision(&without));
    assert_ne!(
        revision(&text),
        revision(&text.replace("limit: 0.02", "limit: 0.03"))
    );
    assert!(revision(&text).starts_with("sha256:") && revision(&text).len() == 23);
}

#[test]
fn hostile_files_are_refused_quickly() {
    let bomb: String = (1..10).fold(
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
        |text, level| {
            let below = format!("*a{}", level - 1);
            text + &format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", "))
        },
    );
    let indented = |lines: usize| {
        (0..lines)
            .map(|depth| " ".repeat(depth) + "a:")
            .collect::<Vec<_>>()
            .join("\n")
    };
    for text in [
        bomb,
        "[".repeat(100_000),
        "{a: ".repeat(50_000),
        indented(400),
        indented(700),
        "x".repeat(5_000_000),
        "- ".repeat(100_000),
    ] {
        let began = Instant::now();
        let problems = refused(&text);
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "took {:?}: {}",
            began.elapsed(),
            &text[..40]
        );
        let code = problems.diagnostics[0].code;
        assert!(
            matches!(code, Mistake::TooLarge | Mistake::YamlSyntax),
            "{problems}"
        );
    }
    assert_eq!(
        refused(&" ".repeat(MAX_FILE_BYTES + 1)).diagnostics[0].code,
        Mistake::TooLarge
    );
}

#[test]
fn editors_of_all_kinds() {
    let text = fs::read_to_string(folder("good")[1].as_path()).unwrap();
    let plain = policy::load("x.yaml", &text, None).unwrap()[0]
        .policy
        .revision
        .clone();
    for other in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("---\n{text}...\n"),
    ] {
        assert_eq!(
            policy::load("x.yaml", &other, None)
                .map_err(|e| panic!("{e}"))
                .unwrap()[0]
                .policy
                .revision,
            plain
        );
        let broken = other.replace("horizon:", "horizn:");
        let found = policy::load("x.yaml", &broken, None).unwrap_err();
        let [one] = found.diagnostics.as_slice() else {
            panic!("{found}")
        };
        assert_eq!(
            (one.help.as_str(), one.column, one.length),
            ("did you mean `horizon`?", 3, 6),
            "{found}"
        );
    }
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: merged }\nspec:\n  objectives:\n    - &base\n      name: a\n      errorRatio: { errors: e_total, total: t_total }\n      limit: 1%\n    - <<: *base\n      name: b\n      limit: 2%\n";
    let documents = policy::load("x.yaml", text, None)
        .map_err(|e| panic!("{e}"))
        .unwrap();
    let limits: Vec<_> = documents[0]
        .policy
        .objectives
        .iter()
        .map(|o| (o.name.as_str(), o.limit))
        .collect();
    assert_eq!(limits, [("a", Some(0.01)), ("b", Some(0.02))]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutations_never_panic(
        file in 0_usize..8,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[ -~\n\té{}$\\[\\]%\"':&*-]{0,6}"), 1..6),
    ) {
        let mut text = fs::read_to_string(&folder("good")[file]).unwrap();
        for (at, length, insert) in cuts {
            let mut start = at.index(text.len().max(1)).min(text.len());
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(start..end, &insert);
        }
        if let Err(problems) = policy::load("mutated.yaml", &text, Some(&sources)) {
            prop_assert!(!problems.diagnostics.is_empty());
            for found in &problems.diagnostics {
                prop_assert!(!found.help.is_empty() && found.line >= 1 && found.column >= 1);
            }
            let _ = problems.render(true);
        }
    }
}
