//! Forms of the pages: who may send them, from where, and what they come to.

use super::{
    dashboard::{page, shown},
    double::{NOW, call, get},
    ground::{Ground, Judged},
};
use axum::{Router, body::Body, http::Request};
use rollout_judge::{
    domain::VerdictStore,
    http::{Auth, Limits},
};

const PATH: &str = "/rollouts/shop/checkout/override";
pub const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A form as a browser sends it.
pub fn form(path: &str, headers: &[(&str, &str)], fields: &str) -> Request<Body> {
    let mut request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(fields.to_owned())).unwrap()
}

/// The cookie of a page for `cookies`, and what its forms hold.
pub async fn opened(router: &Router, path: &str) -> (String, String) {
    let (head, body) = call(router.clone(), get(path)).await;
    let text = String::from_utf8(body).unwrap();
    let cookie = head.headers().get_all("set-cookie").iter();
    let cookie = cookie
        .map(|c| c.to_str().unwrap())
        .find(|c| c.starts_with("rollout-judge-form"))
        .unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    (cookie.split(';').next().unwrap().to_owned(), held(&text))
}

/// What the forms of a page hold.
pub fn held(text: &str) -> String {
    let place = text.split("name=\"form\" value=\"").nth(1).unwrap();
    place.split('"').next().unwrap().to_owned()
}

async fn open() -> Ground {
    let ground = Ground::new().await;
    ground.keep(Judged::default()).await;
    ground
}

fn fields(token: &str) -> String {
    format!(
        "form={token}&canary=6c9f8d7b5&verdict=pass&reason=known+bug+%26+more&preset=2h&expires="
    )
}

async fn overrides(ground: &Ground) -> usize {
    ground
        .store
        .overrides("shop", "checkout", 10)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn an_override_is_made_and_taken_back() {
    let ground = open().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    let (head, _) = call(router.clone(), form(PATH, &headers, &fields(&token))).await;
    assert_eq!(head.status(), 303);
    assert_eq!(
        head.headers()["location"],
        "../../../rollouts/shop/checkout"
    );
    let said = head.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let kept = ground
        .store
        .overrides("shop", "checkout", 10)
        .await
        .unwrap();
    assert_eq!(
        (kept[0].reason.as_str(), kept[0].author.as_str()),
        ("known bug & more", "anonymous")
    );
    assert_eq!(kept[0].expires, NOW + 7_200_000);
    // told once
    let mut next = get("/rollouts/shop/checkout");
    next.headers_mut()
        .insert("cookie", format!("{cookie}; {said}").parse().unwrap());
    let (head, body) = call(router.clone(), next).await;
    assert!(
        String::from_utf8(body)
            .unwrap()
            .contains("The override is in force")
    );
    let over = head.headers()["set-cookie"].to_str().unwrap();
    assert!(
        over.starts_with("rollout-judge-said=;") && over.contains("Max-Age=0"),
        "{over}"
    );

    let text = shown(&router, PATH).await;
    assert!(
        text.contains("known bug &amp; more") && text.contains("Take the override back"),
        "{text}"
    );
    let back = format!("{PATH}/take-back");
    let (head, _) = call(
        router.clone(),
        form(&back, &headers, &format!("form={token}")),
    )
    .await;
    assert_eq!(head.status(), 303);
    assert_eq!(
        head.headers()["location"],
        "../../../../rollouts/shop/checkout"
    );
    let kept = ground
        .store
        .overrides("shop", "checkout", 10)
        .await
        .unwrap();
    assert!(kept[0].revoked.is_some());
    // nothing is left to take back
    assert_eq!(
        call(router, form(&back, &headers, &format!("form={token}")))
            .await
            .0
            .status(),
        404
    );
}

#[tokio::test]
async fn forms_of_other_sites_and_sessions_are_refused() {
    let ground = open().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let (other_cookie, other_token) = opened(&router, PATH).await;
    assert_ne!(token, other_token);
    let cookie = ("cookie", cookie.as_str());
    let other = ("cookie", other_cookie.as_str());
    let host = ("host", "127.0.0.1:8080");
    for (headers, token, code) in [
        (vec![cookie], token.as_str(), "cross-site"),
        (
            vec![cookie, ("sec-fetch-site", "cross-site")],
            &token,
            "cross-site",
        ),
        // another port of the same machine
        (
            vec![cookie, ("sec-fetch-site", "same-site")],
            &token,
            "cross-site",
        ),
        (
            vec![cookie, host, ("origin", "http://evil.example")],
            &token,
            "cross-site",
        ),
        (vec![cookie, host, ("origin", "null")], &token, "cross-site"),
        (vec![cookie, OWN], "", "stale-form"),
        (vec![cookie, OWN], &other_token, "stale-form"),
        (vec![other, OWN], &token, "stale-form"),
        (vec![OWN], &token, "stale-form"),
        // a name that leads here by a trick
        (
            vec![cookie, OWN, ("host", "evil.example:8080")],
            &token,
            "wrong-host",
        ),
        (
            vec![
                cookie,
                ("host", "evil.example:8080"),
                ("origin", "http://evil.example:8080"),
            ],
            &token,
            "wrong-host",
        ),
    ] {
        let (status, text) = page(&router, form(PATH, &headers, &fields(token))).await;
        assert_eq!(status, 403, "{headers:?}");
        assert!(text.contains(code), "{headers:?}: {text}");
    }
    let mut plain = form(PATH, &[cookie, OWN], &fields(&token));
    plain
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(page(&router, plain).await.0, 415);
    assert_eq!(overrides(&ground).await, 0);
    // a browser that does not send `Sec-Fetch-Site` says its origin
    let accepted = [cookie, host, ("origin", "http://127.0.0.1:8080")];
    assert_eq!(
        page(&router, form(PATH, &accepted, &fields(&token)))
            .await
            .0,
        303
    );
    assert_eq!(overrides(&ground).await, 1);
}

#[tokio::test]
async fn without_tokens_only_names_of_this_machine_count() {
    let ground = open().await.limits(Limits {
        public_url: "https://judge.example.org".into(),
        ..Limits::default()
    });
    let router = ground.router();
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("localhost:1234", 200),
        ("[::1]:8080", 200),
        ("judge.example.org", 200),
        ("evil.example", 403),
        ("judge.example.org.evil.example", 403),
    ] {
        let mut request = get("/rollouts");
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(page(&router, request).await.0, status, "{host}");
        // the same for an override by the API
        let body = r#"{"verdict": "pass", "reason": "why", "expires": "2h"}"#;
        let mut request = super::double::post("/v1/rollouts/shop/checkout/override", body);
        request.headers_mut().insert("host", host.parse().unwrap());
        let expected = if status == 200 { 201 } else { 403 };
        assert_eq!(page(&router, request).await.0, expected, "{host}");
    }
    // a service that is open to the network has no such names
    let open = Ground::new().await.auth(Auth::open()).router();
    let mut request = get("/rollouts");
    request
        .headers_mut()
        .insert("host", "any.example".parse().unwrap());
    assert_eq!(page(&open, request).await.0, 200);
}

