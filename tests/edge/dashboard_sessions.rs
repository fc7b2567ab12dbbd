//! Sign-in, sessions, and what a session may see and do.

use super::{
    dashboard::page,
    dashboard_forms::{OWN, form, held},
    double::{NOW, call, get},
    ground::{Ground, Judged},
};
use axum::{Router, body::Body, http::Request};
use rollout_judge::{
    domain::VerdictStore,
    http::{Auth, Limits, Token},
};
use std::time::Duration;

const OVERRIDE: &str = "/rollouts/shop/checkout/override";

fn with_cookie(mut request: Request<Body>, cookie: &str) -> Request<Body> {
    request
        .headers_mut()
        .insert("cookie", cookie.parse().unwrap());
    request
}

/// The cookie of a session that was begun with this token.
async fn sign_in(router: &Router, secret: &str) -> String {
    let sent = form(
        "/sign-in",
        &[OWN],
        &format!("token={secret}&next=%2Fpolicies%3Fa%3Db"),
    );
    let (head, _) = call(router.clone(), sent).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["location"]),
        (303, &"./policies?a=b".parse().unwrap())
    );
    let cookie = head.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

async fn ground() -> Ground {
    let ground = Ground::new().await.tokens();
    ground.keep(Judged::default()).await;
    let other = Judged {
        namespace: "bank".into(),
        rollout: "ledger".into(),
        ..Judged::default()
    };
    ground.keep(other).await;
    ground
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_sign_in_and_back() {
    let router = ground().await.router();
    for (path, to) in [
        ("/rollouts", "./sign-in?next=/rollouts"),
        (
            "/rollouts?q=a%26b",
            "./sign-in?next=/rollouts%3Fq%3Da%2526b",
        ),
        (
            "/rollouts/shop/checkout",
            "../../sign-in?next=/rollouts/shop/checkout",
        ),
        (
            OVERRIDE,
            "../../../sign-in?next=/rollouts/shop/checkout/override",
        ),
        ("/policies", "./sign-in?next=/policies"),
        ("/sources", "./sign-in?next=/sources"),
        ("/deliveries", "./sign-in?next=/deliveries"),
    ] {
        let (head, body) = call(router.clone(), get(path)).await;
        assert_eq!(
            (
                head.status().as_u16(),
                head.headers()["location"].to_str().unwrap()
            ),
            (303, to)
        );
        assert!(body.is_empty());
    }
    let (head, _) = call(router.clone(), form(OVERRIDE, &[OWN], "verdict=pass")).await;
    assert_eq!(head.status(), 303);
    // what a program asks for stays a problem for programs
    assert_eq!(call(router, get("/v1/rollouts")).await.0.status(), 401);
}

#[tokio::test]
async fn a_wrong_token_is_told_and_foreign_forms_are_refused() {
    let router = ground().await.router();
    for (secret, told) in [
        ("", "Give a token"),
        ("nonsense", "This is not one of"),
        ("ann", "This is not one of"),
    ] {
        let sent = form(
            "/sign-in",
            &[OWN],
            &format!("token={secret}&next=%2F%2Fevil.example"),
        );
        let (head, body) = call(router.clone(), sent).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(head.status(), 403);
        assert!(text.contains(told) && !text.contains("nonsense"), "{text}");
        assert!(head.headers().get("set-cookie").is_none());
    }
    let foreign = form(
        "/sign-in",
        &[("sec-fetch-site", "cross-site")],
        "token=ann-secret",
    );
    let (head, _) = call(router, foreign).await;
    assert_eq!(head.status(), 403);
    assert!(head.headers().get("set-cookie").is_none());
}

#[tokio::test]
async fn a_session_sees_and_does_what_its_token_may() {
    let ground = ground().await;
    let router = ground.router();
    for (name, bank, may) in [
        ("all", true, false),
        ("shop", false, false),
        ("ann", false, true),
    ] {
        let cookie = sign_in(&router, &format!("{name}-secret")).await;
        let (status, text) = page(&router, with_cookie(get("/rollouts"), &cookie)).await;
        assert_eq!(status, 200);
        assert!(text.contains(">checkout<") && text.contains(&format!("<bdi>{name}</bdi>")));
        assert_eq!(text.contains(">ledger<"), bank, "{name}");
        let (status, _) = page(
            &router,
            with_cookie(get("/rollouts?namespace=bank"), &cookie),
        )
        .await;
        assert_eq!(status, if bank { 200 } else { 403 });
        let (status, _) = page(&router, with_cookie(get("/rollouts/bank/ledger"), &cookie)).await;
        assert_eq!(status, if bank { 200 } else { 403 });
        let (_, text) = page(&router, with_cookie(get(OVERRIDE), &cookie)).await;
        assert_eq!(text.contains("name=\"verdict\""), may, "{name}: {text}");
        let token = held(&text);
        let fields = format!("form={token}&canary=6c9f8d7b5&verdict=fail&reason=why&preset=30m");
        let sent = form(OVERRIDE, &[OWN, ("cookie", &cookie)], &fields);
        assert_eq!(page(&router, sent).await.0, if may { 303 } else { 403 });
        // the page's own calls: reads with the cookie, changes never
        let (status, _) = page(&router, with_cookie(get("/v1/rollouts"), &cookie)).await;
        assert_eq!(status, 200);
        let body = r#"{"verdict": "pass", "reason": "why", "expires": "2h"}"#;
        let sent = with_cookie(
            super::double::post("/v1/rollouts/shop/checkout/override", body),
            &cookie,
        );
        assert_eq!(page(&router, sent).await.0, 401);
    }
    let kept = ground
        .store
        .overrides("shop", "checkout", 10)
        .await
        .unwrap();
    assert_eq!((kept.len(), kept[0].author.as_str()), (1, "ann"));
}

#[tokio::test]
async fn forged_old_and_foreign_sessions_are_nothing() {
    let ground = ground().await;
    let router = ground.router();
    let cookie = sign_in(&router, "ann-secret").await;
    let value = cookie.split_once('=').unwrap().1.to_owned();
    let parts: Vec<&str> = value.split('.').collect();
    let [name, expires, signature] = parts[..] else {
        panic!("{value}")
    };
    let later = (expires.parse::<i64>().unwrap() + 1).to_string();
    for (forged, accepted) in [
        (value.clone(), true),
        (format!("{name}.{later}.{signature}"), false),
        // the signature of another token
        (format!("YWxs.{expires}.{signature}"), false),
        (format!("{name}.{expires}."), false),
        (format!("{name}.{expires}.{}", &signature[1..]), false),
        (format!("{name}.{expires}.{signature}x"), false),
        (String::new(), false),
        ("...".into(), false),
    ] {
        let request = with_cookie(
            get("/rollouts"),
            &format!("a=b; rollout-judge-session={forged}"),
        );
        assert_eq!(
            page(&router, request).await.0,
            if accepted { 200 } else { 303 },
            "{forged}"
        );
    }
    // another replica takes it, until it is over
    let replica = Ground::over(&ground).tokens();
    let ask = || with_cookie(get("/rollouts"), &cookie);
    assert_eq!(page(&replica.router(), ask()).await.0, 200);
    replica.clock.set(NOW + 43_200_000 - 1);
    assert_eq!(page(&replica.router(), ask()).await.0, 200);
    replica.clock.set(NOW + 43_200_000);
    assert_eq!(page(&replica.router(), ask()).await.0, 303);
    // and it dies with its token
    let rotated = Auth::tokens(vec![Token::new("ann", "another-secret", None)]);
    assert_eq!(
        page(&Ground::over(&ground).auth(rotated).router(), ask())
            .await
            .0,
        303
    );
}

#[tokio::test]
async fn its_length_is_a_setting_and_it_is_for_https_where_that_is_public() {
    let auth = Auth::tokens(vec![Token::new("ann", "ann-secret", None)])
        .session_ttl(Duration::from_mins(5));
    let ground = Ground::new().await.auth(auth).limits(Limits {
        public_url: "https://judge.example.org".into(),
        ..Limits::default()
    });
    let sent = form(
        "/sign-in",
        &[("origin", "https://judge.example.org")],
        "token=ann-secret&next=%2F%2Fevil",
    );
    let (head, _) = call(ground.router(), sent).await;
    assert_eq!(head.headers()["location"], "./rollouts");
    let cookie = head.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("Max-Age=300") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn signing_out_needs_the_form_and_ends_the_cookie() {
    let router = ground().await.router();
    let cookie = sign_in(&router, "all-secret").await;
    let (_, text) = page(&router, with_cookie(get("/rollouts"), &cookie)).await;
    let out = |token: &str| {
        form(
            "/sign-out",
            &[OWN, ("cookie", &cookie)],
            &format!("form={token}"),
        )
    };
    assert_eq!(page(&router, out("x")).await.0, 403);
    let (head, _) = call(router, out(&held(&text))).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["location"]),
        (303, &"./sign-in".parse().unwrap())
    );
    let ended = head
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|c| c.to_str().unwrap());
    assert!(
        ended
            .into_iter()
            .any(|c| c.starts_with("rollout-judge-session=;") && c.contains("Max-Age=0"))
    );
}
