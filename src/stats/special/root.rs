//! Finding where an increasing or decreasing function crosses zero, without derivatives.

/// Widens an interval around `centre` in doubling steps until the function changes sign inside or `limits` are reached.
///
/// The function must not decrease. Returns the interval; from a centre that is no number the limits.
pub fn expand(f: impl Fn(f64) -> f64, centre: f64, step: f64, limits: (f64, f64)) -> (f64, f64) {
    let (floor, ceiling) = limits;
    // a step that does not move the centre would never end
    let mut step = step.max(f64::EPSILON * (1.0 + centre.abs()));
    if !(centre.is_finite() && step.is_finite()) {
        return limits;
    }
    if f(centre) < 0.0 {
        let mut low = centre;
        loop {
            let high = (low + step).min(ceiling);
            if high >= ceiling || f(high) >= 0.0 {
                return (low, high);
            }
            low = high;
            step *= 2.0;
        }
    }
    let mut high = centre;
    loop {
        let low = (high - step).max(floor);
        if low <= floor || f(low) < 0.0 {
            return (low, high);
        }
        high = low;
        step *= 2.0;
    }
}

/// Root of a continuous function in `[low, high]` to the absolute-and-relative tolerance `tolerance`
/// (Chandrupatla 1997: inverse quadratic steps where they are safe, halving elsewhere).
///
/// Without a change of sign the end with the smaller absolute value is returned.
pub fn find_root(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> f64 {
    let (mut a, mut b) = (high, low);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa == 0.0 {
        return a;
    }
    if fb == 0.0 {
        return b;
    }
    if (fa > 0.0) == (fb > 0.0) || fa.is_nan() || fb.is_nan() {
        return if fa.abs() < fb.abs() { a } else { b };
    }
    let mut fraction = 0.5;
    for _ in 0..200 {
        let point = a + fraction * (b - a);
        let value = f(point);
        let (c, fc);
        if (value > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, fc) = (b, fb);
            b = a;
            fb = fa;
        }
        a = point;
        fa = value;
        let best = if fa.abs() < fb.abs() { a } else { b };
        let width = (b - a).abs();
        let needed = tolerance * (1.0 + best.abs());
        if fa == 0.0 || width <= needed {
            return best;
        }
        let edge = 0.5 * needed / width;
        let xi = (a - b) / (c - b);
        let phi = (fa - fb) / (fc - fb);
        fraction = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        fraction = fraction.clamp(edge, 1.0 - edge);
    }
    if fa.abs() < fb.abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_ends_whatever_it_starts_from() {
        for (centre, step) in [
            (0.0, 0.0),
            (0.5, 1e-300),
            (0.5, f64::NAN),
            (f64::NAN, 1.0),
            (0.5, -1.0),
        ] {
            let (low, high) = expand(|v| v - 0.25, centre, step, (-1.0, 1.0));
            assert!(low <= 0.25 && 0.25 <= high, "{centre} {step}: {low} {high}");
        }
    }
}
