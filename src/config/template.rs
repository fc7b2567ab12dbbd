//! Titles and texts of messages that the user writes: minijinja, checked when the settings are loaded.

use super::error::nearest;
use super::template_bounds::{self as bounds, Room};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;
use serde_json::{Value, json};

/// Makes a value safe inside a message's format.
pub type Escape = fn(&str) -> String;

const NAME: &str = "template";

/// A checked template. Its own text is markup of the message's format, every value that it prints is escaped.
#[derive(Debug)]
pub struct Template(Environment<'static>);

impl Template {
    /// Reads a template and tries it on two samples: one with everything, one with as little as there can be.
    pub fn parse(text: &str, escape: Escape) -> Result<Self, String> {
        bounds::check(text)?;
        let mut environment = Environment::new();
        bounds::set(&mut environment);
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_recursion_limit(50);
        environment.set_formatter(move |out, _, value| {
            if !value.is_none() {
                let mut printed = Room::default();
                printed.value(value)?;
                let safe = escape(&printed.text);
                bounds::count(safe.len())?;
                out.write_str(&safe)?;
            }
            Ok(())
        });
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| explain(&error))?;
        let this = Self(environment);
        this.names()?;
        this.render(&sample())?;
        this.render(&bare()).map_err(|words| {
            format!("{words}; there may be no verdict: put it inside `{{% if objectives %}}` or `{{% for %}}`")
        })?;
        Ok(this)
    }

    /// The text for a message; the error says what is wrong and in which line.
    pub fn render(&self, facts: &impl Serialize) -> Result<String, String> {
        bounds::restart();
        let mut room = Room::default();
        self.0
            .get_template(NAME)
            .and_then(|template| template.render_captured_to(facts, &mut room).map(drop))
            .map_err(|error| explain(&error))?;
        Ok(room.text)
    }

    /// Every variable must be one of a message's.
    fn names(&self) -> Result<(), String> {
        let template = self.0.get_template(NAME).map_err(|error| explain(&error))?;
        let mut used: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        used.sort();
        let sample = sample();
        for path in used {
            let mut at = &sample;
            for part in path.split('.') {
                let Value::Object(known) = at else { break };
                let Some(inner) = known.get(part) else {
                    if ["range", "dict"].contains(&part) {
                        break;
                    }
                    let known: Vec<String> = known.keys().cloned().collect();
                    let hint = nearest(part, &known).map_or_else(
                        || format!("there is: {}", known.join(", ")),
                        |best| format!("did you mean `{best}`?"),
                    );
                    return Err(format!("there is no variable `{path}`; {hint}"));
                };
                at = inner;
            }
        }
        Ok(())
    }
}

fn explain(error: &Error) -> String {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!("line {line}: "));
    match error.kind() {
        ErrorKind::OutOfFuel => {
            let steps = bounds::STEPS;
            return format!("{line}it takes more than {steps} steps; loop over less");
        }
        ErrorKind::WriteFailure => return format!("{line}{}", bounds::TOO_LONG),
        _ => {}
    }
    let detail = error
        .detail()
        .map_or_else(String::new, |detail| format!(": {detail}"));
    format!("{line}{}{detail}", error.kind())
}

/// The variables, with values of a failed canary.
pub fn sample() -> Value {
    json!({
        "id": "01890000-0000-7000-8000-000000000000", "event": "fail", "severity": "critical",
        "at": "2026-01-02T15:04:05Z", "headline": "shop/checkout: canary 6c9f8d7b5 failed at 5 %",
        "reason": "error-rate: canary 1.32 % against 0.144 % on stable",
        "namespace": "shop", "rollout": "checkout", "policy": "http-service", "canaryHash": "6c9f8d7b5",
        "weight": 5.0, "outcome": "fail", "author": "argo", "verdict": "01890000-0000-7000-8000-000000000001",
        "url": "https://judge.example.org/verdicts/01890000-0000-7000-8000-000000000001",
        "howToOverride": "curl ...",
        "objectives": [{
            "name": "error-rate", "outcome": "fail", "code": "worse-than-stable", "critical": true,
            "reason": "canary 1.32 % against 0.144 % on stable", "unit": "ratio",
            "canary": "1.32 %", "stable": "0.144 %", "change": "+817 %",
        }],
        "earlier": [{
            "event": "inconclusive", "severity": "warning", "at": "2026-01-02T15:00:05Z",
            "verdict": "01890000-0000-7000-8000-000000000000", "canaryHash": "7d9f",
            "reason": "inconclusive for 15 min", "weight": 5.0, "outcome": "inconclusive",
        }],
    })
}

