//! Settings: the file, the environment over it, and every mistake with its place.

use rollout_judge::config::{Settings, SettingsErrors, load_from, show, source::AnySource};
use std::time::Duration;

const FILE: &str = "server:
  listen: 127.0.0.1:9090
  publicUrl: https://judge.example.org/
  deadline: 7s
sources:
  default: { kind: victoriametrics, url: http://127.0.0.1:8428, headers: { X-Key: k3y } }
policies:
  paths: [policies/]
auth:
  tokens:
    - { name: argo, token: { env: JUDGE_TOKEN }, namespaces: [shop] }
kubernetes: { enabled: false }
receivers: {}
";

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsErrors> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    load_from(Some(("judge.yaml", file)), &variables)
}

#[test]
fn the_file_of_the_contract() {
    let settings = load(FILE, &[]).unwrap();
    assert_eq!(settings.server.public_url(), "https://judge.example.org");
    assert_eq!(settings.server.deadline.0, Duration::from_secs(7));
    assert_eq!(settings.policies.reload.0, Duration::from_secs(2));
    assert_eq!(
        (
            settings.evidence_cache.max_rollouts,
            settings.evidence_cache.max_bytes.0
        ),
        (1000, 64 << 20)
    );
    assert_eq!(
        settings.auth.tokens[0].namespaces.as_deref(),
        Some(&["shop".to_owned()][..])
    );
    assert!(settings.sources.contains_key("default"));
    assert!(!settings.auth.tokens[0].may_override);
    assert_eq!(
        (settings.server.max_streams, settings.server.max_override.0),
        (64, Duration::from_hours(7 * 24))
    );
}

#[test]
fn the_store_of_the_contract() {
    let settings = load(FILE, &[]).unwrap().store;
    assert_eq!(settings.max_age.0, Duration::from_hours(24 * 90));
    assert_eq!(settings.max_bytes.0, 10 << 30);
    assert!(!settings.keep_samples && settings.url.is_none());
    let settings = load(
        FILE,
        &[
            ("ROLLOUT_JUDGE__STORE__URL", "postgres://judge@db/judge"),
            ("ROLLOUT_JUDGE__STORE__PASSWORD__ENV", "JUDGE_DB_PASSWORD"),
            ("ROLLOUT_JUDGE__STORE__MAX_AGE", "30d"),
            ("ROLLOUT_JUDGE__STORE__KEEPSAMPLES", "true"),
        ],
    )
    .unwrap();
    let text = show(&settings);
    assert!(!text.contains("JUDGE_DB_PASSWORD"), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["store"]["url"], "postgres://***@db/judge");
    assert_eq!(value["store"]["password"], "***");
    assert!(settings.store.keep_samples);
    assert_eq!(settings.store.max_age.0, Duration::from_hours(24 * 30));
}

#[test]
fn the_environment_rules_over_the_file() {
    let settings = load(
        FILE,
        &[
            ("ROLLOUT_JUDGE__SERVER__PUBLICURL", "http://other"),
            ("ROLLOUT_JUDGE__SERVER__MAX_CONCURRENT", "7"),
            ("ROLLOUT_JUDGE__server__deadline", "900ms"),
            ("ROLLOUT_JUDGE__SOURCES__DEFAULT__URL", "http://vm:8428"),
            (
                "ROLLOUT_JUDGE__SOURCES__SECOND",
                "{ kind: prometheus, url: 'http://p' }",
            ),
            ("ROLLOUT_JUDGE__POLICIES__PATHS", "a, b.yaml"),
            ("ROLLOUT_JUDGE__TELEMETRY__LOG__FORMAT", "json"),
            (
                "ROLLOUT_JUDGE__TELEMETRY__OTLP__ENDPOINT",
                "http://otel:4318",
            ),
            ("ROLLOUT_JUDGE__EVIDENCECACHE__MAXBYTES", "1MiB"),
            ("OTHER", "x"),
        ],
    )
    .unwrap();
    assert_eq!(settings.server.public_url(), "http://other");
    assert_eq!(
        (settings.server.max_concurrent, settings.server.deadline.0),
        (7, Duration::from_millis(900))
    );
    assert_eq!(
        settings.sources["default"].api().unwrap().url,
        "http://vm:8428"
    );
    assert_eq!(settings.sources["second"].api().unwrap().url, "http://p");
    assert_eq!(settings.policies.paths.len(), 2);
    assert_eq!(
        settings.telemetry.otlp.unwrap().endpoint,
        "http://otel:4318"
    );
    assert_eq!(settings.evidence_cache.max_bytes.0, 1 << 20);
}

