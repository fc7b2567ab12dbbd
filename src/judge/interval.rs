//! When an interval is too wide to be told.

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

#[cfg(test)]
mod tests {
    use super::*;

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
