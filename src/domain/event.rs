//! What happened: one line of the log that history, alerts and live pages are made of.

use super::{Millis, Outcome, text::unmarked};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $severity:ident;)+) => {
        /// What an event is about. A closed set: the README has a line for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum EventKind { $($(#[doc = $doc])+ $variant,)+ }

        impl EventKind {
            /// Every kind, in the order of the README.
            pub const ALL: &[EventKind] = &[$(EventKind::$variant,)+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// How urgent it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }
        }
    };
}

kinds! {
    /// A verdict was given.
    Verdict = "verdict", Info;
    /// A canary was judged for the first time.
    Started = "started", Info;
    /// The weight of the questions changed.
    Weight = "weight", Info;
    /// The outcome differs from the one before.
    Changed = "changed", Info;
    /// A canary failed.
    Fail = "fail", Critical;
    /// A rollout passed at full weight.
    Pass = "pass", Info;
    /// Inconclusive for too long.
    Inconclusive = "inconclusive", Warning;
    /// What was told is over.
    Recovered = "recovered", Info;
    /// A person overrode the judge.
    Override = "override", Warning;
    /// An override expired or was taken back: the evidence decides again.
    OverrideEnded = "override-ended", Warning;
    /// A metric source has been silent for longer than its patience.
    SourceDown = "source-down", Critical;
    /// The weight went up although no pass was given.
    PromotionWithoutEvidence = "promotion-without-evidence", Warning;
    /// Nobody asks about an undecided rollout any more.
    Vanished = "vanished", Info;
    /// A message reached its receiver.
    Delivered = "delivered", Info;
    /// A message was given up.
    DeadLetter = "dead-letter", Warning;
}

impl EventKind {
    /// Kinds that last until something ends them.
    pub const LASTING: [EventKind; 6] = [
        EventKind::Fail,
        EventKind::Inconclusive,
        EventKind::Override,
        EventKind::SourceDown,
        EventKind::PromotionWithoutEvidence,
        EventKind::DeadLetter,
    ];

    /// Does it say how things stand with a rollout now, so that an older message is out of date beside it?
    pub fn tells_standing(self) -> bool {
        let ends = [
            EventKind::Recovered,
            EventKind::Pass,
            EventKind::OverrideEnded,
        ];
        ends.contains(&self) || self.is_trouble() || self == EventKind::Override
    }

    /// Is it never held, and does it lead the message that tells it?
    pub fn leads(self) -> bool {
        matches!(self, EventKind::Fail | EventKind::OverrideEnded)
    }

    /// Does it say that something is wrong with a rollout?
    pub fn is_trouble(self) -> bool {
        let others = [EventKind::Override, EventKind::DeadLetter];
        Self::LASTING.contains(&self) && !others.contains(&self)
    }

    /// The kind of a word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// How urgent an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// How the sentence of a [`EventKind::Recovered`] begins, up to its colon, where nobody asks about the rollout any more.
pub const UNASKED: &str = "nobody asks any more";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the log, ascending without regard to clocks; 0 until it is stored. Who reads the log sees no lower one later.
    pub seq: i64,
    /// A function of what happened, so that replicas that see the same thing write it once.
    pub id: Uuid,
    /// When it happened.
    pub at: Millis,
    /// What it is about.
    pub kind: EventKind,
    /// Namespace of the rollout; empty for a source.
    pub namespace: String,
    /// Name of the rollout, or of the source.
    pub rollout: String,
    /// Name of the policy.
    pub policy: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Traffic percent at that moment.
    pub weight: f64,
    /// The outcome that goes with it.
    pub outcome: Option<Outcome>,
    /// The verdict that goes with it.
    pub verdict: Option<Uuid>,
    /// Who did it, where a person did.
    pub author: Option<String>,
    /// One sentence.
    pub reason: String,
    /// The override that was in force then, in words.
    pub ruling: Option<String>,
    /// What is still wrong with the rollout where this says that something is over.
    pub still: Vec<EventKind>,
}

impl Event {
    /// The sentence, with the override that was in force: once, as it was written, although the sentence spells it without markup.
    pub fn told(&self) -> String {
        let Some(ruling) = self.ruling.as_deref() else {
            return self.reason.clone();
        };
        let spelt = unmarked(ruling);
        if self.reason.contains(&spelt) {
            return self.reason.replacen(&spelt, ruling, 1);
        }
        let said = self.reason.trim_end_matches('\u{2026}');
        let begins = spelt.split_once(": ").map(|(head, _)| head);
        let within = begins.and_then(|head| said.find(head)).unwrap_or_default();
        match said.split_at_checked(within) {
            Some((before, cut)) if !cut.is_empty() && spelt.starts_with(cut) => {
                format!("{before}{ruling}")
            }
            _ => format!("{}; {ruling}", self.reason),
        }
    }

    /// Is something over only because nobody asks about the rollout any more?
    pub fn is_unasked(&self) -> bool {
        let first = self.reason.split(": ").next();
        self.kind == EventKind::Recovered && first.is_some_and(|first| first.ends_with(UNASKED))
    }

    /// Does it end what an earlier event of this kind said of the same rollout? Only a person ends a dead letter.
    pub fn ends(&self, kind: EventKind) -> bool {
        match self.kind {
            // a canary that failed stays so, whatever else is over
            EventKind::Recovered if self.outcome == Some(Outcome::Fail) => {
                kind.is_trouble() && kind != EventKind::Fail && !self.still.contains(&kind)
            }
            EventKind::Recovered | EventKind::Pass => {
                kind.is_trouble() && !self.still.contains(&kind)
            }
            EventKind::Override if self.outcome == Some(Outcome::Pass) => {
                kind.is_trouble() || kind == EventKind::Override
            }
            EventKind::Override | EventKind::OverrideEnded => kind == EventKind::Override,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_override_in_force_once() {
        let ruling = "pass by override of ann until 1970-01-01T00:00:20Z: a known bug";
        for (reason, ruling, expected) in [
            ("weight 5 %", None, "weight 5 %"),
            (
                "weight 5 %",
                Some(ruling),
                "weight 5 %; pass by override of ann until 1970-01-01T00:00:20Z: a known bug",
            ),
            (ruling, Some(ruling), ruling),
            (
                "pass by override of ann until 1970-01-01T00:00:20Z: a\u{2026}",
                Some(ruling),
                ruling,
            ),
            (
                "fail is over: pass by override of ann until 1970-01-01T00:00:20Z: a\u{2026}",
                Some(ruling),
                "fail is over: pass by override of ann until 1970-01-01T00:00:20Z: a known bug",
            ),
            (
                "pass by override of ann: \u{2039}b\u{203a}x\u{2039}/b\u{203a} \"'+ and R+D",
                Some("pass by override of ann: <b>x</b> \"'& & R&D"),
                "pass by override of ann: <b>x</b> \"'& & R&D",
            ),
            (
                "fail is over: pass by override of ann: \u{2039}b\u{203a}",
                Some("pass by override of ann: <b>"),
                "fail is over: pass by override of ann: <b>",
            ),
        ] {
            let event = Event {
                seq: 0,
                id: Uuid::nil(),
                at: 0,
                kind: EventKind::Weight,
                namespace: String::new(),
                rollout: String::new(),
                policy: String::new(),
                canary_hash: String::new(),
                weight: 5.0,
                outcome: None,
                verdict: None,
                author: None,
                reason: reason.to_owned(),
                ruling: ruling.map(str::to_owned),
                still: Vec::new(),
            };
            assert_eq!(event.told(), expected);
        }
    }
}
