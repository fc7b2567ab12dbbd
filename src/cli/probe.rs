//! Does a selector find series on both arms, do they pair, and is the scrape interval fit? Pure, over what was read.

use crate::{
    domain::{Labels, Millis, NativeHistogram, SampleSink, figures},
    policy::{Indicator, Objective, Place},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What one selector found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The objective.
    pub objective: String,
    /// The selector, as written.
    pub selector: String,
    /// Line of the selector in the file, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// Series of the canary; left out where the source gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_series: Option<usize>,
    /// Series of stable; left out where the source gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_series: Option<usize>,
    /// Median distance of samples in seconds; left out without samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_seconds: Option<f64>,
    /// What is wrong; the check fails.
    pub errors: Vec<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl Found {
    /// Nothing: the source was not asked, or did not answer.
    pub fn nothing(objective: &str, selector: &str, why: String) -> Self {
        Self {
            objective: objective.to_owned(),
            selector: selector.to_owned(),
            line: 1,
            column: 1,
            canary_series: None,
            stable_series: None,
            scrape_seconds: None,
            errors: vec![why],
            warnings: Vec::new(),
        }
    }

    /// The place of the selector in the file.
    #[must_use]
    pub fn at(mut self, place: Option<&Place>) -> Self {
        if let Some(place) = place {
            (self.line, self.column) = (place.line, place.column);
        }
        self
    }
}

/// What a text of an objective is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A selector without whose series nothing can be judged.
    Needed,
    /// The `errors` of an errorRatio: a service may have none.
    Errors,
    /// An expression, evaluated for each arm.
    Query {
        /// Sent as written.
        opaque: bool,
    },
}

/// Collects the series of one arm.
#[derive(Debug, Default)]
pub struct Series {
    labels: Vec<Labels>,
    numbers: usize,
    /// How many of them are 0.
    zeros: usize,
    last: Option<Millis>,
    gaps: Vec<Millis>,
}

impl Series {
    /// Adds the series of another answer.
    pub fn join(&mut self, other: Self) {
        self.labels.extend(other.labels);
        self.numbers += other.numbers;
        self.zeros += other.zeros;
        self.gaps.extend(other.gaps);
    }
}

impl SampleSink for Series {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn series(&mut self, labels: Labels) {
        self.labels.push(labels);
        self.last = None;
    }

    fn sample(&mut self, at: Millis, value: f64) {
        self.numbers += usize::from(value.is_finite());
        self.zeros += usize::from(value == 0.0);
        if let Some(last) = self.last.replace(at) {
            self.gaps.push(at - last);
        }
    }

    fn histogram(&mut self, at: Millis, _: NativeHistogram) {
        self.sample(at, 0.0);
    }
}

/// Judges what both arms showed. `ignored` are the labels that must differ: the track's and the pod's.
pub fn compare(
    objective: &str,
    (selector, part): (&str, Part),
    canary: &Series,
    stable: &Series,
    ignored: &[&str],
    block: Option<Millis>,
) -> Found {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    match part {
        Part::Errors => warnings.extend(unproven(canary, stable)),
        Part::Needed => {
            for word in silent(canary, stable) {
                errors.push(format!(
                    "no series on {word}; check the metric's name, `match`, `tracks` and the hash"
                ));
            }
            if errors.is_empty() {
                pairing(canary, stable, ignored, &mut warnings);
            }
        }
        Part::Query { .. } => {
            for word in silent(canary, stable) {
                errors.push(format!(
                    "the query gives nothing on {word}; check the metrics' names, `match`, `tracks` and the hash"
                ));
            }
            for (word, arm) in [("canary", canary), ("stable", stable)] {
                if !arm.labels.is_empty() && arm.numbers == 0 {
                    warnings.push(format!(
                        "no number on {word}, only NaN or infinities: is its divisor 0?"
                    ));
                }
            }
        }
    }
    // the results of a query are as far apart as we asked for
    let interval = match part {
        Part::Query { .. } => None,
        _ => median(canary.gaps.iter().chain(&stable.gaps).copied()),
    };
    if let (Some(interval), Some(block)) = (interval, block)
        && block < 2 * interval
    {
        errors.push(format!(
            "a block of {} s holds fewer than two scrapes of {} s; set `block` to at least {} s",
            seconds(block),
            seconds(interval),
            seconds(2 * interval)
        ));
    }
    Found {
        objective: objective.to_owned(),
        selector: selector.to_owned(),
        line: 1,
        column: 1,
        canary_series: Some(canary.labels.len()),
        stable_series: Some(stable.labels.len()),
        scrape_seconds: interval.map(seconds),
        errors,
        warnings,
    }
}

