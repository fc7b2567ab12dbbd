//! `check`: policy files, and with a source whether they would find anything.

use super::{
    args::{CheckArgs, MomentArgs, Output, RolloutArgs, SourceKindArg},
    judge, paint,
    probe::{self, Found},
    run::{Stop, print},
    serve::{
        answer,
        reach::{self, Unread},
        scraped,
        wiring::source_from_flags,
    },
};
use crate::{
    domain::{MetricSource, Millis, Question, SourceError, SourceKind},
    http::CheckAnswer,
    policy::{self, Document, Place, Problems},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::Write,
    io::{ErrorKind, Write as _},
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

/// How the source bears our questions.
#[derive(Default)]
struct Bearing {
    /// Why there is no use in asking anything more.
    dead: Option<String>,
    /// Answers in a row that did not come in time.
    late: u32,
}

impl Bearing {
    /// One query that takes too long is perhaps the query's fault, two are the source's.
    fn note(&mut self, error: &Unread) {
        self.late = match error {
            Unread::Source(SourceError::Timeout { .. }) => self.late + 1,
            _ => 0,
        };
        let away = matches!(error, Unread::Source(SourceError::Unreachable { .. }));
        if away || self.late > 1 {
            self.dead = Some(error.to_string());
        }
    }
}

/// Exit 0 when everything is fine, 1 when something is wrong.
pub fn run(args: &CheckArgs) -> Result<u8, Stop> {
    let mut report = Report {
        valid: true,
        files: Vec::new(),
    };
    let mut complaints = String::new();
    let mut bearing = Bearing::default();
    for given in &args.files {
        // in a folder, as in the service, a name belongs to one file
        let mut names = BTreeMap::new();
        let (files, broken) = policy_files(given)?;
        let broken = broken
            .iter()
            .map(|problems| told(problems, &mut complaints));
        report.files.extend(broken);
        for path in files {
            let one = file(&path, args, &mut names, &mut complaints, &mut bearing)?;
            report.files.push(one);
        }
    }
    let sound = |one: &FileReport| {
        one.check.valid && one.selectors.iter().all(|found| found.errors.is_empty())
    };
    report.valid = report.files.iter().all(sound);
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

/// A file itself; of a folder the files that the service would load, and what of it cannot be read.
fn policy_files(given: &Path) -> Result<(Vec<PathBuf>, Vec<Problems>), Stop> {
    if !given.is_dir() {
        return Ok((vec![given.to_owned()], Vec::new()));
    }
    let found = policy::walk(&[given.to_owned()]);
    let broken = |(path, error): &(PathBuf, std::io::Error)| {
        policy::unreadable(&path.display().to_string(), error)
    };
    let broken: Vec<Problems> = found.errors.iter().map(broken).collect();
    if found.files.is_empty() && broken.is_empty() {
        let shown = given.display();
        return Err(Stop::usage(format!(
            "{shown}: the folder holds no policy file, that is no *.yaml and no *.yml"
        )));
    }
    Ok((found.files, broken))
}

/// What is wrong with a file or folder, beside the report also for a person.
fn told(problems: &Problems, complaints: &mut String) -> FileReport {
    let _ = writeln!(complaints, "{}", problems.render(true));
    FileReport {
        file: problems.file.clone(),
        check: answer(Err(problems)),
        selectors: Vec::new(),
    }
}

fn file(
    path: &Path,
    args: &CheckArgs,
    names: &mut BTreeMap<String, String>,
    complaints: &mut String,
    bearing: &mut Bearing,
) -> Result<FileReport, Stop> {
    let name = path.display().to_string();
    // a name that was mistyped is no mistake of a policy
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Stop::usage(format!("{name}: {error}")));
        }
        _ => {}
    }
    let kind = SourceKind::from(args.kind);
    // no configuration is read here: whatever the source is called, it is of this kind
    let lookup = |_: &str| Some(kind);
    let loaded = policy::text_of(path, &name).and_then(|text| {
        let documents = policy::load(&name, &text, Some(&lookup))?;
        once(&name, &text, documents, names)
    });
    let documents = match &loaded {
        Ok(documents) => documents,
        Err(problems) => return Ok(told(problems, complaints)),
    };
    let mut selectors = Vec::new();
    if let Some(url) = &args.source {
        for document in documents {
            selectors.extend(ask(document, url, args, bearing)?);
        }
    }
    Ok(FileReport {
        file: name,
        check: answer(Ok(documents)),
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

fn ask(
    document: &Document,
    url: &str,
    args: &CheckArgs,
    bearing: &mut Bearing,
) -> Result<Vec<Found>, Stop> {
    let policy = &document.policy;
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
        Ok(ask_all(document, &question, (&*source, span), bearing).await)
    })
}

/// What each selector of a policy finds, in the order of the objectives.
async fn ask_all(
    document: &Document,
    question: &Question,
    (source, span): (&dyn MetricSource, Millis),
    bearing: &mut Bearing,
) -> Vec<Found> {
    let policy = &document.policy;
    let ignored = reach::ignored(policy);
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
    let mut places: Vec<&Place> = document.queries.iter().collect();
    let mut out = Vec::new();
    for objective in &policy.objectives {
        for part in reach::parts(&objective.indicator) {
            // they stand in the same order; one text may stand in several objectives
            let place = places.iter().position(|place| place.words == part.0);
            let place = place.map(|at| places.remove(at));
            let name = &objective.name;
            // one that is away would keep each selector waiting
            if let Some(why) = &bearing.dead {
                out.push(Found::nothing(name, part.0, why.clone()).at(place));
                continue;
            }
            let found = match reach::read(policy, question, part, source, span).await {
                Ok((canary, stable, warnings)) => {
                    bearing.late = 0;
                    let mut found =
                        probe::compare(name, part, &canary, &stable, &ignored, policy.block);
                    let remarks = probe::remarks(objective, part, &canary, &stable);
                    found.warnings.extend(warnings.into_iter().chain(remarks));
                    found
                }
                Err(error) => {
                    bearing.note(&error);
                    Found::nothing(name, part.0, error.to_string())
                }
            };
            out.push(found.at(place));
        }
    }
    out
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
            let mut seen = String::new();
            if let (Some(canary), Some(stable)) = (found.canary_series, found.stable_series) {
                let _ = write!(seen, ": canary {canary} series, stable {stable} series");
            }
            if let Some(seconds) = found.scrape_seconds {
                let _ = write!(seen, ", every {seconds} s");
            }
            let place = if found.errors.is_empty() {
                String::new()
            } else {
                format!("{}:{}:{}: ", file.file, found.line, found.column)
            };
            let _ = writeln!(
                out,
                "  {word} {place}{}: `{}`{seen}",
                found.objective, found.selector
            );
            for remark in found.errors.iter().chain(&found.warnings) {
                let _ = writeln!(out, "        {remark}");
            }
        }
    }
    out
}