#[tokio::test]
async fn mistakes_are_told_beside_their_field() {
    let ground = open().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    for (change, field, typed) in [
        (("verdict=pass", "verdict="), "verdict", "known bug"),
        (("verdict=pass", "verdict=perhaps"), "verdict", "known bug"),
        (
            ("reason=known+bug+%26+more", "reason="),
            "reason",
            "checked",
        ),
        (
            ("preset=2h&expires=", "preset=other&expires=soon"),
            "expires",
            "value=\"soon\"",
        ),
        (
            ("preset=2h&expires=", "preset=other&expires=5000y"),
            "expires",
            "value=\"5000y\"",
        ),
        (
            ("preset=2h&expires=", "preset=other&expires=999d"),
            "expires",
            "value=\"999d\"",
        ),
        (
            ("preset=2h&expires=", "preset=other&expires="),
            "expires",
            "known bug",
        ),
        // typed beside another choice
        (
            ("preset=2h&expires=", "preset=2h&expires=5m"),
            "expires",
            "value=\"5m\"",
        ),
    ] {
        let sent = fields(&token).replace(change.0, change.1);
        let (status, text) = page(&router, form(PATH, &headers, &sent)).await;
        assert_eq!(status, 400, "{sent}");
        assert!(
            text.contains(&format!("id=\"{field}-error\"")),
            "{sent}: {text}"
        );
        assert!(text.contains(typed), "{sent}: {text}");
        let told = text.split(&format!("id=\"{field}-error\"")).nth(1).unwrap();
        let told = told.split("</p>").next().unwrap();
        assert!(
            !told.contains("<time"),
            "what is typed is no moment: {told}"
        );
        if sent.contains("expires=5000y") {
            assert!(told.contains("like `2026-01-02T15:04:05Z`"), "{told}");
        }
    }
    // another version came while the form was open
    let sent = fields(&token).replace("canary=6c9f8d7b5", "canary=0ther");
    let (status, text) = page(&router, form(PATH, &headers, &sent)).await;
    assert_eq!(status, 409);
    assert!(
        text.contains("was never judged; the present one is"),
        "{text}"
    );
    assert_eq!(overrides(&ground).await, 0);
}

#[tokio::test]
async fn a_dead_alert_is_put_back_by_a_button() {
    let ground = Ground::new().await;
    super::deliveries::filled(&ground).await;
    let router = ground.router();
    let (cookie, token) = opened(&router, "/deliveries?state=dead").await;
    let text = shown(&router, "/deliveries?state=dead").await;
    let path = text
        .split('"')
        .find(|t| t.ends_with("/retry"))
        .unwrap()
        .trim_start_matches('.')
        .to_owned();
    let headers = [OWN, ("cookie", cookie.as_str())];
    let (status, _) = page(&router, form(&path, &headers, "form=wrong")).await;
    assert_eq!(status, 403);
    // the list stays narrowed as it was
    let sent = format!("form={token}&state=dead&receiver=");
    let (head, _) = call(router.clone(), form(&path, &headers, &sent)).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["location"]),
        (303, &"../../deliveries?state=dead".parse().unwrap())
    );
    assert!(
        shown(&router, "/deliveries?state=dead")
            .await
            .contains("No delivery here")
    );
    assert_eq!(
        page(&router, form(&path, &headers, &format!("form={token}")))
            .await
            .0,
        404
    );
}
