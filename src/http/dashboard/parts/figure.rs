//! Numbers of a finding as people read them: values in their unit, differences on their scale.

use super::number::{plain, with_unit};
use crate::domain::{ArmSummary, Effect, Finding, Outcome, Scale, Verdict};

pub use crate::service::shift::{ratio_of_totals, scale};

/// What a comparison is of, where it is not of the values themselves.
pub fn of(scale: Scale) -> Option<&'static str> {
    (scale == Scale::Complements).then_some("of what is missing to 100\u{202f}%")
}

/// The score; none where no objective that decides had a block with canary data, and no fail stands above that.
pub fn score(verdict: &Verdict) -> Option<f64> {
    let read = |finding: &Finding| !finding.watch && finding.evidence.blocks > 0;
    let told = verdict.outcome == Outcome::Fail || verdict.findings.iter().any(read);
    told.then_some(verdict.score)
}

/// A ratio beyond this is no measure: stable has next to nothing.
const MOST: f64 = 1000.0;

/// A value on the scale of the effect: `1.42 ×` or `+12 ms`.
pub fn on_scale(value: f64, scale: Scale, unit: &str) -> String {
    match scale {
        Scale::Ratio | Scale::Complements if value > MOST => {
            format!("more than {}\u{202f}×", plain(MOST))
        }
        Scale::Ratio | Scale::Complements => format!("{}\u{202f}×", plain(value)),
        Scale::Difference if value > 0.0 => format!("+{}", points(value, unit)),
        Scale::Difference => points(value, unit),
    }
}

/// A difference in its unit. That of two shares is in points: percent would read as a share of stable.
fn points(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{}\u{202f}points", plain(value * 100.0)),
        unit => with_unit(value, unit),
    }
}

/// The interval: `1.05 to 2.1 ×`, `at least 1.05 ×`; that it is not known yet where there is only an estimate.
pub fn interval(effect: &Effect, scale: Scale, unit: &str) -> Option<String> {
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
    let shown = |v| on_scale(v, scale, unit);
    let most = match scale {
        Scale::Difference => f64::INFINITY,
        Scale::Ratio | Scale::Complements => MOST,
    };
    match (finite(effect.lower), finite(effect.upper)) {
        (Some(lower), _) if lower > most => Some(shown(lower)),
        (Some(lower), Some(upper)) if upper > most => Some(format!("at least {}", shown(lower))),
        (Some(lower), Some(upper)) => Some(format!("{} to {}", shown(lower), shown(upper))),
        (Some(lower), None) => Some(format!("at least {}", shown(lower))),
        (None, Some(upper)) => Some(format!("at most {}", shown(upper))),
        (None, None) => finite(effect.estimate).map(|_| "interval not known yet".to_owned()),
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
    fn the_scale_is_that_of_the_verdict() {
        let mut one = finding("gauge", 12.0, 10.0, 1.21);
        for scale in [Scale::Ratio, Scale::Complements, Scale::Difference] {
            one.effect.scale = Some(scale);
            assert_eq!(super::scale(&one), scale);
        }
    }

    #[test]
    fn without_one_it_is_guessed_from_the_numbers() {
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
    fn totals_are_told_where_they_contradict_the_estimate() {
        let check = |canary: (f64, f64), stable: (f64, f64), effect: (f64, f64, f64), expected| {
            let arm = |(events, exposure): (f64, f64)| ArmSummary {
                value: Some(events / exposure),
                events: Some(events),
                exposure: Some(exposure),
                series: None,
            };
            let mut one = finding("errorRatio", 0.0, 0.0, effect.0);
            (one.canary, one.stable) = (arm(canary), arm(stable));
            (one.effect.lower, one.effect.upper) = (Some(effect.1), Some(effect.2));
            let told = ratio_of_totals(&one).map(plain);
            assert_eq!(told.as_deref(), expected, "{canary:?} {stable:?}");
        };
        // an outage of both while the canary had little traffic
        let outage = ((134.0, 10_000.0), (646.0, 10_000.0));
        check(outage.0, outage.1, (0.954, 0.8, 1.2), Some("0.207"));
        check(outage.0, outage.1, (0.21, 0.1, 0.4), None);
        // a wide interval hides nothing
        check(outage.0, outage.1, (0.954, 0.1, 9.0), Some("0.207"));
        // half an event makes much of few
        check((1.0, 1000.0), (20.0, 10_000.0), (0.8, 0.01, 4.0), None);
        check((0.0, 1000.0), (20.0, 10_000.0), (0.2, 0.01, 4.0), None);
        // sharp, but near
        let near = ((10_200.0, 1e6), (10_000.0, 1e6));
        check(near.0, near.1, (1.0, 0.99, 1.01), None);
    }

    #[test]
    fn a_score_is_of_something() {
        let verdict = |outcome, blocks, watch| {
            let mut one = finding("errorRatio", 0.0, 0.0, 0.0);
            (one.evidence.blocks, one.watch) = (blocks, watch);
            Verdict {
                id: uuid::Uuid::nil(),
                outcome,
                score: 100.0,
                reason: String::new(),
                action: crate::domain::Action::Hold,
                weight: 5.0,
                next_weight: 5.0,
                policy: String::new(),
                revision: String::new(),
                rollout: crate::domain::RolloutRef {
                    namespace: String::new(),
                    name: String::new(),
                    canary_hash: String::new(),
                    stable_hash: String::new(),
                },
                window: crate::domain::Window { start: 0, end: 0 },
                findings: vec![one],
                warnings: Vec::new(),
            }
        };
        let told = |outcome, blocks, watch| score(&verdict(outcome, blocks, watch));
        assert_eq!(told(Outcome::Inconclusive, 0, false), None);
        assert_eq!(told(Outcome::Pass, 3, true), None);
        assert_eq!(told(Outcome::Inconclusive, 1, false), Some(100.0));
        assert_eq!(told(Outcome::Fail, 0, false), Some(100.0));
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
            (Some(0.5), Some(1001.0), Some("at least 0.5\u{202f}×")),
            (Some(6399.0), None, Some("more than 1\u{2009}000\u{202f}×")),
            (None, None, None),
        ] {
            let text = interval(&effect(lower, upper), Scale::Ratio, "");
            assert_eq!(text.as_deref(), expected);
        }
        let alone = Effect {
            estimate: Some(1.2),
            ..Effect::default()
        };
        let text = interval(&alone, Scale::Ratio, "");
        assert_eq!(text.as_deref(), Some("interval not known yet"));
        let far = on_scale(127_262.0, Scale::Ratio, "");
        assert_eq!(far, "more than 1\u{2009}000\u{202f}×");
        assert_eq!(
            on_scale(0.012, Scale::Difference, "seconds"),
            "+12\u{202f}ms"
        );
        assert_eq!(
            on_scale(0.0005, Scale::Difference, "ratio"),
            "+0.05\u{202f}points"
        );
    }
}
