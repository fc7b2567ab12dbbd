//! Who may import whom: reads the sources of `src` and keeps the table of `ARCHITECTURE.md`. No dependencies.
//!
//! A new arrow between modules is a change of [`WALLS`] and of the table in `ARCHITECTURE.md`, in the same commit.

#[path = "architecture/source.rs"]
mod source;

use source::Source;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// One row of the table.
struct Wall {
    module: &'static str,
    /// Our modules that it may name.
    may: &'static [&'static str],
    /// Crates and words that it may never name.
    never: &'static [&'static str],
}

const NOTHING_ASYNC: &[&str] = &["async", "await", "tokio", "futures_util", "Instant"];
const NO_OUTSIDE: &[&str] = &[
    "async", "await", "tokio", "sqlx", "axum", "kube", "reqwest", "Instant",
];
const NO_ADAPTERS: &[&str] = &["axum", "sqlx", "reqwest", "kube"];
const ONLY_NUMBERS: &[&str] = &[
    "async",
    "await",
    "tokio",
    "futures_util",
    "Instant",
    "serde",
    "serde_json",
    "tracing",
];

const fn wall(
    module: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
) -> Wall {
    Wall { module, may, never }
}

/// The table, as in `ARCHITECTURE.md`.
const WALLS: &[Wall] = &[
    wall("domain", &[], NOTHING_ASYNC),
    wall("stats", &[], ONLY_NUMBERS),
    // PromQL is checked when a policy loads
    wall("policy", &["domain", "query"], NO_OUTSIDE),
    wall("query", &["domain"], NO_OUTSIDE),
    wall("evidence", &["domain", "stats"], NOTHING_ASYNC),
    // of `policy` only the model: see `LOADING`
    wall(
        "judge",
        &["domain", "policy", "evidence", "stats"],
        NOTHING_ASYNC,
    ),
    // of what is kept, by whoever keeps it
    wall("gzip", &[], NO_OUTSIDE),
    // what outgoing connections share
    wall("net", &["domain"], &["axum", "sqlx", "kube"]),
    wall(
        "source",
        // `query` reads a planned query back for the scraper, which answers it itself
        &["domain", "config", "net", "query"],
        &["axum", "sqlx", "kube"],
    ),
    wall(
        "store",
        &["domain", "config", "gzip"],
        &["axum", "reqwest", "kube"],
    ),
    wall(
        "notify",
        &["domain", "config", "net"],
        &["axum", "sqlx", "kube"],
    ),
    wall(
        "writeback",
        &["domain", "config", "net"],
        &["axum", "sqlx", "kube"],
    ),
    wall("kube", &["domain", "config"], &["axum", "sqlx", "reqwest"]),
    wall(
        "service",
        &["domain", "policy", "query", "evidence", "gzip", "judge"],
        NO_ADAPTERS,
    ),
    wall(
        "http",
        &["domain", "policy", "service", "telemetry"],
        &["sqlx", "reqwest", "kube"],
    ),
    // the commands wire everything together
    wall(
        "cli",
        &[
            "config",
            "demo",
            "domain",
            "evidence",
            "gzip",
            "http",
            "judge",
            "kube",
            "net",
            "notify",
            "policy",
            "query",
            "service",
            "source",
            "stats",
            "store",
            "telemetry",
            "writeback",
        ],
        &["axum", "sqlx"],
    ),
    // the simulated shop knows nothing of the judge
    wall("demo", &[], &["sqlx", "reqwest", "kube"]),
    wall("telemetry", &["domain"], NO_ADAPTERS),
    wall("config", &["domain"], NO_ADAPTERS),
];

/// A crate and the modules that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("promql_parser", &["query"]),
    ("statrs", &["stats"]),
    ("sqlx", &["store"]),
    ("lettre", &["notify"]),
    // `demo`: the pages of the simulated pods
    ("axum", &["http", "demo"]),
    // see `PAGES`
    ("maud", &["http"]),
    ("rust_embed", &["http"]),
    // `cli`: `healthcheck` and `gate` ask a running service; `notify`: webhooks
    ("reqwest", &["net", "source", "notify", "writeback", "cli"]),
];

/// Crates that are about pages, and the one folder for them.
const PAGES: (&[&str], &str) = (&["maud", "rust_embed"], "http/dashboard/");

