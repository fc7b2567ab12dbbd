//! One recorded rollout on its walk.

use crate::{
    recording::{Recording, WalkStep},
    truth::Truth,
};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Walking,
    Promoted,
    Aborted,
    /// Came to its end without the last pass.
    Stranded,
}

/// What the demonstration reads of an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub verdict: String,
    pub score: f64,
    pub reason: String,
    pub action: String,
    pub next_weight: f64,
    objectives: Vec<Objective>,
}

#[derive(Debug, Clone, Deserialize)]
struct Objective {
    name: String,
    outcome: String,
}

/// Something to tell.
pub struct News {
    /// `mm:ss` since the canary's start.
    pub clock: String,
    pub rollout: String,
    pub verdict: String,
    pub text: String,
}

/// A recording, and what was said about it so far.
pub struct Rollout {
    pub recording: Recording,
    pub truth: Truth,
    pub stage: Stage,
    pub questions: usize,
    /// The last question, and when it was asked: seconds since the canary's start.
    pub last: Option<(i64, Value, Answer)>,
    /// Verdicts at the end of each step behind it.
    pub step_ends: Vec<String>,
    said: Vec<String>,
}

impl Rollout {
    pub fn load(name: &str) -> Self {
        Self {
            recording: Recording::load(name),
            truth: Truth::load(name),
            stage: Stage::Walking,
            questions: 0,
            last: None,
            step_ends: Vec::new(),
            said: Vec::new(),
        }
    }

    /// As Kubernetes writes names.
    pub fn name(&self) -> String {
        self.recording.name.replace('_', "-")
    }

    pub fn samples(&self) -> usize {
        let series = &self.recording.series;
        series
            .iter()
            .map(|s| s.values.iter().flatten().count())
            .sum()
    }

    pub fn goes_on(&self) -> bool {
        self.stage == Stage::Walking
    }

    pub fn steps(&self) -> &[WalkStep] {
        &self.recording.rollout.steps
    }

    /// Epoch seconds.
    fn at(&self, clock: i64) -> i64 {
        self.recording.t0 + self.recording.rollout.start_s + clock
    }

    /// Index of the step at a moment.
    pub fn step(&self, clock: i64) -> usize {
        self.recording.step_at(self.at(clock)).0
    }

    /// As Argo Rollouts asks: every value is a string.
    pub fn question(&self, clock: i64) -> Value {
        let recording = &self.recording;
        let (index, step) = recording.step_at(self.at(clock));
        json!({
            "policy": "shop",
            "namespace": "shop",
            "rollout": self.name(),
            "canaryHash": recording.hash("canary"),
            "stableHash": recording.hash("stable"),
            "weight": step.weight.to_string(),
            "step": index.to_string(),
            "stepSince": (recording.t0 + step.from_s).to_string(),
            "at": self.at(clock).to_string(),
            "params": {"scenario": recording.name},
        })
    }

    /// Takes an answer, does what it advises where the recorded walk allows it, and tells what is new.
    pub fn take(&mut self, clock: i64, answer: Value) -> Result<Vec<News>> {
        let answer: Answer = serde_json::from_value(answer).context("answer of another shape")?;
        let question = self.question(clock);
        let (index, step) = self.recording.step_at(self.at(clock));
        let step_ends = self.at(clock) == self.recording.t0 + step.to_s;
        let before = self.last.as_ref().map(|(_, _, a)| a.verdict.clone());
        let weight = step.weight;
        let mut news = Vec::new();
        if answer.verdict == "fail" {
            self.stage = Stage::Aborted;
            news.push(format!("ABORTED at {weight} %: {}", answer.reason));
        } else if before.as_deref() != Some(&answer.verdict) {
            news.push(answer.reason.clone());
        }
        if step_ends && self.goes_on() {
            let passed = answer.verdict == "pass";
            let next = self.steps().get(index + 1).map(|s| s.weight);
            news.push(match next {
                Some(_) if passed => {
                    format!(
                        "{weight} % ends: {} to {} %",
                        answer.action, answer.next_weight
                    )
                }
                Some(next) => format!(
                    "{weight} % ends undecided, the recorded walk goes on to {next} %: {}",
                    answer.reason
                ),
                None if passed => format!("{weight} % ends: healthy, PROMOTED"),
                None => format!("{weight} % ends undecided, not promoted: {}", answer.reason),
            });
            if next.is_none() {
                self.stage = if passed {
                    Stage::Promoted
                } else {
                    Stage::Stranded
                };
            }
            self.step_ends.push(answer.verdict.clone());
        }
        let news = news.into_iter().map(|text| News {
            clock: minutes(clock),
            rollout: self.name(),
            verdict: answer.verdict.clone(),
            text,
        });
        let news = news.collect();
        self.questions += 1;
        self.said.push(answer.verdict.clone());
        self.last = Some((clock, question, answer));
        Ok(news)
    }

    /// What does not agree with the truth file, if anything.
    pub fn complaint(&self) -> Option<String> {
        let (clock, _, answer) = self.last.as_ref()?;
        let truth = &self.truth;
        if let Some(said) = self.said.iter().find(|s| truth.must_never.contains(s)) {
            return Some(format!("said {said}, which must never be said"));
        }
        if truth.healthy {
            let promoted = self.stage == Stage::Promoted;
            return (!promoted).then(|| format!("should be promoted, but is {:?}", self.stage));
        }
        if self.stage != Stage::Aborted {
            return Some(format!("should be aborted, but is {:?}", self.stage));
        }
        let at = self.recording.rollout.start_s + clock;
        let (from, to) = truth.fail_between_s?;
        if !(from..=to).contains(&at) {
            return Some(format!("failed at {at} s, outside {from}..{to}"));
        }
        let planted = truth.objective()?;
        let failed = |o: &Objective| o.name == planted && o.outcome == "fail";
        let named = answer.objectives.iter().any(failed);
        (!named).then(|| format!("failed, but not by {planted}"))
    }
}

/// `mm:ss`
pub fn minutes(seconds: i64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}
