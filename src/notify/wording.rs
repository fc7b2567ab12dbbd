//! Title and text of a message: ours, or the user's templates.

use super::{escape, facts::Facts};
use crate::{
    config::{
        receivers::ReceiverSettings,
        template::{Escape, Template},
    },
    domain::Message,
};

/// The wording of one receiver.
pub struct Wording {
    name: String,
    escape: Escape,
    title: Option<Template>,
    body: Option<Template>,
}

/// A message that was put into words.
pub struct Told {
    /// The parts.
    pub facts: Facts,
    /// The title, safe in the format.
    pub title: String,
    /// The user's text, safe in the format; absent where our layout is used.
    pub body: Option<String>,
}

impl Wording {
    /// Reads the templates of a receiver; the error names the setting.
    pub fn new(
        name: &str,
        settings: &ReceiverSettings,
        escape: Escape,
    ) -> Result<Self, (&'static str, String)> {
        let read = |key, text: &Option<String>| {
            text.as_deref()
                .map(|text| Template::parse(text, escape))
                .transpose()
                .map_err(|words| (key, words))
        };
        Ok(Self {
            name: name.to_owned(),
            escape,
            title: read("title", &settings.title)?,
            body: read("body", &settings.body)?,
        })
    }

    /// Puts a message into words. A template that fails on it is left out: our words are better than none.
    pub fn tell(&self, message: &Message) -> Told {
        let facts = Facts::new(message);
        let render = |key: &str, template: &Option<Template>| {
            let text = template.as_ref()?.render(&facts);
            text.inspect_err(|error| {
                tracing::warn!(
                    receiver = self.name,
                    error,
                    "template `{key}` failed on a message, which is told in our words"
                );
            })
            .ok()
        };
        let title = render("title", &self.title)
            .map(|title| escape::line(&title))
            .filter(|title| !title.is_empty())
            .unwrap_or_else(|| (self.escape)(&facts.headline));
        let body = render("body", &self.body).map(|body| lines(&body));
        Told { facts, title, body }
    }
}

/// Lines of printable text.
fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let clean: Vec<String> = lines
        .iter()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect())
        .collect();
    clean.join("\n").trim().to_owned()
}

impl Told {
    /// The whole message as plain lines; where the user wrote the text, that.
    pub fn text(&self) -> String {
        if let Some(body) = &self.body {
            return body.clone();
        }
        let facts = &self.facts;
        let mut lines = vec![facts.reason.clone()];
        if !facts.objectives.is_empty() {
            lines.push(String::new());
            for o in &facts.objectives {
                lines.push(format!("{}: {} ({})", o.name, numbers(o), o.outcome));
            }
        }
        if !facts.earlier.is_empty() {
            lines.extend([String::new(), "Before that:".to_owned()]);
            for e in facts.recent() {
                lines.push(format!("{} {}: {}", e.at, e.event, e.reason));
            }
        }
        if !facts.author.is_empty() {
            lines.extend([String::new(), format!("By: {}", facts.author)]);
        }
        if !facts.how_to_override.is_empty() {
            lines.extend([
                String::new(),
                "To override:".to_owned(),
                facts.how_to_override.clone(),
            ]);
        }
        lines.join("\n")
    }
}

/// Both sides of an objective.
pub fn numbers(o: &super::ObjectiveFact) -> String {
    let change = if o.change.is_empty() {
        String::new()
    } else {
        format!(", {}", o.change)
    };
    format!("canary {}, stable {}{change}", o.canary, o.stable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{discord, facts::tests::hostile, pagerduty, slack, teams, webhook};
    use serde_json::Value;

    #[test]
    fn every_layout_names_the_override_in_force() {
        let mut message = hostile();
        let ruling = "inconclusive by override of ann until 2027-01-15T08:00:00Z: known bug";
        message.event.reason = "the weight went from 5 to 25 %".to_owned();
        message.event.ruling = Some(ruling.to_owned());
        message.earlier = vec![message.event.clone()];
        let wording = Wording {
            name: "it".to_owned(),
            escape: |text| text.to_owned(),
            title: None,
            body: None,
        };
        let told = wording.tell(&message);
        let layouts: [(&str, Value); 6] = [
            ("slack", slack::layout(&told)),
            ("teams", teams::layout(&told)),
            ("discord", discord::layout(&told)),
            ("webhook", webhook::data(&told)),
            ("pagerduty", pagerduty::trigger(&told, &message.event)),
            // mail and Alertmanager print it
            ("text", Value::String(told.text())),
        ];
        for (name, layout) in layouts {
            let text = layout.to_string().replace("\\\\", "");
            for part in [
                "inconclusive by override of ann",
                "2027-01-15T08:00:00Z",
                "known bug",
            ] {
                assert!(text.contains(part), "{name}: {text}");
            }
        }
        // once is enough for a person
        assert_eq!(told.text().matches("known bug").count(), 1);
    }
}
