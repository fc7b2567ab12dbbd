//! A small line without axes. Its meaning is in words beside it, for those who cannot see it.

use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// Two lines between the same bounds: what speaks against (solid) and what speaks for (dashed).
pub fn two(against: &[f64], pro: &[f64], bounds: (f64, f64), label: &str) -> Markup {
    let lines = html! {
        (line("spark-line spark-for", pro, bounds))
        (line("spark-line spark-against", against, bounds))
    };
    frame(label, &lines)
}

/// One of the lines, for a legend.
pub fn key(class: &str) -> Markup {
    html! { svg.key viewBox="0 0 24 6" width="24" height="6" aria-hidden="true" { line class=(class) x1="0" x2="24" y1="3" y2="3" {} } }
}

fn frame(label: &str, lines: &Markup) -> Markup {
    html! {
        svg.spark viewBox="0 0 120 24" width="120" height="24" role="img" aria-label=(label) {
            title { (label) }
            line.spark-bound x1="0" x2="120" y1="2" y2="2" {}
            line.spark-base x1="0" x2="120" y1="22" y2="22" {}
            (lines)
        }
    }
}

/// A value that is no number is a hole: the line stops before it and begins again behind it.
fn line(class: &str, values: &[f64], (low, high): (f64, f64)) -> Markup {
    let height = |value: f64| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        HEIGHT - 2.0 - share * (HEIGHT - 4.0)
    };
    let step = (WIDTH - 4.0) / values.len().saturating_sub(1).max(1) as f64;
    let mut path = String::new();
    let mut end = None;
    let mut before = false;
    for (i, value) in values.iter().enumerate() {
        if value.is_finite() {
            let (x, y) = (i as f64 * step, height(*value));
            // `h0`: a point of its own is a dot
            let _ = if before {
                write!(path, "L{x:.1},{y:.1}")
            } else {
                write!(path, "M{x:.1},{y:.1}h0")
            };
            end = Some((format!("{x:.1}"), format!("{y:.1}")));
        }
        before = value.is_finite();
    }
    html! {
        path class=(class) d=(path) {}
        @if let Some((x, y)) = end { circle class={ (class) " spark-end" } cx=(x) cy=(y) r="2" {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_inside_and_lines_stop_at_holes() {
        let svg = two(&[0.0, f64::NAN, 0.5, 9.0], &[], (0.0, 1.0), "a < b").into_string();
        assert!(
            svg.contains(r#"d="M0.0,22.0h0M77.3,12.0h0L116.0,2.0""#),
            "{svg}"
        );
        assert!(svg.contains("a &lt; b") && !svg.contains("NaN") && !svg.contains("style"));
        assert!(
            two(&[], &[], (0.0, 1.0), "")
                .into_string()
                .contains(r#"d="""#)
        );
    }
}
