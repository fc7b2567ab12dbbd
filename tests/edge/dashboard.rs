//! The pages: what they show, what binds the browser, what they say when something is wrong.

use super::{
    double::{NOW, call, get},
    ground::{Ground, Judged},
};
use axum::{Router, body::Body, http::Request};
use rollout_judge::{
    config::source::{Kind, SourceSettings},
    domain::{Outcome, SourceKind, VerdictStore},
    http::{About, ReceiverAbout, SourceAbout},
};

/// A page as a browser asks for it: status and text.
pub async fn page(router: &Router, request: Request<Body>) -> (u16, String) {
    let (head, body) = call(router.clone(), request).await;
    (head.status().as_u16(), String::from_utf8(body).unwrap())
}

/// The text of a page that is there.
pub async fn shown(router: &Router, path: &str) -> String {
    let (status, text) = page(router, get(path)).await;
    assert_eq!(status, 200, "{path}: {text}");
    text
}

async fn judged() -> Ground {
    let ground = Ground::new().await.about(About {
        sources: vec![SourceAbout {
            name: "default".into(),
            kind: SourceKind::Prometheus,
            address: Some(
                SourceSettings::new(Kind::Prometheus, "http://u:p@prom:9090/x?token=y").address(),
            ),
            link: None,
        }],
        receivers: vec![ReceiverAbout {
            name: "chat".into(),
            kind: "slack".into(),
        }],
    });
    ground.keep(Judged::default()).await;
    let fails = Judged {
        rollout: "cart".into(),
        outcome: Outcome::Fail,
        ..Judged::default()
    };
    ground.keep(fails).await;
    let other = Judged {
        namespace: "bank".into(),
        rollout: "ledger".into(),
        policy: "gone".into(),
        outcome: Outcome::Inconclusive,
        at: NOW - 60_000,
        ..Judged::default()
    };
    ground.keep(other).await;
    ground
}

const PAGES: [&str; 8] = [
    "/rollouts",
    "/rollouts/shop/checkout",
    "/rollouts/shop/checkout/override",
    "/policies",
    "/policies/http-service",
    "/sources",
    "/deliveries",
    "/sign-in",
];

#[tokio::test]
async fn every_page_is_bound_and_has_nothing_inline() {
    let router = judged().await.router();
    for path in PAGES
        .into_iter()
        .chain(["/nowhere", "/rollouts/shop/nobody/override"])
    {
        let mut request = get(path);
        request
            .headers_mut()
            .insert("accept", "text/html".parse().unwrap());
        let (head, body) = call(router.clone(), request).await;
        let text = String::from_utf8(body).unwrap();
        let there = head.status() == 200;
        assert_eq!(there, PAGES.contains(&path), "{path}: {}", head.status());
        let header = |name: &str| head.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("content-type").starts_with("text/html"));
        for inline in [
            " style=",
            "<style",
            " onclick=",
            " onload=",
            "javascript:",
            "http://cdn",
            "https://",
        ] {
            assert!(!text.contains(inline), "{path} has {inline}");
        }
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, text.matches("<script src=\"").count(), "{path}");
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
        assert!(
            text.starts_with("<!DOCTYPE html><html lang=\"en\""),
            "{path}"
        );
        let labels = text.matches("<main").count() + text.matches("<title>").count();
        assert_eq!(
            labels,
            2 + text.matches("<svg class=\"spark\"").count(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn links_lead_from_any_depth_and_any_prefix() {
    let router = judged().await.router();
    for (path, link) in [
        ("/rollouts", "href=\"./policies\""),
        ("/rollouts/shop/checkout", "href=\"../../policies\""),
        (
            "/rollouts/shop/checkout/override",
            "href=\"../../../policies\"",
        ),
    ] {
        assert!(shown(&router, path).await.contains(link), "{path}");
    }
    let (head, _) = call(router, get("/")).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["location"]),
        (303, &"./rollouts".parse().unwrap())
    );
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_the_name_of_their_content() {
    let router = judged().await.router();
    let text = shown(&router, "/rollouts").await;
    let names: Vec<&str> = text
        .split('"')
        .filter(|t| t.starts_with("./assets/"))
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let path = name.trim_start_matches('.');
        let (head, body) = call(router.clone(), get(path)).await;
        assert_eq!(head.status(), 200, "{path}");
        assert!(!body.is_empty());
        let kept = head.headers()["cache-control"].to_str().unwrap();
        assert!(kept.contains("immutable"), "{kept}");
        let mut again = get(path);
        again
            .headers_mut()
            .insert("if-none-match", head.headers()["etag"].clone());
        let (head, body) = call(router.clone(), again).await;
        assert_eq!((head.status().as_u16(), body.len()), (304, 0));
    }
    for gone in [
        "/assets/base.css",
        "/assets/base.000000000000.css",
        "/assets/..%2fmod.rs",
        "/assets/x",
    ] {
        assert_eq!(
            call(router.clone(), get(gone)).await.0.status(),
            404,
            "{gone}"
        );
    }
}

