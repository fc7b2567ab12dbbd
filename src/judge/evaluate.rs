//! The whole judgement: a policy, a question and folded blocks become a verdict. Pure: the same input gives the same bytes.

use super::{
    advice::{self, Rule},
    counts::CountBlock,
    explain,
    frozen::{self, Frozen},
    noticed,
    objective::{self, Surroundings},
    ruling::{self, Force},
    state::ObjectiveState,
    timeout::{self, Bar},
    traffic::{self, OfStep, Split},
    weight::{self, Weight},
};
use crate::{
    domain::{Code, Finding, Millis, Outcome, Question, Verdict, Window},
    policy::{OnTimeout, Policy},
};

/// Blocks in which traffic may still be that of an earlier step.
const FRESH: Millis = 5;

/// What was read for one objective.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The folded blocks.
    pub state: &'a ObjectiveState,
    /// Why the latest blocks could not be read.
    pub problem: Option<Code>,
    /// The same in the source's words.
    pub cause: Option<&'a str>,
    /// Series used: canary, stable.
    pub series: (u64, u64),
}

/// Everything that a verdict is made of.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The question.
    pub question: &'a Question,
    /// The verdict's id, a function of the question.
    pub id: uuid::Uuid,
    /// The canary has samples, but its start is not known yet: they are of a minute that is not over.
    pub sighted: bool,
    /// Start of the judged exposure, once known: the canary's start, or later where that is older than the horizon.
    pub start: Option<Millis>,
    /// The canary's start itself.
    pub exposed_since: Option<Millis>,
    /// Length of a block.
    pub block: Millis,
    /// Number of the last closed block; negative before the first.
    pub closed: i64,
    /// Start of the present step, where it is known.
    pub step_since: Option<Millis>,
    /// Since when data is awaited, for the patience.
    pub asked_since: Option<Millis>,
    /// One for each objective of the policy, in its order.
    pub observed: Vec<Observed<'a>>,
    /// What the reading noticed.
    pub warnings: Vec<String>,
    /// What stands above the evidence.
    pub force: Force<'a>,
}

