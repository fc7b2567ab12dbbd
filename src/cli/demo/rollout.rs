//! One rollout on its walk, as Argo Rollouts walks: a `setWeight`, then an analysis that asks until it passes or fails.

use super::{
    news::Event,
    papers::{NAMESPACE, policy_of, version_labels},
};
use crate::{
    demo::{Ending, Scene},
    domain::{Millis, time::rfc3339},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Weights of the Rollout's `setWeight` steps.
pub const STEPS: [f64; 4] = [5.0, 25.0, 50.0, 100.0];

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Only the old version runs.
    Before,
    /// The new version is judged.
    Walking,
    /// All traffic stays with the new version.
    Promoted,
    /// The new version was taken away.
    Aborted,
    /// No end was found in time.
    Stranded,
}

/// What the driver reads of an answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Id of the verdict.
    pub id: String,
    /// `pass`, `fail` or `inconclusive`.
    pub verdict: String,
    /// 0 to 100.
    pub score: f64,
    /// One sentence.
    pub reason: String,
    /// `advance`, `hold` or `abort`.
    pub action: String,
    /// Advised traffic percent.
    pub next_weight: f64,
    /// Page of the verdict.
    pub url: String,
    /// One for each objective.
    pub objectives: Vec<Judged>,
}

/// One objective of an answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Judged {
    name: String,
    outcome: String,
}

/// A rollout and what was said about it so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// What is played.
    pub scene: Scene,
    /// Pod-template hashes: stable, canary.
    pub hashes: (String, String),
    /// How far it has come.
    pub phase: Phase,
    /// When the new version's pods started.
    pub since: Millis,
    /// Index into [`STEPS`].
    pub step: usize,
    /// Questions asked.
    pub questions: usize,
    /// The newest answer.
    pub last: Option<Answer>,
    /// Its weight was raised while a dependency of both versions failed.
    pub rash: bool,
}

impl Rollout {
    /// A rollout that has not begun.
    pub fn new(scene: Scene, hashes: (String, String)) -> Self {
        Self {
            scene,
            hashes,
            phase: Phase::Before,
            since: 0,
            step: 0,
            questions: 0,
            last: None,
            rash: false,
        }
    }

    /// Is it still to be asked about?
    pub fn goes_on(&self) -> bool {
        matches!(self.phase, Phase::Before | Phase::Walking)
    }

    /// Present percent of the traffic.
    pub fn weight(&self) -> f64 {
        match self.phase {
            Phase::Before | Phase::Aborted => 0.0,
            _ => STEPS.get(self.step).copied().unwrap_or(100.0),
        }
    }

    /// As the `web` metric of Argo Rollouts asks: every value is a string.
    pub fn question(&self) -> Value {
        let (service, workload) = (self.scene.service(), self.scene.workload());
        let (stable, canary) = &self.hashes;
        json!({
            "policy": policy_of(workload),
            "namespace": NAMESPACE,
            "rollout": service,
            "canaryHash": canary,
            "stableHash": stable,
            "weight": self.weight().to_string(),
            "step": self.step.to_string(),
            "since": rfc3339(self.since.div_euclid(1000) * 1000),
            "analysisRun": format!("{service}-{canary}-2-{}", 2 * self.step + 1),
            "labels": version_labels(workload, service),
        })
    }

    /// Does what an answer advises, and tells what is new.
    pub fn take(&mut self, answer: Answer, outage: bool) -> Vec<(Event, String)> {
        self.questions += 1;
        let mut news = Vec::new();
        let weight = self.weight();
        let said = self.last.replace(answer).map(|before| before.verdict);
        let Some(answer) = &self.last else {
            return news;
        };
        if said.as_ref() != Some(&answer.verdict) && answer.verdict != "fail" {
            news.push((Event::Verdict, answer.reason.clone()));
        }
        match (answer.verdict.as_str(), answer.action.as_str()) {
            ("fail", _) => {
                news.push((Event::Aborted, format!("at {weight} %: {}", answer.reason)));
                self.phase = Phase::Aborted;
            }
            ("pass", "advance") if weight >= 100.0 => {
                news.push((
                    Event::Promoted,
                    "all traffic stays with the new version".to_owned(),
                ));
                self.phase = Phase::Promoted;
            }
            ("pass", "advance") => {
                let next = STEPS.iter().position(|step| *step >= answer.next_weight);
                self.step = next.unwrap_or(STEPS.len() - 1);
                self.rash |= outage;
                news.push((Event::Weight, format!("{weight} % to {} %", self.weight())));
            }
            _ => {}
        }
        news
    }

