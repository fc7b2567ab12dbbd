//! The command line.

use crate::demo::Scene;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};
use clap_complete::Shell;
use std::path::PathBuf;

/// Statistical canary judge for Argo Rollouts
///
/// Reads VictoriaMetrics or Prometheus and answers pass, fail or inconclusive.
#[derive(Debug, Parser)]
#[command(
    name = "rollout-judge",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Program {
    /// What to do
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the service that the `web` metric of Argo Rollouts calls
    Serve(ServeArgs),
    /// Judge one rollout now, from flags, and print the verdict
    #[command(after_help = EXIT_CODES)]
    Judge(Box<JudgeArgs>),
    /// Check policy files; with --source, also whether their selectors find series
    #[command(after_help = "Exit codes: 0 everything is fine, 1 something is wrong, 2 usage.")]
    Check(Box<CheckArgs>),
    /// Judge again from bundles of kept verdicts, and compare byte for byte
    #[command(
        after_help = "Exit codes: 0 every verdict is the same, 1 one differs, 2 usage or a file that cannot be used."
    )]
    Replay(ReplayArgs),
    /// Show it all on this machine: a simulated shop, its rollouts, the judge, the dashboard
    #[command(
        after_help = "Exit codes: 0 every scene ended as it should, 1 one did not, 2 usage, 130 stopped before the end."
    )]
    Demo(DemoArgs),
    /// Print the JSON Schema of policy files, for editors
    Schema,
    /// Ask a running service whether it is ready; exit 0 if so, 1 if not
    Healthcheck(HealthcheckArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

const EXIT_CODES: &str = "Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive.";

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Configuration file (YAML); every key also as variable `ROLLOUT_JUDGE__SECTION__KEY`
    #[arg(long, value_name = "FILE", env = "ROLLOUT_JUDGE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print the effective configuration with secrets hidden, and exit
    #[arg(long)]
    pub print_config: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The API that a source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SourceKindArg {
    /// VictoriaMetrics, single node or cluster
    Victoriametrics,
    /// Prometheus, or something that speaks exactly its API
    Prometheus,
    /// The service's own scraper: only for `check`, whose `--source` is then the configuration file of `serve`
    Scrape,
}

#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// File with the policy
    #[arg(long, value_name = "FILE", help_heading = "What to judge by")]
    pub policy_file: PathBuf,
    /// Name of the policy, where the file has several
    #[arg(long, value_name = "NAME", help_heading = "What to judge by")]
    pub policy: Option<String>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub rollout: RolloutArgs,
    #[command(flatten)]
    pub moment: MomentArgs,
    /// Time for the whole answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    pub deadline: f64,
    /// How the verdict is printed
    #[arg(long, value_enum, default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// URL of the metric source
    #[arg(long = "source", value_name = "URL", help_heading = "Where to read")]
    pub url: String,
    /// The API that it speaks
    #[arg(
        long = "source-kind",
        value_name = "KIND",
        value_enum,
        default_value = "victoriametrics",
        help_heading = "Where to read"
    )]
    pub kind: SourceKindArg,
    /// File with a bearer token for the source
    #[arg(
        long = "source-token-file",
        value_name = "FILE",
        help_heading = "Where to read"
    )]
    pub token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RolloutArgs {
    /// Namespace of the Rollout
    #[arg(long, value_name = "NAME", help_heading = "Whom to judge")]
    pub namespace: String,
    /// Name of the Rollout
    #[arg(long, value_name = "NAME", help_heading = "Whom to judge")]
    pub rollout: String,
    /// Pod-template hash of the canary
    #[arg(long, value_name = "HASH", help_heading = "Whom to judge")]
    pub canary_hash: String,
    /// Pod-template hash of stable
    #[arg(long, value_name = "HASH", help_heading = "Whom to judge")]
    pub stable_hash: String,
    /// Value of one of the policy's `$name` variables; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair, help_heading = "Whom to judge")]
    pub params: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(super) struct MomentArgs {
    /// Traffic percent of the present step, 0 to 100
    #[arg(long, value_name = "PERCENT", help_heading = "When")]
    pub weight: Option<String>,
    /// Index of the present step, from 0
    #[arg(long, value_name = "INDEX", help_heading = "When")]
    pub step: Option<String>,
    /// Start of the present step: RFC 3339 or Unix seconds
    #[arg(long, value_name = "TIME", help_heading = "When")]
    pub step_since: Option<String>,
    /// Start of the canary's exposure; else its first data inside the policy's horizon
    #[arg(long, value_name = "TIME", help_heading = "When")]
    pub since: Option<String>,
    /// Judge as of this time instead of now
    #[arg(long, value_name = "TIME", help_heading = "When")]
    pub at: Option<String>,
    /// Name of the AnalysisRun, for the record
    #[arg(long, value_name = "NAME", help_heading = "When")]
    pub analysis_run: Option<String>,
    /// Judge and answer, keep and tell nobody
    #[arg(long, help_heading = "When")]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Policy files, and folders of them (`*.yaml`, `*.yml`)
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Also ask this metric source whether every selector finds series on both tracks
    #[arg(long = "source", value_name = "URL", requires_all = ["namespace", "rollout", "canary_hash", "stable_hash"], help_heading = "Against a source")]
    pub source: Option<String>,
    /// The dialect that the policies may use, and the API of `--source`
    #[arg(
        long = "source-kind",
        value_name = "KIND",
        value_enum,
        default_value = "victoriametrics",
        help_heading = "Against a source"
    )]
    pub kind: SourceKindArg,
    /// File with a bearer token for the source
    #[arg(
        long = "source-token-file",
        value_name = "FILE",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub token_file: Option<PathBuf>,
    /// Namespace of the Rollout
    #[arg(
        long,
        value_name = "NAME",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub namespace: Option<String>,
    /// Name of the Rollout
    #[arg(
        long,
        value_name = "NAME",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub rollout: Option<String>,
    /// Pod-template hash of the canary
    #[arg(
        long,
        value_name = "HASH",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub canary_hash: Option<String>,
    /// Pod-template hash of stable
    #[arg(
        long,
        value_name = "HASH",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub stable_hash: Option<String>,
    /// Value of one of the policy's `$name` variables; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair, requires = "source", help_heading = "Against a source")]
    pub params: Vec<(String, String)>,
    /// As of this time instead of now: RFC 3339 or Unix seconds
    #[arg(
        long,
        value_name = "TIME",
        requires = "source",
        help_heading = "Against a source"
    )]
    pub at: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Bundles, as `GET /v1/verdicts/{id}/bundle` gives them; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// What is played; may be repeated [default: healthy,error-rate]
    #[arg(
        long = "scenario",
        value_name = "SCENE",
        value_enum,
        value_delimiter = ',',
        hide_default_value = true
    )]
    scenarios: Vec<SceneArg>,
    /// How many times faster than usual, 0.1 to 10; the traffic grows as much
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Address of the service [default: 127.0.0.1:8080, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Leave it all running after the end, until Ctrl-C; on a terminal that is so anyway
    #[arg(long)]
    pub keep: bool,
    /// Folder for configuration, policies, store and log [default: a temporary one, removed at the end]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Open the dashboard in the browser
    #[arg(long)]
    pub open: bool,
    /// The same seed gives the same traffic [default: another one each time]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// How news are printed
    #[arg(long, value_enum, default_value = "text")]
    pub output: Output,
}

impl DemoArgs {
    /// Each scene once, in the order given.
    pub fn scenes(&self) -> Vec<Scene> {
        let mut scenes = Vec::new();
        for scene in self.scenarios.iter().map(|arg| arg.0) {
            if !scenes.contains(&scene) {
                scenes.push(scene);
            }
        }
        if scenes.is_empty() {
            scenes = vec![Scene::Healthy, Scene::ErrorRate];
        }
        scenes
    }
}

/// A scene by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SceneArg(Scene);

impl ValueEnum for SceneArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(Scene::Healthy),
            Self(Scene::ErrorRate),
            Self(Scene::TailLatency),
            Self(Scene::KpiDrop),
            Self(Scene::SharedOutage),
            Self(Scene::Llm),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()).help(self.0.story()))
    }
}

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// What to ask
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/readyz"
    )]
    pub url: String,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('s').parse() {
        Ok(number) if (0.5..=600.0).contains(&number) => Ok(number),
        _ => Err("give seconds from 0.5 to 600".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.1..=10.0).contains(&factor) => Ok(factor),
        _ => Err("give a factor from 0.1 to 10".to_owned()),
    }
}
