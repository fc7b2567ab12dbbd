//! `judge`: one verdict on the terminal.

use super::{
    args::{JudgeArgs, MomentArgs, Output, RolloutArgs, SourceKindArg},
    report,
    run::{Stop, print},
    serve::wiring::{Bounds, Engine, source_from_flags},
};
use crate::{
    domain::{Clock, Outcome, Question, SourceKind, SystemClock, Verdict},
    http::{VerdictAnswer, VerdictRequest},
    policy::{self, Policy},
    service::{JudgeError, Policies},
};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

/// Judges and prints; the exit code is the outcome.
pub fn run(args: &JudgeArgs) -> Result<u8, Stop> {
    let kind = SourceKind::from(args.source.kind);
    let policy = Arc::new(one_policy(&args.policy_file, args.policy.as_deref(), kind)?);
    let question = question(&policy.name, &args.rollout, &args.moment)?;
    let (url, token) = (&args.source.url, args.source.token_file.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::failed(error.to_string()))?;
    runtime.block_on(async {
        let source = source_from_flags(&policy.source, url, kind, token).map_err(Stop::usage)?;
        let sources = BTreeMap::from([(policy.source.clone(), source)]);
        let bounds = Bounds {
            deadline: Duration::from_secs_f64(args.deadline),
            rollouts: 1,
            keep_samples: false,
        };
        let engine = Engine::new(Arc::new(Only(policy)), sources, None, bounds);
        let judged = engine.port().judge(question.clone()).await;
        let verdict = judged.map_err(stop)?.verdict;
        match args.output {
            Output::Json => print(&json(&verdict)?)?,
            Output::Text => {
                let trails = engine.trails(&question).await;
                print(&report::text(&verdict, &trails, width()))?
            }
        };
        Ok(match verdict.outcome {
            Outcome::Pass => 0,
            Outcome::Fail => 1,
            Outcome::Inconclusive => 3,
        })
    })
}

struct Only(Arc<Policy>);

impl Policies for Only {
    fn policy(&self, name: &str) -> Option<Arc<Policy>> {
        (self.0.name == name).then(|| Arc::clone(&self.0))
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.name.clone()]
    }
}

impl From<SourceKindArg> for SourceKind {
    fn from(kind: SourceKindArg) -> Self {
        match kind {
            SourceKindArg::Victoriametrics => Self::VictoriaMetrics,
            SourceKindArg::Prometheus => Self::Prometheus,
            SourceKindArg::Scrape => Self::Scrape,
        }
    }
}

fn one_policy(path: &Path, name: Option<&str>, kind: SourceKind) -> Result<Policy, Stop> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Stop::usage(format!("{}: {error}", path.display())))?;
    let lookup = |_: &str| Some(kind);
    let documents =
        policy::load(&path.display().to_string(), &text, Some(&lookup)).map_err(|problems| {
            Stop::usage(format!(
                "the policy cannot be used\n{}",
                problems.render(true)
            ))
        })?;
    let names: Vec<String> = documents.iter().map(|d| d.policy.name.clone()).collect();
    let mut found = documents
        .into_iter()
        .map(|d| d.policy)
        .filter(|p| name.is_none_or(|n| n == p.name));
    match (found.next(), found.next()) {
        (Some(policy), None) => Ok(policy),
        (None, _) => Err(Stop::usage(format!(
            "{} has no policy `{}`; it has: {}",
            path.display(),
            name.unwrap_or_default(),
            names.join(", ")
        ))),
        _ => Err(Stop::usage(format!(
            "{} has several policies; choose one with --policy: {}",
            path.display(),
            names.join(", ")
        ))),
    }
}

/// The flags go the same way as a request, so that they obey the same rules.
pub fn question(
    policy: &str,
    rollout: &RolloutArgs,
    moment: &MomentArgs,
) -> Result<Question, Stop> {
    let params: serde_json::Map<_, _> = rollout
        .params
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    let request = serde_json::json!({
        "policy": policy,
        "namespace": rollout.namespace,
        "rollout": rollout.rollout,
        "canaryHash": rollout.canary_hash,
        "stableHash": rollout.stable_hash,
        "weight": moment.weight,
        "step": moment.step,
        "stepSince": moment.step_since,
        "since": moment.since,
        "at": moment.at,
        "params": params,
        "analysisRun": moment.analysis_run,
        "dryRun": moment.dry_run,
    });
    VerdictRequest::read(request.to_string().as_bytes())
        .and_then(|request| request.question(SystemClock.now()))
        .map_err(|problem| Stop::usage(problem.detail))
}

fn stop(error: JudgeError) -> Stop {
    match error {
        JudgeError::SourceDown => Stop {
            message: error.to_string(),
            code: 3,
        },
        other => Stop::usage(other.to_string()),
    }
}

fn json(verdict: &Verdict) -> Result<String, Stop> {
    let answer = VerdictAnswer::new(verdict, "");
    let text =
        serde_json::to_string_pretty(&answer).map_err(|error| Stop::failed(error.to_string()))?;
    Ok(format!("{text}\n"))
}

/// Columns of the terminal, as the shell tells them.
fn width() -> u16 {
    crate::config::env::var("COLUMNS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(120)
        .clamp(60, 300)
}