#[test]
fn the_environment_alone_is_enough() {
    let variables = [
        (
            "ROLLOUT_JUDGE__SOURCES__DEFAULT__KIND".to_owned(),
            "prometheus".to_owned(),
        ),
        (
            "ROLLOUT_JUDGE__SOURCES__DEFAULT__URL".to_owned(),
            "http://p:9090".to_owned(),
        ),
        (
            "ROLLOUT_JUDGE__POLICIES__PATHS".to_owned(),
            "policies".to_owned(),
        ),
    ];
    assert_eq!(
        load_from(None, &variables).unwrap().server.public_url(),
        "http://127.0.0.1:8080"
    );
}

#[test]
fn mistakes_name_the_key_the_place_and_the_cure() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(FILE.contains(from), "{from}");
        let found = load(&FILE.replace(from, to), &[]).unwrap_err().to_string();
        assert!(found.starts_with(expected), "\n{found}\n{expected}");
        assert!(!found.contains("hunter2"), "{found}");
    };
    check(
        "deadline: 7s",
        "dedline: 7s",
        "judge.yaml:4:3: server.dedline: unknown key `dedline`; did you mean `deadline`?",
    );
    check(
        "server:",
        "sever:",
        "judge.yaml:1:1: sever: unknown key `sever`; did you mean `server`?",
    );
    check(
        "deadline: 7s",
        "deadline: 7",
        "judge.yaml:4:3: server.deadline: ",
    );
    check(
        "deadline: 7s",
        "deadline: 31s",
        "judge.yaml:4:3: server.deadline: is out of range; give 500ms to 30s",
    );
    check(
        "deadline: 7s",
        "deadline: 499ms",
        "judge.yaml:4:3: server.deadline: is out of range",
    );
    check(
        "127.0.0.1:9090",
        "everywhere",
        "judge.yaml:2:3: server.listen: is not an address",
    );
    check(
        "https://judge.example.org/",
        "judge.example.org",
        "judge.yaml:3:3: server.publicUrl: is not a URL",
    );
    check(
        "kind: victoriametrics",
        "kind: influx",
        "judge.yaml:6:14: sources.default.kind: `influx` is not known here; give `victoriametrics`, `prometheus` or `scrape`",
    );
    check(
        "kind: victoriametrics, ",
        "",
        "judge.yaml:6:3: sources.default.kind: is missing; add it",
    );
    check(
        "[policies/]",
        "[]",
        "judge.yaml:8:3: policies.paths: is missing or empty",
    );
    check(
        "{ env: JUDGE_TOKEN }",
        "hunter2",
        "judge.yaml:11:21: auth.tokens[0].token: a secret is never written here; give `{ file: PATH }` or `{ env: NAME }`",
    );
    check(
        "namespaces: [shop]",
        "namespace: shop",
        "judge.yaml:11:50: auth.tokens[0].namespace: unknown key `namespace`; did you mean `namespaces`?",
    );
    check(
        "receivers: {}",
        "receivers: { chat: {} }",
        "judge.yaml:13:14: receivers.chat: says not how to tell it; add one of: webhook, slack",
    );
    check(
        "receivers: {}",
        "store: { url: 'postgres://judge:hunter2@db/judge' }",
        "judge.yaml:13:10: store.url: has a password, which is never written here; write `postgres://user@host/db` and `password: { file: PATH }`",
    );
    check(
        "enabled: false",
        "enabled: true",
        "judge.yaml:12:15: kubernetes.enabled: the Kubernetes API is not read",
    );
    check(
        "deadline: 7s",
        "maxStreams: 10001",
        "judge.yaml:4:3: server.maxStreams: is out of range; give 0 to 10000",
    );
    for wrong in ["59s", "91d"] {
        check(
            "deadline: 7s",
            &format!("maxOverride: {wrong}"),
            "judge.yaml:4:3: server.maxOverride: is out of range; give 1m to 90d",
        );
    }
    for wrong in ["59s", "31d"] {
        check(
            "auth:\n",
            &format!("auth:\n  sessionTtl: {wrong}\n"),
            "judge.yaml:10:3: auth.sessionTtl: is out of range; give 1m to 30d",
        );
    }
    check(
        "namespaces: [shop]",
        "mayOverrule: true",
        "judge.yaml:11:50: auth.tokens[0].mayOverrule: unknown key `mayOverrule`; did you mean `mayOverride`?",
    );
    for (store, expected) in [
        (
            "{ url: 'mysql://db/judge' }",
            "judge.yaml:13:10: store.url: is not a URL of a store; give for example `sqlite://rollout-judge.db`",
        ),
        (
            "{ url: 'postgres://judge@db/judge', password: hunter2 }",
            "judge.yaml:13:44: store.password: a secret is never written here; give `{ file: PATH }` or `{ env: NAME }`",
        ),
        (
            "{ url: 'sqlite://x', password: { env: X } }",
            "judge.yaml:13:29: store.password: is given although SQLite has none; remove it",
        ),
        (
            "{ url: 'sqlite://x', dataDir: /x }",
            "judge.yaml:13:29: store.dataDir: is given beside `url`",
        ),
        (
            "{ maxAge: 10m }",
            "judge.yaml:13:10: store.maxAge: is out of range; give 1h to 36500d",
        ),
        (
            "{ maxBytes: 1MiB }",
            "judge.yaml:13:10: store.maxBytes: is too small; give at least 16MiB",
        ),
        (
            "{ maxConnections: 0 }",
            "judge.yaml:13:10: store.maxConnections: is out of range; give 1 to 1000",
        ),
        (
            "{ timeout: 1ms }",
            "judge.yaml:13:10: store.timeout: is out of range; give 50ms to 30s",
        ),
        (
            "{ keepSample: true }",
            "judge.yaml:13:10: store.keepSample: unknown key `keepSample`; did you mean `keepSamples`?",
        ),
    ] {
        check("receivers: {}", &format!("store: {store}"), expected);
    }
    for (settings, expected) in [
        ("timeout: 0s", "timeout: is too short for any answer"),
        (
            "connectTimeout: 0s",
            "connectTimeout: is too short for any answer",
        ),
        ("maxConcurrent: 0", "maxConcurrent: is 0, so that nothing"),
        ("maxBytes: 0", "maxBytes: is too small for any answer"),
        ("maxSeries: 0", "maxSeries: is 0, so that nothing"),
        ("retries: 11", "retries: is out of range; give 0 to 10"),
        (
            "replicaLabels: [a-b]",
            "replicaLabels[0]: is not a label's name",
        ),
        ("replicaLabels: ['']", "replicaLabels[0]: is not a label's"),
        ("replicaLabels: [9a]", "replicaLabels[0]: is not a label's"),
        (
            "replicaLabels: [rollouts_pod_template_hash]",
            "replicaLabels[0]: is the label that tells canary and stable apart",
        ),
        (
            "replicaLabels: [pod]",
            "replicaLabels[0]: is the label that tells pods apart",
        ),
    ] {
        // an item of a list has its own place
        let column = 65 + settings.find('[').map_or(0, |at| at + 1);
        check(
            "headers: { X-Key: k3y }",
            settings,
            &format!("judge.yaml:6:{column}: sources.default.{expected}"),
        );
    }
    check("server:", "server: [", "judge.yaml:");
    check("server:", "- server:", "judge.yaml:");
    let found = load(FILE, &[("ROLLOUT_JUDGE__SERVER__LISTN", "x")])
        .unwrap_err()
        .to_string();
    assert!(found.starts_with("environment variable ROLLOUT_JUDGE__SERVER__LISTN: server.listn: unknown key `listn`; did you mean `listen`?"), "{found}");
}

