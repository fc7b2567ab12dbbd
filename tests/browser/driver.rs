//! ChromeDriver, once for the whole run, and how Chromium is started.

use super::{
    leash,
    support::process::{Process, Start, program},
};
use fantoccini::wd::Capabilities;
use serde_json::{Value, json};
use std::{fs, path::Path, sync::LazyLock, time::Duration};
use tempfile::TempDir;

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// ChromeDriver and the folder in which it keeps the profiles of its browsers.
struct Driver {
    process: Process,
}

static DRIVER: LazyLock<Driver> = LazyLock::new(|| {
    let folder = TempDir::with_prefix("browsers").unwrap().keep();
    let temporary = format!("TMPDIR={}", folder.display());
    let arguments = |port: u16| {
        vec![
            "TZ=UTC".to_owned(),
            "LANG=en_US.UTF-8".to_owned(),
            temporary.clone(),
            CHROMEDRIVER.to_owned(),
            format!("--port={port}"),
            "--log-level=WARNING".to_owned(),
        ]
    };
    let process = Process::start(&Start {
        name: "chromedriver",
        program: Path::new("/usr/bin/env"),
        arguments: &arguments,
        ready: "/status",
        within: Duration::from_mins(1),
        port: None,
    });
    leash::hold(&[process.id()], &[&folder]);
    Driver { process }
});

/// Address of the driver; panics with what to install where something is missing.
pub fn url() -> String {
    program(CHROMIUM, "chromium");
    program(CHROMEDRIVER, "chromium-driver");
    // of the packages with this font, the smallest
    let font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
    program(font, "fonts-dejavu-core");
    DRIVER.process.url("")
}

/// A browser that looks the same on every machine.
pub fn capabilities() -> Capabilities {
    let options = json!({
        "binary": CHROMIUM,
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US",
            "--force-device-scale-factor=1", "--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb",
            "--hide-scrollbars", "--disable-extensions", "--disable-sync", "--disable-background-networking",
            "--disable-component-update", "--no-first-run", "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding", "--window-size=1280,900",
        ],
        "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false},
    });
    let all = json!({
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "unhandledPromptBehavior": "ignore",
    });
    let Value::Object(all) = all else {
        unreachable!("an object was written above")
    };
    all
}

/// axe-core, from the package of this name; `./test` puts it there.
pub fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser/axe.min.js");
    fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!(
            "{}: {e}; run `./test axe`, which gets it from the npm registry",
            path.display()
        )
    })
}
