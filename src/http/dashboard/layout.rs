//! The frame of every page.

use super::{
    assets,
    parts::{moment, text},
    view::{Place, View},
};
use crate::domain::{Millis, time::rfc3339};
use maud::{DOCTYPE, Markup, html};

/// The entries of the navigation: path, word.
const NAV: [(&str, &str); 4] = [
    ("rollouts", "Rollouts"),
    ("policies", "Policies"),
    ("sources", "Sources"),
    ("deliveries", "Deliveries"),
];

/// What a page shows.
#[derive(Debug, Clone)]
pub struct Content {
    title: String,
    body: Markup,
    area: &'static str,
    events: Option<String>,
    styles: Vec<&'static str>,
    scripts: Vec<&'static str>,
    retry: bool,
}

impl Content {
    /// A page: its title (the page itself has the `h1`) and what is inside `main`.
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            body,
            area: "",
            events: None,
            styles: Vec::new(),
            scripts: Vec::new(),
            retry: false,
        }
    }

    /// The entry of the navigation that it belongs to: `rollouts`.
    #[must_use]
    pub fn area(mut self, area: &'static str) -> Self {
        self.area = area;
        self
    }

    /// Keeps the page fresh: the query of `/v1/events` that names what concerns it (empty for everything).
    #[must_use]
    pub fn live(mut self, query: impl Into<String>) -> Self {
        self.events = Some(query.into());
        self
    }

    /// Files of `assets` that only this page needs.
    #[must_use]
    pub fn with(mut self, styles: &[&'static str], scripts: &[&'static str]) -> Self {
        self.styles.extend(styles);
        self.scripts.extend(scripts);
        self
    }

    /// The page is loaded anew after a few seconds: for errors that go away.
    #[must_use]
    pub fn retrying(mut self) -> Self {
        self.retry = true;
        self
    }
}

/// The whole document.
pub fn page(place: &Place, view: Option<&View>, now: Millis, content: &Content) -> Markup {
    let asset = |file: &str| place.to(&assets::path(file));
    let events = content.events.as_deref().map(|query| {
        let mark = if query.is_empty() { "" } else { "?" };
        place.to(&format!("v1/events{mark}{query}"))
    });
    text::harmless(html! {
        (DOCTYPE)
        html lang="en" data-now=(now) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if content.retry { meta http-equiv="refresh" content="5"; }
                title { (content.title) " · rollout-judge" }
                link rel="icon" type="image/svg+xml" href=(asset("icon.svg"));
                link rel="stylesheet" href=(asset("base.css"));
                @for file in &content.styles { link rel="stylesheet" href=(asset(file)); }
                // before the first paint: no flash of the other theme
                script src=(asset("theme.js")) {}
                script src=(asset("words.js")) defer {}
                script src=(asset("live.js")) defer {}
                @for file in &content.scripts { script src=(asset(file)) defer {} }
            }
            body data-events=[events] {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href=(place.to("rollouts")) { "rollout-judge" }
                    nav aria-label="Pages" {
                        ul {
                            @for (path, word) in NAV {
                                li { a href=(place.to(path)) aria-current=[(content.area == path).then_some("page")] { (word) } }
                            }
                        }
                    }
                    div.tools {
                        // filled in by live.js
                        p.live #live role="status" hidden { span.live-mark aria-hidden="true" {} span.live-text {} }
                        button.theme #theme type="button" hidden { "Theme" }
                        @if let Some(view) = view { (who(view)) }
                    }
                }
                main #main tabindex="-1" {
                    @if let Some(said) = view.and_then(|v| v.said) {
                        p.note.good role="status" { (said.text()) }
                    }
                    (content.body)
                }
                footer {
                    p {
                        "rollout-judge " (env!("CARGO_PKG_VERSION")) " · page of "
                        time #made datetime=(rfc3339(now)) { (moment::utc(now)) }
                        " · " a href=(place.to("openapi.json")) { "API" }
                    }
                }
            }
        }
    })
}

/// Who looks, and the way out.
fn who(view: &View) -> Markup {
    html! {
        @if view.signed_in {
            form method="post" action=(view.to("sign-out")) {
                input type="hidden" name="form" value=(view.form);
                span.who { (text::shown(&view.caller.name)) } " "
                button.linkish type="submit" { "Sign out" }
            }
        }
    }
}
