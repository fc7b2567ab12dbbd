//! Receivers, routes and their numbers: every mistake with its place, and no secret printed.

use rollout_judge::config::{Settings, SettingsErrors, load_from, show};
use std::time::Duration;

const FILE: &str = "sources: { default: { kind: prometheus, url: http://p } }
policies: { paths: [policies/] }
receivers:
  ops-chat:
    slack: { url: { file: /run/secrets/slack } }
    title: '{{ rollout }}: {{ event }}'
  hook:
    webhook: { url: 'https://hooks.example.org/judge', secrets: [{ env: HOOK_KEY }] }
    perMinute: 30
  oncall: { pagerduty: { routingKey: { env: PD_KEY } } }
  am: { alertmanager: { url: 'http://alertmanager:9093' } }
  bus: { cloudevents: { url: { env: BUS_URL }, mode: binary } }
  mail:
    email: { host: mail.example.org, from: judge@example.org, to: [sre@example.org], auth: { username: judge, password: { env: MAIL } } }
routes:
  - { match: { events: [fail], severity: critical }, to: [oncall, am] }
alerts: { maxMessages: 5 }
";

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsErrors> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    load_from(Some(("judge.yaml", file)), &variables)
}

#[test]
fn every_kind_with_its_defaults() {
    let settings = load(
        FILE,
        &[("ROLLOUT_JUDGE__RECEIVERS__HOOK__MAXCONCURRENT", "7")],
    )
    .unwrap();
    assert_eq!(settings.receivers.len(), 6);
    let (chat, hook) = (&settings.receivers["ops-chat"], &settings.receivers["hook"]);
    assert_eq!(
        (chat.timeout.0, chat.max_concurrent, chat.per_minute),
        (Duration::from_secs(5), 2, 60)
    );
    assert_eq!(
        (chat.max_age.0, chat.max_response.0),
        (Duration::from_hours(24), 64 << 10)
    );
    assert_eq!(
        (chat.min_backoff.0, chat.max_backoff.0),
        (Duration::from_secs(1), Duration::from_mins(5))
    );
    assert_eq!((hook.max_concurrent, hook.per_minute), (7, 30));
    assert_eq!(
        (settings.alerts.max_messages, settings.alerts.within.0),
        (5, Duration::from_mins(5))
    );
    let pagerduty = settings.receivers["oncall"].pagerduty.as_ref().unwrap();
    assert_eq!(pagerduty.url, "https://events.pagerduty.com");
}

#[test]
fn nothing_secret_is_printed() {
    let text = show(&load(FILE, &[]).unwrap());
    for hidden in ["/run/secrets", "HOOK_KEY", "PD_KEY", "BUS_URL", "MAIL"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["receivers"]["ops-chat"]["slack"]["url"], "***");
    assert_eq!(
        value["receivers"]["hook"]["webhook"]["url"],
        "https://hooks.example.org/judge"
    );
    assert_eq!(value["routes"][0]["match"]["events"][0], "fail");
}

#[test]
fn mistakes_name_the_key_the_place_and_the_cure() {
    let mut wrong = Vec::new();
    for (from, to, expected) in [
        (
            "slack: { url",
            "slak: { url",
            "judge.yaml:5:5: receivers.ops-chat.slak: unknown key `slak`; did you mean `slack`?",
        ),
        (
            "{ file: /run/secrets/slack }",
            "https://hooks.slack.com/services/hunter2",
            "judge.yaml:5:14: receivers.ops-chat.slack.url: a secret is never written here",
        ),
        (
            "'https://hooks.example.org/judge'",
            "'https://u:hunter2@hooks.example.org/'",
            "judge.yaml:8:16: receivers.hook.webhook.url: may hold a secret",
        ),
        (
            "'https://hooks.example.org/judge'",
            "'https://hooks.example.org/?token=hunter2'",
            "judge.yaml:8:16: receivers.hook.webhook.url: may hold a secret",
        ),
        (
            "'https://hooks.example.org/judge'",
            "hooks.example.org",
            "judge.yaml:8:16: receivers.hook.webhook.url: is not a URL",
        ),
        (
            "[{ env: HOOK_KEY }]",
            "[]",
            "judge.yaml:8:56: receivers.hook.webhook.secrets: is empty",
        ),
        (
            "perMinute: 30",
            "perMinute: 0",
            "judge.yaml:9:5: receivers.hook.perMinute: is out of range; give 1 to 6000",
        ),
        (
            "perMinute: 30",
            "timeout: 5",
            "judge.yaml:9:5: receivers.hook.timeout: ",
        ),
        (
            "perMinute: 30",
            "minBackoff: 1h",
            "judge.yaml:9:5: receivers.hook.minBackoff: is longer than `maxBackoff`",
        ),
        (
            "perMinute: 30",
            "slack: { url: { env: X } }",
            "judge.yaml:9:5: receivers.hook.slack: is of 2 kinds",
        ),
        (
            "{{ event }}",
            "{{ evnt }}",
            "judge.yaml:6:5: receivers.ops-chat.title: is not a template that works: there is no variable `evnt`; did you mean `event`?",
        ),
        (
            "{{ event }}",
            "{{ event ",
            "judge.yaml:6:5: receivers.ops-chat.title: is not a template that works: line 1: syntax error",
        ),
        (
            "{{ event }}",
            "{% for i in range(9000) %}{% for j in range(9000) %}{{ event }}{% endfor %}{% endfor %}",
            "judge.yaml:6:5: receivers.ops-chat.title: is not a template that works: line 1: ",
        ),
        (
            "mode: binary",
            "mode: both",
            "judge.yaml:12:48: receivers.bus.cloudevents.mode: `both` is not known here; give `structured` or `binary`",
        ),
        (
            "from: judge@example.org",
            "from: judge",
            "judge.yaml:14:38: receivers.mail.email.from: is not an address",
        ),
        (
            "host: mail.example.org,",
            "host: mail.example.org, tls: none,",
            "judge.yaml:14:38: receivers.mail.email.tls: is `none` although a password is sent",
        ),
        (
            "to: [oncall, am]",
            "to: [oncal]",
            "judge.yaml:16:59: routes[0].to[0]: `oncal` is not one of `receivers`; did you mean `oncall`?",
        ),
        (
            "events: [fail]",
            "events: [fial]",
            "judge.yaml:16:25: routes[0].match.events[0]: `fial` is not an event; did you mean `fail`?",
        ),
        (
            "events: [fail]",
            "events: [delivered]",
            "judge.yaml:16:25: routes[0].match.events[0]: would be told for ever",
        ),
        (
            "severity: critical",
            "severity: high",
            "judge.yaml:16:32: routes[0].match.severity: `high` is not a severity",
        ),
        (
            "maxMessages: 5",
            "maxMessages: 0",
            "judge.yaml:17:11: alerts.maxMessages: is out of range",
        ),
        (
            "  am:",
            "  'a m':",
            "judge.yaml:11:3: receivers.a m: is no name",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let found = load(&FILE.replacen(from, to, 1), &[])
            .unwrap_err()
            .to_string();
        if !found.starts_with(expected) {
            wrong.push(format!("{found}\n{expected}"));
        }
        assert!(!found.contains("hunter2"), "{found}");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}
