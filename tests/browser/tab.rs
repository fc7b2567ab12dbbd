//! One browser of its own, driven step by step. Every method waits for its end and panics where it fails.

use super::driver;
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::{
    fs,
    future::Future,
    path::Path,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs in every document before anything else does.
const WATCH: &str = r"
    window.__seen = [];
    addEventListener('securitypolicyviolation', (e) => __seen.push(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`), true);
    addEventListener('error', (e) => __seen.push(`error: ${e.message || 'loading ' + (e.target.src || e.target.href)}`), true);
    addEventListener('unhandledrejection', (e) => __seen.push(`rejection: ${e.reason}`));
    document.addEventListener('dashboard:updated', () => { window.__updated = true; });
    window.alert = window.confirm = window.prompt = () => { window.__evil = 'a dialogue'; };
";

/// A browser with a profile of its own. It ends when it is dropped.
pub struct Tab {
    client: Client,
}

/// A command that only Chromium has.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

impl Tab {
    pub fn open() -> Self {
        let url = driver::url();
        let client = wait(async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(driver::capabilities())
                .connect(&url)
                .await
        });
        let tab = Self { client };
        tab.first(WATCH);
        tab.size(1280, 900);
        tab
    }

    /// Runs in every document from now on, before anything else does.
    pub fn first(&self, script: &str) {
        self.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({"source": script}),
        );
    }

    /// Waits for the load of the page.
    pub fn goto(&self, url: &str) {
        wait(self.client.goto(url));
    }

    /// The page, its stream of events, what happened before that was open, and its charts.
    pub fn settle(&self, url: &str) {
        self.goto(url);
        self.until(
            "the page is live",
            "const live = document.getElementById('live'), charts = document.getElementById('charts');
             return (!document.body.dataset.events || (live.dataset.state === 'live' && window.__updated))
                && (!charts || ['ready', 'empty'].includes(charts.dataset.state));",
        );
    }

    pub fn url(&self) -> String {
        wait(self.client.current_url()).to_string()
    }

    /// What a script returns; a promise is waited for.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.run_with(script, vec![])
    }

    #[track_caller]
    pub fn run_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        RUNTIME
            .block_on(self.client.execute(script, arguments))
            .unwrap_or_else(|e| panic!("{e}\nin {script}"))
    }

    /// Text of the first element that fits.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let found = self.run_with(
            "return document.querySelector(arguments[0])?.innerText ?? null",
            vec![json!(css)],
        );
        found
            .as_str()
            .map_or_else(|| panic!("no `{css}` on {}", self.url()), str::to_owned)
    }

    /// How many elements fit.
    pub fn count(&self, css: &str) -> u64 {
        let found = self.run_with(
            "return document.querySelectorAll(arguments[0]).length",
            vec![json!(css)],
        );
        found.as_u64().unwrap()
    }

    /// Asks the page until a script returns something true.
    #[track_caller]
    pub fn until(&self, what: &str, script: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            // a page that is being left has no answer
            let said = RUNTIME.block_on(self.client.execute(script, vec![]));
            match &said {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(found) => return found.clone(),
            }
            assert!(
                Instant::now() < end,
                "not so after {PATIENCE:?}: {what}; last: {said:?} on {}\n{}",
                self.url(),
                self.text("body")
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks on the first element that fits.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let element = self.find(css);
        RUNTIME
            .block_on(element.click())
            .unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Types into an empty field.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        wait(element.clear());
        wait(element.send_keys(text));
    }

    #[track_caller]
    fn find(&self, css: &str) -> fantoccini::elements::Element {
        RUNTIME
            .block_on(self.client.find(Locator::Css(css)))
            .unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    /// Presses a key where the focus is.
    pub fn key(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        wait(self.client.perform_actions(keys));
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let own = Own {
            path: "goog/cdp/execute",
            body: json!({"cmd": command, "params": parameters}),
        };
        RUNTIME
            .block_on(self.client.issue_cmd(own))
            .unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Size of what is seen, CSS pixels.
    pub fn size(&self, width: u32, height: u32) {
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Pages run no script any more; those of the test still do.
    pub fn without_scripts(&self) {
        let value = json!({"value": true});
        self.devtools("Emulation.setScriptExecutionDisabled", &value);
    }

    /// What media queries see: `[("prefers-color-scheme", "dark")]`; `media` is empty or `print`.
    pub fn media(&self, media: &str, features: &[(&str, &str)]) {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"media": media, "features": features}),
        );
    }

    /// New entries of a log: `browser` or `performance`.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        let own = Own {
            path: "se/log",
            body: json!({"type": kind}),
        };
        let Value::Array(entries) = wait(self.client.issue_cmd(own)) else {
            panic!("a log is a list")
        };
        entries
    }

    /// What is seen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        wait(self.client.screenshot())
    }

    /// Keeps a picture for whoever looks, beside those that are compared.
    pub fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), self.screenshot()).unwrap();
    }

    /// Errors and violations of the policy so far, but for the status of `expected`, the page itself.
    pub fn complaints(&self, expected: &str) -> Vec<String> {
        let mut found: Vec<String> = self
            .log("browser")
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .filter(|message| {
                !(message.starts_with(expected) && message.contains("the server responded with"))
            })
            .collect();
        let seen = self.run("return window.__seen");
        let seen = seen.as_array().unwrap();
        found.extend(seen.iter().map(ToString::to_string));
        found
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // the driver may be gone already
        let _ = RUNTIME.block_on(self.client.clone().close());
    }
}

#[track_caller]
fn wait<T, E: std::fmt::Display>(work: impl Future<Output = Result<T, E>>) -> T {
    RUNTIME.block_on(work).unwrap_or_else(|e| panic!("{e}"))
}

/// Asks until it holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not so after {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
