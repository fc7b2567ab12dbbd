//! Titles and texts of messages that the user writes: minijinja, checked when the settings are loaded.

use super::error::nearest;
use minijinja::{Environment, Error, UndefinedBehavior};
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
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_recursion_limit(50);
        environment.set_formatter(move |out, _, value| {
            if !value.is_none() {
                out.write_str(&escape(&value.to_string()))?;
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
        self.0
            .get_template(NAME)
            .and_then(|template| template.render(facts))
            .map_err(|error| explain(&error))
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
                    if ["range", "dict", "namespace"].contains(&part) {
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
        ] {
            let found = parse(bad).unwrap_err();
            assert!(found.contains(words), "{bad}: {found}");
        }
    }
}