const SCRAPE: &str = "policies: { paths: [policies/] }
sources:
  pods:
    kind: scrape
    scrapeInterval: 2s
    static:
      - { targets: [127.0.0.1:9090], labels: { pod: a } }
    discovery:
      http: [http://127.0.0.1:1/targets]
      kubernetes: { namespaces: [shop], port: metrics }
";

#[test]
fn a_source_that_scrapes() {
    let settings = load(
        SCRAPE,
        &[
            ("ROLLOUT_JUDGE__SOURCES__PODS__SCRAPETIMEOUT", "1s"),
            (
                "ROLLOUT_JUDGE__SOURCES__PODS__DISCOVERY__KUBERNETES__LABELSELECTOR",
                "app=shop",
            ),
            (
                "ROLLOUT_JUDGE__SOURCES__PODS__DISCOVERY__FILE",
                "a.json,b.yaml",
            ),
        ],
    )
    .unwrap();
    let shown: serde_json::Value = serde_json::from_str(&show(&settings)).unwrap();
    let pods = &shown["sources"]["pods"];
    assert_eq!(pods["kind"], "scrape");
    assert_eq!(
        (&pods["scrapeInterval"], &pods["scrapeTimeout"]),
        (&"2s".into(), &"1s".into())
    );
    assert_eq!(
        (&pods["retention"], &pods["maxSamples"]),
        (&"10800s".into(), &10_000_000.into())
    );
    assert_eq!(pods["static"][0]["labels"]["pod"], "a");
    let discovery = &pods["discovery"];
    assert_eq!(discovery["kubernetes"]["labelSelector"], "app=shop");
    assert_eq!(discovery["file"], serde_json::json!(["a.json", "b.yaml"]));
    // what is shown can be read again
    assert_eq!(load(&show(&settings), &[]).unwrap(), settings);
    for (from, to, expected) in [
        (
            "scrapeInterval: 2s",
            "scrapeIntervall: 2s",
            "judge.yaml:5:5: sources.pods.scrapeIntervall: unknown key `scrapeIntervall`; did you mean `scrapeInterval`?",
        ),
        (
            "scrapeInterval: 2s",
            "scrapeInterval: 2",
            "judge.yaml:5:5: sources.pods.scrapeInterval: ",
        ),
        (
            "scrapeInterval: 2s",
            "scrapeInterval: 10ms",
            "judge.yaml:5:5: sources.pods.scrapeInterval: is out of range; give 100ms to 5m",
        ),
        (
            "scrapeInterval: 2s",
            "scrapeTimeout: 6s",
            "judge.yaml:5:5: sources.pods.scrapeTimeout: is out of range",
        ),
        (
            "scrapeInterval: 2s",
            "url: http://a",
            "judge.yaml:5:5: sources.pods.url: unknown key `url`",
        ),
        (
            "scrapeInterval: 2s",
            "maxSeries: 0",
            "judge.yaml:5:5: sources.pods.maxSeries: is 0",
        ),
        (
            "scrapeInterval: 2s",
            "auth: { bearer: hunter2 }",
            "judge.yaml:5:5: sources.pods.auth: a secret is never written here",
        ),
        (
            "labels: { pod: a }",
            "label: { pod: a }",
            "judge.yaml:7:38: sources.pods.static[0].label: unknown key `label`; did you mean `labels`?",
        ),
        (
            "labels: { pod: a }",
            "labels: { __pod: a }",
            "judge.yaml:7:48: sources.pods.static[0].labels.__pod: is not a label's name",
        ),
        (
            "[127.0.0.1:9090]",
            "[http://u:p@a]",
            "judge.yaml:7:21: sources.pods.static[0].targets[0]: must not hold credentials",
        ),
        (
            "[127.0.0.1:9090]",
            "[a/b]",
            "judge.yaml:7:21: sources.pods.static[0].targets[0]: is not an address",
        ),
        (
            "[http://127",
            "[127",
            "judge.yaml:9:14: sources.pods.discovery.http[0]: is not a URL",
        ),
        (
            "port: metrics",
            "prt: metrics",
            "judge.yaml:10:41: sources.pods.discovery.kubernetes.prt: unknown key `prt`; did you mean `port`?",
        ),
        (
            "kind: scrape",
            "kind: scraper",
            "judge.yaml:4:5: sources.pods.kind: `scraper` is not known here; give `victoriametrics`, `prometheus` or `scrape`",
        ),
    ] {
        let text = SCRAPE.replace(from, to);
        assert_ne!(text, SCRAPE, "{from}");
        let found = load(&text, &[]).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
    }
    let nobody = "policies: { paths: [p] }\nsources: { pods: { kind: scrape } }\n";
    let found = load(nobody, &[]).unwrap_err().to_string();
    assert!(
        found.contains("sources.pods.static: is missing or empty"),
        "{found}"
    );
}

#[test]
fn open_to_the_network_must_be_meant() {
    let open = FILE.replace("127.0.0.1:9090", "0.0.0.0:9090").replace(
        "    - { name: argo, token: { env: JUDGE_TOKEN }, namespaces: [shop] }\n",
        "    []\n",
    );
    let found = load(&open, &[]).unwrap_err().to_string();
    assert!(
        found.contains("auth.tokens") && found.contains("auth: { open: true }"),
        "{found}"
    );
    load(&open, &[("ROLLOUT_JUDGE__AUTH__OPEN", "true")]).unwrap();
    load(&open.replace("0.0.0.0", "127.0.0.1"), &[]).unwrap();
    load(&FILE.replace("127.0.0.1:9090", "0.0.0.0:9090"), &[]).unwrap();
}

#[test]
fn printing_hides_secrets() {
    let mut settings = load(FILE, &[]).unwrap();
    // what is refused is hidden all the same
    let Some(AnySource::Api(source)) = settings.sources.get_mut("default") else {
        panic!("no source");
    };
    source.url = "http://user:pa55@127.0.0.1:8428/x?key=pa55".to_owned();
    let text = show(&settings);
    for hidden in ["pa55", "k3y", "JUDGE_TOKEN"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value["sources"]["default"]["url"],
        "http://***@127.0.0.1:8428/x?***"
    );
    assert_eq!(value["auth"]["tokens"][0]["token"], "***");
    assert_eq!(value["server"]["deadline"], "7s");
    assert_eq!(value["server"]["bodyLimit"], "64KiB");
}

#[test]
fn addresses_hold_no_secrets() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(FILE.contains(from), "{from}");
        let found = load(&FILE.replace(from, to), &[]).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
        assert!(!found.contains("pa55"), "{found}");
    };
    for bad in [
        "http://user:pa55@127.0.0.1:8428",
        "http://127.0.0.1:8428/?key=pa55",
    ] {
        check(
            "http://127.0.0.1:8428",
            bad,
            "judge.yaml:6:37: sources.default.url: must not hold credentials or a query: use `auth` or `headers`",
        );
        check(
            "url: http",
            &format!("publicUrl: '{bad}', url: http"),
            "judge.yaml:6:37: sources.default.publicUrl: must not hold credentials or a query",
        );
        check(
            "https://judge.example.org/",
            bad,
            "judge.yaml:3:3: server.publicUrl: must not hold credentials or a query",
        );
        check(
            "receivers: {}",
            &format!("telemetry: {{ otlp: {{ endpoint: '{bad}' }} }}"),
            "judge.yaml:13:22: telemetry.otlp.endpoint: must not hold credentials or a query",
        );
    }
    let text = SCRAPE.replace("1/targets", "1/targets?key=pa55");
    assert!(!show(&load(&text, &[]).unwrap()).contains("pa55"));
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
    let text = "server:
  listn: x
  deadline: 31s
  maxStreams: many