/// Files that may say what their module may not, with the words.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    // deadlines are monotonic moments and part of the ports' signatures
    ("domain/ports.rs", &["async", "Instant"]),
];

/// Parts of `policy` that `judge` may not name: it judges, it does not read documents.
const LOADING: &[&str] = &["load", "check", "registry", "files", "schema"];

/// Words that read the outside world, and the one file for each.
const ONE_FILE: &[(&str, &[&[&str]], &str)] = &[
    (
        "the wall clock",
        &[
            &["SystemTime", "now"],
            &["Timestamp", "now"],
            &["Zoned", "now"],
        ],
        "domain/clock.rs",
    ),
    ("the environment", &[&["std", "env"]], "config/env.rs"),
];

/// The simulated shop is made of chance, and makes the names of its pods.
const CHANCE: &str = "demo/chance.rs";

/// Ways to a random id.
const RANDOM: &[&str] = &["now_v7", "new_v4", "getrandom", "fastrand", "rand"];

const LONGEST_FILE: usize = 600;

fn may_say(source: &Source, word: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(path, words)| *path == source.path && words.contains(&word))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    assert!(!found.is_empty(), "there is no source under src");
    let read = |file: &PathBuf| Source::read(&root(), file);
    found.iter().map(read).collect()
});

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Fails with every complaint at once.
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

fn check(complain: impl Fn(&Source) -> Vec<String>) {
    let all: Vec<String> = SOURCES
        .iter()
        .flat_map(|s| {
            complain(s)
                .into_iter()
                .map(|c| format!("src/{}: {c}", s.path))
        })
        .collect();
    none(&all);
}

#[test]
fn every_folder_has_its_row() {
    let known: BTreeSet<&str> = WALLS.iter().map(|w| w.module).collect();
    check(|source| {
        let top = matches!(source.module.as_str(), "lib" | "main");
        let missing = !top && !known.contains(source.module.as_str());
        missing
            .then(|| format!("module `{}` has no row in the table", source.module))
            .into_iter()
            .collect()
    });
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let known: BTreeSet<&str> = WALLS.iter().map(|w| w.module).collect();
    check(|source| {
        let Some(wall) = WALLS.iter().find(|w| w.module == source.module) else {
            return Vec::new();
        };
        if source.is_test() {
            return Vec::new();
        }
        let foreign: BTreeSet<&str> = source
            .ours()
            .map(|(module, _)| module)
            .filter(|m| known.contains(m) && *m != wall.module && !wall.may.contains(m))
            .collect();
        foreign
            .into_iter()
            .map(|m| format!("`{}` may not import `{m}`", wall.module))
            .collect()
    });
}

#[test]
fn the_binary_only_starts_the_commands() {
    check(|source| {
        if source.module != "main" {
            return Vec::new();
        }
        let mut complaints: Vec<String> = source
            .ours()
            .filter(|(module, _)| *module != "cli")
            .map(|(module, _)| format!("the binary may not import `{module}`"))
            .collect();
        if source.text.lines().count() >= 30 {
            complaints.push("the binary has 30 lines or more".to_owned());
        }
        complaints
    });
}

#[test]
fn judge_sees_only_the_model_of_a_policy() {
    check(|source| {
        if source.module != "judge" || source.is_test() {
            return Vec::new();
        }
        source
            .ours()
            .filter_map(|(module, part)| part.filter(|_| module == "policy"))
            .filter(|part| LOADING.contains(part))
            .map(|part| format!("`judge` may not import `policy::{part}`"))
            .collect()
    });
}

#[test]
fn modules_never_say_what_is_forbidden() {
    check(|source| {
        let Some(wall) = WALLS.iter().find(|w| w.module == source.module) else {
            return Vec::new();
        };
        if source.is_test() {
            return Vec::new();
        }
        wall.never
            .iter()
            .filter(|word| **word != wall.module && source.says(word) && !may_say(source, word))
            .map(|word| format!("`{}` may never say `{word}`", wall.module))
            .collect()
    });
}

#[test]
fn crates_stay_in_their_modules() {
    check(|source| {
        ONLY_IN
            .iter()
            .filter(|(name, homes)| source.says(name) && !homes.contains(&source.module.as_str()))
            .map(|(name, homes)| format!("`{name}` may appear only in {}", homes.join(", ")))
            .collect()
    });
}

