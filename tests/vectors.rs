//! Every reference vector against `stats`: one test per procedure, and one that no file is left out.
//!
//! The folder is `fixtures/stats`, or what `VECTORS_DIR` names: any other cases of the same procedures will do. Keys that
//! carry a parameter are read, not known by heart; inputs with a documented default may be absent. Each expected number
//! must be computed and must agree; an expected key that the code here does not compute, a missing input field and an
//! unknown procedure are failures that name file, case and key.

#[path = "vectors/closed_forms.rs"]
mod closed_forms;
#[path = "vectors/compare.rs"]
mod compare;
#[path = "vectors/counts.rs"]
mod counts;
#[path = "vectors/estimates.rs"]
mod estimates;
#[path = "vectors/fixed_horizon.rs"]
mod fixed_horizon;
#[path = "vectors/functions.rs"]
mod functions;
#[path = "vectors/harness.rs"]
mod harness;
#[path = "vectors/input.rs"]
mod input;
#[path = "vectors/keys.rs"]
mod keys;
#[path = "vectors/samples.rs"]
mod samples;

use closed_forms::{
    beta_binomial_sequence, decision, dirichlet_multinomial, dispersion, group_sequential,
    minimum_detectable, multiplicity,
};
use compare::{Rules, compare};
use counts::{binomial_eprocess, quantile_exceedance, ratio_confidence_sequence, two_arm_evidence};
use estimates::{block_mean_ratio, normal_mixture, paired_gauge, stratified_rate_ratio};
use fixed_horizon::{
    mann_whitney, proportion_interval, quantile_interval, rate_ratio_conditional, two_proportions,
    welch_t,
};
use functions::special_functions;
use input::{In, Outcome};
use samples::{counter_increase, histogram_quantile, vmrange_histogram};
use serde_json::Value;
use std::path::PathBuf;

type Run = fn(&In<'_>) -> Outcome;

/// Declares one test per procedure and the table that dispatches to them.
macro_rules! procedures {
    ($($name:ident),+ $(,)?) => {
        const PROCEDURES: &[(&str, Run)] = &[$((stringify!($name), $name)),+];
        mod procedure {
            $(#[test] fn $name() { super::check_procedure(stringify!($name)); })+
        }
    };
}

procedures!(
    beta_binomial_sequence,
    binomial_eprocess,
    block_mean_ratio,
    counter_increase,
    decision,
    dirichlet_multinomial,
    dispersion,
    group_sequential,
    histogram_quantile,
    mann_whitney,
    minimum_detectable,
    multiplicity,
    normal_mixture,
    paired_gauge,
    proportion_interval,
    quantile_exceedance,
    quantile_interval,
    rate_ratio_conditional,
    ratio_confidence_sequence,
    special_functions,
    stratified_rate_ratio,
    two_arm_evidence,
    two_proportions,
    vmrange_histogram,
    welch_t,
);

/// The folder to read and whether somebody named it.
fn folder() -> (PathBuf, bool) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is pointed at its folder from outside"
    )]
    match std::env::var("VECTORS_DIR") {
        Ok(path) if !path.is_empty() => (PathBuf::from(path), true),
        _ => (
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/stats"),
            false,
        ),
    }
}

/// All vector files, as (path, document).
fn documents() -> Vec<(String, Value)> {
    let (folder, _) = folder();
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| {
            entry.map_or_else(
                |e| panic!("{}: {e}", folder.display()),
                |entry| entry.path(),
            )
        })
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert!(
        !files.is_empty(),
        "{} holds no vector file",
        folder.display()
    );
    files
        .iter()
        .map(|path| {
            let text =
                std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let value =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path.display().to_string(), value)
        })
        .collect()
}

fn procedure_of<'a>(file: &str, document: &'a Value) -> &'a str {
    document["procedure"]
        .as_str()
        .unwrap_or_else(|| panic!("{file}: no procedure"))
}

fn check_procedure(name: &str) {
    let (_, chosen) = folder();
    let mut files = 0;
    let mut cases = 0;
    let mut failures = Vec::new();
    for (file, document) in documents() {
        if procedure_of(&file, &document) == name {
            files += 1;
            cases += check_document(&file, &document, &mut failures);
        }
    }
    assert!(files > 0 || chosen, "no file for {name}");
    assert!(
        failures.is_empty(),
        "{} of {cases} cases of {name} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{name}: {cases} cases agree");
}

/// Runs every case of a document; returns how many there are.
fn check_document(file: &str, document: &Value, failures: &mut Vec<String>) -> usize {
    let name = procedure_of(file, document);
    let known = PROCEDURES.iter().find(|(known, _)| *known == name);
    let (_, run) = known.unwrap_or_else(|| panic!("{file}: unknown procedure {name}"));
    let cases = document["cases"]
        .as_array()
        .unwrap_or_else(|| panic!("{file}: no cases"));
    assert!(!cases.is_empty(), "{file}: no cases");
    for (position, case) in cases.iter().enumerate() {
        let wrong = check_case(name, &document["tolerance"], case, *run);
        if !wrong.is_empty() {
            let id = case["id"]
                .as_str()
                .map_or_else(|| format!("#{position}"), ToOwned::to_owned);
            failures.push(format!("{file}, case {id}:\n    {}", wrong.join("\n    ")));
        }
    }
    cases.len()
}

/// What is wrong with one case.
fn check_case(procedure: &str, tolerance: &Value, case: &Value, run: Run) -> Vec<String> {
    let Some(expected) = case.get("expected") else {
        return vec!["the case expects nothing".to_owned()];
    };
    let input = In {
        case,
        at: &case["input"],
    };
    let rules = Rules {
        file: tolerance,
        case: case.get("tolerance"),
        procedure,
    };
    let mut wrong = Vec::new();
    match run(&input) {
        Ok(got) => compare(&rules, expected, &got, &mut wrong),
        Err(problem) => wrong.push(problem),
    }
    wrong
}

#[test]
fn every_file_belongs_to_a_known_procedure() {
    let unknown: Vec<String> = documents()
        .iter()
        .filter(|(file, document)| {
            let procedure = procedure_of(file, document);
            !PROCEDURES.iter().any(|(known, _)| *known == procedure)
        })
        .map(|(file, document)| format!("{file}: {}", document["procedure"]))
        .collect();
    assert!(
        unknown.is_empty(),
        "files of unknown procedures:\n{}",
        unknown.join("\n")
    );
}
