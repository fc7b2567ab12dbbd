//! Series that were not asked for: what their own labels say against a selector.

use super::Selection;
use crate::domain::Labels;
use promql_parser::label::{MatchOp, Matcher};

impl Selection {
    /// The matcher that a series' labels contradict; of several alternatives one of the first. Where databases may see it
    /// otherwise nothing is said against a series.
    pub fn contradiction(&self, labels: &Labels) -> Option<String> {
        if let (Some(asked), Some(found)) = (self.name(), labels.get(super::asked::NAME))
            && asked != found
        {
            return Some(format!("__name__={asked:?}"));
        }
        let mut first = None;
        for group in self.groups() {
            let broken = group.iter().find(|matcher| contradicts(matcher, labels))?;
            first = first.or(Some(broken));
        }
        first.map(ToString::to_string)
    }
}

fn contradicts(matcher: &Matcher, labels: &Labels) -> bool {
    let found = labels.get(&matcher.name);
    let value = match (found, &matcher.op) {
        // the name may be left out of an answer, and `__graphite__` is a way to ask
        (None, _) if matcher.name.starts_with("__") => return false,
        // `a!~".*"`: VictoriaMetrics means "no `a`", Prometheus nothing at all
        (None, MatchOp::NotRe(_)) => return false,
        (found, _) => found.unwrap_or_default(),
    };
    // what `.` and classes take of these is not the same everywhere
    let odd = |text: &str| !text.is_ascii() || text.contains('\n');
    match &matcher.op {
        MatchOp::Re(_) | MatchOp::NotRe(_) if odd(value) => false,
        _ => !matcher.is_match(value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Asked;
    use crate::domain::{Labels, PlannedQuery, Shape, Window};

    #[test]
    fn what_labels_say_against_a_selector() {
        let hash = ("hash", "7d9f");
        let name = ("__name__", "m");
        for (selector, labels, expected) in [
            ("m", &[][..], None),
            ("m", &[name, ("zone", "x")], None),
            ("m", &[("__name__", "n")], Some(r#"__name__="m""#)),
            (r#"{__name__=~"m|o"}"#, &[hash], None),
            (
                r#"{__name__=~"m|o"}"#,
                &[("__name__", "n")],
                Some(r#"__name__=~"m|o""#),
            ),
            (r#"m{code="500"}"#, &[("code", "500")], None),
            (r#"m{code="500"}"#, &[("code", "50")], Some(r#"code="500""#)),
            (r#"m{code="500"}"#, &[], Some(r#"code="500""#)),
            (r#"m{code=""}"#, &[], None),
            (r#"m{code=""}"#, &[("code", "1")], Some(r#"code="""#)),
            (r#"m{code!="500"}"#, &[], None),
            (
                r#"m{code!="500"}"#,
                &[("code", "500")],
                Some(r#"code!="500""#),
            ),
            (r#"m{code=~"5.."}"#, &[("code", "503")], None),
            (
                r#"m{code=~"5.."}"#,
                &[("code", "5030")],
                Some(r#"code=~"5..""#),
            ),
            (
                r#"m{hash=~"7d9f|5c4b"}"#,
                &[name],
                Some(r#"hash=~"7d9f|5c4b""#),
            ),
            (r#"m{hash=~"7d9f|"}"#, &[name], None),
            (
                r#"m{code!~"5.."}"#,
                &[("code", "503")],
                Some(r#"code!~"5..""#),
            ),
            (r#"m{code!~".*"}"#, &[], None),
            // what RE2 takes and we do not, or the other way round
            (r#"m{path=~"/.*"}"#, &[("path", "/a\nb")], None),
            (r#"m{path=~"/\\w*"}"#, &[("path", "/é")], None),
            (r#"m{path!~"/\\w*"}"#, &[("path", "/é")], None),
            (r#"m{path="/é"}"#, &[("path", "/e")], Some("path=\"/é\"")),
            (r#"{__graphite__="a.*.c"}"#, &[("__name__", "a.b.c")], None),
            // one alternative is enough
            (
                r#"m{hash="7d9f",a="1" or hash="7d9f",b="2"}"#,
                &[hash, ("b", "2")],
                None,
            ),
            (
                r#"m{hash="7d9f",a="1" or hash="7d9f",b="2"}"#,
                &[hash, ("b", "3")],
                Some(r#"a="1""#),
            ),
        ] {
            let query = PlannedQuery {
                text: format!("{selector}[5000ms]"),
                extra_filters: Vec::new(),
                shape: Shape::Raw { at: 5000 },
                window: Window {
                    start: 0,
                    end: 5000,
                },
            };
            let Ok(Asked::Samples { selection, .. }) = Asked::read(&query) else {
                panic!("{selector}");
            };
            let labels = Labels::new(labels.iter().copied());
            let found = selection.contradiction(&labels);
            assert_eq!(found.as_deref(), expected, "{selector} {labels}");
        }
    }
}
