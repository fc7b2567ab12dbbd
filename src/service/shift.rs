//! Where the totals of both arms say something else than the comparison, which is weighed block by block.

use crate::domain::{ArmSummary, Effect, Finding, Scale, Verdict};

/// Is that so of an objective that the verdict's sentence names?
pub fn in_sentence(verdict: &Verdict) -> bool {
    let named = |finding: &&Finding| verdict.reason.contains(&finding.name);
    let mut told = verdict.findings.iter().filter(named);
    told.any(|finding| ratio_of_totals(finding).is_some())
}

/// What the effect, its interval and the margin are.
pub fn scale(finding: &Finding) -> Scale {
    finding
        .effect
        .scale
        .unwrap_or_else(|| guessed_scale(finding))
}

/// Of what was kept before the scale was: counts and quantiles were compared as ratios. Means and levels too, unless some
/// value was zero or negative: the estimate is then near the difference of the arms, not near their ratio.
fn guessed_scale(finding: &Finding) -> Scale {
    if finding.evidence.method.ends_with("on the complement") {
        return Scale::Complements;
    }
    if !matches!(finding.kind.as_str(), "mean" | "gauge" | "query") {
        return Scale::Ratio;
    }
    let (Some(canary), Some(stable), Some(estimate)) = (
        finding.canary.value,
        finding.stable.value,
        finding.effect.estimate,
    ) else {
        return Scale::Ratio;
    };
    if canary <= 0.0 || stable <= 0.0 {
        return Scale::Difference;
    }
    let off =
        |expected: f64| (estimate - expected).abs() / (estimate.abs() + expected.abs() + 1e-9);
    Scale::of(off(canary / stable) <= off(canary - stable))
}

/// Events on each arm before a difference of the two ratios is more than what rounding and a half event make.
const TOLD_EVENTS: f64 = 10.0;

/// The ratio of the totals, where it says something else than the estimate, which is weighed block by block: it lies outside
/// of the interval and 5 % off, or 25 % off. Both come of a split of traffic that changed while the rates did.
pub fn ratio_of_totals(finding: &Finding) -> Option<f64> {
    let complement = match scale(finding) {
        Scale::Ratio => false,
        Scale::Complements => true,
        Scale::Difference => return None,
    };
    if !matches!(finding.kind.as_str(), "errorRatio" | "ratio") {
        return None;
    }
    let counts = |arm: &ArmSummary| {
        let (events, exposure) = (arm.events?, arm.exposure?);
        Some((
            if complement {
                exposure - events
            } else {
                events
            },
            exposure,
        ))
    };
    let ((x_c, n_c), (x_s, n_s)) = (counts(&finding.canary)?, counts(&finding.stable)?);
    let totals = (x_c / n_c) / (x_s / n_s);
    let estimate = finding.effect.estimate?;
    let off = (totals / estimate).ln().abs();
    let Effect { lower, upper, .. } = finding.effect;
    let outside =
        lower.is_some_and(|lower| totals < lower) || upper.is_some_and(|upper| totals > upper);
    let many = x_c >= TOLD_EVENTS && x_s >= TOLD_EVENTS;
    let differ = (outside && off > 1.05_f64.ln()) || (many && off > 1.25_f64.ln());
    (differ && off.is_finite()).then_some(totals)
}
