//! What is told on the screen.

use serde::Serialize;

/// One line of news.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// What happened: `verdict`, `weight`, `told`, ..
    pub event: Event,
    /// Seconds since the start of the demonstration.
    pub seconds: f64,
    /// Name of the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<&'static str>,
    /// Name of its scene.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<&'static str>,
    /// Traffic percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The newest verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// In words.
    pub text: String,
    /// A page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The folder with its files; on the first line only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The service answers.
    Ready,
    /// Pods of the new version have started.
    Deployed,
    /// The verdict is another one.
    Verdict,
    /// The new version gets more traffic.
    Weight,
    /// All traffic stays with the new version.
    Promoted,
    /// The new version was taken away.
    Aborted,
    /// No end was found in time.
    Stranded,
    /// The service told a receiver.
    Told,
    /// Everything has ended.
    End,
}

impl Event {
    /// The word on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Deployed => "deployed",
            Self::Verdict => "verdict",
            Self::Weight => "weight",
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::Stranded => "stranded",
            Self::Told => "told",
            Self::End => "end",
        }
    }
}
