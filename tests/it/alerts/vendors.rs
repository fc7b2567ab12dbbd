//! What the services accept, as their references say: required fields, closed sets, lengths. Anything else is an error.

use serde_json::{Map, Value};

type Check = Result<(), String>;

fn object<'a>(
    value: &'a Value,
    what: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let map = value
        .as_object()
        .ok_or_else(|| format!("{what} is no object: {value}"))?;
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("{what} has the unknown key {key}")),
        None => Ok(map),
    }
}

fn text<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    least: usize,
    most: usize,
) -> Result<&'a str, String> {
    let text = map
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{key} is no text: {map:?}"))?;
    let length = text.encode_utf16().count();
    if (least..=most).contains(&length) {
        Ok(text)
    } else {
        Err(format!(
            "{key} has {length} characters, allowed are {least} to {most}"
        ))
    }
}

fn list<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    least: usize,
    most: usize,
) -> Result<&'a [Value], String> {
    let list = map
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("{key} is no list"))?;
    if (least..=most).contains(&list.len()) {
        Ok(list)
    } else {
        Err(format!(
            "{key} has {} items, allowed are {least} to {most}",
            list.len()
        ))
    }
}

fn ensure(holds: bool, what: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// Block Kit: https://docs.slack.dev/reference/block-kit/blocks
pub fn slack(body: &Value) -> Check {
    let map = object(body, "message", &["text", "blocks"])?;
    text(map, "text", 1, 40_000)?;
    let mut ids = Vec::new();
    for block in list(map, "blocks", 1, 50)? {
        let kind = block["type"].as_str().unwrap_or_default();
        let map = object(
            block,
            kind,
            &["type", "block_id", "text", "fields", "elements"],
        )?;
        if map.contains_key("block_id") {
            let id = text(map, "block_id", 1, 255)?;
            ensure(!ids.contains(&id), "block_id is used twice")?;
            ids.push(id);
        }
        match kind {
            "header" => slack_text(&block["text"], &["plain_text"], 150)?,
            "section" => {
                ensure(
                    map.contains_key("text") || map.contains_key("fields"),
                    "section without text and fields",
                )?;
                if map.contains_key("text") {
                    slack_text(&block["text"], &["mrkdwn", "plain_text"], 3000)?;
                }
                if map.contains_key("fields") {
                    for field in list(map, "fields", 1, 10)? {
                        slack_text(field, &["mrkdwn", "plain_text"], 2000)?;
                    }
                }
            }
            "actions" => {
                for element in list(map, "elements", 1, 25)? {
                    let map = object(element, "button", &["type", "text", "url"])?;
                    ensure(element["type"] == "button", "no button")?;
                    slack_text(&element["text"], &["plain_text"], 75)?;
                    text(map, "url", 1, 3000)?;
                }
            }
            "context" => {
                for element in list(map, "elements", 1, 10)? {
                    slack_text(element, &["mrkdwn", "plain_text"], 3000)?;
                }
            }
            other => return Err(format!("invalid_blocks: {other}")),
        }
    }
    Ok(())
}

fn slack_text(value: &Value, kinds: &[&str], most: usize) -> Check {
    let map = object(value, "text", &["type", "text", "emoji", "verbatim"])?;
    let kind = text(map, "type", 1, 20)?;
    ensure(kinds.contains(&kind), format!("text of type {kind}"))?;
    ensure(
        kind == "plain_text" || !map.contains_key("emoji"),
        "emoji belongs to plain_text",
    )?;
    ensure(
        kind == "mrkdwn" || !map.contains_key("verbatim"),
        "verbatim belongs to mrkdwn",
    )?;
    text(map, "text", 1, most).map(drop)
}

/// Execute Webhook: https://discord.com/developers/docs/resources/webhook and /message#embed-object-embed-limits
pub fn discord(body: &Value) -> Check {
    let map = object(
        body,
        "message",
        &["content", "username", "embeds", "allowed_mentions"],
    )?;
    ensure(
        body["allowed_mentions"]["parse"] == serde_json::json!([]),
        "mentions are allowed",
    )?;
    let mut total = 0;
    let mut counted = |text: &str| total += text.encode_utf16().count();
    for embed in list(map, "embeds", 1, 10)? {
        let known = [
            "title",
            "description",
            "url",
            "timestamp",
            "color",
            "footer",
            "fields",
        ];
        let map = object(embed, "embed", &known)?;
        counted(text(map, "title", 1, 256)?);
        counted(text(map, "description", 1, 4096)?);
        text(map, "timestamp", 1, 40)?
            .parse::<jiff::Timestamp>()
            .map_err(|e| e.to_string())?;
        ensure(
            embed["color"].as_u64().is_some_and(|c| c <= 0x00ff_ffff),
            "color",
        )?;
        if map.contains_key("url") {
            url(text(map, "url", 1, 2048)?)?;
        }
        counted(text(
            object(&embed["footer"], "footer", &["text"])?,
            "text",
            1,
            2048,
        )?);
        for field in list(map, "fields", 0, 25)? {
            let map = object(field, "field", &["name", "value", "inline"])?;
            counted(text(map, "name", 1, 256)?);
            counted(text(map, "value", 1, 1024)?);
        }
    }
    ensure(total <= 6000, format!("the embeds have {total} characters"))
}

fn url(text: &str) -> Check {
    ensure(
        text.starts_with("http://") || text.starts_with("https://"),
        format!("no URL: {text}"),
    )
}

/// Adaptive cards in workflows' webhooks: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
pub fn teams(body: &Value) -> Check {
    ensure(
        body.to_string().len() <= 28 * 1024,
        format!("{} bytes, allowed are 28 KB", body.to_string().len()),
    )?;
    let map = object(body, "message", &["type", "attachments"])?;
    ensure(body["type"] == "message", "type is not message")?;
    for attachment in list(map, "attachments", 1, 1)? {
        let map = object(
            attachment,
            "attachment",
            &["contentType", "contentUrl", "content"],
        )?;
        ensure(
            map["contentType"] == "application/vnd.microsoft.card.adaptive",
            "contentType",
        )?;
        let known = [
            "$schema",
            "type",
            "version",
            "fallbackText",
            "body",
            "actions",
        ];
        let card = object(&map["content"], "card", &known)?;
        ensure(card["type"] == "AdaptiveCard", "no card")?;
        ensure(
            ["1.2", "1.3", "1.4", "1.5"].contains(&card["version"].as_str().unwrap_or_default()),
            "version",
        )?;
        for element in list(card, "body", 1, 100)? {
            match element["type"].as_str().unwrap_or_default() {
                "TextBlock" => {
                    let known = [
                        "type", "text", "wrap", "size", "weight", "color", "isSubtle", "fontType",
                    ];
                    text(object(element, "TextBlock", &known)?, "text", 1, 20_000)?;
                }
                "FactSet" => {
                    for fact in list(
                        object(element, "FactSet", &["type", "facts"])?,
                        "facts",
                        1,
                        50,
                    )? {
                        let map = object(fact, "fact", &["title", "value"])?;
                        text(map, "title", 1, 1000)?;
                        text(map, "value", 1, 1000)?;
                    }
                }
                other => return Err(format!("unknown element {other}")),
            }
        }
        let actions = if card.contains_key("actions") {
            list(card, "actions", 1, 6)?
        } else {
            &[]
        };
        for action in actions {
            let map = object(action, "action", &["type", "title", "url"])?;
            ensure(action["type"] == "Action.OpenUrl", "action")?;
            url(text(map, "url", 1, 4000)?)?;
        }
    }
    Ok(())
}

/// Events API v2: https://developer.pagerduty.com/docs/events-api-v2
pub fn pagerduty(path: &str, body: &Value) -> Check {
    ensure(body.to_string().len() <= 512 * 1024, "over 512 KB")?;
    let change = match path {
        "/v2/enqueue" => false,
        "/v2/change/enqueue" => true,
        other => return Err(format!("no such path: {other}")),
    };
    let known = [
        "routing_key",
        "event_action",
        "dedup_key",
        "payload",
        "images",
        "links",
        "client",
        "client_url",
    ];
    let known = if change {
        &["routing_key", "payload", "links", "images"][..]
    } else {
        &known[..]
    };
    let map = object(body, "event", known)?;
    text(map, "routing_key", 32, 32)?;
    if !change {
        let action = text(map, "event_action", 1, 20)?;
        text(map, "dedup_key", 1, 255)?;
        match action {
            "trigger" => {}
            "acknowledge" | "resolve" => return Ok(()),
            other => return Err(format!("event_action {other}")),
        }
    }
    let payload = &map["payload"];
    let known = [
        "summary",
        "source",
        "severity",
        "timestamp",
        "component",
        "group",
        "class",
        "custom_details",
    ];
    let known = if change {
        &["summary", "source", "timestamp", "custom_details"][..]
    } else {
        &known[..]
    };
    let payload = object(payload, "payload", known)?;
    text(payload, "summary", 1, 1024)?;
    text(payload, "source", 1, 255)?;
    text(payload, "timestamp", 1, 40)?
        .parse::<jiff::Timestamp>()
        .map_err(|e| e.to_string())?;
    if !change {
        let severity = text(payload, "severity", 1, 20)?;
        ensure(
            ["critical", "error", "warning", "info"].contains(&severity),
            format!("severity {severity}"),
        )?;
    }
    for link in list(map, "links", 0, 50)? {
        url(text(
            object(link, "link", &["href", "text"])?,
            "href",
            1,
            2048,
        )?)?;
    }
    Ok(())
}

/// Attributes of CloudEvents 1.0: names of lower-case letters and digits; id, source, specversion and type are there.
pub fn cloudevent(attributes: &Map<String, Value>) -> Check {
    for (name, value) in attributes {
        let sound = name.len() <= 20
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ensure(sound, format!("attribute {name}"))?;
        ensure(
            value.as_str().is_some_and(|v| !v.is_empty()),
            format!("{name} is empty"),
        )?;
    }
    ensure(
        attributes.get("specversion").is_some_and(|v| v == "1.0"),
        "specversion",
    )?;
    for name in ["id", "source", "type"] {
        ensure(attributes.contains_key(name), format!("{name} is missing"))?;
    }
    let time = attributes["time"].as_str().unwrap_or_default();
    time.parse::<jiff::Timestamp>()
        .map(drop)
        .map_err(|e| e.to_string())
}
