//! Which bucket of a histogram a series counts.

use crate::domain::Labels;

/// A bucket edge that can be compared, hashed and sorted. Never NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Edge(i64);

impl Edge {
    pub const INFINITE: Self = Self(0x7ff0_0000_0000_0000);

    pub fn new(value: f64) -> Self {
        let bits = (value + 0.0).to_bits() as i64; // -0 becomes 0
        Self(if bits < 0 { bits ^ i64::MAX } else { bits })
    }

    pub fn value(self) -> f64 {
        let bits = if self.0 < 0 {
            self.0 ^ i64::MAX
        } else {
            self.0
        };
        f64::from_bits(bits as u64)
    }
}

/// What a series of a histogram query counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    /// No bucket label: a plain series, or native histograms.
    Plain,
    /// Observations at or below an edge.
    Le(Edge),
    /// Observations in a range.
    Range(Edge, Edge),
}

impl Slot {
    /// Takes the bucket label out, so that `le="1"` and `le="1.0"` are the same. `None`: not a bucket.
    pub fn take(labels: &mut Labels) -> Option<Self> {
        if let Some(text) = labels.remove("le") {
            return parse(&text)
                .filter(|v| *v > f64::NEG_INFINITY)
                .map(|v| Self::Le(Edge::new(v)));
        }
        let Some(text) = labels.remove("vmrange") else {
            return Some(Self::Plain);
        };
        let (low, high) = text.split_once("...")?;
        let (low, high) = (parse(low)?, parse(high)?);
        (low < high).then(|| Self::Range(Edge::new(low), Edge::new(high)))
    }
}

fn parse(text: &str) -> Option<f64> {
    text.parse().ok().filter(|v: &f64| !v.is_nan())
}

#[cfg(test)]
mod tests {
    use super::{Edge, Slot};
    use crate::domain::Labels;

    #[test]
    fn edges_sort_like_numbers_and_come_back() {
        let values = [f64::NEG_INFINITY, -2.0, -1e-300, 0.0, 5e-324, 1.0, f64::MAX];
        for pair in values.windows(2) {
            assert!(Edge::new(pair[0]) < Edge::new(pair[1]));
            assert_eq!(Edge::new(pair[0]).value(), pair[0]);
        }
        assert_eq!(Edge::new(-0.0), Edge::new(0.0));
        assert_eq!(Edge::new(f64::INFINITY), Edge::INFINITE);
    }

    #[test]
    fn bucket_labels() {
        let range = |a, b| Some(Slot::Range(Edge::new(a), Edge::new(b)));
        for (name, value, expected) in [
            ("le", "0.5", Some(Slot::Le(Edge::new(0.5)))),
            ("le", "5e-1", Some(Slot::Le(Edge::new(0.5)))),
            ("le", "+Inf", Some(Slot::Le(Edge::INFINITE))),
            ("le", "-Inf", None),
            ("le", "NaN", None),
            ("le", "", None),
            ("le", "1,5", None),
            ("vmrange", "1.136e+00...1.292e+00", range(1.136, 1.292)),
            ("vmrange", "0...1.000e-09", range(0.0, 1e-9)),
            ("vmrange", "1e18...+Inf", range(1e18, f64::INFINITY)),
            ("vmrange", "2...1", None),
            ("vmrange", "1...2...3", None),
            ("vmrange", "......", None),
            ("vmrange", "1..2", None),
            ("path", "/", Some(Slot::Plain)),
        ] {
            let mut labels = Labels::new([(name, value)]);
            assert_eq!(Slot::take(&mut labels), expected, "{name}={value}");
        }
    }
}
