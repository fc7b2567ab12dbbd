//! Slack: blocks of an incoming webhook, within the limits of the Block Kit reference.

use super::{
    escape::{code, cut, filled, slack as safe},
    wording::{Told, numbers},
};
use serde_json::{Value, json};

const HEADER: usize = 150;
const TEXT: usize = 3000;
const FIELD: usize = 2000;
const FALLBACK: usize = 4000;
const BLOCK_ID: usize = 255;

/// The message as blocks, with a text for notifications.
pub fn layout(told: &Told) -> Value {
    let facts = &told.facts;
    let title = filled(told.title.clone());
    let mut blocks = vec![json!({
        "type": "header", "block_id": cut(&facts.id, BLOCK_ID),
        "text": {"type": "plain_text", "text": cut(&title, HEADER), "emoji": false},
    })];
    if let Some(body) = &told.body {
        blocks.push(section(body));
    } else {
        blocks.push(section(&safe(&facts.reason)));
        let fields: Vec<Value> = facts
            .objectives
            .iter()
            .map(|o| {
                mrkdwn(
                    &format!("*{}* {}\n{}", safe(&o.name), o.outcome, safe(&numbers(o))),
                    FIELD,
                )
            })
            .collect();
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        if !facts.earlier.is_empty() {
            let lines: Vec<String> = facts
                .recent()
                .iter()
                .map(|e| format!("• {} {}: {}", e.at, e.event, cut(&safe(&e.reason), 200)))
                .collect();
            blocks.push(section(&format!("Before that:\n{}", lines.join("\n"))));
        }
        if !facts.how_to_override.is_empty() {
            let command = cut(&safe(&code(&facts.how_to_override)), TEXT - 40);
            blocks.push(section(&format!("To override:\n```{command}```")));
        }
    }
    if !facts.url.is_empty() {
        blocks.push(json!({"type": "actions", "elements": [{
            "type": "button", "text": {"type": "plain_text", "text": "Open", "emoji": false}, "url": cut(&facts.url, TEXT),
        }]}));
    }
    let mut small = vec![facts.severity.to_owned(), facts.at.clone()];
    small.extend(
        [&facts.policy, &facts.author]
            .into_iter()
            .filter(|s| !s.is_empty())
            .map(|s| safe(s)),
    );
    blocks.push(json!({"type": "context", "elements": [mrkdwn(&small.join(" · "), TEXT)]}));
    let fallback = cut(&format!("{title}: {}", safe(&facts.reason)), FALLBACK);
    json!({"text": fallback, "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text, TEXT)})
}

/// `verbatim`: nothing in it becomes a link or a mention by itself.
fn mrkdwn(text: &str, most: usize) -> Value {
    json!({"type": "mrkdwn", "text": filled(cut(text, most)), "verbatim": true})
}
