//! Dark and light, quiet, printed and narrow.

use super::{ground::Ground, tab::Tab};
use serde_json::{Value, json};

/// Waits until the ground is light or dark: a change of the system arrives with the next frame.
#[track_caller]
fn becomes(tab: &Tab, theme: &str, why: &str) {
    let light = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number); return (r + g + b) / 765";
    super::tab::until(why, || {
        let light = tab.run(light).as_f64().unwrap();
        if theme == "light" {
            light > 0.8
        } else {
            light < 0.2
        }
    });
}

#[test]
fn the_theme_is_the_systems_until_one_is_chosen() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let page = ground.open.url("/rollouts?namespace=shop");
    tab.media("", &[("prefers-color-scheme", "dark")]);
    tab.settle(&page);
    becomes(&tab, "dark", "as the system is");
    tab.media("", &[("prefers-color-scheme", "light")]);
    becomes(&tab, "light", "it follows the system");
    tab.click("#theme");
    becomes(&tab, "dark", "the toggle chooses");
    let name = tab.run("return document.getElementById('theme').getAttribute('aria-label')");
    assert_eq!(name, json!("Switch to the light theme"));
    tab.settle(&ground.open.url("/policies"));
    becomes(&tab, "dark", "the choice stays");
    tab.click("#theme");
    tab.media("", &[("prefers-color-scheme", "dark")]);
    becomes(&tab, "light", "also against the system");
    // without a script the system decides
    tab.without_scripts();
    tab.goto(&page);
    becomes(&tab, "dark", "as the system is");
}

#[test]
fn charts_follow_the_theme() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.settle(&ground.open.url("/rollouts/shop/healthy-basic"));
    let picture =
        "return [...document.querySelectorAll('#charts canvas')].map((c) => c.toDataURL())";
    let light = tab.run(picture);
    tab.click("#theme");
    let changed = "const now = [...document.querySelectorAll('#charts canvas')].map((c) => c.toDataURL()); return now.every((p, i) => p !== arguments[0][i])";
    super::tab::until("every chart is drawn anew", || {
        tab.run_with(changed, vec![light.clone()]) == json!(true)
    });
    assert!(light.as_array().unwrap().len() >= 4);
}

#[test]
fn nothing_moves_for_those_who_ask_for_it() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.media("", &[("prefers-reduced-motion", "reduce")]);
    for site in ground.sites() {
        tab.settle(&site.url);
        let moving = tab.run(
            "if (!matchMedia('(prefers-reduced-motion: reduce)').matches) return 'motion is not reduced here';
             return [...document.querySelectorAll('*')].flatMap((e) => [null, '::before', '::after'].map((part) => [e, getComputedStyle(e, part)])).filter(([, s]) =>
                s.animationName !== 'none' || s.transitionDuration.split(',').some((d) => parseFloat(d) > 0) || s.scrollBehavior === 'smooth')
             .map(([e]) => e.outerHTML.slice(0, 100)).concat(document.getAnimations().map(String))",
        );
        assert_eq!(moving, json!([]), "{}", site.name);
    }
    // a rule that moved something would be overruled, and holds without the wish
    let planted = "const sheet = new CSSStyleSheet();
         sheet.replaceSync('@keyframes turn { to { opacity: 0; } } h1 { animation: turn 9s infinite; transition: color 9s; } html { scroll-behavior: smooth; }');
         document.adoptedStyleSheets = [sheet];
         const s = getComputedStyle(document.querySelector('h1'));
         return [s.animationName, s.transitionDuration, getComputedStyle(document.documentElement).scrollBehavior, document.getAnimations().length]";
    assert_eq!(tab.run(planted), json!(["none", "0s", "auto", 0]));
    tab.media("", &[]);
    assert_eq!(tab.run(planted), json!(["turn", "9s", "smooth", 1]));
}

#[test]
fn a_page_can_be_printed() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    // dark on the screen, ink on paper
    tab.media("", &[("prefers-color-scheme", "dark")]);
    tab.settle(&ground.open.url("/rollouts/shop/error-step"));
    tab.media("print", &[("prefers-color-scheme", "dark")]);
    let shown = tab.run(
        "const s = (css) => { const e = document.querySelector(css); return e ? getComputedStyle(e).display : 'absent'; };
         return [s('header.top nav'), s('#theme'), s('.skip'), s('.onscreen'), getComputedStyle(document.querySelector('#walk')).breakAfter, getComputedStyle(document.querySelector('h1')).color, getComputedStyle(document.body).backgroundColor,
            document.querySelector('table').getBoundingClientRect().height > 0, getComputedStyle(document.querySelector('.scroll')).overflowX]",
    );
    assert_eq!(
        shown,
        json!([
            "none",
            "none",
            "none",
            "none",
            "avoid",
            "rgb(0, 0, 0)",
            "rgb(255, 255, 255)",
            true,
            "visible"
        ])
    );
    let paper = tab.devtools("Page.printToPDF", &json!({"printBackground": true}));
    let paper = paper["data"].as_str().unwrap();
    // `%PDF-` in base64
    assert!(paper.starts_with("JVBERi") && paper.len() > 10_000);
    tab.media("", &[("prefers-color-scheme", "dark")]);
    becomes(&tab, "dark", "the screen is as it was");
}

#[test]
fn printed_pages_fit_on_a4() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    // 210 mm without two margins of 12 mm
    tab.size(703, 1000);
    let mut wide = Vec::new();
    for site in ground.sites() {
        tab.media("", &[]);
        tab.settle(&site.url);
        tab.media("print", &[]);
        let found = tab.run(
            "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
                .slice(0, 5).map((e) => e.outerHTML.slice(0, 160))",
        );
        if found != json!([]) {
            wide.push(format!("{}: {found}", site.name));
        }
    }
    assert!(wide.is_empty(), "\n{}", wide.join("\n"));
}

#[test]
fn narrow_screens_scroll_one_way() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.size(320, 640);
    let mut wide = Vec::new();
    for site in ground.sites() {
        tab.settle(&site.url);
        tab.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
        // a walk of many steps
        let cut = tab.run(
            "const tracks = [...document.querySelectorAll('.track')].filter((t) => t.checkVisibility());
             for (const t of tracks) for (const w of [33.33, 0.0001, 66.67]) { const li = t.lastElementChild.cloneNode(true); li.querySelector('.stop').textContent = w; t.append(li); }
             return tracks.filter((t) => t.lastElementChild.getBoundingClientRect().right > innerWidth || t.closest('.scroll')?.scrollWidth > t.closest('.scroll')?.clientWidth).length",
        );
        if cut != json!(0) {
            wide.push(format!("{}: {cut} tracks are cut off", site.name));
        }
        let found = tab.run(
            "if (document.scrollingElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth) return null;
             return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest('.scroll'))
                .slice(0, 5).map((e) => e.outerHTML.slice(0, 160))",
        );
        if found != Value::Null {
            wide.push(format!("{}: {found}", site.name));
        }
        // whatever a finger must hit is 24 px high
        let small = tab.run(
            "return [...document.querySelectorAll('button, select, .button, nav a, input:not([type=hidden])')].filter((e) => e.checkVisibility())
                .filter((e) => { const b = (e.closest('label') ?? e).getBoundingClientRect(); return b.height > 0 && b.height < 20; }).map((e) => e.outerHTML.slice(0, 120))",
        );
        if small != json!([]) {
            wide.push(format!("{}: too small: {small}", site.name));
        }
    }
    assert!(wide.is_empty(), "\n{}", wide.join("\n"));
}
