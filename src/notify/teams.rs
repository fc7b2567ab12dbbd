//! Microsoft Teams: an adaptive card in the envelope of a workflow's webhook, below 28 KB.

use super::{
    escape::{cut, filled, teams as safe},
    wording::{Told, numbers},
};
use serde_json::{Value, json};

const TITLE: usize = 300;
const TEXT: usize = 1500;
const BODY: usize = 4000;

/// The message as a card.
pub fn layout(told: &Told) -> Value {
    let facts = &told.facts;
    let color = match facts.severity {
        "critical" => "Attention",
        "warning" => "Warning",
        _ => "Default",
    };
    let mut body = vec![json!({
        "type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true, "color": color,
        "text": filled(cut(&told.title, TITLE)),
    })];
    if let Some(text) = &told.body {
        body.push(block(text, BODY));
    } else {
        body.push(block(&safe(&facts.reason), TEXT));
        let pairs: Vec<Value> = facts
            .objectives
            .iter()
            .map(|o| {
                json!({
                    "title": cut(&safe(&o.name), 100),
                    "value": cut(&format!("{}: {}", o.outcome, safe(&numbers(o))), 300),
                })
            })
            .collect();
        if !pairs.is_empty() {
            body.push(json!({"type": "FactSet", "facts": pairs}));
        }
        if !facts.earlier.is_empty() {
            body.push(block("Before that:", TEXT));
            for e in facts.recent() {
                let line = format!("{} {}: {}", e.at, e.event, safe(&e.reason));
                body.push(block(&line, 250));
            }
        }
        if !facts.how_to_override.is_empty() {
            body.push(block("To override:", TEXT));
            body.push(json!({
                "type": "TextBlock", "wrap": true, "fontType": "Monospace",
                "text": cut(&safe(&facts.how_to_override), TEXT),
            }));
        }
    }
    let small: Vec<String> = [facts.severity, &facts.at, &facts.policy, &facts.author]
        .into_iter()
        .filter(|s| !s.is_empty())
        .map(|s| cut(&safe(s), 100))
        .collect();
    body.push(json!({"type": "TextBlock", "isSubtle": true, "size": "Small", "wrap": true, "text": small.join(" · ")}));
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "fallbackText": filled(cut(&told.title, TITLE)), "body": body,
    });
    if !facts.url.is_empty()
        && let Some(map) = card.as_object_mut()
    {
        let open =
            json!([{"type": "Action.OpenUrl", "title": "Open", "url": cut(&facts.url, 2000)}]);
        map.insert("actions".to_owned(), open);
    }
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card,
    }]})
}

fn block(text: &str, most: usize) -> Value {
    json!({"type": "TextBlock", "wrap": true, "text": filled(cut(text, most))})
}
