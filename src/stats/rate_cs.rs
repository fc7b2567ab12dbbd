//! Anytime-valid confidence limits of one rate, by inverting the one-sample mode of procedure A (single start).

use super::mixture::{BinomialBlock, BinomialProcess, Side};

/// Halvings of the bracket: far below what is ever shown.
const HALVINGS: usize = 50;
/// The smallest rate that is told from zero.
const TINY: f64 = 1e-12;

/// Two-sided limits with coverage `1 - alpha` at any time for `events` of `trials`: the lower one is the smallest rate at
/// which the greater process is below `2/alpha`, the upper one the largest at which the less process is. Nothing without trials.
pub fn rate_confidence_sequence(
    events: f64,
    trials: f64,
    phi: f64,
    alpha: f64,
) -> Option<(f64, f64)> {
    if !(events >= 0.0 && trials > 0.0 && trials.is_finite() && alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let threshold = (2.0 / alpha).ln();
    let excluded = |side, rate: f64| {
        // constant shares: the sums of all blocks say as much as the blocks
        let mut process = BinomialProcess::new(side);
        process.open(1.0);
        process.push(BinomialBlock {
            x: events,
            m: trials,
            pi0: rate,
        });
        process.log_e(phi) >= threshold
    };
    let rate = (events / trials).clamp(TINY, 1.0);
    let lower = if excluded(Side::Greater, TINY) {
        between(TINY, rate, |rate| excluded(Side::Greater, rate))
    } else {
        0.0
    };
    let upper = if excluded(Side::Less, 1.0) {
        between(1.0, rate, |rate| excluded(Side::Less, rate))
    } else {
        1.0
    };
    Some((lower, upper))
}

/// The rate at which exclusion ends, between an excluded one and one that is not; on the scale of logarithms.
fn between(excluded: f64, kept: f64, is_excluded: impl Fn(f64) -> bool) -> f64 {
    let (mut out, mut inside) = (excluded.ln(), kept.ln());
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(out, inside);
        if is_excluded(middle.exp()) {
            out = middle;
        } else {
            inside = middle;
        }
    }
    inside.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_rate_and_shrinks() {
        let (mut low, mut high) = (0.0, 1.0);
        for trials in [100.0, 1000.0, 10_000.0, 100_000.0] {
            let (lower, upper) =
                rate_confidence_sequence(0.02 * trials, trials, 1.0, 0.01).unwrap();
            assert!(lower < 0.02 && 0.02 < upper, "{trials}: {lower} {upper}");
            assert!(lower >= low && upper <= high, "{trials}: {lower} {upper}");
            (low, high) = (lower, upper);
        }
        assert!(low > 0.018 && high < 0.022, "{low} {high}");
        let wide = rate_confidence_sequence(200.0, 10_000.0, 4.0, 0.01).unwrap();
        let narrow = rate_confidence_sequence(200.0, 10_000.0, 1.0, 0.01).unwrap();
        assert!(
            wide.0 < narrow.0 && wide.1 > narrow.1,
            "{wide:?} {narrow:?}"
        );
    }

    #[test]
    fn the_ends_are_closed() {
        let (lower, upper) = rate_confidence_sequence(0.0, 10_000.0, 1.0, 0.01).unwrap();
        assert!(lower == 0.0 && upper > 0.0 && upper < 0.01, "{upper}");
        let (lower, upper) = rate_confidence_sequence(500.0, 500.0, 1.0, 0.01).unwrap();
        assert!(lower > 0.9 && upper == 1.0, "{lower}");
        assert_eq!(rate_confidence_sequence(0.0, 0.0, 1.0, 0.01), None);
    }
}
