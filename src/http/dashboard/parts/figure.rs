//! Numbers of a finding as people read them: values in their unit, differences on their scale.

use super::number::{plain, with_unit};
use crate::domain::{ArmSummary, Effect, Finding};

/// What the effect, its interval and the margin are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Canary over stable; 1 is no difference.
    Ratio,
    /// Canary minus stable, in the objective's unit; 0 is no difference.
    Difference,
}

impl Scale {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Difference => "difference",
        }
    }
}

/// Counts and quantiles are compared as ratios. Means and levels too, unless some value was zero or negative: the estimate
/// is then near the difference of the arms, not near their ratio.
pub fn scale(finding: &Finding) -> Scale {
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
    if off(canary / stable) <= off(canary - stable) {
        Scale::Ratio
    } else {
        Scale::Difference
    }
}

/// A value on the scale of the effect: `1.42 ×` or `+12 ms`.
pub fn on_scale(value: f64, scale: Scale, unit: &str) -> String {
    match scale {
        Scale::Ratio => format!("{}\u{202f}×", plain(value)),
        Scale::Difference if value > 0.0 => format!("+{}", with_unit(value, unit)),
        Scale::Difference => with_unit(value, unit),
    }
}

/// The interval: `1.05 to 2.1 ×`, `at least 1.05 ×`.
pub fn interval(effect: &Effect, scale: Scale, unit: &str) -> Option<String> {
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
    let shown = |v| on_scale(v, scale, unit);
    match (finite(effect.lower), finite(effect.upper)) {
        (Some(lower), Some(upper)) => Some(format!("{} to {}", shown(lower), shown(upper))),
        (Some(lower), None) => Some(format!("at least {}", shown(lower))),
        (None, Some(upper)) => Some(format!("at most {}", shown(upper))),
        (None, None) => None,
    }
}

/// An optional value in its unit.
pub fn value(value: Option<f64>, unit: &str) -> String {
    value
        .filter(|v| v.is_finite())
        .map_or_else(|| "–".to_owned(), |v| with_unit(v, unit))
}

/// What a value was made of: `57 of 57 000 requests`.
pub fn made_of(arm: &ArmSummary, kind: &str) -> Option<String> {
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
    let exposure = finite(arm.exposure);
    match (kind, finite(arm.events), exposure) {
        ("errorRatio", Some(events), Some(exposure)) => {
            Some(format!("{} of {} requests", plain(events), plain(exposure)))
        }
        ("ratio", Some(events), Some(exposure)) => {
            Some(format!("{} per {}", plain(events), plain(exposure)))
        }
        ("latencyQuantile", _, Some(exposure)) => Some(format!("{} requests", plain(exposure))),
        ("mean", _, Some(exposure)) => Some(format!("{} items", plain(exposure))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, EvidenceSummary, Needs, Outcome};

    fn finding(kind: &str, canary: f64, stable: f64, estimate: f64) -> Finding {
        Finding {
            name: "n".into(),
            kind: kind.into(),
            outcome: Outcome::Pass,
            code: Code::NoHarm,
            reason: String::new(),
            critical: true,
            watch: false,
            unit: String::new(),
            canary: ArmSummary {
                value: Some(canary),
                ..ArmSummary::default()
            },
            stable: ArmSummary {
                value: Some(stable),
                ..ArmSummary::default()
            },
            effect: Effect {
                estimate: Some(estimate),
                ..Effect::default()
            },
            margin: None,
            limit: None,
            evidence: EvidenceSummary::default(),
            needs: Needs::default(),
            fixed_horizon: None,
        }
    }

    #[test]
    fn the_scale_is_seen_from_the_numbers() {
        for (kind, canary, stable, estimate, expected) in [
            ("errorRatio", 0.0, 0.0, 0.0, Scale::Ratio),
            ("mean", 12.0, 10.0, 1.21, Scale::Ratio),
            ("gauge", 12.0, 10.0, 2.1, Scale::Difference),
            ("gauge", -1.0, 2.0, -3.0, Scale::Difference),
        ] {
            assert_eq!(scale(&finding(kind, canary, stable, estimate)), expected);
        }
    }

    #[test]
    fn intervals_in_words() {
        let effect = |lower, upper| Effect {
            lower,
            upper,
            ..Effect::default()
        };
        for (lower, upper, expected) in [
            (Some(0.5), Some(1.4), Some("0.5\u{202f}× to 1.4\u{202f}×")),
            (
                Some(0.5),
                Some(f64::INFINITY),
                Some("at least 0.5\u{202f}×"),
            ),
            (None, None, None),
        ] {
            let text = interval(&effect(lower, upper), Scale::Ratio, "");
            assert_eq!(text.as_deref(), expected);
        }
        assert_eq!(
            on_scale(0.012, Scale::Difference, "seconds"),
            "+12\u{202f}ms"
        );
    }
}