#[tokio::test]
async fn the_list_is_narrowed_by_its_address() {
    let router = judged().await.router();
    for (query, there, absent) in [
        ("", vec!["checkout", "cart", "ledger"], vec![]),
        ("?q=CHECK", vec!["checkout"], vec![">cart<", "ledger"]),
        ("?namespace=bank", vec!["ledger"], vec!["checkout"]),
        (
            "?namespace=&policy=&verdict=&q=",
            vec!["checkout", "cart", "ledger"],
            vec![],
        ),
        ("?verdict=fail", vec![">cart<"], vec!["checkout", "ledger"]),
        (
            "?policy=gone",
            vec!["ledger", "<option value=\"gone\" selected>"],
            vec!["checkout"],
        ),
        (
            "?q=nobody",
            vec!["No rollout here", "Show all rollouts"],
            vec!["checkout"],
        ),
    ] {
        let text = shown(&router, &format!("/rollouts{query}")).await;
        for word in there {
            assert!(text.contains(word), "{query}: no {word}");
        }
        for word in absent {
            assert!(!text.contains(word), "{query}: {word}");
        }
    }
    // what fails comes first
    let text = shown(&router, "/rollouts").await;
    assert!(text.find(">cart<") < text.find(">checkout<"), "{text}");
    // a mistake is told beside the form, and what was typed stays
    for (query, field, typed) in [
        ("?namespace=A%20B", "namespace", "value=\"A B\""),
        ("?verdict=perhaps", "verdict", "not a verdict"),
    ] {
        let (status, text) = page(&router, get(&format!("/rollouts{query}"))).await;
        assert_eq!(status, 400);
        let marked = format!("id=\"{field}\"");
        let place = text.find(&marked).unwrap();
        assert!(
            text[place..]
                .split('>')
                .next()
                .unwrap()
                .contains("aria-invalid=\"true\""),
            "{text}"
        );
        assert!(text.contains(typed) && text.contains("role=\"alert\""));
    }
}

#[tokio::test]
async fn pages_of_the_list_follow_each_other() {
    let ground = Ground::new().await;
    for i in 0..60 {
        let one = Judged {
            rollout: format!("r{i:02}"),
            outcome: if i == 59 {
                Outcome::Fail
            } else {
                Outcome::Pass
            },
            ..Judged::default()
        };
        ground.keep(one).await;
    }
    let router = ground.router();
    let first = shown(&router, "/rollouts").await;
    assert!(first.contains(">r49<") && !first.contains(">r50<"));
    assert!(first.contains("Failing now, not on this page") && first.contains(">r59<"));
    let next = first.split('"').find(|t| t.contains("cursor=")).unwrap();
    let second = shown(&router, next.trim_start_matches('.')).await;
    assert!(second.contains(">r50<") && second.contains(">r59<") && !second.contains(">r49<"));
    assert!(second.contains("First page"));
    let (status, text) = page(&router, get("/rollouts?cursor=nonsense")).await;
    assert_eq!(status, 400);
    assert!(text.contains("begin anew"));
}