sources:
  default: { kind: influx, url: http://a, timeout: 5 }
  useless: { kind: prometheus, url: http://a, timeout: 0s, connectTimeout: 0s, maxBytes: 0, maxSeries: 0, retries: 1000, replicaLabels: [a-b, pod] }
  usual: { kind: prometheus, url: http://a, retries: 10, replicaLabels: [__replica__, prometheus_replica] }
  other: { kind: prometheus, url: http://u:p@a, maxSeries: -1, timout: 5s }
policies: { paths: [] }
auth:
  tokens:
    - { name: a, token: clear, nmespaces: [x] }
receivers:
  chat: { perMinute: 0, slack: { url: { env: X } }, title: '{{ nothing' }
routes:
  - { to: [chta] }
store: { maxBytes: 1KiB, timeout: 1ms }
";
    let variables = [("ROLLOUT_JUDGE__ALERTS__POLL", "1ms")];
    let found = load(text, &variables).unwrap_err().to_string();
    let keys: Vec<&str> = found
        .lines()
        .map(|line| line.split(": ").nth(1).unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "server.listn",
            "server.deadline",
            "server.maxStreams",
            "sources.default.kind",
            "sources.default.timeout",
            "sources.useless.timeout",
            "sources.useless.connectTimeout",
            "sources.useless.maxBytes",
            "sources.useless.maxSeries",
            "sources.useless.retries",
            "sources.useless.replicaLabels[0]",
            "sources.useless.replicaLabels[1]",
            "sources.other.url",
            "sources.other.maxSeries",
            "sources.other.timout",
            "policies.paths",
            "auth.tokens[0].token",
            "auth.tokens[0].nmespaces",
            "receivers.chat.perMinute",
            "receivers.chat.title",
            "routes[0].to[0]",
            "store.maxBytes",
            "store.timeout",
            "alerts.poll",
        ],
        "{found}"
    );
    for _ in 0..20 {
        assert_eq!(load(text, &variables).unwrap_err().to_string(), found);
    }
}
