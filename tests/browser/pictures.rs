//! Every page in both themes looks as it did: `fixtures/screenshots`. `UPDATE=1` takes the present pictures instead.

use super::{
    compare::{difference, read, write},
    ground::Ground,
    tab::Tab,
};
use std::{fs, path::Path};

/// No picture is larger.
const LARGEST: u64 = 150 << 10;

/// What is another one each time becomes the same: clocks, ports, folders, speeds. Fonts are those that are installed by `./test`.
const STILL: &str = r"
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`html { scrollbar-gutter: auto !important; } * { font-family: 'DejaVu Sans' !important; caret-color: transparent !important; }
        code, code *, pre, pre *, .mono { font-family: 'DejaVu Sans Mono' !important; }`);
    document.adoptedStyleSheets = [sheet];
    const still = (e) => { e.removeAttribute('datetime'); e.textContent = /ago|^in /.test(e.textContent) ? '5 min ago' : e.dataset.form ? '12 min 30 s' : '2026-01-01 12:34:56'; };
    const recorded = (e) => /^2026-01-01/.test(e.getAttribute('datetime')) && !e.dataset.form;
    for (const e of document.querySelectorAll('time')) if (!recorded(e)) still(e);
    const speeds = ['Last answer', 'Time of a query', 'Since the start'];
    for (const e of document.querySelectorAll('dt')) if (speeds.includes(e.textContent)) e.nextElementSibling.textContent = 'as measured';
    for (const e of document.querySelectorAll('td[data-label^=Took]')) e.textContent = '5 ms';
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode;
        const text = node.data.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:8428').replace(/(?:\/[^\s\/]+)+\/(?=[\w-]+\.yaml)/g, '/etc/rollout-judge/')
            .replace('(nobody asks)', '').replace(/last took .*/, 'last took 5 ms').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-01-01T12:34:56Z');
        if (text !== node.data) node.data = text;
    }
    document.getElementById('live').hidden = true;
    return document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));";

#[test]
fn pages_look_as_they_did() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (kept, artefacts) = (
        root.join("fixtures/screenshots"),
        root.join("target/screenshots"),
    );
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    tab.size(1280, 900);
    for theme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", theme)]);
        for site in ground.sites() {
            // many rows that look alike
            if ["many-rollouts", "hostile-verdict"].contains(&site.name) {
                continue;
            }
            // the charts are further down
            let part = if site.name == "promoted" { "#walk" } else { "" };
            tab.settle(&format!("{}{part}", site.url));
            tab.run(STILL);
            let shot = tab.screenshot();
            let found = read(&shot);
            let name = format!("{}-{theme}", site.name);
            let place = kept.join(format!("{name}.png"));
            if update {
                write(&place, &found);
                let size = fs::metadata(&place).unwrap().len();
                assert!(size < LARGEST, "{}: {size} bytes", place.display());
                continue;
            }
            let current = artefacts.join(format!("{name}.png"));
            fs::create_dir_all(&artefacts).unwrap();
            fs::write(&current, &shot).unwrap();
            let Ok(expected) = fs::read(&place) else {
                wrong.push(format!(
                    "{}: is not there; UPDATE=1 makes it",
                    place.display()
                ));
                continue;
            };
            let expected = read(&expected);
            if let Some((why, marked)) = difference(&expected, &found) {
                let (was, diff) = (
                    artefacts.join(format!("{name}-expected.png")),
                    artefacts.join(format!("{name}-diff.png")),
                );
                write(&was, &expected);
                write(&diff, &marked);
                wrong.push(format!(
                    "{name}: {why}: {}, expected {}, where {}",
                    current.display(),
                    was.display(),
                    diff.display()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "\n{}\nUPDATE=1 cargo test --test browser pictures takes the present ones",
        wrong.join("\n")
    );
}