    /// What is not as it should be, if anything.
    pub fn complaint(&self) -> Option<String> {
        let ending = self.scene.ending();
        let (wanted, objective) = match ending {
            Ending::Promoted => (Phase::Promoted, None),
            Ending::Aborted(objective) => (Phase::Aborted, Some(objective)),
        };
        if self.phase != wanted {
            let phase = |phase| format!("{phase:?}").to_lowercase();
            return Some(format!(
                "should be {}, but is {}",
                phase(wanted),
                phase(self.phase)
            ));
        }
        if self.rash {
            return Some("got more traffic while a dependency of both versions failed".to_owned());
        }
        let objective = objective?;
        let answer = self.last.as_ref()?;
        let failed: Vec<&str> = answer
            .objectives
            .iter()
            .filter(|judged| judged.outcome == "fail")
            .map(|judged| judged.name.as_str())
            .collect();
        (failed != [objective] || !answer.reason.starts_with(objective))
            .then(|| format!("failed by {}, not by {objective}", failed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(verdict: &str, action: &str, next: f64, failed: &str) -> Answer {
        Answer {
            id: "1".to_owned(),
            verdict: verdict.to_owned(),
            score: 50.0,
            reason: format!("{failed}: because"),
            action: action.to_owned(),
            next_weight: next,
            url: String::new(),
            objectives: vec![
                Judged {
                    name: failed.to_owned(),
                    outcome: verdict.to_owned(),
                },
                Judged {
                    name: "other".to_owned(),
                    outcome: "pass".to_owned(),
                },
            ],
        }
    }

    fn walking(scene: Scene) -> Rollout {
        let mut rollout = Rollout::new(scene, ("aaa".to_owned(), "bbb".to_owned()));
        rollout.phase = Phase::Walking;
        rollout
    }

    #[test]
    fn a_walk_to_the_end() {
        let mut rollout = walking(Scene::Healthy);
        let mut told = Vec::new();
        for (verdict, action, next) in [
            ("inconclusive", "hold", 5.0),
            ("pass", "advance", 25.0),
            ("inconclusive", "hold", 25.0),
            ("pass", "advance", 50.0),
            ("pass", "advance", 100.0),
            ("pass", "advance", 100.0),
        ] {
            let news = rollout.take(answer(verdict, action, next, "error-rate"), false);
            told.extend(news.into_iter().map(|(event, _)| event.as_str()));
        }
        let all = "verdict verdict weight verdict verdict weight weight promoted";
        assert_eq!(told.join(" "), all);
        assert_eq!(
            (rollout.phase, rollout.complaint()),
            (Phase::Promoted, None)
        );
        assert_eq!(rollout.questions, 6);
    }

    #[test]
    fn an_abort_must_have_the_right_reason() {
        for (failed, right) in [("error-rate", true), ("conversion", false)] {
            let mut rollout = walking(Scene::ErrorRate);
            rollout.take(answer("fail", "abort", 0.0, failed), false);
            assert_eq!(rollout.weight(), 0.0);
            assert_eq!(rollout.complaint().is_none(), right);
            assert!(!rollout.goes_on());
        }
    }

    #[test]
    fn no_step_up_in_an_outage() {
        let mut rollout = walking(Scene::SharedOutage);
        for outage in [true, false, false, false] {
            rollout.take(answer("pass", "advance", 100.0, ""), outage);
        }
        assert_eq!(rollout.phase, Phase::Promoted);
        assert!(rollout.complaint().is_some());
    }

    #[test]
    fn every_value_of_a_question_is_a_string() {
        let question = walking(Scene::Llm).question();
        let values = question.as_object().unwrap().iter();
        for (key, value) in values.filter(|(key, _)| *key != "labels") {
            assert!(value.is_string(), "{key}: {value}");
        }
        assert_eq!(question["labels"]["modelVersion"], "assistant-7b-v4");
    }
}