/// What the values say about the rules of an objective.
pub fn remarks(
    objective: &Objective,
    (text, part): (&str, Part),
    canary: &Series,
    stable: &Series,
) -> Vec<String> {
    let relative = objective.margin.relative > 0.0 && objective.margin.absolute == 0.0;
    let levels = match &objective.indicator {
        Indicator::Gauge { .. } | Indicator::Query { .. } => true,
        Indicator::Mean { sum, .. } => sum == text,
        _ => false,
    };
    if levels && relative && stable.numbers > 0 && stable.zeros == stable.numbers {
        return vec![
            "stable is 0: a share of 0 is no margin; give `margin` an `absolute` part".to_owned(),
        ];
    }
    let (Indicator::LatencyQuantile { .. }, Some(limit), Part::Needed) =
        (&objective.indicator, objective.limit, part)
    else {
        return Vec::new();
    };
    held_at(limit, canary, stable).into_iter().collect()
}

/// The bucket edge that stands for a limit, where it is another.
fn held_at(limit: f64, canary: &Series, stable: &Series) -> Option<String> {
    let mut edges: Vec<f64> = [canary, stable]
        .into_iter()
        .flat_map(|arm| &arm.labels)
        .filter_map(|labels| labels.get("le")?.parse().ok())
        .filter(|edge: &f64| edge.is_finite())
        .collect();
    edges.sort_by(f64::total_cmp);
    let largest = *edges.last()?;
    let said = |v| figures::shown(v, "seconds");
    match edges.into_iter().find(|e| *e >= limit * (1.0 - 1e-9)) {
        None => Some(format!(
            "the limit {} is above the largest bucket edge {}: it never fails; add buckets",
            said(limit),
            said(largest)
        )),
        Some(edge) if edge > limit * (1.0 + 1e-9) => Some(format!(
            "no bucket edge at the limit {}: it is held at the next one, {}",
            said(limit),
            said(edge)
        )),
        Some(_) => None,
    }
}

/// The arms without series.
fn silent<'a>(canary: &Series, stable: &Series) -> Vec<&'a str> {
    [("canary", canary), ("stable", stable)]
        .into_iter()
        .filter(|(_, arm)| arm.labels.is_empty())
        .map(|(word, _)| word)
        .collect()
}

/// Errors that were not seen are no mistake, but perhaps a slip of the pen.
fn unproven(canary: &Series, stable: &Series) -> Option<String> {
    match silent(canary, stable).as_slice() {
        [] => None,
        [one] => Some(format!(
            "no error series on {one}: right for pods without errors"
        )),
        _ => Some(
            "no error series on either arm: right for a service without errors, or a typo"
                .to_owned(),
        ),
    }
}

/// Both arms should have the same label names, and each label the same values.
fn pairing(canary: &Series, stable: &Series, ignored: &[&str], warnings: &mut Vec<String>) {
    let (canary, stable) = (values(canary, ignored), values(stable, ignored));
    let names: BTreeSet<&str> = canary.keys().chain(stable.keys()).copied().collect();
    for name in names {
        match (canary.get(name), stable.get(name)) {
            (Some(_), None) => warnings.push(format!("label `{name}` is on canary only")),
            (None, Some(_)) => warnings.push(format!("label `{name}` is on stable only")),
            (Some(c), Some(s)) if c.is_disjoint(s) => {
                warnings.push(format!(
                    "label `{name}` has no value in common: canary {}, stable {}",
                    some(c),
                    some(s)
                ));
            }
            (Some(c), Some(s)) if !c.is_subset(s) => {
                let only: BTreeSet<&str> = c.difference(s).copied().collect();
                warnings.push(format!("label `{name}`: stable lacks {}", some(&only)));
            }
            _ => {}
        }
    }
}

fn values<'a>(series: &'a Series, ignored: &[&str]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in series.labels.iter().flat_map(Labels::iter) {
        // each pod has its own address and container
        let own = [
            "instance",
            "pod",
            "pod_name",
            "pod_ip",
            "container_id",
            "uid",
            "node",
            "__name__",
        ];
        if !ignored.contains(&name) && !own.contains(&name) {
            out.entry(name).or_default().insert(value);
        }
    }
    out
}

