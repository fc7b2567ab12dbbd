//! A small line without axes. Its meaning is in words beside it, for those who cannot see it.

use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// One line between a lower and an upper bound; values outside are drawn at the bound.
pub fn sparkline(values: &[f64], bounds: (f64, f64), label: &str) -> Markup {
    let (low, high) = bounds;
    let height = |value: f64| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        HEIGHT - 2.0 - share * (HEIGHT - 4.0)
    };
    let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    let mut points = String::new();
    for (i, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
        let _ = write!(points, "{:.1},{:.1} ", i as f64 * step, height(*value));
    }
    html! {
        svg.spark viewBox="0 0 120 24" width="120" height="24" role="img" aria-label=(label) {
            line.spark-bound x1="0" x2="120" y1="2" y2="2" {}
            line.spark-bound x1="0" x2="120" y1="22" y2="22" {}
            @if values.len() > 1 { polyline.spark-line points=(points.trim_end()) {} }
        }
    }
}
