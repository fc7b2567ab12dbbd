//! When an estimate or its interval is too wide to be told.

use crate::domain::Effect;

/// An interval of a ratio that reaches further than this factor either way says nothing; one of a difference that
/// reaches further than so many times its scale.
const WIDEST: f64 = 1000.0;

/// The ends of an interval around an estimate, both on the scale of the evidence; nothing where they say nothing: few
/// degrees of freedom make them as wide as numbers go. `tau`: the prior scale.
pub fn told(estimate: f64, (lower, upper): (f64, f64), log: bool, tau: f64) -> Option<(f64, f64)> {
    let widest = if log { WIDEST.ln() } else { WIDEST * tau };
    let near = |end: f64| end.is_finite() && (end - estimate).abs() <= widest;
    (near(lower) && near(upper)).then_some((lower, upper))
}

/// What is told of a ratio of events. Where an arm has none the estimate would be made of the half event that is added, not
/// of data: then it is left out, and so is a lower end of 0. Of 0 to anything nothing is known. The ends are known to a
/// tolerance: an estimate between them does not fall out by it.
pub fn of_events(ratio: Option<f64>, (lower, upper): (f64, f64), events: [f64; 2]) -> Effect {
    let both = events.iter().all(|events| *events > 0.0);
    let estimate = ratio.filter(|ratio| both && ratio.is_finite());
    let lower = estimate.map_or(lower, |estimate| lower.min(estimate));
    let upper = estimate.map_or(upper, |estimate| upper.max(estimate));
    Effect {
        estimate,
        lower: ratio
            .map(|_| lower)
            .filter(|lower| *lower > 0.0 || (both && upper.is_finite())),
        upper: ratio.map(|_| upper).filter(|upper| upper.is_finite()),
        relative: None,
        scale: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_without_events_has_no_estimate() {
        let inf = f64::INFINITY;
        for (ratio, ends, events, told) in [
            (
                Some(2.0),
                (0.0, 9.0),
                [3.0, 5.0],
                [Some(2.0), Some(0.0), Some(9.0)],
            ),
            (Some(2.0), (0.0, inf), [3.0, 5.0], [Some(2.0), None, None]),
            (
                Some(2.0),
                (0.0, 522.0),
                [0.0, 5.0],
                [None, None, Some(522.0)],
            ),
            (Some(2.0), (0.0, inf), [0.0, 5.0], [None, None, None]),
            (Some(40.0), (4.0, inf), [9.0, 0.0], [None, Some(4.0), None]),
            (Some(3.0), (0.0, inf), [1.0, 0.0], [None, None, None]),
            (None, (0.0, 7.0), [0.0, 0.0], [None, None, None]),
        ] {
            let effect = of_events(ratio, ends, events);
            let seen = [effect.estimate, effect.lower, effect.upper];
            assert_eq!(seen, told, "{ratio:?} {ends:?} {events:?}");
        }
    }

    #[test]
    fn what_no_person_can_read_is_not_told() {
        let ratio = |width: f64| told(0.5, (0.5 - width, 0.5 + width), true, 0.5).is_some();
        assert_eq!(
            [0.1, 6.9, 7.0, 350.0].map(ratio),
            [true, true, false, false]
        );
        let points = |width: f64| told(-3.0, (-3.0 - width, -3.0 + width), false, 2.0).is_some();
        let widths = [0.0, 1999.0, 2001.0, f64::INFINITY];
        assert_eq!(widths.map(points), [true, true, false, false]);
    }
}