/// Judges.
pub fn evaluate(case: &Case) -> Verdict {
    let Case {
        policy, question, ..
    } = case;
    let mut warnings = case.warnings.clone();
    let traffic = requests(&case.observed);
    let assumed = weight::assumed(policy, question, traffic);
    let weight = assumed.percent();
    warnings.extend(assumed.warning());
    let standing = advice::Standing {
        weight,
        lasted: case.step_since.map(|since| question.at - since),
    };
    let of_step = of_step(case);
    let fresh = standing
        .lasted
        .is_none_or(|lasted| lasted < FRESH * case.block);
    // what pods that are left out have served tells nothing about the split
    let left_out = |seen: &Observed<'_>| {
        matches!(
            seen.problem,
            Some(Code::CanaryVanished | Code::NoStableData)
        )
    };
    let traffic = traffic.filter(|_| !case.observed.iter().any(left_out));
    let split = traffic.map_or(Split::Fine, |blocks| match assumed {
        _ if traffic::stopped(blocks, weight, of_step) => Split::Severe { share: 0.0 },
        Weight::Told(_) => traffic::split(blocks, weight, of_step),
        Weight::Seen(_) | Weight::Unknown(_) => Split::Fine,
    });
    if let Split::Mild { share } | Split::Severe { share } = split {
        warnings.push(format!(
            "the canary gets {} % of the traffic, the weight asks for {} %",
            explain::digits(share * 100.0),
            explain::digits(weight)
        ));
    }
    let split_severe = match split {
        Split::Severe { share }
            if !(fresh && share > 0.0 && follows(policy, weight, share, (traffic, of_step))) =>
        {
            Some(share)
        }
        _ => None,
    };
    let exposed = case.exposed_since.map_or(0, |start| question.at - start);
    let unseen = case.exposed_since.is_none() && !case.sighted;
    let waited = case
        .asked_since
        .map_or(0, |since| question.at - since)
        .max(exposed)
        // nothing in the whole horizon: then it was missing since the step began, too
        .max(standing.lasted.filter(|_| unseen).unwrap_or(0));
    let up = advice::time_is_up(policy, &standing);
    let time_is_up = up || exposed >= policy.horizon - case.block;
    let still: Vec<Option<Frozen>> = policy
        .objectives
        .iter()
        .zip(&case.observed)
        .map(|(objective, seen)| frozen::frozen(objective, seen.state, (case.block, weight)))
        .collect();
    warnings.extend(noticed::stands_still(case, &still));
    warnings.extend(noticed::blurred(case));
    let findings: Vec<Finding> = policy
        .objectives
        .iter()
        .zip(&case.observed)
        .zip(&still)
        .map(|((objective, seen), still)| {
            let around = Surroundings {
                block: case.block,
                closed: match case.start {
                    Some(_) => case.closed,
                    None if case.sighted => -1,
                    None => i64::MAX,
                },
                warming: case.start.is_some() && (case.closed - 1) * case.block <= policy.warm_up,
                problem: seen.problem,
                cause: seen.cause,
                split_severe,
                frozen: still.map(|still| (last_moment(case, &still), still)),
                time_is_up,
                patience_over: waited >= policy.no_data_patience,
                full_weight: weight >= 100.0,
            };
            let mut finding = objective::judge(policy, objective, seen.state, &around);
            finding.canary.series = Some(seen.series.0);
            finding.stable.series = Some(seen.series.1);
            finding
        })
        .collect();
    let sum = sum(&findings);
    let blind = findings
        .iter()
        .zip(&case.observed)
        .any(|(finding, seen)| !finding.watch && seen.problem.is_some());
    let on_timeout = advice::step_of(policy, weight).map_or(OnTimeout::Hold, |s| s.on_timeout);
    let bar = timeout::bar(on_timeout, &findings, blind);
    let advice = advice::advise(policy, &standing, sum, bar.is_some());
    let reason = match advice.rule {
        Some(Rule::MinDuration { missing }) => {
            let missing = explain::span(missing as f64 / 1000.0);
            let blind = findings.iter().find(|f| passes_unseen(f));
            explain::clean(&match blind {
                None => format!("harmless so far; the step must last {missing} more"),
                Some(f) => format!("the step must last {missing} more; {}", f.reason),
            })
        }
        Some(Rule::Timeout(on_timeout)) => {
            let what = match on_timeout {
                OnTimeout::Hold => "hold",
                OnTimeout::Advance => "advance",
                OnTimeout::Abort => "abort",
            };
            explain::clean(&format!(
                "undecided at the step's maxDuration (onTimeout: {what}); {}",
                lead(sum, &findings)
            ))
        }
        None => match bar.as_ref().and_then(Bar::words) {
            Some((said, of)) if sum == Outcome::Inconclusive && up => {
                let rest = of.map_or_else(|| lead(sum, &findings), |f| f.reason.clone());
                explain::clean(&format!("{said}; {rest}"))
            }
            _ => reason(sum, &findings),
        },
    };
    let ((advice, reason), told) =
        ruling::apply(policy, (question.at, weight), case.force, (advice, reason));
    warnings.extend(told.map(|text| explain::clean(&text)));
    Verdict {
        id: case.id,
        outcome: advice.outcome,
        score: if advice.outcome == Outcome::Fail {
            0.0
        } else {
            score(&findings)
        },
        reason,
        action: advice.action,
        weight,
        next_weight: advice.next_weight,
        policy: policy.name.clone(),
        revision: policy.revision.clone(),
        rollout: question.rollout.clone(),
        window: Window {
            start: case.start.unwrap_or(question.at),
            end: end(case),
        },
        findings,
        warnings,
    }
}

/// Requests of both arms per block: rather from counts than from a histogram, which leaves warming pods out.
pub fn requests<'a>(observed: &[Observed<'a>]) -> Option<&'a [CountBlock]> {
    let states = || observed.iter().map(|seen| seen.state);
    states()
        .filter(|state| matches!(state, ObjectiveState::Counts(_)))
        .find_map(ObjectiveState::traffic)
        .or_else(|| states().find_map(ObjectiveState::traffic))
}

/// End of the last block in which both arms had data.
pub fn last_moment(case: &Case, still: &Frozen) -> Millis {
    case.start.unwrap_or_default() + (still.last + 1) * case.block
}