fn some(values: &BTreeSet<&str>) -> String {
    let shown: Vec<String> = values.iter().take(3).map(|v| format!("`{v}`")).collect();
    let more = if values.len() > 3 {
        format!(" and {} more", values.len() - 3)
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

fn median(gaps: impl Iterator<Item = Millis>) -> Option<Millis> {
    let mut gaps: Vec<Millis> = gaps.filter(|gap| *gap > 0).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

fn seconds(span: Millis) -> f64 {
    span as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(series: &[&[(&str, &str)]], every: Millis) -> Series {
        let mut out = Series::default();
        for labels in series {
            out.series(Labels::new(labels.iter().map(|(n, v)| (*n, *v))));
            for i in 0..5 {
                out.sample(i * every, 1.0);
            }
        }
        out
    }

    #[test]
    fn rows() {
        let check = |canary: &Series, stable: &Series, block, errors: usize, warnings: usize| {
            let found = compare("o", ("m", Part::Needed), canary, stable, &["hash"], block);
            assert_eq!(
                (found.errors.len(), found.warnings.len()),
                (errors, warnings),
                "{found:?}"
            );
            found
        };
        let canary = arm(&[&[("hash", "a"), ("pod", "x"), ("code", "200")]], 15_000);
        let stable = arm(&[&[("hash", "b"), ("pod", "y"), ("code", "200")]], 15_000);
        assert_eq!(
            check(&canary, &stable, Some(30_000), 0, 0).scrape_seconds,
            Some(15.0)
        );
        check(&canary, &stable, Some(20_000), 1, 0);
        check(&Series::default(), &stable, None, 1, 0);
        check(&Series::default(), &Series::default(), None, 2, 0);
        check(&arm(&[&[("code", "500")]], 15_000), &stable, None, 0, 1);
        check(
            &arm(&[&[("code", "200"), ("zone", "a")]], 15_000),
            &stable,
            None,
            0,
            1,
        );
    }

    #[test]
    fn rules_that_the_values_cannot_meet_are_remarked() {
        let series = |value: f64, edges: &[&str]| {
            let mut out = Series::default();
            for edge in edges {
                out.series(Labels::new([("le", *edge)]));
                out.sample(0, value);
            }
            out
        };
        let edges = ["0.3", "0.5", "+Inf"];
        let quantile = "latencyQuantile: { histogram: a_bucket, quantile: 0.9 }";
        for (objective, value, said) in [
            ("gauge: a".to_owned(), 0.0, "stable is 0"),
            ("gauge: a".to_owned(), 1.0, ""),
            ("gauge: a, margin: { absolute: 1 }".to_owned(), 0.0, ""),
            ("mean: { sum: a, count: b }".to_owned(), 0.0, "stable is 0"),
            (format!("{quantile}, limit: 300ms"), 1.0, ""),
            (
                format!("{quantile}, limit: 340ms"),
                1.0,
                "at the next one, 500 ms",
            ),
            (
                format!("{quantile}, limit: 1s"),
                1.0,
                "largest bucket edge 500 ms",
            ),
            (quantile.to_owned(), 1.0, ""),
        ] {
            let text = format!(
                "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: {{ name: p }}\nspec:\n  objectives:\n    - {{ name: o, {objective} }}\n"
            );
            let policy = crate::policy::load("p.yaml", &text, None)
                .unwrap()
                .remove(0)
                .policy;
            let of = &policy.objectives[0];
            let arm = series(value, &edges);
            let part = (of.indicator.texts()[0], Part::Needed);
            let remarks = remarks(of, part, &arm, &arm);
            let right = match remarks.as_slice() {
                [] => said.is_empty(),
                [one] => !said.is_empty() && one.contains(said),
                _ => false,
            };
            assert!(right, "{objective}: {remarks:?}");
        }
    }

    #[test]
    fn errors_may_be_absent_and_a_query_may_not() {
        let none = Series::default();
        let some = arm(&[&[("code", "500")]], 15_000);
        let mut nan = Series::default();
        nan.series(Labels::new([("a", "b")]));
        nan.sample(0, f64::NAN);
        let query = Part::Query { opaque: false };
        for (part, canary, stable, errors, warnings) in [
            (Part::Errors, &some, &some, &[][..], &[][..]),
            (Part::Errors, &none, &none, &[], &["either arm"]),
            (Part::Errors, &some, &none, &[], &["on stable"]),
            (query, &some, &some, &[], &[]),
            (query, &none, &some, &["nothing on canary"], &[]),
            (query, &none, &none, &["on canary", "on stable"], &[]),
            (query, &some, &nan, &[], &["no number on stable"]),
        ] {
            let found = compare("o", ("m", part), canary, stable, &[], Some(20_000));
            // 15 s scrapes do not fit a block of 20 s; a query has no scrapes
            let block = usize::from(found.scrape_seconds.is_some());
            let told = |said: &[String], wanted: &[&str]| {
                said.len() == wanted.len() && said.iter().zip(wanted).all(|(s, w)| s.contains(w))
            };
            let (own, rest) = found.errors.split_at(found.errors.len() - block);
            assert!(
                told(own, errors) && told(&found.warnings, warnings),
                "{found:?}"
            );
            assert_eq!((rest.len(), part == query && block > 0), (block, false));
        }
    }
}
