//! Discord: one embed of a webhook. All its texts together stay below 6000 characters.

use super::{
    escape::{code, cut, discord as safe, filled},
    wording::{Told, numbers},
};
use serde_json::{Value, json};

const TITLE: usize = 256;
const NAME: usize = 256;
const VALUE: usize = 1024;

/// The message as an embed that mentions nobody.
pub fn layout(told: &Told) -> Value {
    let facts = &told.facts;
    let color = match facts.severity {
        "critical" => 0x00d3_2f2f,
        "warning" => 0x00f9_a825,
        _ => 0x0038_8e3c,
    };
    let mut fields = Vec::new();
    let description = if let Some(body) = &told.body {
        cut(body, 4096)
    } else {
        for o in &facts.objectives {
            let value = format!("{}: {}", o.outcome, safe(&numbers(o)));
            fields.push(field(&cut(&safe(&o.name), 100), &cut(&value, 250)));
        }
        if !facts.earlier.is_empty() {
            let lines: Vec<String> = facts
                .recent()
                .iter()
                .map(|e| format!("{} {}: {}", e.at, e.event, cut(&safe(&e.reason), 60)))
                .collect();
            fields.push(field("Before that", &lines.join("\n")));
        }
        if !facts.how_to_override.is_empty() {
            let command = cut(&code(&facts.how_to_override), VALUE - 10);
            fields.push(field("To override", &format!("```\n{command}\n```")));
        }
        cut(&safe(&facts.reason), 1500)
    };
    let footer = format!("{} {} {}", facts.severity, facts.policy, facts.author);
    let mut embed = json!({
        "title": filled(cut(&told.title, TITLE)),
        "description": filled(description),
        "color": color,
        "timestamp": facts.at,
        "fields": fields,
        "footer": {"text": cut(&safe(&footer), 200)},
    });
    if !facts.url.is_empty()
        && let Some(map) = embed.as_object_mut()
    {
        map.insert("url".to_owned(), json!(facts.url));
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

fn field(name: &str, value: &str) -> Value {
    json!({"name": filled(cut(name, NAME)), "value": filled(cut(value, VALUE)), "inline": false})
}
