//! A planned query read back: what a source that evaluates by itself has to answer.

use super::{Cure, QueryError, matcher::groups, selector::parse};
use crate::domain::{Labels, Millis, PlannedQuery, Shape};
use promql_parser::{
    label::Matcher,
    parser::{Expr, VectorSelector},
};

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// Everything that the planner asks about selectors. Free expressions are not among it.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The raw samples of the series in `(at - range, at]`.
    Samples {
        /// Which series.
        selection: Selection,
        /// The instant.
        at: Millis,
        /// How far back.
        range: Millis,
    },
    /// How many series had a sample in `(t - range, t]`, for each `t` of the steps.
    Presence {
        /// Which series.
        selection: Selection,
        /// How far back from each step.
        range: Millis,
        /// First step.
        start: Millis,
        /// No step is later.
        end: Millis,
        /// Distance of the steps.
        step: Millis,
    },
    /// `vector(N)`: is anybody there?
    Constant(f64),
}

impl Asked {
    /// Reads what the planner wrote.
    pub fn read(query: &PlannedQuery) -> Result<Self, QueryError> {
        let beyond = || {
            let message =
                "a source of kind `scrape` evaluates no expression, it only gives raw samples";
            QueryError::unsupported(Cure::Plain, message, None)
        };
        match (parse(&query.text)?, query.shape) {
            (Expr::MatrixSelector(matrix), Shape::Raw { at }) if plain(&matrix.vs) => {
                Ok(Self::Samples {
                    selection: Selection::of(matrix.vs),
                    at,
                    range: millis(matrix.range),
                })
            }
            (Expr::Call(call), _) if call.func.name == "vector" => {
                match call.args.args.first().map(|arg| &**arg) {
                    Some(Expr::NumberLiteral(number)) => Ok(Self::Constant(number.val)),
                    _ => Err(beyond()),
                }
            }
            (Expr::Aggregate(sum), Shape::Range { start, end, step }) => {
                let counted =
                    (sum.op.to_string() == "count" && sum.modifier.is_none()).then_some(*sum.expr);
                let Some(Expr::Call(mut call)) = counted else {
                    return Err(beyond());
                };
                let inner = call.args.args.pop().map(|arg| *arg);
                match inner {
                    Some(Expr::MatrixSelector(matrix))
                        if call.func.name == "count_over_time" && step > 0 && plain(&matrix.vs) =>
                    {
                        Ok(Self::Presence {
                            selection: Selection::of(matrix.vs),
                            range: millis(matrix.range),
                            start,
                            end,
                            step,
                        })
                    }
                    _ => Err(beyond()),
                }
            }
            _ => Err(beyond()),
        }
    }
}

/// The judge chooses the time.
fn plain(selector: &VectorSelector) -> bool {
    selector.offset.is_none() && selector.at.is_none()
}

fn millis(span: std::time::Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

/// Which series: groups of matchers, one of which must hold whole.
#[derive(Debug, Clone)]
pub struct Selection {
    name: Option<String>,
    groups: Vec<Vec<Matcher>>,
}

impl Selection {
    fn of(mut selector: VectorSelector) -> Self {
        let groups = groups(&mut selector.matchers)
            .into_iter()
            .map(std::mem::take)
            .collect();
        Self {
            name: selector.name,
            groups,
        }
    }

    /// The one metric that can be meant, where the selector begins with its name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The alternatives.
    pub(super) fn groups(&self) -> &[Vec<Matcher>] {
        &self.groups
    }

    /// Does a series belong to it? A label that is absent counts as empty.
    pub fn matches(&self, labels: &Labels) -> bool {
        let named = |name: &String| labels.get(NAME) == Some(name);
        let holds = |matcher: &Matcher| matcher.is_match(labels.get(&matcher.name).unwrap_or(""));
        self.name.as_ref().is_none_or(named)
            && self.groups.iter().any(|group| group.iter().all(holds))
    }

    /// Could a series of a target with these labels belong to it? Labels that targets `give` are known, others are not.
    pub fn may_match(&self, known: &Labels, give: impl Fn(&str) -> bool) -> bool {
        let holds = |matcher: &Matcher| match known.get(&matcher.name) {
            None if !give(&matcher.name) => true,
            value => matcher.is_match(value.unwrap_or("")),
        };
        self.groups.iter().any(|group| group.iter().all(holds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Window;

    fn raw(text: &str) -> Result<Asked, QueryError> {
        Asked::read(&PlannedQuery {
            text: text.to_owned(),
            extra_filters: Vec::new(),
            shape: Shape::Raw { at: 10_000 },
            window: Window {
                start: 0,
                end: 10_000,
            },
        })
    }

    #[test]
    fn selections() {
        for (text, labels, expected) in [
            ("m[5000ms]", &[("__name__", "m")][..], true),
            ("m[5000ms]", &[("__name__", "n")], false),
            (r#"m{a="1"}[5s]"#, &[("__name__", "m"), ("a", "1")], true),
            (r#"m{a!="1"}[5s]"#, &[("__name__", "m")], true),
            (r#"m{a=""}[5s]"#, &[("__name__", "m")], true),
            (
                r#"m{a=~"x|y"}[5s]"#,
                &[("__name__", "m"), ("a", "xy")],
                false,
            ),
            (r#"m{a=~"x|y"}[5s]"#, &[("__name__", "m"), ("a", "y")], true),
            (
                r#"m{a!~"5.."}[5s]"#,
                &[("__name__", "m"), ("a", "503")],
                false,
            ),
            (
                r#"m{a!~"5.."}[5s]"#,
                &[("__name__", "m"), ("a", "5030")],
                true,
            ),
            (
                r#"m{a="1" or b="2"}[5s]"#,
                &[("__name__", "m"), ("b", "2")],
                true,
            ),
            (
                r#"m{a="1" or b="2"}[5s]"#,
                &[("__name__", "m"), ("b", "3")],
                false,
            ),
            (
                r#"{__name__=~"m|n",a="1"}[5s]"#,
                &[("__name__", "n"), ("a", "1")],
                true,
            ),
            (
                r#"m{a="\"\\\n"}[5s]"#,
                &[("__name__", "m"), ("a", "\"\\\n")],
                true,
            ),
        ] {
            let Ok(Asked::Samples {
                selection,
                range: 5000,
                at: 10_000,
            }) = raw(text)
            else {
                panic!("{text}: {:?}", raw(text));
            };
            let labels = Labels::new(labels.iter().copied());
            assert_eq!(selection.matches(&labels), expected, "{text} {labels}");
        }
    }

    #[test]
    fn what_is_beyond_it() {
        for text in [
            "sum(rate(m[5m]))",
            "m",
            "1",
            "rate(m[5m])",
            "m[5m] offset 1m",
        ] {
            assert!(raw(text).is_err(), "{text}");
        }
        assert!(matches!(raw("vector(1)"), Ok(Asked::Constant(1.0))));
    }
}