/// The blocks of the present step. Its start is not known where it is that of the first question of all.
fn of_step(case: &Case) -> OfStep {
    let Some(since) = case.step_since else {
        return OfStep::default();
    };
    let told = case.question.step_since.is_some();
    OfStep {
        blocks: usize::try_from((end(case) - since) / case.block.max(1)).unwrap_or(0),
        known: told || case.asked_since.is_some_and(|asked| asked < since),
    }
}

/// Is this still the traffic of an earlier step of the policy, or that of just before the step? Blocks close later than a
/// weight is set.
fn follows(
    policy: &Policy,
    weight: f64,
    share: f64,
    (traffic, of_step): (Option<&[CountBlock]>, OfStep),
) -> bool {
    let lower = policy.steps.iter().map(|step| step.weight / 100.0);
    let before = traffic.and_then(|blocks| traffic::before(blocks, of_step));
    lower
        .filter(|lower| *lower < weight / 100.0)
        .chain(before)
        .any(|earlier| (0.4..2.5).contains(&(share / earlier)))
}

/// A fail of a critical objective decides; a pass needs all of them (intersection-union); watched ones never count.
fn sum(findings: &[Finding]) -> Outcome {
    let mut judged = findings.iter().filter(|f| !f.watch).peekable();
    if judged.peek().is_none() {
        return Outcome::Inconclusive;
    }
    if findings
        .iter()
        .any(|f| f.critical && !f.watch && f.outcome == Outcome::Fail)
    {
        return Outcome::Fail;
    }
    if judged.all(|f| f.outcome == Outcome::Pass) {
        Outcome::Pass
    } else {
        Outcome::Inconclusive
    }
}

fn reason(sum: Outcome, findings: &[Finding]) -> String {
    let judged = findings.iter().filter(|f| !f.watch);
    let passed = judged
        .clone()
        .filter(|f| f.outcome == Outcome::Pass)
        .count();
    explain::summary(sum, &lead(sum, findings), passed, judged.count())
}

/// The sentence that matters most: the strongest fail, the longest need, or the tightest pass.
fn lead(sum: Outcome, findings: &[Finding]) -> String {
    let judged = || findings.iter().filter(|f| !f.watch);
    let by = |key: fn(&Finding) -> f64, of: Outcome| {
        judged()
            .filter(|f| f.outcome == of)
            .fold(None::<&Finding>, |best, f| match best {
                Some(best) if key(best) >= key(f) => Some(best),
                _ => Some(f),
            })
    };
    let chosen = match sum {
        Outcome::Fail => by(|f| f.evidence.log_e_fail, Outcome::Fail),
        // a problem without a number outranks any need; a fail that only holds outranks both
        Outcome::Inconclusive => judged().find(|f| f.outcome == Outcome::Fail).or_else(|| {
            by(
                |f| {
                    if f.code == Code::NeedsMoreData || f.code == Code::TooEarly {
                        f.needs.seconds.unwrap_or_default()
                    } else {
                        f64::MAX
                    }
                },
                Outcome::Inconclusive,
            )
        }),
        Outcome::Pass => judged()
            .find(|f| passes_unseen(f))
            .or_else(|| by(|f| -f.evidence.log_e_pass, Outcome::Pass)),
    };
    let Some(finding) = chosen else {
        return "nothing to judge".to_owned();
    };
    let others = judged().count() - 1;
    if sum == Outcome::Pass && others > 0 {
        return format!("all {} objectives pass; {}", others + 1, finding.reason);
    }
    finding.reason.clone()
}

/// A pass by `onNoData`, not by evidence.
fn passes_unseen(finding: &Finding) -> bool {
    !finding.watch && finding.outcome == Outcome::Pass && finding.code == Code::NoCanaryData
}

/// 100 without a sign of harm, 0 at a fail (also at one that stays): how far the strongest evidence of harm is from its threshold.
fn score(findings: &[Finding]) -> f64 {
    let worst = findings
        .iter()
        .filter(|f| !f.watch)
        .map(|f| {
            if f.outcome == Outcome::Fail {
                1.0
            } else {
                (f.evidence.log_e_fail / -f.evidence.alpha.ln()).clamp(0.0, 1.0)
            }
        })
        .fold(0.0, f64::max);
    (1000.0 * (1.0 - worst)).round() / 10.0
}

fn end(case: &Case) -> Millis {
    match case.start {
        Some(start) if case.closed >= 0 => start + (case.closed + 1) * case.block,
        _ => case.question.at,
    }
}
