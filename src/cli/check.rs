//! `check`: policy files, and with a source whether they would find anything.

use super::{
    args::{CheckArgs, MomentArgs, Output, RolloutArgs, SourceKindArg},
    judge, paint,
    probe::{self, Found},
    run::{Stop, print},
    serve::{answer, reach, scraped, wiring::source_from_flags},
};
use crate::{
    domain::SourceKind,
    http::CheckAnswer,
    policy::{self, Document, Policy, Problems},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::Write,
    io::Write as _,
    path::{Path, PathBuf},
};

#[derive(Serialize)]
struct Report {
    valid: bool,
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    #[serde(flatten)]
    check: CheckAnswer,
    selectors: Vec<Found>,
}

/// Exit 0 when everything is fine, 1 when something is wrong.
pub fn run(args: &CheckArgs) -> Result<u8, Stop> {
    let mut report = Report {
        valid: true,
        files: Vec::new(),
    };
    let mut complaints = String::new();
    for given in &args.files {
        // in a folder, as in the service, a name belongs to one file
        let mut names = BTreeMap::new();
        for path in policy_files(given)? {
            let one = file(&path, args, &mut names, &mut complaints)?;
            report.valid &=
                one.check.valid && one.selectors.iter().all(|found| found.errors.is_empty());
            report.files.push(one);
        }
    }
    match args.output {
        Output::Json => {
            let text = serde_json::to_string_pretty(&report)
                .map_err(|error| Stop::failed(error.to_string()))?;
            print(&format!("{text}\n"))?;
        }
        Output::Text => {
            let _ = anstream::stderr().write_all(complaints.as_bytes());
            print(&text(&report))?;
        }
    }
    Ok(u8::from(!report.valid))
}

/// A file itself; of a folder the files that the service would load.
fn policy_files(given: &Path) -> Result<Vec<PathBuf>, Stop> {
    if !given.is_dir() {
        return Ok(vec![given.to_owned()]);
    }
    let found = policy::walk(&[given.to_owned()]);
    if let Some((path, error)) = found.errors.first() {
        return Err(Stop::usage(format!("{}: {error}", path.display())));
    }
    if found.files.is_empty() {
        let shown = given.display();
        return Err(Stop::usage(format!(
            "{shown}: the folder holds no policy file, that is no *.yaml and no *.yml"
        )));
    }
    Ok(found.files)
}

fn file(
    path: &Path,
    args: &CheckArgs,
    names: &mut BTreeMap<String, String>,
    complaints: &mut String,
) -> Result<FileReport, Stop> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| Stop::usage(format!("{name}: {error}")))?;
    let kind = SourceKind::from(args.kind);
    // no configuration is read here: whatever the source is called, it is of this kind
    let lookup = |_: &str| Some(kind);
    let loaded = policy::load(&name, &text, Some(&lookup))
        .and_then(|documents| once(&name, &text, documents, names));
    if let Err(problems) = &loaded {
        let _ = writeln!(complaints, "{}", problems.render(true));
    }
    let check = answer(loaded.as_deref().map_err(AsRef::as_ref));
    let mut selectors = Vec::new();
    if let (Some(url), Ok(documents)) = (&args.source, &loaded) {
        for document in documents {
            selectors.extend(ask(&document.policy, url, args)?);
        }
    }
    Ok(FileReport {
        file: name,
        check,
        selectors,
    })
}

/// Refuses policies whose names an earlier file has.
fn once(
    file: &str,
    text: &str,
    documents: Vec<Document>,
    names: &mut BTreeMap<String, String>,
) -> Result<Vec<Document>, Box<Problems>> {
    let double = |document: &Document| {
        let holder = names.get(&document.policy.name)?;
        Some(policy::double(file, text, document, holder))
    };
    let diagnostics: Vec<_> = documents.iter().filter_map(double).collect();
    if diagnostics.is_empty() {
        names.extend(
            documents
                .iter()
                .map(|d| (d.policy.name.clone(), file.to_owned())),
        );
        return Ok(documents);
    }
    Err(Box::new(Problems {
        file: file.to_owned(),
        text: text.to_owned(),
        diagnostics,
    }))
}

fn ask(policy: &Policy, url: &str, args: &CheckArgs) -> Result<Vec<Found>, Stop> {
    let word = |value: &Option<String>| value.clone().unwrap_or_default();
    let rollout = RolloutArgs {
        namespace: word(&args.namespace),
        rollout: word(&args.rollout),
        canary_hash: word(&args.canary_hash),
        stable_hash: word(&args.stable_hash),
        params: args.params.clone(),
    };
    let moment = MomentArgs {
        weight: None,
        step: None,
        step_since: None,
        since: None,
        at: args.at.clone(),
        analysis_run: None,
        dry_run: true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::failed(error.to_string()))?;
    runtime.block_on(async {
        let (source, span) = match args.kind {
            SourceKindArg::Scrape => scraped(&policy.source, Path::new(url)).await,
            kind => {
                let token = args.token_file.clone();
                source_from_flags(&policy.source, url, kind.into(), token).map(|s| (s, reach::SPAN))
            }
        }
        .map_err(Stop::usage)?;
        // now, and not before the source is ready
        let question = judge::question(&policy.name, &rollout, &moment)?;
        let ignored = reach::ignored(policy);
        let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
        let mut out = Vec::new();
        for objective in &policy.objectives {
            for part in reach::parts(&objective.indicator) {
                let (canary, stable, warnings) =
                    reach::read(policy, &question, part, &*source, span)
                        .await
                        .map_err(Stop::failed)?;
                let mut found = probe::compare(
                    &objective.name,
                    part,
                    &canary,
                    &stable,
                    &ignored,
                    policy.block,
                );
                found.warnings.extend(warnings);
                found
                    .warnings
                    .extend(probe::remarks(objective, part, &canary, &stable));
                out.push(found);
            }
        }
        Ok(out)
    })
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for file in &report.files {
        if !file.check.valid {
            let count = file.check.diagnostics.len();
            let _ = writeln!(
                out,
                "{} {}: {count} {}",
                paint::bad("wrong"),
                file.file,
                if count == 1 { "mistake" } else { "mistakes" }
            );
            continue;
        }
        let names: Vec<&str> = file
            .check
            .policies
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        let _ = writeln!(
            out,
            "{} {}: {}",
            paint::good("valid"),
            file.file,
            names.join(", ")
        );
        for note in &file.check.notes {
            let (word, line, column) = (paint::odd("note "), note.line, note.column);
            let _ = writeln!(
                out,
                "  {word} {}:{line}:{column}: {}",
                file.file, note.message
            );
        }
        for found in &file.selectors {
            let word = if !found.errors.is_empty() {
                paint::bad("wrong")
            } else if found.warnings.is_empty() {
                paint::good("found")
            } else {
                paint::odd("odd  ")
            };
            let scrape = found
                .scrape_seconds
                .map_or_else(String::new, |s| format!(", every {s} s"));
            let _ = writeln!(
                out,
                "  {word} {}: `{}`: canary {} series, stable {} series{scrape}",
                found.objective, found.selector, found.canary_series, found.stable_series
            );
            for remark in found.errors.iter().chain(&found.warnings) {
                let _ = writeln!(out, "        {remark}");
            }
        }
    }
    out
}