#[tokio::test]
async fn hostile_text_is_only_text() {
    let ground = Ground::new().await;
    let hostile = "<img src=x onerror=alert(1)>\u{202e}\"'&";
    ground
        .store
        .change(super::deliveries::told(hostile))
        .await
        .unwrap();
    let router = ground.router();
    let text = shown(&router, "/deliveries").await;
    assert!(
        text.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{text}"
    );
    assert!(text.contains("U+202E") && !text.contains('\u{202e}') && !text.contains("<img"));
    let query = "/rollouts?policy=%3Cscript%3E&q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let (_, text) = page(&router, get(query)).await;
    assert!(
        !text.contains("<script>") && text.contains("&quot;&gt;&lt;script&gt;"),
        "{text}"
    );
    let (status, text) = page(
        &router,
        get("/policies/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
    )
    .await;
    assert_eq!(status, 404);
    assert!(
        !text.contains("<script>alert") && text.contains("&lt;script&gt;"),
        "{text}"
    );
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_browsers_only() {
    let router = judged().await.router();
    for (path, accept, html) in [
        ("/nowhere", "text/html,*/*", true),
        ("/nowhere", "*/*", false),
        ("/v1/nowhere", "text/html", false),
    ] {
        let mut request = get(path);
        request
            .headers_mut()
            .insert("accept", accept.parse().unwrap());
        let (status, text) = page(&router, request).await;
        assert_eq!(
            (status, text.starts_with("<!DOCTYPE")),
            (404, html),
            "{path} {accept}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_a_page_that_tries_again() {
    let ground = judged().await;
    let router = ground.router();
    ground.store.cut(true);
    for path in [
        "/rollouts",
        "/deliveries",
        "/policies/http-service",
        "/rollouts/shop/checkout/override",
    ] {
        let (head, body) = call(router.clone(), get(path)).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(head.status(), 503, "{path}");
        assert_eq!(head.headers()["retry-after"], "5");
        assert!(
            text.contains("http-equiv=\"refresh\"") && text.contains("The store does not answer"),
            "{text}"
        );
    }
    // what is in memory is shown all the same
    let text = shown(&router, "/sources").await;
    for word in [
        "The store does not answer",
        "http://prom:9090/x",
        "not known",
    ] {
        assert!(text.contains(word), "no {word}: {text}");
    }
    // a form is not sent again by itself
    let sent = super::dashboard_forms::form("/rollouts", &[], "");
    let (status, text) = page(&router, sent).await;
    assert_eq!(status, 405);
    assert!(
        text.contains("does not take this method") && !text.contains("refresh"),
        "{text}"
    );
    ground.store.cut(false);
    shown(&router, "/rollouts").await;
    let (status, _) = page(&router, get("/deliveries?state=lost")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn sources_are_shown_without_credentials() {
    let text = shown(&judged().await.router(), "/sources").await;
    for word in [
        "http://prom:9090/x",
        "prometheus",
        "none since this process began",
        "http-service",
        "chat",
        "slack",
    ] {
        assert!(text.contains(word), "no {word}: {text}");
    }
    assert!(!text.contains("u:p@") && !text.contains("token=y"));
}

#[tokio::test]
async fn a_policy_has_its_rules_users_and_revisions() {
    let router = judged().await.router();
    let text = shown(&router, "/policies/http-service").await;
    for word in [
        "sha256:0123456789abcdef",
        "error-rate",
        "10\u{202f}% of stable plus 0.05\u{202f}percentage points",
        "shop/checkout",
        "in force",
        "What it would have said",
    ] {
        assert!(text.contains(word), "no {word}: {text}");
    }
    // it judged once, and is not loaded any more
    let text = shown(&router, "/policies/gone").await;
    assert!(
        text.contains("No policy of this name is loaded any more") && text.contains("bank/ledger")
    );
    let (status, _) = page(&router, get("/policies/never")).await;
    assert_eq!(status, 404);
    for (query, status) in [
        ("hindsight=10", 200),
        ("hindsight=0", 400),
        ("hindsight=51", 400),
        ("hindsight=x", 400),
    ] {
        let (found, text) = page(&router, get(&format!("/policies/http-service?{query}"))).await;
        assert_eq!(found, status, "{query}: {text}");
        // what was asked for once is not asked for again with every event
        assert!(status != 200 || !text.contains("data-events"));
    }
}