#[test]
fn pages_are_made_in_one_folder() {
    let (crates, home) = PAGES;
    check(|source| {
        crates
            .iter()
            .filter(|name| source.says(name) && !source.path.starts_with(home))
            .map(|name| format!("`{name}` may appear only in src/{home}"))
            .collect()
    });
}

#[test]
fn clock_and_environment_are_read_in_one_file_each() {
    check(|source| {
        ONE_FILE
            .iter()
            .filter(|(_, ways, home)| {
                source.path != *home && ways.iter().any(|way| source.says_path(way))
            })
            .map(|(what, _, home)| format!("{what} is read only in src/{home}"))
            .collect()
    });
}

#[test]
fn random_ids_are_made_in_one_file() {
    let files: Vec<&str> = SOURCES
        .iter()
        .filter(|s| s.path != CHANCE)
        .filter(|s| !s.is_test() && RANDOM.iter().any(|word| s.says(word)))
        .map(|s| s.path.as_str())
        .collect();
    assert!(
        files.len() <= 1,
        "random ids are made in {}",
        files.join(", ")
    );
}

#[test]
fn files_are_small_and_finished() {
    check(|source| {
        let lines = source.text.lines().count();
        let mut complaints = Vec::new();
        if lines > LONGEST_FILE {
            complaints.push(format!("{lines} lines; split it at {LONGEST_FILE}"));
        }
        for word in ["todo", "unimplemented"] {
            if source.bare.contains(&format!("{word}!")) {
                complaints.push(format!("has `{word}!`"));
            }
        }
        if source.bare.contains("#[ignore") {
            complaints.push("has a test that is ignored".to_owned());
        }
        complaints
    });
}

/// The modules of a row of a Markdown table, and which of ours its third column allows; `everything` is all of them.
fn row(line: &str) -> Option<(Vec<&str>, BTreeSet<&str>)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let names: Vec<&str> = cells.first()?.split(", ").collect();
    let known = |name: &str| WALLS.iter().any(|w| w.module == name);
    if !names.iter().all(|name| known(name)) {
        return None;
    }
    let words = cells.get(2)?.split(|c: char| !c.is_alphanumeric());
    let all = cells[2] == "everything";
    let every = WALLS.iter().map(|w| w.module).filter(|_| all);
    Some((names, words.filter(|w| known(w)).chain(every).collect()))
}

/// The table of `ARCHITECTURE.md`, once that file is there, says the same as [`WALLS`].
#[test]
fn architecture_md_has_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    let mut complaints = Vec::new();
    for wall in WALLS.iter().filter(|w| root().join(w.module).is_dir()) {
        let may = wall.may.iter().copied().chain([wall.module]).collect();
        let found = rows.iter().find(|(names, _)| names.contains(&wall.module));
        match found {
            None => complaints.push(format!("ARCHITECTURE.md has no row `{}`", wall.module)),
            Some((_, allowed)) if allowed | &BTreeSet::from([wall.module]) != may => {
                complaints.push(format!(
                    "ARCHITECTURE.md lets `{}` import {allowed:?}, the test {:?}",
                    wall.module, wall.may
                ));
            }
            Some(_) => {}
        }
    }
    none(&complaints);
}

#[test]
fn the_reader_reads() {
    let text = r##"
        //! async in a comment
        use crate::{domain::{Labels, Millis}, query::Tracks};
        use super::super::policy;
        use std::{env, fmt};
        /* tokio */ const A: &str = "axum \" sqlx"; const B: &str = r#"kube " "#; const C: char = '"';
        fn f<'a>(x: &'a str) -> crate::stats::Side { SystemTime::now() }
    "##;
    let source = Source::parse("service/x.rs".to_owned(), text.to_owned());
    let ours: BTreeSet<&str> = source.ours().map(|(module, _)| module).collect();
    assert_eq!(ours, BTreeSet::from(["domain", "policy", "query", "stats"]));
    assert!(source.says_path(&["std", "env"]) && source.says_path(&["SystemTime", "now"]));
    for word in ["async", "tokio", "axum", "sqlx", "kube"] {
        assert!(!source.says(word), "{word}");
    }
}
