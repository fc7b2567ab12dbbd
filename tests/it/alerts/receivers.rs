//! Each receiver says what must be said, in the words of its service, whatever strangers wrote.

use super::{
    Secrets,
    endpoint::{Act, Endpoint, Seen, status},
    message::{EVIL, hostile, message},
    notifier, vendors,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rollout_judge::{
    domain::{EventKind, NotifyError, Outcome},
    notify::signature,
};
use secrecy::SecretString;
use serde_json::{Value, json};

type Check = fn(&Value) -> Result<(), String>;

/// Accepts what the check accepts.
async fn vendor(check: impl Fn(&Seen) -> Result<(), String> + Send + Sync + 'static) -> Endpoint {
    Endpoint::start(move |seen| match check(seen) {
        Ok(()) => status(202),
        Err(why) => Act::Answer(400, vec![], why),
    })
    .await
}

/// Every text of a document.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(map) => map.values().for_each(|item| texts(item, out)),
        _ => {}
    }
}

/// What every message must say.
fn says_all(body: &Value) {
    let mut all = Vec::new();
    texts(body, &mut all);
    let all = all.join("\n").replace('\\', "");
    for part in [
        "error-rate: canary 1.32 % against 0.144 % on stable",
        "canary 1.32 %, stable 0.144 %",
        "canary 250 ms, stable 200 ms",
        "https://judge.example.org/verdicts/f1",
        "/v1/rollouts/shop/checkout/override",
        "shop/checkout: canary 6c9f8d7b5 failed at 5 %",
    ] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    assert!(
        all.find("error-rate").unwrap() < all.find("p99-latency").unwrap(),
        "the failed objective leads"
    );
}

#[tokio::test]
async fn chats_show_everything_within_their_limits() {
    let secrets = Secrets::new();
    let services: [(&str, Check, &[&str]); 3] = [
        ("slack", vendors::slack, &["<!", "<@", "<at"]),
        (
            "discord",
            vendors::discord,
            &["@everyone", "](http", " <@U"],
        ),
        ("teams", vendors::teams, &["<at>", "](http", " **b**"]),
    ];
    for (kind, check, never) in services {
        let server = vendor(move |seen| check(&seen.json())).await;
        let url = secrets.keep(kind, &server.url("/services/T0/B0/s3cr3t-hook"));
        let receiver = notifier(&format!("{{ {kind}: {{ url: {url} }} }}"));
        receiver.tell(&message(EventKind::Fail)).await.unwrap();
        says_all(&server.last().json());
        assert_eq!(
            server.last().header("idempotency-key"),
            message(EventKind::Fail).id.to_string()
        );
        receiver.tell(&hostile()).await.unwrap();
        let mut all = Vec::new();
        texts(&server.last().json(), &mut all);
        for word in never {
            let found: Vec<&String> = all.iter().filter(|text| text.contains(word)).collect();
            // code blocks are shown as they are
            let found: Vec<_> = found
                .into_iter()
                .filter(|t| !t.starts_with("```"))
                .collect();
            assert!(found.is_empty(), "{kind} says {word}: {found:?}");
        }
        // nothing ends the code block of the command early
        let is_code =
            |text: &&String| text.starts_with("```") || text.starts_with("To override:\n```");
        for code in all.iter().filter(is_code) {
            assert_eq!(code.matches('`').count(), 6, "{kind}: {code}");
        }
    }
}

#[tokio::test]
async fn earlier_events_and_events_without_a_verdict_are_told_too() {
    let secrets = Secrets::new();
    let mut grouped = message(EventKind::Recovered);
    grouped.earlier = vec![message(EventKind::Fail).event];
    let mut bare = message(EventKind::SourceDown);
    bare.verdict = None;
    bare.how_to_override = String::new();
    bare.url = String::new();
    bare.event.namespace = String::new();
    bare.event.canary_hash = String::new();
    let services: [(&str, Check); 3] = [
        ("slack", vendors::slack),
        ("discord", vendors::discord),
        ("teams", vendors::teams),
    ];
    for (kind, check) in services {
        let server = vendor(move |seen| check(&seen.json())).await;
        let url = secrets.keep(kind, &server.url("/hook"));
        let receiver = notifier(&format!("{{ {kind}: {{ url: {url} }} }}"));
        receiver.tell(&grouped).await.unwrap();
        let text = server.last().json().to_string();
        assert!(
            text.contains("Before that") && text.contains("recovered"),
            "{text}"
        );
        receiver.tell(&bare).await.unwrap();
        let text = server.last().json().to_string();
        assert!(text.contains("metric source checkout is down"), "{text}");
    }
}