/// The same of an event without a verdict.
fn bare() -> Value {
    let mut value = sample();
    if let Value::Object(map) = &mut value {
        for key in [
            "namespace",
            "policy",
            "canaryHash",
            "outcome",
            "author",
            "verdict",
            "howToOverride",
        ] {
            map.insert(key.to_owned(), json!(""));
        }
        for key in ["objectives", "earlier"] {
            map.insert(key.to_owned(), json!([]));
        }
        map.insert("event".to_owned(), json!("source-down"));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_checked_and_values_escaped() {
        let parse = |text: &str| Template::parse(text, str::to_uppercase);
        let good =
            "*{{ rollout }}*{% for o in objectives %} {{ o.name }} {{ o.canary }}{% endfor %}";
        let made = parse(good).unwrap();
        assert_eq!(
            made.render(&sample()).unwrap(),
            "*CHECKOUT* ERROR-RATE 1.32 %"
        );
        assert_eq!(made.render(&bare()).unwrap(), "*CHECKOUT*");
        // signs in the text, in strings and beside blocks are none of an expression
        let fine =
            "**~+** {{ '~*+'|replace('*', '') }}{%+ if true +%}{{ [1, 2]|join('+') }}{% endif %}";
        let made = parse(fine).unwrap();
        assert_eq!(made.render(&sample()).unwrap(), "**~+** ~+1+2");
        assert!(parse(&"x".repeat(bounds::LONGEST + 1)).is_err());
        for (bad, words) in [
            (
                "{{ rollot }}",
                "there is no variable `rollot`; did you mean `rollout`?",
            ),
            ("{{ rollout", "line 1: syntax error"),
            (
                "a\n{% for x in objectives %}{{ x.nam }}{% endfor %}",
                "line 2: undefined value",
            ),
            ("{{ objectives[0].name }}", "there may be no verdict"),
            ("{{ rollout|shout }}", "unknown filter"),
            ("{{ secrets }}", "there is: at, "),
            (
                "a\n{% for i in range(9000) %}{% for j in range(9000) %}{{ reason }}{% endfor %}{% endfor %}",
                "longer than 64 KiB",
            ),
            (
                "{% for i in range(9000) %}{% for j in range(9000) %}{% if reason == 'a' %}b{% endif %}{% endfor %}{% endfor %}",
                "more than 20000 steps",
            ),
            (
                "{% for i in range(3000) %}just some text of the template{% endfor %}",
                "longer than 64 KiB",
            ),
            (
                "{% set a = reason %}{% set a %}{% for i in range(3000) %}{{ a }}{% endfor %}{% endset %}",
                "longer than 64 KiB",
            ),
            (
                "x\n{% set a = reason ~ reason %}",
                "line 2: `~` is not available",
            ),
            ("{{ reason * 1000 }}", "`*` is not available"),
            (
                "{{ reason|replace('', reason)|replace('', reason)|replace('', reason) }}",
                "longer than 64 KiB",
            ),
            ("{{ range(90000)|join('-') }}", "longer than 64 KiB"),
            ("{{ range(90000) }}", "longer than 64 KiB"),
            ("{{ namespace(a=1) }}", "not callable"),
            ("{{ reason|indent(1000000) }}", "unknown filter"),
        ] {
            let found = parse(bad).map(drop).expect_err(bad);
            assert!(found.contains(words), "{bad}: {found}");
        }
    }
}
