//! The registry of policies as the edge and the service see it, and the loop that reloads it.

use crate::{
    domain::{Clock, SourceKind, time::rfc3339},
    http::{
        Catalog, CheckAnswer, DiagnosticAnswer, FileAnswer, NoteAnswer, PolicySummary,
        WarningAnswer,
    },
    policy::{self, LoadedPolicy, Place, Policy, Problems, Registry},
    service::Policies,
    telemetry::Metrics,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// The loaded policies of a service.
pub struct Shelf {
    registry: Registry,
    paths: Vec<PathBuf>,
    kinds: BTreeMap<String, SourceKind>,
    receivers: BTreeSet<String>,
}

impl Shelf {
    /// Policies from these files and folders, for sources of these kinds. Nothing is loaded yet.
    pub fn new(paths: Vec<PathBuf>, kinds: BTreeMap<String, SourceKind>) -> Self {
        Self {
            registry: Registry::new(),
            paths,
            kinds,
            receivers: BTreeSet::new(),
        }
    }

    /// The receivers that there are: a policy that names others is loaded with a warning.
    #[must_use]
    pub fn telling(mut self, receivers: impl IntoIterator<Item = String>) -> Self {
        self.receivers = receivers.into_iter().collect();
        self
    }

    /// A receiver that is not there yet is no reason to judge nothing.
    fn unknown<'a>(&'a self, named: &'a [Place]) -> impl Iterator<Item = (&'a Place, String)> {
        let missing = named
            .iter()
            .filter(|to| !self.receivers.contains(&to.words));
        missing.map(|to| {
            let known: Vec<String> = self.receivers.iter().map(|r| format!("`{r}`")).collect();
            let known = match known.as_slice() {
                [] => "there is none".to_owned(),
                all => format!("there is {}", all.join(", ")),
            };
            let message = format!(
                "`alerts.to` names `{}`, which is not one of `receivers` of the configuration: nobody is told there; {known}",
                to.words
            );
            (to, message)
        })
    }

    fn warn_unknown(&self, loaded: &LoadedPolicy) {
        for (to, message) in self.unknown(&loaded.receivers) {
            let (file, line, column) = (&loaded.file, to.line, to.column);
            tracing::warn!(
                policy = loaded.policy.name,
                "{file}:{line}:{column}: {message}"
            );
        }
    }

    /// Looks for changes once, and logs and counts what it finds.
    pub fn reload(&self, clock: &dyn Clock, metrics: &Metrics) {
        let lookup = |name: &str| self.kinds.get(name).copied();
        let report = self
            .registry
            .reload(&self.paths, clock.now(), Some(&lookup));
        for problem in &report.problems {
            tracing::error!(
                "a policy file is not in force as it is written; what was loaded before stays\n{problem}"
            );
        }
        for name in &report.changed {
            let loaded = self.registry.get(name);
            if let Some(loaded) = &loaded {
                self.warn_unknown(loaded);
            }
            let revision = loaded
                .map(|loaded| loaded.policy.revision.clone())
                .unwrap_or_default();
            tracing::info!(policy = name, revision, "policy loaded");
        }
        for name in &report.removed {
            tracing::warn!(policy = name, "policy removed");
        }
        if !report.problems.is_empty() {
            metrics.reloaded(false);
        } else if !report.changed.is_empty() || !report.removed.is_empty() {
            metrics.reloaded(true);
        }
    }

    /// Looks for changes for ever.
    pub async fn watch(
        self: Arc<Self>,
        every: Duration,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) {
        loop {
            tokio::time::sleep(every).await;
            let (shelf, clock, counted) =
                (Arc::clone(&self), Arc::clone(&clock), Arc::clone(&metrics));
            let look = tokio::task::spawn_blocking(move || shelf.reload(&*clock, &counted));
            if look.await.is_err() {
                tracing::error!("the reload of policies panicked; the loaded policies stay");
                metrics.reloaded(false);
            }
        }
    }
}

impl Catalog for Shelf {
    fn all(&self) -> Vec<Arc<Policy>> {
        self.registry
            .policies()
            .iter()
            .map(|loaded| Arc::new(loaded.policy.clone()))
            .collect()
    }

    fn get(&self, name: &str) -> Option<Arc<Policy>> {
        self.registry
            .get(name)
            .map(|loaded| Arc::new(loaded.policy.clone()))
    }

    fn problems(&self) -> Vec<FileAnswer> {
        self.registry
            .problems()
            .into_iter()
            .map(|found| FileAnswer {
                since: rfc3339(found.since),
                diagnostics: found.problems.diagnostics.iter().map(diagnostic).collect(),
                rendered: found.problems.render(false),
                kept: found.kept,
                file: found.problems.file,
            })
            .collect()
    }

    fn warnings(&self) -> Vec<WarningAnswer> {
        let policies = self.registry.policies();
        let told = |loaded: &Arc<LoadedPolicy>| -> Vec<WarningAnswer> {
            self.unknown(&loaded.receivers)
                .map(|(to, message)| WarningAnswer {
                    policy: loaded.policy.name.clone(),
                    file: loaded.file.clone(),
                    line: to.line as u64,
                    column: to.column as u64,
                    message,
                })
                .collect()
        };
        policies.iter().flat_map(told).collect()
    }