#[tokio::test]
async fn the_users_templates_are_markup_around_escaped_values() {
    let secrets = Secrets::new();
    let server = vendor(|seen| vendors::slack(&seen.json())).await;
    let url = secrets.keep("slack", &server.url("/hook"));
    let receiver = notifier(&format!(
        "{{ slack: {{ url: {url} }}, title: '{{{{ event }}}} in {{{{ namespace }}}}', body: \"*{{{{ rollout }}}}* <https://wiki.example.org|runbook>{{% for o in objectives %}}\\n{{{{ o.name }}}} {{{{ o.canary }}}}{{% endfor %}}\" }}"
    ));
    let mut evil = message(EventKind::Fail);
    "<!channel>".clone_into(&mut evil.event.rollout);
    receiver.tell(&evil).await.unwrap();
    let body = server.last().json();
    assert_eq!(body["blocks"][0]["text"]["text"], "fail in shop");
    let text = body["blocks"][1]["text"]["text"].as_str().unwrap();
    assert_eq!(
        text,
        "*&lt;!channel&gt;* <https://wiki.example.org|runbook>\nerror-rate 1.32 %\np99-latency 250 ms"
    );
}

#[tokio::test]
async fn a_template_that_never_ends_is_left_out() {
    let secrets = Secrets::new();
    let server = vendor(|seen| vendors::slack(&seen.json())).await;
    let url = secrets.keep("slack", &server.url("/hook"));
    let receiver = notifier(&format!(
        "{{ slack: {{ url: {url} }}, body: \"{{% if rollout == 'zz' %}}{{% for i in range(9000) %}}{{% for j in range(9000) %}}{{% if i == 'x' %}}y{{% endif %}}{{% endfor %}}{{% endfor %}}{{% else %}}mine{{% endif %}}\" }}"
    ));
    receiver.tell(&message(EventKind::Fail)).await.unwrap();
    assert_eq!(server.last().json()["blocks"][1]["text"]["text"], "mine");
    let mut endless = message(EventKind::Fail);
    "zz".clone_into(&mut endless.event.rollout);
    receiver.tell(&endless).await.unwrap();
    let text = server.last().json()["blocks"][1]["text"]["text"].clone();
    assert!(
        text.as_str()
            .unwrap()
            .starts_with("error-rate: canary 1.32 %"),
        "{text}"
    );
}

/// A key of the length that the specification asks for.
fn key(byte: u8) -> String {
    format!("whsec_{}", STANDARD.encode([byte; 32]))
}

#[test]
fn signatures_are_those_of_others() {
    // the example of the specification's reference libraries, and a second one by Python's hmac and openssl
    for (secret, id, timestamp, body, expected) in [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "01890000-0000-7000-8000-00000000abcd",
            1_767_366_245,
            "{\"a\":\"ü\"}",
            PYTHON,
        ),
    ] {
        let keys = [SecretString::from(secret)];
        assert_eq!(
            signature(&keys, id, timestamp, body.as_bytes()).unwrap(),
            expected
        );
    }
    for bad in ["whsec_", "whsec_!!!", "short", "whsec_QUFB"] {
        assert!(
            signature(&[SecretString::from(bad)], "a", 1, b"").is_err(),
            "{bad}"
        );
    }
}

