//! Version 1.

use super::{
    float::Float,
    shape::{Shape, shapes},
    word::Word,
};
use crate::domain::{self, EventKind, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

shapes! {
    /// Whom we judge.
    RolloutRef {
        namespace: String,
        name: String,
        canary_hash: String,
        stable_hash: String,
    }

    /// The judged exposure.
    Window {
        start: i64,
        end: i64,
    }

    /// One arm.
    ArmSummary {
        value: Option<Float>,
        events: Option<Float>,
        exposure: Option<Float>,
        series: Option<u64>,
    }

    /// The difference.
    Effect {
        estimate: Option<Float>,
        lower: Option<Float>,
        upper: Option<Float>,
        relative: Option<Float>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<Word<domain::Scale>>,
    }

    /// The evidence.
    EvidenceSummary {
        method: String,
        alpha: Float,
        log_e_fail: Float,
        log_e_pass: Float,
        p_fail: Float,
        p_pass: Float,
        dispersion: Option<Float>,
        pod_spread: Option<Float>,
        blocks: u64,
    }

    /// What is missing.
    Needs {
        requests: Option<Float>,
        seconds: Option<Float>,
    }

    /// The test at the end of a step.
    FixedHorizon {
        method: String,
        p_value: Option<Float>,
        lower: Option<Float>,
        upper: Option<Float>,
        interval_of: String,
    }

    /// One objective.
    Finding {
        name: String,
        kind: String,
        outcome: Word<Outcome>,
        code: Word<domain::Code>,
        reason: String,
        critical: bool,
        watch: bool,
        unit: String,
        canary: ArmSummary,
        stable: ArmSummary,
        effect: Effect,
        margin: Option<Float>,
        limit: Option<Float>,
        evidence: EvidenceSummary,
        needs: Needs,
        fixed_horizon: Option<FixedHorizon>,
    }

    /// The answer.
    Verdict {
        id: Uuid,
        outcome: Word<Outcome>,
        score: Float,
        reason: String,
        action: Word<domain::Action>,
        weight: Float,
        next_weight: Float,
        policy: String,
        revision: String,
        rollout: RolloutRef,
        window: Window,
        findings: Vec<Finding>,
        warnings: Vec<String>,
    }

    /// The question.
    Question {
        policy: String,
        rollout: RolloutRef,
        weight: Option<Float>,
        step: Option<u32>,
        step_since: Option<i64>,
        since: Option<i64>,
        at: i64,
        params: BTreeMap<String, String>,
        labels: BTreeMap<String, String>,
        analysis_run: Option<String>,
        dry_run: bool,
    }

    /// One weight of a walk.
    StepSeen {
        weight: Option<Float>,
        first: i64,
        last: i64,
        passed: bool,
    }

    /// How far the evidence was.
    Look {
        at: i64,
        harm: Float,
        safe: Float,
    }

    /// What one policy says.
    Present {
        verdict: Uuid,
        revision: String,
        outcome: Word<Outcome>,
        since: i64,
        action: Word<domain::Action>,
        next_weight: Float,
        score: Float,
        reason: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        block_by_block: bool,
        at: i64,
        kept_at: i64,
    }

    /// The state of a rollout.
    RolloutState {
        namespace: String,
        name: String,
        policy: String,
        revision: String,
        canary_hash: String,
        stable_hash: String,
        weight: Float,
        next_weight: Float,
        step: Option<u32>,
        verdict: Uuid,
        outcome: Word<Outcome>,
        action: Word<domain::Action>,
        score: Float,
        reason: String,
        at: i64,
        kept_at: i64,
        outcome_since: i64,
        #[serde(default)]
        outcomes: BTreeMap<String, (Word<Outcome>, i64)>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        presents: BTreeMap<String, Present>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        looks: BTreeMap<String, Vec<Look>>,
        since: i64,
        steps: Vec<StepSeen>,
        open: BTreeMap<String, i64>,
        labels: BTreeMap<String, String>,
    }

    /// A person's override.
    Override {
        id: Uuid,
        namespace: String,
        name: String,
        canary_hash: String,
        outcome: Word<Outcome>,
        reason: String,
        author: String,
        at: i64,
        expires: i64,
        revoked: Option<(i64, String)>,
    }

    /// A line of the log. Its place stands in its row.
    Event {
        #[serde(skip)]
        seq: i64,
        id: Uuid,
        at: i64,
        kind: Word<EventKind>,
        namespace: String,
        rollout: String,
        policy: String,
        canary_hash: String,
        weight: Float,
        outcome: Option<Word<Outcome>>,
        verdict: Option<Uuid>,
        author: Option<String>,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ruling: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        still: Vec<Word<EventKind>>,
    }
}

/// A verdict with its question: one body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    verdict: Verdict,
    question: Question,
}

impl Shape for Judged {
    type Meaning = (domain::Verdict, domain::Question);

    fn of((verdict, question): &Self::Meaning) -> Self {
        Self {
            verdict: Shape::of(verdict),
            question: Shape::of(question),
        }
    }

    fn back(self) -> Self::Meaning {
        (self.verdict.back(), self.question.back())
    }
}