    fn check(&self, text: &str) -> CheckAnswer {
        let lookup = |name: &str| self.kinds.get(name).copied();
        let loaded = policy::load("policy.yaml", text, Some(&lookup));
        let mut answer = answer(loaded.as_deref().map_err(AsRef::as_ref));
        for document in loaded.iter().flatten() {
            let unknown = self.unknown(&document.receivers);
            answer.notes.extend(unknown.map(|(to, message)| NoteAnswer {
                line: to.line as u64,
                column: to.column as u64,
                message,
            }));
        }
        answer
    }
}

impl Policies for Shelf {
    fn policy(&self, name: &str) -> Option<Arc<Policy>> {
        Catalog::get(self, name)
    }

    fn names(&self) -> Vec<String> {
        self.registry.snapshot().policies.keys().cloned().collect()
    }
}

/// What a check found, as the edge and `check --output json` tell it.
pub fn answer(outcome: Result<&[policy::Document], &Problems>) -> CheckAnswer {
    match outcome {
        Ok(documents) => CheckAnswer {
            valid: true,
            policies: documents
                .iter()
                .map(|document| PolicySummary::from(&document.policy))
                .collect(),
            diagnostics: Vec::new(),
            rendered: String::new(),
            notes: documents
                .iter()
                .flat_map(|document| &document.notes)
                .map(|note| NoteAnswer {
                    line: note.line as u64,
                    column: note.column as u64,
                    message: note.message.clone(),
                })
                .collect(),
        },
        Err(problems) => CheckAnswer {
            valid: false,
            policies: Vec::new(),
            diagnostics: problems.diagnostics.iter().map(diagnostic).collect(),
            rendered: problems.render(false),
            notes: Vec::new(),
        },
    }
}

fn diagnostic(found: &policy::Diagnostic) -> DiagnosticAnswer {
    DiagnosticAnswer {
        code: found.code.as_str(),
        line: found.line as u64,
        column: found.column as u64,
        length: found.length as u64,
        message: found.message.clone(),
        label: found.label.clone(),
        help: found.help.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SystemClock;

    #[test]
    fn a_bad_new_version_keeps_the_old_one_and_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml");
        let good = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: a }\nspec:\n  objectives:\n    - { name: memory, gauge: process_resident_memory_bytes }\n";
        let kinds = BTreeMap::from([("default".to_owned(), SourceKind::Prometheus)]);
        let shelf = Shelf::new(vec![dir.path().to_owned()], kinds);
        let metrics = Metrics::new(1);
        for (text, wrong) in [
            (good.to_owned(), None),
            (good.replace("gauge:", "guage:"), Some("guage")),
            (good.replace("memory", "rss"), None),
        ] {
            std::fs::write(&file, text).unwrap();
            shelf.reload(&SystemClock, &metrics);
            assert!(Catalog::get(&shelf, "a").is_some());
            assert!(shelf.warnings().is_empty());
            let problems = shelf.problems();
            assert_eq!(problems.len(), usize::from(wrong.is_some()));
            for (found, word) in problems.iter().zip(wrong) {
                assert!(found.file.ends_with("a.yaml") && found.rendered.contains(word));
                assert_eq!(found.kept, ["a"]);
                assert!(!found.diagnostics.is_empty());
            }
        }
    }

    #[test]
    fn receivers_that_are_not_there_are_told_with_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml");
        let text = "# who\napiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: a }\nspec:\n  objectives:\n    - { name: memory, gauge: process_resident_memory_bytes }\nalerts:\n  to: [ops-chat, \"ops-cat\"]\n";
        std::fs::write(&file, text).unwrap();
        let kinds = BTreeMap::from([("default".to_owned(), SourceKind::Prometheus)]);
        let shelf = Shelf::new(vec![file.clone()], kinds.clone()).telling(["ops-chat".to_owned()]);
        shelf.reload(&SystemClock, &Metrics::new(1));
        let warnings = shelf.warnings();
        let [one] = warnings.as_slice() else {
            panic!("{warnings:?}");
        };
        assert_eq!((one.line, one.column, one.policy.as_str()), (9, 18, "a"));
        assert_eq!(one.file, file.display().to_string());
        assert!(
            one.message.contains("`ops-cat`") && one.message.contains("there is `ops-chat`"),
            "{}",
            one.message
        );
        let checked = Catalog::check(&shelf, text);
        assert!(checked.valid);
        assert_eq!((checked.notes[0].line, checked.notes.len()), (9, 1));
        // it goes with the configuration: another service has other receivers
        let other =
            Shelf::new(vec![file], kinds).telling(["ops-chat".to_owned(), "ops-cat".to_owned()]);
        other.reload(&SystemClock, &Metrics::new(1));
        assert!(other.warnings().is_empty());
    }
}