/// `python3 -c 'import hmac,base64,hashlib; print(base64.b64encode(hmac.new(bytes(range(32)), "01890000-0000-7000-8000-00000000abcd.1767366245.{\"a\":\"ü\"}".encode(), hashlib.sha256).digest()).decode())'`
const PYTHON: &str = "v1,DZTDhrFz4pyTomoH7cFdmYT7Ge451slOCdJXzUkWKDk=";

#[tokio::test]
async fn the_webhook_is_signed_with_every_key() {
    let secrets = Secrets::new();
    let server = Endpoint::start(|_| status(204)).await;
    let (new, old) = (secrets.keep("new", &key(1)), secrets.keep("old", &key(2)));
    let receiver = notifier(&format!(
        "{{ webhook: {{ url: '{}', secrets: [{new}, {old}], headers: {{ X-Team: sre }} }} }}",
        server.url("/hooks/judge")
    ));
    let message = message(EventKind::Fail);
    receiver.tell(&message).await.unwrap();
    let seen = server.last();
    assert_eq!(seen.header("webhook-id"), message.id.to_string());
    assert_eq!(
        (seen.header("x-team"), seen.header("content-type")),
        ("sre", "application/json")
    );
    let timestamp: i64 = seen.header("webhook-timestamp").parse().unwrap();
    let signatures: Vec<&str> = seen.header("webhook-signature").split(' ').collect();
    assert_eq!(signatures.len(), 2);
    for (signed, byte) in signatures.iter().zip([1, 2]) {
        let expected = signature(
            &[SecretString::from(key(byte))],
            &message.id.to_string(),
            timestamp,
            &seen.body,
        );
        assert_eq!(*signed, expected.unwrap());
    }
    let body = seen.json();
    says_all(&body);
    assert_eq!(body["type"], "rollout-judge.fail");
    assert_eq!(body["data"]["objectives"][0]["canary"], "1.32 %");
    receiver.tell(&hostile()).await.unwrap();
    assert!(
        !server.last().json()["data"]["reason"]
            .as_str()
            .unwrap()
            .contains(EVIL)
    );
}

#[tokio::test]
async fn pagerduty_opens_one_incident_and_ends_it() {
    let secrets = Secrets::new();
    let server = vendor(|seen| vendors::pagerduty(&seen.path, &seen.json())).await;
    let routing = secrets.keep("key", "0123456789abcdef0123456789abcdef");
    let receiver = notifier(&format!(
        "{{ pagerduty: {{ routingKey: {routing}, url: '{}' }} }}",
        server.url("")
    ));
    let mut keys = Vec::new();
    for (kind, action, severity) in [
        (EventKind::Fail, "trigger", "critical"),
        (EventKind::Inconclusive, "trigger", "warning"),
        (EventKind::Recovered, "resolve", ""),
        (EventKind::Pass, "resolve", ""),
    ] {
        receiver.tell(&message(kind)).await.unwrap();
        let body = server.last().json();
        assert_eq!(
            (
                body["event_action"].as_str(),
                body["payload"]["severity"].as_str().unwrap_or_default()
            ),
            (Some(action), severity)
        );
        keys.push(body["dedup_key"].as_str().unwrap().to_owned());
        if kind == EventKind::Fail {
            says_all(&body);
        }
    }
    keys.dedup();
    assert_eq!(keys, ["rollout-judge/shop/checkout"]);
    receiver.tell(&message(EventKind::Started)).await.unwrap();
    assert_eq!(server.last().path, "/v2/change/enqueue");
    // an override is an incident of its own, that says who, why and until when; and it ends what was wrong
    let mut overridden = message(EventKind::Override);
    overridden.event.outcome = Some(Outcome::Pass);
    overridden.event.author = Some("anna".to_owned());
    overridden.event.reason =
        "anna overrode the judge to pass until 2026-01-02T17:04:05Z: a known flake".to_owned();
    let count = server.seen().len();
    receiver.tell(&overridden).await.unwrap();
    let ended = server.seen()[count].json();
    assert_eq!(
        (&ended["event_action"], &ended["dedup_key"]),
        (&json!("resolve"), &json!("rollout-judge/shop/checkout"))
    );
    let opened = server.last().json();
    let own = json!("rollout-judge/shop/checkout/override");
    assert_eq!(
        (&opened["event_action"], &opened["dedup_key"]),
        (&json!("trigger"), &own)
    );
    let details = &opened["payload"]["custom_details"];
    assert_eq!(details["author"], "anna");
    for part in ["2026-01-02T17:04:05Z", "a known flake"] {
        assert!(details["reason"].as_str().unwrap().contains(part));
    }
    receiver
        .tell(&message(EventKind::OverrideEnded))
        .await
        .unwrap();
    let ended = server.last().json();
    assert_eq!(
        (&ended["event_action"], &ended["dedup_key"]),
        (&json!("resolve"), &own)
    );
    let mut long = hostile();
    long.event.rollout = "r".repeat(253);
    receiver.tell(&long).await.unwrap();
}

#[tokio::test]
async fn cloudevents_in_both_modes() {
    let server = Endpoint::start(|_| status(200)).await;
    let url = server.url("/events");
    let structured = notifier(&format!(
        "{{ cloudevents: {{ url: '{url}', source: 'https://judge.example.org' }} }}"
    ));
    let binary = notifier(&format!(
        "{{ cloudevents: {{ url: '{url}', mode: binary }} }}"
    ));
    for message in [message(EventKind::Fail), hostile()] {
        structured.tell(&message).await.unwrap();
        let seen = server.last();
        assert!(
            seen.header("content-type")
                .starts_with("application/cloudevents+json")
        );
        let mut body = seen.json();
        let data = body.as_object_mut().unwrap().remove("data").unwrap();
        vendors::cloudevent(body.as_object().unwrap()).unwrap();
        assert_eq!(body["id"], message.id.to_string());
        assert_eq!(body["type"], "rollout-judge.fail");
        binary.tell(&message).await.unwrap();
        let seen = server.last();
        assert_eq!(seen.header("content-type"), "application/json");
        let attributes = seen.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("ce-")?;
            Some((name.to_owned(), json!(value.to_str().ok()?)))
        });
        vendors::cloudevent(&attributes.collect()).unwrap();
        assert_eq!(seen.header("ce-id"), message.id.to_string());
        assert_eq!(seen.json(), data);
    }
    assert!(
        server
            .last()
            .header("ce-subject")
            .contains("<!channel>%20<@")
    );
    structured.tell(&message(EventKind::Fail)).await.unwrap();
    says_all(&server.last().json());
}

#[tokio::test]
async fn refusals_are_told_apart_and_hold_no_secret() {
    let secrets = Secrets::new();
    let server = Endpoint::start(|seen| {
        Act::Answer(
            403,
            vec![],
            format!("no {} {}", seen.path, seen.header("authorization")),
        )
    })
    .await;
    let url = secrets.keep(
        "url",
        &server.url("/services/T000/B000/s3cr3tpath?token=s3cr3tquery"),
    );
    let header = secrets.keep("header", "Bearer s3cr3theader");
    let signing = secrets.keep("key", &key(3));
    let receiver = notifier(&format!(
        "{{ webhook: {{ url: {url}, secrets: [{signing}], headers: {{ Authorization: {header} }} }} }}"
    ));
    let told = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
    assert!(matches!(told, NotifyError::Refused { .. }), "{told:?}");
    server.behave(|_| Act::Close);
    let broken = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
    let gone = secrets.keep("gone", "http://127.0.0.1:1/services/s3cr3tpath");
    let gone = notifier(&format!("{{ slack: {{ url: {gone} }} }}"));
    let unreachable = gone.tell(&message(EventKind::Fail)).await.unwrap_err();
    for error in [told, broken, unreachable] {
        let words = format!("{error} {error:?}");
        assert!(
            !words.contains("s3cr3t") && !words.contains("services"),
            "{words}"
        );
    }
    // a secret that cannot be read now may be there later
    std::fs::remove_file(secrets.path().join("url")).unwrap();
    let missing = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
    assert!(matches!(missing, NotifyError::Later { .. }), "{missing:?}");
}
